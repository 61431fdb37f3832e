"""Rule 1: artifact first, manifest last."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from registry import Registry
from registry.gc import MIN_AGE_S
from registry.stores import Store, open_store
from registry.stores.memory import MemoryStore
from tests.format.scenarios import MODEL, SCENARIOS, Scenario, chain, problems, publish, state
from tests.format.stores import Died, Dying, Recording, When, Wrapped
from tests.format.writers import Writers

WRITES = ("create", "replace", "delete")


def undisturbed(scenario: Scenario) -> dict[str, Any] | None:
    """Return the state that a scenario leads to."""
    store = MemoryStore()
    scenario.prepare(store)
    scenario.act(store)
    return state(store)


def beside(url: str, number: int) -> Store:
    """Return an empty store beside the one of a URL."""
    return open_store(f"{url}-{number}" if url.startswith("memory://") else f"{url}/{number}")


def break_off_at_every_call(name: str, url: str, die: Callable[[Store, int], bool], *, least: int) -> None:
    """Let a scenario die at its first call, at its second and so on, and check what each death leaves.

    Args:
        name: Of the scenario.
        url: Where to do it; each time in a store of its own.
        die: Begin the scenario on a store, to die at that call; tell whether it died.
        least: How many calls there are at least.
    """
    scenario, expected = SCENARIOS[name], undisturbed(SCENARIOS[name])
    for at in count(1):
        store = beside(url, at)
        scenario.prepare(store)
        if not die(store, at):
            assert at > least
            return
        assert problems(store) == [], f"after call {at}"
        scenario.act(store)
        assert state(store) == expected, f"after call {at}"
        chain(store, scenario.first)


def test_the_manifest_is_written_last(store: Store) -> None:
    """Artifact first, manifest last."""
    publish(store, "1.0.0", 1.0)
    recording = Recording(store)
    publish(recording, "1.1.0", 2.0)
    version = Registry(store).manifest(MODEL).versions["1.1.0"]
    assert [call for call in recording.calls if call[0] in WRITES] == [
        ("create", f"{MODEL}/{version.artifacts['skops'].path}"),
        ("create", f"{MODEL}/{version.record.path}"),
        ("create", f"{MODEL}/history/1.json"),
        ("replace", f"{MODEL}/manifest.json"),
    ]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_crash_at_any_call_leaves_a_valid_registry(name: str, when: When, store_url: str) -> None:
    """A crash anywhere leaves an orphan object, never a manifest that points at nothing; done again, it just works."""

    def die(store: Store, at: int) -> bool:
        try:
            SCENARIOS[name].act(Dying(store, at=at, when=when))
        except Died:
            return True
        return False

    break_off_at_every_call(name, store_url, die, least=3)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", ["publish", "publish another", "promote"])
def test_a_writer_killed_at_any_call_leaves_a_valid_registry(
    name: str, when: When, shared_url: str, writers: Writers
) -> None:
    """The same with processes that are killed: nothing of them goes on, and no lock of theirs is left."""

    def die(store: Store, at: int) -> bool:
        ended = writers.run([{"task": name, "url": store.url, "at": at, "when": when}])
        assert ended in (["killed"], ["done"])
        return ended == ["killed"]

    break_off_at_every_call(name, shared_url, die, least=3)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["publish", "publish another", "promote"])
def test_a_writer_killed_at_any_moment_leaves_a_valid_registry(name: str, shared_url: str, writers: Writers) -> None:
    """The same in the middle of calls: a write that was begun is there as a whole or not at all."""
    scenario, expected, killed = SCENARIOS[name], undisturbed(SCENARIOS[name]), 0
    for number in range(60):
        store = beside(shared_url, number)
        scenario.prepare(store)
        ended = writers.run([{"task": name, "url": store.url, "after_s": number * 0.001}])
        killed += ended == ["killed"]
        assert problems(store) == []
        scenario.act(store)
        assert state(store) == expected
        chain(store, scenario.first)
    assert killed > 10


def test_what_a_crash_leaves_is_garbage() -> None:
    """A crash anywhere leaves an orphan object, which gc removes, and nothing else."""
    swap = calls_until_swap()
    store = MemoryStore()
    publish(store, "1.0.0", 1.0)
    before = paths(store)
    with pytest.raises(Died):
        publish(Dying(store, at=swap, when="before"), "1.1.0", 2.0)
    orphans = paths(store) - before - {f"{MODEL}/history/1.json"}
    assert len(orphans) == 2
    assert {entry.path for entry in Registry(store).gc(MODEL, delete=True, min_age_s=-1)} == orphans
    assert paths(store) == before | {f"{MODEL}/history/1.json"}
    assert problems(store) == []


def test_a_publication_under_way_is_not_garbage() -> None:
    """Objects younger than a day are left alone: one that is still under way looks like one that crashed."""
    store = MemoryStore()
    publish(store, "1.0.0", 1.0)
    with pytest.raises(Died):
        publish(Dying(store, at=calls_until_swap(), when="before"), "1.1.0", 2.0)
    assert list(Registry(store).gc(MODEL, delete=True)) == []


def test_garbage_that_is_published_after_all_is_not_collected() -> None:
    """A collection of garbage that runs while an old orphan is published again does not take it away."""
    store = Aged()
    publish(store, "1.0.0", 1.0)
    with pytest.raises(Died):
        publish(Dying(store, at=calls_until_swap(), when="before"), "1.1.0", 2.0)
    store.age_all()
    collecting = Registry(PublishesMeanwhile(store)).gc(MODEL, delete=True)
    collected = {entry.path for entry in collecting}
    assert problems(store) == []
    assert "1.1.0" in Registry(store).manifest(MODEL).versions
    assert all(path.endswith(".json") for path in collected)


class Aged(MemoryStore):
    """A store in which all objects of a moment ago can become old."""

    def age_all(self) -> None:
        """Make every object two days old."""
        for path, found in self._objects.items():
            self._objects[path] = type(found)(found.data, found.generation, found.updated_s - 2 * MIN_AGE_S)


class PublishesMeanwhile(Wrapped):
    """Before its first deletion, somebody publishes version 1.1.0."""

    def delete(self, path: str, *, generation: int) -> None:
        """Delete; see `Store.delete`."""
        if "1.1.0" not in Registry(self.inner).manifest(MODEL).versions:
            publish(self.inner, "1.1.0", 2.0)
        super().delete(path, generation=generation)


def calls_until_swap() -> int:
    """Return which call of a publication swaps the manifest."""
    store = MemoryStore()
    publish(store, "1.0.0", 1.0)
    recording = Recording(store)
    publish(recording, "1.1.0", 2.0)
    return recording.calls.index(("replace", f"{MODEL}/manifest.json")) + 1


def paths(store: Store) -> set[str]:
    return {entry.path for entry in store.list()}
