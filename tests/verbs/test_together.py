"""What happens when two people act at the same moment."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from registry.create import create_or_keep
from registry.digest import sha256
from registry.errors import ConflictError, InputError, WithdrawnVersionError
from registry.manifest import ObjectRef
from registry.promote import promote, rollback
from registry.registry import Registry
from registry.stores import Blob
from registry.stores.memory import MemoryStore

ROWS = np.array([[0.0], [1.0], [2.0]])


def published() -> Registry:
    """Return a registry of two versions with `stable` on the second."""
    registry = Registry(MemoryStore(), by="test")
    for slope in (1.0, 2.0):
        registry.publish("line", LinearRegression().fit(ROWS, ROWS[:, 0] * slope), inputs=ROWS, promote="stable")
    return registry


class Interrupted(MemoryStore):
    """A store in which somebody else acts just before a replacement."""

    other: Registry | None = None

    def replace(self, path: str, data: bytes, *, generation: int) -> int:
        """Replace, after somebody else's rollback."""
        other, self.other = self.other, None
        if other is not None:
            rollback(other.store, "line", by="somebody else")
        return super().replace(path, data, generation=generation)


def test_two_rollbacks_at_once_do_not_cancel_out() -> None:
    """The second one is told that the alias was moved meanwhile."""
    registry = Registry(Interrupted(), by="test")
    for slope in (1.0, 2.0):
        registry.publish("line", LinearRegression().fit(ROWS, ROWS[:, 0] * slope), inputs=ROWS, promote="stable")
    assert isinstance(registry.store, Interrupted)
    registry.store.other = registry
    with pytest.raises(ConflictError, match="somebody else moved 'stable'"):
        rollback(registry.store, "line", by="test")
    assert registry.manifest("line").aliases == {"stable": "1.0.0"}


def test_publishing_a_withdrawn_version_again_does_not_promote_it() -> None:
    """The alias stays where it is: every start would fail with it."""
    registry = published()
    registry.withdraw("line", "1.0.0")
    model = LinearRegression().fit(ROWS, ROWS[:, 0])
    with pytest.raises(WithdrawnVersionError, match="reinstate it first"):
        registry.publish("line", model, inputs=ROWS, version="1.0.0", promote="stable")
    assert registry.manifest("line").aliases == {"stable": "1.1.0"}


def test_reinstating_one_version_does_not_ask_about_another() -> None:
    """When several were withdrawn under their aliases by hand, each can be reinstated."""
    registry = published()
    promote(registry.store, "line", "1.0.0", alias="canary", by="test")
    path = "line/manifest.json"
    blob = registry.store.read(path)
    edited = blob.data.replace(b'"state": "active"', b'"state": "withdrawn"')
    registry.store.replace(path, edited, generation=blob.generation)
    registry.reinstate("line", "1.0.0")
    registry.reinstate("line", "1.1.0")
    assert registry.manifest("line").active() == ["1.0.0", "1.1.0"]


def test_an_orphan_that_is_collected_meanwhile_is_created_again() -> None:
    """A collection that deletes an object between its creation and its check does not break a publication."""

    class Collecting(MemoryStore):
        collected = False

        def read(self, path: str, *, start: int = 0, end: int | None = None, generation: int | None = None) -> Blob:
            """Read, and then collect what was read."""
            blob = super().read(path, start=start, end=end, generation=generation)
            if not self.collected:
                self.collected = True
                self.delete(path, generation=blob.generation)
            return blob

    store = Collecting()
    ref = ObjectRef(path="versions/1.0.0/x", sha256=sha256(b"data"), size=4)
    store.create("line/x", b"data")
    create_or_keep(store, "line/x", b"data", ref)
    assert store.collected
    assert store.read("line/x").data == b"data"


def test_labels_of_classes_that_are_not_there_are_refused() -> None:
    """A mapping with the wrong keys would publish a version without its labels, for ever."""
    registry = Registry(MemoryStore(), by="test")
    model = LogisticRegression().fit(ROWS, [0, 1, 1])
    with pytest.raises(InputError, match="are no classes of the estimator"):
        registry.publish("line", model, inputs=ROWS, class_names={"0": "no", "1": "yes"})
