"""Creating the objects of a version: once, under names that carry their digests, safe beside a collection."""

from __future__ import annotations

import io
import time
from contextlib import suppress

from registry.digest import check
from registry.errors import ConflictError, GenerationError, ObjectExistsError, ObjectNotFoundError
from registry.fetch import Progress
from registry.gc import MIN_AGE_S
from registry.manifest import ObjectRef
from registry.stores import Store

ATTEMPTS = 10


def create_or_keep(store: Store, path: str, data: bytes, ref: ObjectRef, *, progress: Progress | None = None) -> None:
    """Create an object that a manifest is about to name, or keep the one that lies there, which must be the same.

    It may lie there because an earlier attempt broke off, or because the answer to this one was lost. One that was left
    long ago is garbage in the eyes of a collection that runs at this moment, so it is made young: what deletes it then
    meets another generation, and one that was deleted meanwhile is created again.

    Raises:
        IntegrityError: Something else lies there.
        ConflictError: It kept going away.
        StoreError: The store cannot be reached.
    """
    for _ in range(ATTEMPTS):
        with suppress(ObjectExistsError):
            store.create(path, _Counted(data, progress) if progress else data)
            return
        with suppress(ObjectNotFoundError, GenerationError):
            check(store.read(path).data, sha256=ref.sha256, size=ref.size, what=f"{store.url}/{path}")
            _renew(store, path, data)
            return
    raise ConflictError(f"{store.url}/{path} went away {ATTEMPTS} times while a manifest was about to name it")


def _renew(store: Store, path: str, data: bytes) -> None:
    """Write an object that a collection may take for garbage again, with the same content."""
    entry = next((entry for entry in store.list(path) if entry.path == path), None)
    if entry is None:
        raise ObjectNotFoundError(f"{store.url}/{path} was deleted meanwhile")
    if entry.updated_s < time.time() - MIN_AGE_S / 2:
        store.replace(path, data, generation=entry.generation)


class _Counted(io.BytesIO):
    """Bytes to send that tell how many were taken."""

    def __init__(self, data: bytes, progress: Progress) -> None:
        super().__init__(data)
        self._progress = progress

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        self._progress(len(piece))
        return piece
