"""Calls that end: what a store across a network is built on.

Timeouts of sockets do not bound a call. The resolution of a name has none, each address of a server is tried in turn,
and a server may send a byte at a time for ever.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import TypeVar

SLOWEST_BYTES_PER_S = 256 * 1024

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How long things may take, in seconds.

    Attributes:
        read_s: A read, a deletion or a page of a listing, all attempts together.
        write_s: A write, all attempts together.
        connect_s: To reach one address of a server. Python counts the sending of a body against it too. No attempt
            gets more than half of the bound of its call.
        silence_s: Without a byte from the server, until an attempt has failed. Halved likewise.
        credentials_s: To find credentials.
        wait_s: The longest wait before the second attempt. It doubles with every further one.
    """

    read_s: float = 10.0
    write_s: float = 60.0
    connect_s: float = 15.0
    silence_s: float = 10.0
    credentials_s: float = 10.0
    wait_s: float = 1.0


class Deadline:
    """A moment by which a call must be done. It moves when there is a lot to transfer."""

    def __init__(self, seconds: float, *, size: int = 0) -> None:
        self._begin_s = time.monotonic()
        self._allowed_s = seconds
        self._size = size

    def extend(self, size: int) -> None:
        """Allow the time for that many bytes, on a link that brings `SLOWEST_BYTES_PER_S`."""
        self._size = max(self._size, size)

    @property
    def total_s(self) -> float:
        """The seconds from the beginning to the deadline."""
        return self._allowed_s + self._size / SLOWEST_BYTES_PER_S

    @property
    def left_s(self) -> float:
        """The seconds from now to the deadline."""
        return self._begin_s + self.total_s - time.monotonic()


def within(deadline: Deadline, call: Callable[[], T]) -> T:
    """Return what the call returns, or raise what it raises, or give up on it at the deadline.

    The call runs in a thread of its own. When it is given up it goes on for as long as it likes, to no effect but its
    own: a write may still be committed, as when the response to it is lost.

    Raises:
        TimeoutError: The call was not done at the deadline.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(call())
        except BaseException as exc:  # noqa: BLE001 - raised again where the outcome is asked for
            outcome.set_exception(exc)

    threading.Thread(target=run, name="registry.stores", daemon=True).start()
    while not outcome.done():
        if deadline.left_s <= 0:
            raise TimeoutError(f"no answer within {deadline.total_s:.3g} s")
        wait([outcome], timeout=deadline.left_s)
    return outcome.result()
