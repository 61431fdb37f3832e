"""A folder: ``file:///srv/models``, the embedded default.

Objects are plain files at their paths, so that a person can read them, and edit a manifest, with any editor.

How the contract is kept:

- **No torn objects.** A write fills a temporary file in the hidden folder ``.model-bucket``, flushes it to the disk,
  and makes it appear at once: by a hard link where nothing may be there yet, by a rename where an object is replaced.
  A writer that is killed leaves the old object or the new one, and perhaps a temporary file, which the next writer
  removes.
- **Compare-and-swap.** Writers of all processes and threads take turns at one lock file. Readers take no lock and
  write nothing, so they work on a read-only mount.
- **Generation.** The modification time of the file in nanoseconds. Writers set it themselves, to whole microseconds,
  each later than every one before; an editor that saves the file sets another one, so its edit is a new generation.

It refuses symbolic links below the root, because they could lead out of it, and it needs what POSIX file systems have:
hard links, file locks, and modification times that can tell two microseconds apart.

Example:
    >>> import tempfile
    >>> from registry.stores import open_store
    >>> store = open_store(f"file://{tempfile.mkdtemp()}")
    >>> generation = store.create("iris/manifest.json", b"{}")
    >>> [entry.path for entry in store.list()]
    ['iris/manifest.json']
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote_to_bytes

from registry.errors import GenerationError, InputError, ObjectExistsError, ObjectNotFoundError, StoreError
from registry.stores import CHUNK_SIZE, Blob, Entry, Store, check_folder, check_path, is_path
from registry.stores._posix import Temporary, flush_folder, locked, make_folder, open_file, remove_leftovers, status

HIDDEN = ".model-bucket"
LOCK_TIMEOUT_S = 30.0
READ_ATTEMPTS = 5


class FileStore(Store):
    """Objects as files below a root folder, which the first write makes."""

    def __init__(self, root: Path, *, lock_timeout_s: float = LOCK_TIMEOUT_S) -> None:
        self.url = root.as_uri()
        self._root = root
        self._hidden = root / HIDDEN
        self._lock_timeout_s = lock_timeout_s

    def read(self, path: str, *, start: int = 0, end: int | None = None, generation: int | None = None) -> Blob:
        """Read an object or a part of it; see `Store.read`. A file that is being written in place is read again."""
        target = self._locate(path)
        for _ in range(READ_ATTEMPTS):
            with self._errors(path, reading=True), open_file(target) as file:
                before = os.fstat(file.fileno())
                stop = before.st_size if end is None else min(end, before.st_size)
                file.seek(start)
                data = file.read(max(stop - start, 0))
                after = os.fstat(file.fileno())
            if generation is not None:
                self._check_generation(path, before, generation)
            if (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size):
                return Blob(data=data, generation=before.st_mtime_ns, size=before.st_size)
        raise StoreError(f"{self.url}/{path} is being written in place by another program")

    def create(self, path: str, data: bytes | BinaryIO) -> int:
        """Write a new object; see `Store.create`."""
        target = self._locate(path)
        exists = ObjectExistsError(f"there is already an object at {self.url}/{path}")
        with self._errors(path):
            if status(target) is not None:
                raise exists
        with self._temporary(path, data) as temporary, self._errors(path), self._locked() as lock:
            generation = self._stamp(temporary, lock, later_than=0)
            make_folder(target.parent)
            try:
                os.link(temporary.path, target)
            except FileExistsError as exc:
                if target.is_dir():
                    raise StoreError(f"{self.url}/{path} is a folder, so it cannot be an object as well") from exc
                raise exists from exc
            flush_folder(target.parent)
        return generation

    def replace(self, path: str, data: bytes, *, generation: int) -> int:
        """Replace the object of a generation; see `Store.replace`."""
        target = self._locate(path)
        with self._errors(path):
            self._check_generation(path, status(target), generation)
        with self._temporary(path, data) as temporary, self._errors(path), self._locked() as lock:
            self._check_generation(path, status(target), generation)
            new_generation = self._stamp(temporary, lock, later_than=generation)
            temporary.path.replace(target)
            flush_folder(target.parent)
        return new_generation

    def delete(self, path: str, *, generation: int) -> None:
        """Delete the object of a generation, and the folders that it leaves empty; see `Store.delete`."""
        target = self._locate(path)
        with self._errors(path):
            if status(target) is None:
                return
            with self._locked():
                found = status(target)
                if found is not None:
                    self._check_generation(path, found, generation)
                    target.unlink()
                    self._remove_empty_folders(target.parent)

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """List the objects below a prefix, as the files are found; see `Store.list`."""
        folder = prefix[: prefix.rfind("/") + 1]
        if self._can_hold_objects(folder):
            yield from self._walk(folder, prefix.removeprefix(folder))

    def list_names(self, prefix: str = "") -> Iterator[str]:
        """List the first segments below a prefix that lead to an object; see `Store.list_names`."""
        if not self._can_hold_objects(check_folder(prefix)):
            return
        for entry in sorted(self._scan(prefix), key=lambda entry: entry.name):
            if entry.is_file(follow_symlinks=False) or self._holds_an_object(f"{prefix}{entry.name}/"):
                yield entry.name

    def _locate(self, path: str) -> Path:
        """Return where the object lies, after checking that the way there stays below the root."""
        if self._is_hidden(check_path(path)):
            raise InputError(f"{path!r} cannot be the path of an object: {HIDDEN}/ is where the store keeps its lock")
        step = self._root
        with self._errors(path):
            for segment in path.split("/"):
                step /= segment
                if step.is_symlink():
                    raise StoreError(f"{step} is a symbolic link: a registry is not read or written through one")
        return step

    def _is_hidden(self, path: str) -> bool:
        return path.partition("/")[0] == HIDDEN

    def _can_hold_objects(self, folder: str) -> bool:
        """Tell whether a folder, "" or "a/b/", is one that objects can lie in."""
        if not folder:
            return True
        path = folder[:-1]
        return is_path(path) and not self._is_hidden(path) and self._locate(path) != self._root

    def _walk(self, folder: str, start: str = "") -> Iterator[Entry]:
        """Yield the objects below a folder ("" or "a/b/") whose next segment begins with `start`, ordered by path."""
        for entry in self._scan(folder):
            path = folder + entry.name
            if not entry.name.startswith(start):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(f"{path}/")
                continue
            with self._errors(path):
                found = status(self._root / path)
            if found is not None:
                updated_s = found.st_mtime_ns / 1e9
                yield Entry(path=path, generation=found.st_mtime_ns, size=found.st_size, updated_s=updated_s)

    def _holds_an_object(self, folder: str) -> bool:
        entries = self._scan(folder)
        return any(entry.is_file(follow_symlinks=False) for entry in entries) or any(
            self._holds_an_object(f"{folder}{entry.name}/") for entry in entries
        )

    def _scan(self, folder: str) -> Sequence[os.DirEntry[str]]:
        """Return the files and folders in a folder, in the order of the paths that they lead to."""
        with self._errors(folder):
            try:
                with os.scandir(self._root / folder) as entries:
                    found = [entry for entry in entries if is_path(entry.name)]
            except FileNotFoundError:
                return []
            except NotADirectoryError:
                if not folder:
                    raise
                return []
        folders = {entry.name for entry in found if entry.is_dir(follow_symlinks=False)}
        files = {entry.name for entry in found if entry.is_file(follow_symlinks=False)}
        if not folder:
            folders.discard(HIDDEN)
        listed = [entry for entry in found if entry.name in folders | files]
        return sorted(listed, key=lambda entry: entry.name + "/" * (entry.name in folders))

    @contextmanager
    def _temporary(self, path: str, data: bytes | BinaryIO) -> Iterator[Temporary]:
        """Hold a temporary file with the content, on the disk already, and remove it if it was not renamed."""
        with self._errors(path):
            make_folder(self._hidden)
            remove_leftovers(self._hidden)
            temporary = Temporary(self._hidden)
        try:
            for piece in _pieces(data):  # an error of the caller's own file stays the caller's
                with self._errors(path):
                    temporary.write(piece)
            with self._errors(path):
                temporary.flush()
            yield temporary
        finally:
            temporary.remove()

    @contextmanager
    def _locked(self) -> Iterator[int]:
        make_folder(self._hidden)
        with locked(self._hidden / "lock", timeout_s=self._lock_timeout_s) as lock:
            yield lock

    def _stamp(self, temporary: Temporary, lock: int, *, later_than: int) -> int:
        """Give the file a generation later than any that was given out here, and return it."""
        last = os.pread(lock, 32, 0)
        clock_us = max(time.time_ns() // 1000, int(last) + 1 if last.isdigit() else 0)
        os.pwrite(lock, b"%d" % clock_us, 0)
        generation = max(clock_us, later_than // 1000 + 1) * 1000
        os.utime(temporary.file, ns=(generation, generation))
        temporary.flush()
        if os.fstat(temporary.file).st_mtime_ns != generation:
            raise StoreError(f"{self.url} lies on a file system that keeps times too coarsely to tell writes apart")
        return generation

    def _remove_empty_folders(self, folder: Path) -> None:
        flush_folder(folder)
        with suppress(OSError):  # the first one that holds something else
            while folder != self._root:
                folder.rmdir()
                folder = folder.parent

    def _check_generation(self, path: str, found: os.stat_result | None, generation: int) -> None:
        if found is None or found.st_mtime_ns != generation:
            state = "is gone" if found is None else f"is of generation {found.st_mtime_ns}"
            raise GenerationError(f"{self.url}/{path} {state}, not of generation {generation}")

    @contextmanager
    def _errors(self, path: str, *, reading: bool = False) -> Iterator[None]:
        """Turn the errors of the operating system into ours."""
        try:
            yield
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as exc:
            if reading and (self._root.is_dir() or not self._root.exists()):
                raise ObjectNotFoundError(f"there is no object at {self.url}/{path}") from exc
            raise StoreError(f"cannot read or write {self.url}/{path}: {exc}") from exc
        except OSError as exc:
            raise StoreError(f"cannot read or write {self.url}/{path}: {exc}") from exc


def open_store(url: str) -> FileStore:
    """Return the store at an absolute path, percent-encoded where needed.

    Raises:
        InputError: The path is not absolute, is the root of the file system, or is not text.
    """
    location = url.removeprefix("file://")
    try:
        path = os.fsdecode(unquote_to_bytes(location))
    except UnicodeEncodeError as exc:
        raise InputError(f"cannot open the registry {url!r}: bytes that are not UTF-8 are written in percent") from exc
    if not location.startswith("/") or not path.strip("/") or "\0" in path:
        raise InputError(
            f"cannot open the registry {url!r}: name an absolute folder after three slashes, as in file:///srv/models"
        )
    root = Path("/" + path.strip("/")).resolve()
    if root == Path("/"):
        raise InputError(f"cannot open the registry {url!r}: it is the root of the file system")
    return FileStore(root)


def _pieces(data: bytes | BinaryIO) -> Iterator[bytes]:
    if isinstance(data, bytes):
        yield data
    else:
        while piece := data.read(CHUNK_SIZE):
            yield piece
