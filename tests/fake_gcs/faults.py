"""Faults on demand: what can go wrong between a client and Cloud Storage, one request at a time.

Faults are armed from the same process (``server.faults.add(Fault(...))``) or over HTTP: ``POST /_faults`` with the
fields of a `Fault` as JSON, ``GET /_faults`` for those still armed, ``DELETE /_faults`` to disarm all.
"""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from tests.fake_gcs.wire import GcsError, Request

Kind = Literal["status", "reset", "truncate", "corrupt", "delay", "stall", "drip", "lose"]

FOREVER = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault, and which requests meet it.

    Attributes:
        kind: What happens. ``status``: the request is refused, nothing is done. ``reset``: the connection breaks,
            nothing is done. ``truncate``: the connection breaks after `at` bytes of the body. ``corrupt``: bit 0 of
            byte `at` of the body is flipped. ``delay``: the answer comes `seconds` late. ``stall``: `at` bytes of
            the body come, then nothing for `seconds`, then the connection breaks. ``drip``: the body comes a byte
            at a time, one every `seconds`. ``lose``: the request is served, and the connection breaks instead of an
            answer.
        times: How many requests meet it; `FOREVER` for all.
        skip: How many matching requests pass before it begins.
        method: Of the requests; empty for any.
        path: A part of their decoded path; empty for any.
        status: The status of a refusal.
        message: Its sentence.
        retry_after: Its ``Retry-After``, in seconds.
        at: A position in the body of the answer.
        seconds: How long to wait.
    """

    kind: Kind
    times: int = 1
    skip: int = 0
    method: str = ""
    path: str = ""
    status: int = 503
    message: str = "We encountered an internal error. Please try again."
    retry_after: int | None = None
    at: int = 0
    seconds: float = 0.0

    def matches(self, request: Request) -> bool:
        """Tell whether a request may meet it."""
        return self.method in ("", request.method) and self.path in request.plain_path

    def refusal(self) -> GcsError:
        """Return the error that a refused request gets."""
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return GcsError(self.status, self.message, headers=headers)


class Faults:
    """The armed faults. A request meets the first that matches it."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Arm a fault, after those that are armed."""
        with self._lock:
            self._armed.append(fault)

    def clear(self) -> None:
        """Disarm all."""
        with self._lock:
            self._armed.clear()

    def armed(self) -> list[dict[str, Any]]:
        """Return the fields of the armed faults."""
        with self._lock:
            return [asdict(fault) for fault in self._armed]

    def take(self, request: Request) -> Fault | None:
        """Return the fault that the request meets, and count it."""
        with self._lock:
            for index, fault in enumerate(self._armed):
                if not fault.matches(request):
                    continue
                if fault.skip:
                    self._armed[index] = replace(fault, skip=fault.skip - 1)
                    continue
                if fault.times == 1:
                    del self._armed[index]
                elif fault.times > 1:
                    self._armed[index] = replace(fault, times=fault.times - 1)
                return fault
        return None
