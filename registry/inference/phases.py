"""The phases of a cold start, each timed once.

An error that passes through a phase carries the phase's name from then on, so whoever reports it can say where the
start failed.

Example:
    >>> watch = Stopwatch()
    >>> with watch.phase("fetch") as note:
    ...     note(size=1024, source="bucket")
    >>> watch.phases[0].name
    'fetch'
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from registry.errors import RegistryError


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One phase.

    Attributes:
        name: Such as ``fetch``.
        ms: How long it took, in milliseconds.
        size: Bytes that were moved; None where none are.
        source: Where they came from: ``bucket``, ``folder`` or ``memory``.
    """

    name: str
    ms: float
    size: int | None = None
    source: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, without what does not apply."""
        document: dict[str, Any] = {"phase": self.name, "ms": round(self.ms, 3)}
        if self.size is not None:
            document["bytes"] = self.size
        if self.source is not None:
            document["source"] = self.source
        return document


class Note(Protocol):
    """Says more about the phase that is under way."""

    def __call__(self, *, size: int, source: str | None = None) -> None:
        """Say how many bytes were moved, and from where."""


class Stopwatch:
    """Times phases, one after the other."""

    def __init__(self) -> None:
        self.phases: list[Phase] = []

    @contextmanager
    def phase(self, name: str) -> Iterator[Note]:
        """Time the phase that the block is; an error of ours that leaves it is marked with the name."""
        noted: dict[str, Any] = {}

        def note(*, size: int, source: str | None = None) -> None:
            noted.update(size=size, source=source)

        start_s = time.perf_counter()
        try:
            yield note
        except RegistryError as error:
            error.details.setdefault("phase", name)
            raise
        ms = (time.perf_counter() - start_s) * 1000
        self.phases.append(Phase(name=name, ms=ms, **noted))

    @property
    def total_ms(self) -> float:
        """How long all phases took together, in milliseconds."""
        return sum(phase.ms for phase in self.phases)
