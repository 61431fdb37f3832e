"""A dictionary: ``memory://`` for a store of one's own, ``memory://NAME`` for one that the whole process shares.

The reference implementation of the contract, and what tests publish to. Nothing survives the process.

Example:
    >>> from registry.stores import open_store
    >>> open_store("memory://shared").create("iris/manifest.json", b"{}")
    1
    >>> open_store("memory://shared").read("iris/manifest.json").data
    b'{}'
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from registry.errors import GenerationError, ObjectExistsError, ObjectNotFoundError
from registry.stores import Blob, Entry, Store, check_folder, check_path


@dataclass(frozen=True, slots=True)
class _Object:
    data: bytes
    generation: int
    updated_s: float


class MemoryStore(Store):
    """Objects in a dictionary. Safe with threads: one lock around every check and the write that it allows."""

    def __init__(self, name: str = "") -> None:
        self.url = f"memory://{name}"
        self._objects: dict[str, _Object] = {}
        self._last_generation = 0
        self._lock = threading.Lock()

    def read(self, path: str, *, start: int = 0, end: int | None = None, generation: int | None = None) -> Blob:
        """Read an object or a part of it; see `Store.read`."""
        check_path(path)
        with self._lock:
            found = self._objects.get(path)
        if found is None:
            raise ObjectNotFoundError(f"there is no object at {self.url}/{path}")
        if generation is not None:
            self._check_generation(path, found, generation)
        return Blob(data=found.data[start:end], generation=found.generation, size=len(found.data))

    def create(self, path: str, data: bytes | BinaryIO) -> int:
        """Write a new object; see `Store.create`."""
        check_path(path)
        content = bytes(data) if isinstance(data, bytes) else data.read()
        with self._lock:
            if path in self._objects:
                raise ObjectExistsError(f"there is already an object at {self.url}/{path}")
            return self._put(path, content)

    def replace(self, path: str, data: bytes, *, generation: int) -> int:
        """Replace the object of a generation; see `Store.replace`."""
        check_path(path)
        with self._lock:
            self._check_generation(path, self._objects.get(path), generation)
            return self._put(path, bytes(data))

    def delete(self, path: str, *, generation: int) -> None:
        """Delete the object of a generation; see `Store.delete`."""
        check_path(path)
        with self._lock:
            found = self._objects.get(path)
            if found is not None:
                self._check_generation(path, found, generation)
                del self._objects[path]

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """List the objects below a prefix, as they are now; see `Store.list`."""
        with self._lock:
            found = sorted((path, item) for path, item in self._objects.items() if path.startswith(prefix))
        for path, item in found:
            yield Entry(path=path, generation=item.generation, size=len(item.data), updated_s=item.updated_s)

    def list_names(self, prefix: str = "") -> Iterator[str]:
        """List the first segments below a prefix; see `Store.list_names`."""
        check_folder(prefix)
        with self._lock:
            below = [path.removeprefix(prefix) for path in self._objects if path.startswith(prefix)]
        return iter(sorted({path.partition("/")[0] for path in below}))

    def _put(self, path: str, data: bytes) -> int:
        self._last_generation += 1
        self._objects[path] = _Object(data, self._last_generation, time.time())
        return self._last_generation

    def _check_generation(self, path: str, found: _Object | None, generation: int) -> None:
        if found is None or found.generation != generation:
            state = "is gone" if found is None else f"is of generation {found.generation}"
            raise GenerationError(f"{self.url}/{path} {state}, not of generation {generation}")


# Module-level state, on purpose: a name means the same store everywhere in the process, as a bucket's name does.
_shared: dict[str, MemoryStore] = {}
_shared_lock = threading.Lock()


def open_store(url: str) -> MemoryStore:
    """Return a new store for ``memory://``, and the process's store of that name for ``memory://NAME``."""
    name = url.removeprefix("memory://").strip("/")
    if not name:
        return MemoryStore()
    with _shared_lock:
        return _shared.setdefault(name, MemoryStore(name))
