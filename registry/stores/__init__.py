"""Where bytes live: one small contract, one file a backend.

A store keeps objects under paths such as ``iris/manifest.json``, relative to the store's root URL. The scheme of
the URL names the module that implements it (``gs://`` is `registry.stores.gs`), so a new backend is one new file
with an ``open_store(url)`` function, and the contract tests run over it unedited.

What every backend guarantees:

- **Strong reads.** A read, a listing or a deletion sees every write that returned before it.
- **No torn objects.** No reader can observe a partly written object.
- **Create-only.** Of any number of concurrent `Store.create` calls for one path, exactly one succeeds.
- **Compare-and-swap.** `Store.replace` and `Store.delete` act only on the generation that was read.
- **Bounded time.** A call that cannot be completed raises `StoreError`; it does not wait for ever.

A path is one or more segments joined by ``/``, none of them empty, ``.`` or ``..``, without control characters, of at
most 1,024 bytes in UTF-8. Anything else is refused before the backend sees it.

A store refuses to interpret what it holds: digests, manifests and models are not its business.

Example:
    >>> store = open_store("memory://")
    >>> generation = store.create("iris/manifest.json", b"{}")
    >>> store.read("iris/manifest.json").data
    b'{}'
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from registry.errors import InputError

CHUNK_SIZE = 8 * 1024 * 1024
LONGEST_PATH = 1024

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """Bytes that were read, and which object they came from.

    Attributes:
        data: The bytes of the range that was asked for.
        generation: An opaque number that changes with every write of the object. Not promised to increase.
        size: The size of the whole object, in bytes.
    """

    data: bytes
    generation: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One object of a listing.

    Attributes:
        path: Relative to the store's root.
        generation: As in `Blob`.
        size: In bytes.
        updated_s: When it was written, in seconds since the epoch.
    """

    path: str
    generation: int
    size: int
    updated_s: float


class Store(ABC):
    """The contract of a backend. The module's docstring states the guarantees."""

    url: str
    """The root URL, without a trailing slash."""

    @abstractmethod
    def read(self, path: str, *, start: int = 0, end: int | None = None, generation: int | None = None) -> Blob:
        """Read an object, or the bytes ``start`` to ``end`` (exclusive) of it.

        A range that reaches past the end is cut at the end; one that begins at or past it is empty.

        Args:
            path: Relative to the root.
            start: First byte.
            end: One past the last byte; None means to the end.
            generation: Read this generation or none.

        Raises:
            InputError: No object can have that path.
            ObjectNotFoundError: Nothing is there.
            GenerationError: The object is not of that generation any more.
            StoreError: The store cannot be reached, or broke off.
        """

    def stream(self, path: str, *, chunk_size: int = CHUNK_SIZE) -> Iterator[Blob]:
        """Read an object piece by piece, all pieces of one generation.

        Yields at least one piece; the first one tells the size of the whole object.

        Raises:
            ObjectNotFoundError: Nothing is there.
            GenerationError: The object was replaced while it was being read.
            StoreError: The store cannot be reached, or broke off.
        """
        blob = self.read(path, start=0, end=chunk_size)
        yield blob
        for start in range(chunk_size, blob.size, chunk_size):
            yield self.read(path, start=start, end=start + chunk_size, generation=blob.generation)

    @abstractmethod
    def create(self, path: str, data: bytes | BinaryIO) -> int:
        """Write a new object, and return its generation. Atomic and durable when it returns.

        Retried inside where that is safe. When a response is lost after the write was committed, the caller may get
        `ObjectExistsError` for its own object: compare the content before calling it a conflict.

        Args:
            path: Relative to the root.
            data: The content; a file is read from where it stands to its end, and must be able to seek.

        Raises:
            InputError: No object can have that path.
            ObjectExistsError: Something is already there; it was left as it was.
            StoreError: The store cannot be reached or refuses.
        """

    @abstractmethod
    def replace(self, path: str, data: bytes, *, generation: int) -> int:
        """Replace the object of exactly that generation, and return the new generation. Atomic and durable.

        Raises:
            InputError: No object can have that path.
            GenerationError: The object changed or went away; it was left as it was. As with `create`, the caller's
                own write may be the change when a response was lost.
            StoreError: The store cannot be reached or refuses.
        """

    @abstractmethod
    def delete(self, path: str, *, generation: int) -> None:
        """Delete the object of exactly that generation. Nothing there is not an error.

        Raises:
            InputError: No object can have that path.
            GenerationError: The object is of another generation; it was left as it was.
            StoreError: The store cannot be reached or refuses.
        """

    @abstractmethod
    def list(self, prefix: str = "") -> Iterator[Entry]:
        """List the objects whose path starts with the prefix, ordered by path.

        Raises:
            StoreError: The store cannot be reached or refuses.
        """

    @abstractmethod
    def list_names(self, prefix: str = "") -> Iterator[str]:
        """List the distinct first path segments below a prefix that is empty or ends with a slash, ordered.

        ``list_names("")`` of a store that holds ``iris/manifest.json`` and ``wine/manifest.json`` gives ``iris`` and
        ``wine``, at a cost that does not grow with what lies below them.

        Raises:
            InputError: The prefix is not empty and does not end with a slash.
            StoreError: The store cannot be reached or refuses.
        """


def is_path(path: str) -> bool:
    """Tell whether an object can have that path, in every backend."""
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        return False
    segments = path.split("/")
    return size <= LONGEST_PATH and not _CONTROL.search(path) and not any(part in ("", ".", "..") for part in segments)


def check_path(path: str) -> str:
    """Return the path if an object can have it, in every backend.

    Raises:
        InputError: It is absolute, leaves the root, or cannot be written down.
    """
    if not is_path(path):
        raise InputError(
            f"{path!r} cannot be the path of an object: use segments joined by '/', none of them empty, '.' or '..', "
            f"without control characters, {LONGEST_PATH} bytes at most"
        )
    return path


def check_folder(prefix: str) -> str:
    """Return the prefix if it can stand for everything below a segment.

    Raises:
        InputError: It is not empty and does not end with a slash.
    """
    if prefix and not prefix.endswith("/"):
        raise InputError(f"the prefix {prefix!r} must end with a slash: its last segment would be cut in two")
    return prefix


def schemes() -> list[str]:
    """Return the URL schemes that have a backend, in alphabetical order."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def open_store(url: str) -> Store:
    """Open the store at a root URL such as ``gs://bucket/prefix``, ``file:///srv/models`` or ``memory://``.

    Opening reaches for nothing: a bucket that is not there shows at the first read or write.

    Raises:
        InputError: The URL has no scheme, or one that has no backend.
    """
    scheme, separator, _ = url.partition("://")
    known = schemes()
    if not separator or scheme not in known:
        forms = ", ".join(f"{name}://…" for name in known)
        raise InputError(f"cannot open the registry {url!r}: expected a URL of the form {forms}", known=known)
    store: Store = importlib.import_module(f"{__name__}.{scheme}").open_store(url)
    return store
