"""Google Cloud Storage: ``gs://bucket`` or ``gs://bucket/prefix``.

How the contract is kept:

- **Create-only and compare-and-swap** are the preconditions ``ifGenerationMatch=0`` and ``ifGenerationMatch=N``, which
  make every write safe to repeat. When a response is lost after the write was committed, the repeated request meets
  its own object and is refused, so `create` and `replace` may report a conflict with the caller's own write.
- **Reads** are one request each. An answer that is shorter than announced, or a whole object whose CRC32C is wrong, is
  asked for again and never returned.
- **Bounded time.** Broken connections and the statuses 408, 429 and 5xx are tried again after a random, growing wait,
  as Google asks for, until the bound of the call.

``STORAGE_EMULATOR_HOST`` names another server, which is asked without credentials. Nothing of Google's is imported
before the first call.

Example:
    >>> from registry.stores import open_store
    >>> open_store("gs://acme-models/team-a").url
    'gs://acme-models/team-a'
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import TYPE_CHECKING, BinaryIO

from registry.errors import InputError, StoreError
from registry.stores import CHUNK_SIZE, Blob, Entry, Store, check_folder, check_path, is_path
from registry.stores._bounded import Bounds, Deadline, within

if TYPE_CHECKING:
    from registry.stores._google import Connection

__all__ = ["Bounds", "GsStore", "open_store"]

_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")


class GsStore(Store):
    """Objects below a prefix of a bucket. Safe with threads."""

    def __init__(self, bucket: str, prefix: str = "", *, endpoint: str = "", bounds: Bounds | None = None) -> None:
        """Prepare to use a bucket.

        Args:
            bucket: Its name.
            prefix: What all paths are relative to; empty, or without slashes around it.
            endpoint: A server to ask in place of Google, without credentials.
            bounds: How long things may take.
        """
        self.url = f"gs://{bucket}/{prefix}".rstrip("/")
        self._bucket = bucket
        self._root = f"{prefix}/" if prefix else ""
        self._endpoint = endpoint
        self._bounds = bounds or Bounds()
        self._connection: Connection | None = None

    def read(self, path: str, *, start: int = 0, end: int | None = None, generation: int | None = None) -> Blob:
        """Read an object or a part of it with one request; see `Store.read`."""
        return self._connect().read(self._name(path), start, end, generation)

    def stream(self, path: str, *, chunk_size: int = CHUNK_SIZE) -> Iterator[Blob]:
        """Read an object piece by piece, one piece ahead of the caller; see `Store.stream`."""
        blob = self.read(path, end=chunk_size)
        with ThreadPoolExecutor(max_workers=1) as ahead:
            for start in range(chunk_size, blob.size, chunk_size):
                end, generation = start + chunk_size, blob.generation
                following = ahead.submit(self.read, path, start=start, end=end, generation=generation)
                yield blob
                blob = following.result()
        yield blob

    def create(self, path: str, data: bytes | BinaryIO) -> int:
        """Write a new object; see `Store.create`."""
        return self._connect().write(self._name(path), data, generation=0)

    def replace(self, path: str, data: bytes, *, generation: int) -> int:
        """Replace the object of a generation; see `Store.replace`."""
        return self._connect().write(self._name(path), data, generation=generation)

    def delete(self, path: str, *, generation: int) -> None:
        """Delete the object of a generation; see `Store.delete`."""
        self._connect().delete(self._name(path), generation)

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """List the objects below a prefix, a page at a time; see `Store.list`.

        The empty objects whose names end with a slash, which stand for folders in Google's console, are left out.
        """
        fields = "items(name,generation,size,timeCreated),nextPageToken"
        for page in self._connect().pages(self._root + prefix, fields=fields):
            for item in page:
                path = item.name.removeprefix(self._root)
                if is_path(path):
                    updated_s = item.time_created.timestamp()
                    yield Entry(path=path, generation=item.generation, size=item.size, updated_s=updated_s)

    def list_names(self, prefix: str = "") -> Iterator[str]:
        """List the first segments below a prefix, grouped by the server; see `Store.list_names`."""
        above = self._root + check_folder(prefix)
        names: set[str] = set()
        for page in self._connect().pages(above, delimiter="/", fields="items(name),prefixes,nextPageToken"):
            found = [item.name for item in page] + [folder.removesuffix("/") for folder in page.prefixes]
            names.update(name.removeprefix(above) for name in found)
        return iter(sorted(name for name in names if is_path(name)))

    def _name(self, path: str) -> str:
        return self._root + check_path(path)

    def _connect(self) -> Connection:
        """Return the connection, made at the first call."""
        if self._connection is None:
            seconds = self._bounds.credentials_s
            try:
                self._connection = within(Deadline(seconds), self._open_connection)
            except TimeoutError as exc:
                raise StoreError(
                    f"cannot reach {self.url}: no Google credentials were found within {seconds:g} s"
                ) from exc
        return self._connection

    def _open_connection(self) -> Connection:
        from registry.stores._google import Connection

        return Connection(self._bucket, endpoint=self._endpoint, bounds=self._bounds)


def open_store(url: str) -> GsStore:
    """Return the store at a bucket, or at a prefix in it.

    Raises:
        InputError: That is not the name of a bucket.
        StoreError: google-cloud-storage is not installed.
    """
    bucket, _, prefix = url.removeprefix("gs://").rstrip("/").partition("/")
    if not _BUCKET.fullmatch(bucket) or (prefix and not is_path(prefix)):
        raise InputError(f"cannot open the registry {url!r}: name a bucket, as in gs://acme-models/team-a")
    if find_spec("google") is None or find_spec("google.cloud.storage") is None:
        raise StoreError(f"cannot open the registry {url!r}: install google-cloud-storage, or model-bucket[gcs]")
    endpoint = os.environ.get("STORAGE_EMULATOR_HOST", "").rstrip("/")
    if endpoint and "://" not in endpoint:
        endpoint = f"http://{endpoint}"
    return GsStore(bucket, prefix, endpoint=endpoint)
