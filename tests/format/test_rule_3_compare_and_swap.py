"""Rule 3: the manifest changes only by compare-and-swap."""

from __future__ import annotations

from collections import Counter
from itertools import count

import pytest

from registry import Registry
from registry.digest import sha256
from registry.errors import ConflictError, GenerationError
from registry.revise import ATTEMPTS
from registry.stores import Store, open_store
from registry.stores.memory import MemoryStore
from tests.fake_gcs import FakeGcs, Fault
from tests.format.scenarios import MODEL, SCENARIOS, chain, problems, publish, state
from tests.format.stores import Losing, Wrapped
from tests.format.test_rule_1_artifact_first import beside, undisturbed
from tests.format.writers import Writers

CROWD = 16


def crowd(writers: Writers, url: str, task: str) -> list[str]:
    """Let sixteen processes do a task at the same moment, and return what each said."""
    return writers.run([{"task": task, "url": url, "number": number} for number in range(CROWD)])


def test_sixteen_processes_publish_and_promote_one_model(shared_url: str, writers: Writers) -> None:
    """N writers at once: every change lands exactly once, none is lost."""
    assert crowd(writers, shared_url, "publish_and_promote") == [f"1.{number}.0" for number in range(CROWD)]
    store = open_store(shared_url)
    manifest = Registry(store).manifest(MODEL)
    assert set(manifest.versions) == {f"1.{number}.0" for number in range(CROWD)}
    own = {alias: version for alias, version in manifest.aliases.items() if alias != "stable"}
    assert own == {f"own-{number}": f"1.{number}.0" for number in range(CROWD)}
    assert manifest.aliases["stable"] in manifest.versions
    assert problems(store) == []
    # Each writer made three changes: every one stands in the history, once, and the chain is unbroken.
    manifests = chain(store)
    assert Counter(str(manifest.change["by"]) for manifest in manifests) == {
        f"writer {number}": 2 for number in range(CROWD)
    } | {"test": CROWD}
    promoted = [str(manifest.change["text"]).rpartition(" ")[2] for manifest in manifests]
    assert Counter(promoted) == {f"1.{number}.0": 3 for number in range(CROWD)}


def test_sixteen_processes_publish_the_same(shared_url: str, writers: Writers) -> None:
    """One of them publishes it, for the others it is a no-op, and none meets a conflict."""
    assert Counter(crowd(writers, shared_url, "publish_the_same")) == {"True": 1, "False": CROWD - 1}
    store = open_store(shared_url)
    assert len(chain(store)) == 1
    assert problems(store) == []


def test_sixteen_processes_publish_under_whatever_label_is_free(shared_url: str, writers: Writers) -> None:
    """Publishers who name no version get one each, and no two the same."""
    labels = crowd(writers, shared_url, "publish_unlabelled")
    assert sorted(labels, key=lambda label: int(label.split(".")[1])) == [f"1.{number}.0" for number in range(CROWD)]
    store = open_store(shared_url)
    assert set(Registry(store).manifest(MODEL).versions) == set(labels)
    assert len(chain(store)) == CROWD
    assert problems(store) == []


@pytest.mark.parametrize("name", [name for name in SCENARIOS if not name.startswith("pull")])
def test_a_lost_answer_is_neither_a_conflict_nor_a_second_change(name: str, store_url: str) -> None:
    """A retried upload may get 412 although its first attempt won: re-read and compare before reporting a conflict."""
    scenario, expected = SCENARIOS[name], undisturbed(SCENARIOS[name])
    for at in count(1):
        store = beside(store_url, at)
        scenario.prepare(store)
        before = len(chain(store)) if state(store) else 0
        losing = Losing(store, at=at)
        scenario.act(losing)
        assert state(store) == expected
        assert len(chain(store)) == before + 1
        assert problems(store) == []
        if not losing.lost:
            assert at > 2
            return


@pytest.mark.parametrize("others", [1, 2, 3])
def test_a_lost_answer_is_found_in_the_history_when_others_moved_on(others: int, store: Store) -> None:
    """The change is not applied twice when other writers replaced the manifest before we looked again."""
    publish(store, "1.0.0", 1.0)
    publish(store, "1.1.0", 2.0)

    def move_on() -> None:
        for number in range(others):
            Registry(store, by="other").promote(MODEL, "1.0.0", alias=f"other-{number}")

    # The first write of a promotion archives the manifest, the second swaps it.
    revised = Registry(Losing(store, at=2, meanwhile=move_on), by="me").promote(MODEL, "1.1.0")
    assert (revised.changed, revised.text) == (True, "promote stable: nothing -> 1.1.0")
    assert [manifest.change["by"] for manifest in chain(store)] == ["test", "test", "me"] + ["other"] * others


def test_a_lost_answer_after_which_the_change_was_undone_is_not_repeated(store: Store) -> None:
    """When another writer took the change back before we looked again, it stays taken back."""
    publish(store, "1.0.0", 1.0, promote="stable")
    publish(store, "1.1.0", 2.0)
    undo = Losing(store, at=2, meanwhile=lambda: Registry(store, by="other").rollback(MODEL))
    Registry(undo, by="me").promote(MODEL, "1.1.0")
    assert Registry(store).manifest(MODEL).aliases == {"stable": "1.0.0"}
    assert [manifest.change["by"] for manifest in chain(store)] == ["test", "test", "me", "other"]


@pytest.mark.parametrize("number", range(4))
def test_a_lost_answer_of_cloud_storage_is_no_conflict(number: int, gcs: FakeGcs) -> None:
    """The same over the wire: any of the four uploads of a publication is committed and its answer is lost."""
    gcs.buckets.create_bucket(f"lossy-{number}", {})
    store = open_store(f"gs://lossy-{number}")
    publish(store, "1.0.0", 1.0)
    gcs.faults.add(Fault(kind="lose", method="POST", skip=number))
    published = publish(store, "1.1.0", 2.0)
    assert gcs.faults.armed() == []
    assert published.created
    assert len(chain(store)) == 2
    assert problems(store) == []


def test_the_change_is_worked_out_anew_on_what_others_wrote() -> None:
    """A writer that lost the race starts from the winner's manifest: nothing of it is overwritten."""
    store = MemoryStore()
    publish(store, "1.0.0", 1.0)

    class Raced(Wrapped):
        races = 3

        def replace(self, path: str, data: bytes, *, generation: int) -> int:
            if self.races:
                self.races -= 1
                Registry(self.inner, by="other").promote(MODEL, "1.0.0", alias=f"other-{self.races}")
            return super().replace(path, data, generation=generation)

    Registry(Raced(store), by="me").promote(MODEL, "1.0.0")
    aliases = {"stable", "other-0", "other-1", "other-2"}
    assert Registry(store).manifest(MODEL).aliases == dict.fromkeys(aliases, "1.0.0")
    assert [manifest.change["by"] for manifest in chain(store)] == ["test", "other", "other", "other", "me"]


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_writer_that_never_wins_gives_up_with_a_conflict() -> None:
    """Bounded: after so many lost races the caller is told, and the manifest is as the others left it."""
    store = MemoryStore()
    publish(store, "1.0.0", 1.0)
    before = sha256(store.read(f"{MODEL}/manifest.json").data)

    class Unlucky(Wrapped):
        def replace(self, path: str, data: bytes, *, generation: int) -> int:
            raise GenerationError("somebody else was first")

    with pytest.raises(ConflictError) as caught:
        Registry(Unlucky(store)).promote(MODEL, "1.0.0")
    assert caught.value.message == (
        f"the manifest of 'line' was changed by others {ATTEMPTS} times while we tried to change it"
    )
    assert sha256(store.read(f"{MODEL}/manifest.json").data) == before
