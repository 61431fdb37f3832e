"""Making a value once, however many threads ask for it at the same moment.

Example:
    >>> once: Once[str, int] = Once()
    >>> once.get("a", lambda: 1), once.get("a", lambda: 2)
    (1, 1)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class MustWait(Exception):  # noqa: N818 - not an error: the answer to somebody who does not wait
    """The value is not there yet, and whoever asked does not wait for it."""


class Once(Generic[K, T]):
    """Values by their keys, each made by the first who asks for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[K, Future[T]] = {}

    def get(self, key: K, make: Callable[[], T], *, wait: bool = True) -> T:
        """Return the value of a key, making it when it is not there.

        Whoever asks while it is being made waits for it. A failure is raised for all of them and forgotten: the next
        one who asks makes it anew.

        Raises:
            MustWait: It is not there, and `wait` is false. Nothing was begun.
        """
        with self._lock:
            future = self._made.get(key)
            if not wait and (future is None or not future.done()):
                raise MustWait
            mine = future is None
            if future is None:
                future = self._made[key] = Future()
        if mine:
            self._make(key, make, future)
        return future.result()

    def values(self) -> list[T]:
        """Return the values that are there."""
        with self._lock:
            futures = list(self._made.values())
        return [future.result() for future in futures if future.done() and future.exception() is None]

    def keep(self, wanted: Callable[[K], bool]) -> None:
        """Forget the values whose keys are not wanted. Whoever waits for one still gets it."""
        with self._lock:
            self._made = {key: future for key, future in self._made.items() if wanted(key)}

    def _make(self, key: K, make: Callable[[], T], future: Future[T]) -> None:
        try:
            value = make()
        except BaseException as error:
            with self._lock:  # before anybody is told, so that whoever asks again makes it anew
                if self._made.get(key) is future:
                    del self._made[key]
            future.set_exception(error)
            raise
        future.set_result(value)
