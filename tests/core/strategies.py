"""What Hypothesis draws from, and how: the same examples every time."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.core.documents import Document

repeatable = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
"""Decorates a property: a failure is the same on every machine."""

LABEL_LETTERS = "0123456789abcXYZ._-+"

labels = st.text(LABEL_LETTERS, min_size=1, max_size=12)
"""Text that looks like a version's label, and often is one."""

numeric = st.integers(0, 30).map(str)
identifier = st.one_of(
    numeric, st.from_regex(r"[0-9A-Za-z-]*[A-Za-z-][0-9A-Za-z-]*", fullmatch=True).map(lambda t: t[:6])
)


def dotted(parts: st.SearchStrategy[str], *, least: int, most: int) -> st.SearchStrategy[str]:
    """Draw parts joined by dots."""
    return st.lists(parts, min_size=least, max_size=most).map(".".join)


semantic = st.builds(
    lambda release, pre, build: release + (f"-{pre}" if pre else "") + (f"+{build}" if build else ""),
    dotted(numeric, least=3, most=3),
    st.one_of(st.just(""), dotted(identifier, least=1, most=3)),
    st.one_of(st.just(""), dotted(identifier, least=1, most=2)),
).filter(lambda label: ".." not in label and "-." not in label)
"""Labels of Semantic Versioning."""

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(
        ["1.0.0", "1.1.0", "latest", "active", "..", "a/b", "0" * 64, "versions/1.1.0/" + "0" * 16 + ".skops"]
    ),
)

values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)
"""Any JSON value."""

keepable = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(-1e300, 1e300), st.text(max_size=20)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)
"""Any JSON value that can be written again as it is."""


@st.composite
def edits(draw: st.DrawFn, document: Document) -> bytes:
    """Draw the text of a document in which something, somewhere, was replaced, removed or added."""
    changed: Any = json.loads(json.dumps(document))
    for _ in range(draw(st.integers(1, 3))):
        inner: Any = changed
        while True:
            inside = [key for key, value in inner.items() if isinstance(value, dict)]
            if not inside or draw(st.booleans()):
                break
            inner = inner[draw(st.sampled_from(inside))]
        key = draw(st.one_of(st.sampled_from([*inner, "x"]), st.text(max_size=8)))
        if draw(st.booleans()):
            inner[key] = draw(values)
        else:
            inner.pop(key, None)
    return json.dumps(changed).encode("utf-8", "surrogatepass")


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """Draw bytes that are almost the given ones."""
    changed = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(changed) - 1, 0)))
        kind = draw(st.sampled_from(["flip", "cut", "insert", "repeat"]))
        if kind == "flip" and changed:
            changed[place] ^= 1 << draw(st.integers(0, 7))
        elif kind == "cut":
            del changed[place : place + draw(st.integers(1, 64))]
        elif kind == "insert":
            changed[place:place] = draw(st.binary(max_size=8))
        else:
            changed[place:place] = changed[place : place + draw(st.integers(1, 64))]
    return bytes(changed)
