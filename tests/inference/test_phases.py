"""The stopwatch."""

from __future__ import annotations

import pytest

from registry.errors import StoreError
from registry.inference.phases import Stopwatch


def test_phases_are_timed_in_order_with_what_was_noted() -> None:
    """A phase knows its name, its duration, and the bytes and their source where there are any."""
    watch = Stopwatch()
    with watch.phase("fetch") as note:
        note(size=5, source="bucket")
    with watch.phase("verify"):
        pass
    assert [(phase.name, phase.size, phase.source) for phase in watch.phases] == [
        ("fetch", 5, "bucket"),
        ("verify", None, None),
    ]
    assert all(phase.ms >= 0 for phase in watch.phases)
    assert set(watch.phases[0].to_dict()) == {"phase", "ms", "bytes", "source"}
    assert set(watch.phases[1].to_dict()) == {"phase", "ms"}


def test_an_error_carries_the_innermost_phase() -> None:
    """Whoever reports an error can say where it happened."""
    watch = Stopwatch()
    with pytest.raises(StoreError) as caught, watch.phase("outer"), watch.phase("inner"):
        raise StoreError("out of reach")
    assert (caught.value.details, watch.phases) == ({"phase": "inner"}, [])
