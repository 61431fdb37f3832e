"""Rule 4: archive, then swap; and rule 8 where a manifest is edited in the bucket."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from registry import Registry
from registry.digest import sha256
from registry.layout import history_path, manifest_path
from registry.manifest import Manifest
from registry.stores import Store
from registry.stores.memory import MemoryStore
from tests.fixtures.models import edit_manifest
from tests.format.scenarios import MODEL, chain, problems, publish
from tests.format.stores import Died, Dying, Losing, Recording

MANIFEST = manifest_path(MODEL)


def in_force(store: Store) -> bytes:
    return store.read(MANIFEST).data


def put(store: Store, data: bytes) -> None:
    """Write a manifest over the one in force, as a person with a copy tool does."""
    store.replace(MANIFEST, data, generation=store.read(MANIFEST).generation)


def archived(store: Store) -> dict[int, bytes]:
    """Return what is in the history, by the number in its name."""
    entries = [entry.path for entry in store.list(f"{MODEL}/history/")]
    return {int(path.rpartition("/")[2].removesuffix(".json")): store.read(path).data for path in entries}


def two_versions(store: Store) -> Registry:
    """Publish 1.0.0 and 1.1.0, the first one as stable: revisions 1 and 2."""
    publish(store, "1.0.0", 1.0, promote="stable")
    publish(store, "1.1.0", 2.0)
    return Registry(store, by="test")


def test_the_history_is_every_manifest_that_was_in_force(store: Store) -> None:
    """The manifest in force is written create-only to history/<revision>.json before it is replaced."""
    registry = two_versions(store)
    seen = [in_force(store)]
    for step in (
        partial(registry.promote, MODEL, "1.1.0"),
        partial(registry.rollback, MODEL),
        partial(registry.withdraw, MODEL, "1.1.0"),
        partial(registry.reinstate, MODEL, "1.1.0"),
    ):
        step()
        seen.append(in_force(store))
    # Revision 1 was in force before the first look.
    assert [archived(store)[revision] for revision in range(2, 6)] == seen[:-1]
    assert len(chain(store)) == 6


def test_the_new_one_carries_the_next_revision_and_the_digest_of_the_one_before(store: Store) -> None:
    """The new one carries revision + 1 and the SHA-256 of the one before it."""
    registry = two_versions(store)
    before = in_force(store)
    registry.promote(MODEL, "1.1.0")
    after = json.loads(in_force(store))
    assert (after["revision"], after["previous_sha256"]) == (3, sha256(before))
    assert {key: after["change"][key] for key in ("by", "text")} == {
        "by": "test",
        "text": "promote stable: 1.0.0 -> 1.1.0",
    }


def test_archiving_comes_before_swapping(store: Store) -> None:
    """The order of the two writes."""
    two_versions(store)
    recording = Recording(store)
    Registry(recording).promote(MODEL, "1.1.0")
    writes = [call for call in recording.calls if call[0] in ("create", "replace")]
    assert writes == [("create", f"{MODEL}/history/2.json"), ("replace", MANIFEST)]


def test_no_change_is_no_revision(store: Store) -> None:
    """Promoting what is promoted writes nothing."""
    registry = two_versions(store)
    before = [(entry.path, entry.generation) for entry in store.list()]
    assert registry.promote(MODEL, "1.0.0").changed is False
    assert [(entry.path, entry.generation) for entry in store.list()] == before


def test_an_edit_that_does_not_count_on_keeps_the_full_history(store: Store) -> None:
    """What a person wrote over the manifest is archived like any other before it is replaced."""
    registry = two_versions(store)
    registry.promote(MODEL, "1.1.0")
    edit_manifest(store, {"aliases": {"stable": "1.0.0"}}, model=MODEL)
    edited = in_force(store)
    registry.promote(MODEL, "1.1.0", alias="canary")
    assert archived(store)[3] == edited
    manifest = registry.manifest(MODEL)
    assert (manifest.revision, manifest.previous_sha256) == (4, sha256(edited))
    assert manifest.aliases == {"stable": "1.0.0", "canary": "1.1.0"}
    assert problems(store) == []
    assert [(entry.revision, entry.counted) for entry in registry.history(MODEL)] == [
        (4, True),
        (3, True),
        (2, True),
        (1, True),
    ]


@pytest.mark.parametrize("revision", [0, 1, 2])
def test_an_edit_with_an_old_revision_is_archived_under_the_next_free_number(revision: int, store: Store) -> None:
    """Order comes from the number in the archive's name, which never goes back, whatever a person wrote."""
    registry = two_versions(store)
    registry.promote(MODEL, "1.1.0")
    registry.promote(MODEL, "1.0.0")
    edit_manifest(store, {"revision": revision, "aliases": {"stable": "1.1.0"}}, model=MODEL)
    edited, before = in_force(store), archived(store)
    newest = next(registry.history(MODEL))
    assert (newest.revision, newest.in_force, newest.counted) == (4, True, False)
    registry.promote(MODEL, "1.0.0")
    assert archived(store) == before | {4: edited}
    assert registry.manifest(MODEL).revision == 5
    assert problems(store) == []


def test_an_old_manifest_that_was_put_back_is_a_new_stage_of_the_history(store: Store) -> None:
    """A copy of an archived manifest over the one in force is a change: it gets a number of its own."""
    registry = two_versions(store)
    registry.promote(MODEL, "1.1.0")
    registry.promote(MODEL, "1.0.0", alias="canary")
    old, before = archived(store)[2], archived(store)
    put(store, old)
    registry.promote(MODEL, "1.1.0", alias="next")
    assert archived(store) == before | {4: old}
    assert registry.manifest(MODEL).revision == 5
    assert problems(store) == []


def test_the_newest_archive_that_was_put_back_is_not_archived_twice(store: Store) -> None:
    """It cannot be told from a change that was broken off after archiving, and is treated as one."""
    registry = two_versions(store)
    registry.promote(MODEL, "1.1.0")
    before = archived(store)
    put(store, before[2])
    registry.promote(MODEL, "1.1.0", alias="next")
    assert archived(store) == before
    assert registry.manifest(MODEL).revision == 3
    assert problems(store) == []


@pytest.mark.parametrize("revision", [2, 3])
def test_a_change_that_was_broken_off_after_archiving_archives_nothing_twice(revision: int, store: Store) -> None:
    """Also when what is in force stands under another number than its own; the history counts it once."""
    registry = two_versions(store)
    registry.promote(MODEL, "1.1.0")
    edit_manifest(store, {"revision": revision, "default": "canary"}, model=MODEL)
    edited = in_force(store)
    archiving = Recording(store)
    for _ in range(2):
        with pytest.raises(Died):
            Registry(Dying(archiving, at=swap_of(store, revision), when="before")).promote(MODEL, "1.1.0", alias="x")
        assert in_force(store) == edited
        entries = [(entry.revision, entry.in_force) for entry in registry.history(MODEL)]
        assert entries == [(3, True), (2, False), (1, False)]
    registry.promote(MODEL, "1.1.0", alias="x")
    assert [data for data in archived(store).values() if data == edited] == [edited]
    assert registry.manifest(MODEL).revision == 4
    assert problems(store) == []


def swap_of(store: Store, revision: int) -> int:
    """Return which call of the next change is the swap."""
    copy = MemoryStore()
    for entry in store.list():
        copy.create(entry.path, store.read(entry.path).data)
    recording = Recording(copy)
    Registry(recording).promote(MODEL, "1.1.0", alias="x")
    return recording.calls.index(("replace", MANIFEST)) + 1


def test_a_writer_that_was_overtaken_while_archiving_leaves_no_second_copy(store: Store) -> None:
    """When the manifest that we archive was replaced meanwhile, and archived by who did it, it stands there once."""

    class Overtaken(Recording):
        overtaken = False

        def create(self, path: str, data: Any) -> int:
            if not self.overtaken:
                self.overtaken = True
                Registry(self.inner, by="other").promote(MODEL, "1.1.0", alias="first")
                Registry(self.inner, by="other").promote(MODEL, "1.1.0", alias="second")
            return super().create(path, data)

    two_versions(store)
    Registry(Overtaken(store), by="me").promote(MODEL, "1.1.0")
    assert [manifest.change["by"] for manifest in chain(store)] == ["test", "test", "other", "other", "me"]


def test_a_lost_answer_to_the_archive_is_no_second_copy(store: Store) -> None:
    """An archive that was written and not confirmed is found and accepted."""
    two_versions(store)
    Registry(Losing(store, at=1)).promote(MODEL, "1.1.0")
    assert len(chain(store)) == 3


def test_verify_tells_when_the_history_was_changed(store: Store) -> None:
    """The digests chain the history: what is missing or changed is told, with the revision that misses it."""
    registry = two_versions(store)
    registry.promote(MODEL, "1.1.0")
    path = history_path(MODEL, 1)
    first = store.read(path)
    document = {**json.loads(first.data), "default": "other"}
    store.replace(path, json.dumps(document).encode(), generation=first.generation)
    told = f"revision 2 replaced a manifest ({sha256(first.data)[:16]}…) that is not in the history: "
    assert problems(store) == [told + "it was edited in the bucket, or its archive was changed"]


def test_a_model_with_a_long_history_lists_it_in_the_order_of_numbers() -> None:
    """Revision 10 comes after revision 9, not after revision 1."""
    store = MemoryStore()
    registry = two_versions(store)
    for number in range(9):
        registry.promote(MODEL, f"1.{number % 2}.0", alias="turn")
    assert [entry.revision for entry in registry.history(MODEL)] == list(range(11, 0, -1))
    assert [entry.in_force for entry in registry.history(MODEL)] == [True] + [False] * 10
    assert Manifest.from_bytes(archived(store)[10]).revision == 10
