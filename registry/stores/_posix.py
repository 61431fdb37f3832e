"""Files that survive crashes and meet other processes: what `registry.stores.file` is built on.

It knows neither objects nor generations, and raises `OSError` and nothing else.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

LOCK_POLL_S = 0.002


class Temporary:
    """A new file under a name of its own, locked for as long as it is open.

    The lock is how another process tells a file that is being written from one whose writer was killed.
    """

    def __init__(self, folder: Path) -> None:
        while True:
            self.path = folder / f"{os.urandom(8).hex()}.tmp"
            file = _try_lock(self.path, os.O_CREAT | os.O_EXCL)
            if file is not None:
                self.file = file
                return

    def write(self, data: bytes) -> None:
        """Append all of the data."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self.file, rest) :]

    def flush(self) -> None:
        """Return when the content and the times are on the disk."""
        os.fsync(self.file)

    def remove(self) -> None:
        """Close the file and remove its temporary name, if it still has it and that can be done."""
        with suppress(OSError):
            self.path.unlink()
        os.close(self.file)


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files whose writers are gone."""
    for path in folder.glob("*.tmp"):
        with suppress(FileNotFoundError, PermissionError):
            file = _try_lock(path)
            if file is not None:
                path.unlink(missing_ok=True)
                os.close(file)


@contextmanager
def locked(path: Path, *, timeout_s: float) -> Iterator[int]:
    """Hold the lock file, made when it is not there, against all other processes and threads; yield it opened.

    Raises:
        TimeoutError: It was held by others for all of that time.
    """
    deadline = time.monotonic() + timeout_s
    while (file := _try_lock(path, os.O_CREAT)) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"other writers have held {path} for {timeout_s:g} s")
        time.sleep(LOCK_POLL_S)
    try:
        yield file
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)  # to close is not enough: a fork in another thread copied the descriptor
        os.close(file)


def status(path: Path) -> os.stat_result | None:
    """Return the status of a plain file, or None if there is none."""
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def open_file(path: Path) -> BinaryIO:
    """Open a plain file to read it, without following a link and without waiting for a writer, as a pipe would."""
    number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise FileNotFoundError(errno.ENOENT, "not a plain file", str(path))
    return os.fdopen(number, "rb")


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, durably."""
    if not folder.is_dir():
        make_folder(folder.parent)
        with suppress(FileExistsError):
            folder.mkdir()
        flush_folder(folder.parent)


def flush_folder(folder: Path) -> None:
    """Return when the names in the folder are on the disk."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _try_lock(path: Path, flags: int = 0) -> int | None:
    """Open a file and lock it, or return None if somebody else holds it or removed it meanwhile."""
    file = os.open(path, os.O_RDWR | flags, 0o666)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        held = os.fstat(file).st_nlink > 0
    except BlockingIOError:
        held = False
    except OSError:
        os.close(file)
        raise
    if held:
        return file
    os.close(file)
    return None
