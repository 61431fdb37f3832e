"""Stores that fail: they die at a chosen call, or lose the answer to a write that was committed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from typing import BinaryIO, Literal, NoReturn, TypeVar

from registry.errors import GenerationError, ObjectExistsError
from registry.stores import Blob, Entry, Store

T = TypeVar("T")
When = Literal["before", "after"]


class Died(BaseException):
    """A process that ends. Nothing but a test catches it."""


class Wrapped(Store):
    """Delegates to a store, through one method."""

    def __init__(self, inner: Store) -> None:
        self.inner = inner
        self.url = inner.url

    def around(self, operation: str, path: str, call: Callable[[], T]) -> T:
        """Make the call; a subclass does something before or after it."""
        return call()

    def read(self, path: str, *, start: int = 0, end: int | None = None, generation: int | None = None) -> Blob:
        """Read; see `Store.read`."""
        return self.around("read", path, lambda: self.inner.read(path, start=start, end=end, generation=generation))

    def create(self, path: str, data: bytes | BinaryIO) -> int:
        """Create; see `Store.create`."""
        return self.around("create", path, lambda: self.inner.create(path, data))

    def replace(self, path: str, data: bytes, *, generation: int) -> int:
        """Replace; see `Store.replace`."""
        return self.around("replace", path, lambda: self.inner.replace(path, data, generation=generation))

    def delete(self, path: str, *, generation: int) -> None:
        """Delete; see `Store.delete`."""
        self.around("delete", path, lambda: self.inner.delete(path, generation=generation))

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """List; see `Store.list`."""
        return self.around("list", prefix, lambda: iter([*self.inner.list(prefix)]))

    def list_names(self, prefix: str = "") -> Iterator[str]:
        """List; see `Store.list_names`."""
        return self.around("list_names", prefix, lambda: self.inner.list_names(prefix))


class Dying(Wrapped):
    """Dies before or after its n-th call."""

    def __init__(self, inner: Store, *, at: int, when: When, die: Callable[[], NoReturn] | None = None) -> None:
        super().__init__(inner)
        self._left = at
        self._when = when
        self._die = die or _raise_died

    def around(self, operation: str, path: str, call: Callable[[], T]) -> T:
        """Make the call, unless this is the one to die before."""
        self._left -= 1
        if self._left == 0 and self._when == "before":
            self._die()
        try:
            return call()
        finally:
            if self._left == 0:
                self._die()


class Recording(Wrapped):
    """Remembers its calls, as ``("create", "iris/manifest.json")``."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self.calls: list[tuple[str, str]] = []

    def around(self, operation: str, path: str, call: Callable[[], T]) -> T:
        """Write the call down, and make it."""
        self.calls.append((operation, path))
        return call()


class Losing(Wrapped):
    """Loses the answer to its n-th write, which is committed, and answers as Cloud Storage does to the retry."""

    def __init__(self, inner: Store, *, at: int, meanwhile: Callable[[], object] = lambda: None) -> None:
        super().__init__(inner)
        self._left = at
        self._meanwhile = meanwhile

    @property
    def lost(self) -> bool:
        """Whether the answer was lost by now."""
        return self._left <= 0

    def around(self, operation: str, path: str, call: Callable[[], T]) -> T:
        """Make the call, and lose the answer if this is the one."""
        result = call()
        if operation not in ("create", "replace"):
            return result
        self._left -= 1
        if self._left != 0:
            return result
        self._meanwhile()
        if operation == "create":
            raise ObjectExistsError(f"there is already an object at {self.url}/{path}")
        raise GenerationError(f"{self.url}/{path} is of another generation")


def kill_myself() -> NoReturn:
    """End this process at once, as the kernel does."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


def _raise_died() -> NoReturn:
    raise Died
