"""Reading from a registry: the manifest in force, and objects checked against it.

Nothing leaves this module unchecked: what arrives is `Unverified`, and gives its bytes only after their size and
SHA-256 matched the manifest. It refuses to deserialise anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from registry.digest import Check, sha256
from registry.errors import GenerationError, IntegrityError, ManifestError, ObjectNotFoundError, UnknownModelError
from registry.layout import manifest_path, object_path
from registry.manifest import Manifest, ObjectRef
from registry.names import check_model, is_model
from registry.record import Record
from registry.stores import Store

MAX_MANIFEST_SIZE = 64 * 1024 * 1024
"""Bytes of a manifest that are read: about 90,000 versions."""

Progress = Callable[[int], None]
"""Called with the number of bytes of each piece that went by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A manifest as it was read.

    Attributes:
        manifest: The value.
        data: The bytes it was read from.
        generation: What to name when it is replaced.
    """

    manifest: Manifest
    data: bytes
    generation: int

    @property
    def sha256(self) -> str:
        """The digest of the bytes."""
        return sha256(self.data)


def list_models(store: Store) -> list[str]:
    """Return the names of the folders that may hold a model, in alphabetical order.

    Raises:
        StoreError: The store cannot be reached.
    """
    return [name for name in store.list_names() if is_model(name)]


def find_manifest(store: Store, model: str) -> Snapshot | None:
    """Read the manifest in force, or return None when there is no such model yet.

    Raises:
        ManifestError, StoreError: As `fetch_manifest`.
    """
    try:
        return fetch_manifest(store, model)
    except UnknownModelError:
        return None


def fetch_manifest(store: Store, model: str) -> Snapshot:
    """Read the manifest in force.

    Raises:
        UnknownModelError: The registry has no such model; the error lists those it has.
        ManifestError: The manifest cannot be understood; the sentence begins with the place.
        StoreError: The store cannot be reached.
    """
    path = manifest_path(check_model(model))
    try:
        blob = store.read(path, end=MAX_MANIFEST_SIZE)
    except ObjectNotFoundError as exc:
        known = list_models(store)
        raise UnknownModelError(
            f"{store.url} has no model {model!r} (known: {', '.join(known) or 'none'})", known=known
        ) from exc
    if blob.size > MAX_MANIFEST_SIZE:
        raise ManifestError(f"{blob.size} bytes; at most {MAX_MANIFEST_SIZE} are read", place=f"{store.url}/{path}")
    try:
        manifest = Manifest.from_bytes(blob.data, model=model)
    except ManifestError as error:
        raise error.within(f"{store.url}/{path}") from error.__cause__
    return Snapshot(manifest=manifest, data=blob.data, generation=blob.generation)


class Unverified:
    """Bytes that arrived and have not passed their check. The only thing to do with them is to verify them."""

    def __init__(self, pieces: list[bytes], check: Check) -> None:
        self._pieces = pieces
        self._check = check

    def verify(self) -> bytes:
        """Return the bytes.

        Raises:
            IntegrityError: Their size or SHA-256 is not what the manifest states.
        """
        self._check.finish()
        return b"".join(self._pieces)


def download(store: Store, model: str, ref: ObjectRef, *, progress: Progress | None = None) -> Unverified:
    """Read an object that a manifest names, hashing each piece as it arrives.

    Raises:
        IntegrityError: It is not there, or visibly not what the manifest states.
        StoreError: The store cannot be reached.
    """
    path = object_path(model, ref.path)
    what = f"{store.url}/{path}"
    check = Check(sha256=ref.sha256, size=ref.size, what=what)
    pieces = []
    try:
        for blob in store.stream(path):
            if blob.size != ref.size:
                raise IntegrityError(f"{what}: {blob.size} bytes, and the manifest states {ref.size}")
            check.update(blob.data)
            pieces.append(blob.data)
            if progress:
                progress(len(blob.data))
    except ObjectNotFoundError as exc:
        raise IntegrityError(f"{what}: the manifest names it, and it is not there") from exc
    except GenerationError as exc:
        raise IntegrityError(f"{what}: it was replaced while it was being read") from exc
    return Unverified(pieces, check)


def fetch_object(store: Store, model: str, ref: ObjectRef, *, progress: Progress | None = None) -> bytes:
    """Read an object that a manifest names, and check it.

    Raises:
        IntegrityError: It is not there, or its size or SHA-256 is not what the manifest states.
        StoreError: The store cannot be reached.
    """
    return download(store, model, ref, progress=progress).verify()


def fetch_record(store: Store, manifest: Manifest, version: str) -> Record:
    """Read the record of a version, and check that it is that version's.

    Raises:
        IntegrityError: Its bytes are not what the manifest states, or it is the record of another version.
        ManifestError: It cannot be understood.
        StoreError: The store cannot be reached.
    """
    ref = manifest.versions[version].record
    record = Record.from_bytes(fetch_object(store, manifest.model, ref))
    if (record.model, record.version) != (manifest.model, version):
        raise IntegrityError(
            f"{store.url}/{object_path(manifest.model, ref.path)}: the record of {record.model} {record.version}, "
            f"expected that of {manifest.model} {version}"
        )
    return record
