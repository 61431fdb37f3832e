"""The verbs, where the rules of the format do not say it all: rolling back, comparing, collecting, copying, looking."""

from __future__ import annotations

import json

import pytest

from registry import Registry
from registry.errors import (
    ConflictError,
    InputError,
    IntegrityError,
    ManifestError,
    UnknownModelError,
    UnknownVersionError,
    WithdrawnVersionError,
)
from registry.gc import MIN_AGE_S
from registry.stores import Store
from registry.stores.memory import MemoryStore
from tests.fixtures.models import edit_manifest, replace_object
from tests.format.scenarios import MODEL, publish, state


@pytest.fixture
def registry() -> Registry:
    """A registry with 1.0.0 (stable), 1.1.0 and 1.2.0."""
    store = MemoryStore()
    publish(store, "1.0.0", 1.0, promote="stable", metrics={"r2": 0.9})
    publish(store, "1.1.0", 2.0, metrics={"r2": 0.95}, seed=1)
    publish(store, "1.2.0", 3.0)
    return Registry(store, by="test")


def stable(registry: Registry) -> str:
    return registry.manifest(MODEL).aliases["stable"]


def test_a_rollback_goes_to_the_version_before_whatever_lies_between(registry: Registry) -> None:
    """Publications, other aliases and withdrawals in between do not count."""
    registry.promote(MODEL, "1.1.0")
    publish(registry.store, "1.3.0", 4.0)
    registry.promote(MODEL, "1.2.0", alias="canary")
    assert registry.rollback(MODEL).text == "rollback stable: 1.1.0 -> 1.0.0"
    assert registry.rollback(MODEL).text == "rollback stable: 1.0.0 -> 1.1.0"


def test_a_rollback_passes_over_what_was_withdrawn(registry: Registry) -> None:
    """The newest version that the alias was on and that is still active."""
    registry.promote(MODEL, "1.1.0")
    registry.promote(MODEL, "1.2.0")
    registry.withdraw(MODEL, "1.1.0")
    registry.rollback(MODEL)
    assert stable(registry) == "1.0.0"


def test_a_rollback_with_nothing_to_go_back_to_is_told(registry: Registry) -> None:
    """An alias that was never elsewhere, and one that is not there."""
    with pytest.raises(InputError) as caught:
        registry.rollback(MODEL)
    assert caught.value.message == "'stable' of model 'line' was never on another version that is still active"
    with pytest.raises(UnknownVersionError) as other:
        registry.rollback(MODEL, alias="canary")
    assert other.value.message == "model 'line' has no alias 'canary' (known: stable)"


def test_what_is_promoted_is_a_pin(registry: Registry) -> None:
    """A version, another alias, latest, or a version with its digest; a withdrawn one is refused."""
    digest = registry.manifest(MODEL).versions["1.1.0"].artifacts["skops"].sha256
    for pin, label in [("latest", "1.2.0"), ("stable", "1.0.0"), (f"1.1.0@sha256:{digest}", "1.1.0")]:
        assert registry.promote(MODEL, pin, alias="next").manifest.aliases["next"] == label
    with pytest.raises(IntegrityError):
        registry.promote(MODEL, f"1.0.0@sha256:{digest}")
    registry.withdraw(MODEL, "1.2.0")
    with pytest.raises(WithdrawnVersionError):
        registry.promote(MODEL, "1.2.0")
    assert registry.promote(MODEL, "latest").manifest.aliases["stable"] == "1.1.0"


def test_a_model_that_is_not_there_is_answered_with_those_that_are(registry: Registry) -> None:
    """Every verb but publish, in one sentence."""
    for call in (
        lambda: registry.promote("lime", "1.0.0"),
        lambda: registry.rollback("lime"),
        lambda: registry.withdraw("lime", "1.0.0"),
        lambda: list(registry.history("lime")),
        lambda: list(registry.verify("lime")),
        lambda: list(registry.gc("lime")),
        lambda: registry.diff("lime", "1.0.0", "1.1.0"),
        lambda: registry.pull("lime", "1.0.0", MemoryStore()),
        lambda: registry.record("lime"),
    ):
        with pytest.raises(UnknownModelError) as caught:
            call()
        assert caught.value.message == "memory:// has no model 'lime' (known: line)"


def test_versions_are_compared_place_by_place(registry: Registry) -> None:
    """Metrics, seed and artifacts differ; what is alike is not mentioned."""
    found = registry.diff(MODEL, "stable", "1.1.0")
    one, other = (registry.manifest(MODEL).versions[label].artifacts["skops"] for label in ("1.0.0", "1.1.0"))
    assert (found.a, found.b) == ("1.0.0", "1.1.0")
    assert found.lines == [
        "metrics.r2: 0.9 -> 0.95",
        "seed: None -> 1",
        f"artifacts.skops.sha256: {one.sha256!r} -> {other.sha256!r}",
    ]
    assert registry.diff(MODEL, "1.1.0", "1.1.0").lines == []


def test_verify_looks_at_everything_and_names_what_is_wrong(registry: Registry) -> None:
    """One finding for each object; a damaged one does not hide the others."""
    expected = [
        "line manifest",
        *(f"line {label} {kind}" for label in ("1.0.0", "1.1.0", "1.2.0") for kind in ("record", "skops")),
        "line history 1",
        "line history 2",
    ]
    assert [(finding.place, finding.problem) for finding in registry.verify(MODEL)] == [(p, "") for p in expected]
    ref = registry.manifest(MODEL).versions["1.1.0"].record
    replace_object(registry.store, f"{MODEL}/{ref.path}", b"{}")
    found = {finding.place: finding.problem for finding in registry.verify(MODEL)}
    assert list(found) == expected
    assert {place: problem for place, problem in found.items() if problem} == {
        "line 1.1.0 record": f"memory:///line/{ref.path}: 2 bytes, and the manifest states {ref.size}"
    }


def test_gc_keeps_what_the_history_reaches(registry: Registry) -> None:
    """A version that a person removed from the manifest can be put back from the history: its bytes stay."""
    with_all = registry.store.read("line/manifest.json").data
    registry.promote(MODEL, "1.1.0", alias="canary")
    document = json.loads(registry.store.read("line/manifest.json").data)
    del document["versions"]["1.2.0"]
    replace_object(registry.store, "line/manifest.json", json.dumps(document).encode())
    assert list(registry.gc(MODEL, delete=True, min_age_s=-1)) == []
    replace_object(registry.store, "line/manifest.json", with_all)
    assert [finding.problem for finding in registry.verify(MODEL) if finding.problem] == []


def test_gc_deletes_nothing_when_it_cannot_know(registry: Registry) -> None:
    """A manifest, or an archived one, that cannot be read may name anything."""
    registry.store.create("line/versions/1.0.0/0123456789abcdef.skops", b"orphan")
    for path in ("line/history/1.json", "line/manifest.json"):
        good = registry.store.read(path).data
        replace_object(registry.store, path, b"{")
        with pytest.raises(ManifestError):
            list(registry.gc(MODEL, delete=True, min_age_s=-1))
        replace_object(registry.store, path, good)
    found = [entry.path for entry in registry.gc(MODEL, min_age_s=-1)]
    assert found == ["line/versions/1.0.0/0123456789abcdef.skops"]
    assert [entry.path for entry in registry.gc(MODEL, min_age_s=-1)] == found, "a look deletes nothing"
    assert list(registry.gc(MODEL, delete=True, min_age_s=MIN_AGE_S)) == []
    assert [entry.path for entry in registry.gc(MODEL, delete=True, min_age_s=-1)] == found
    assert list(registry.gc(MODEL, min_age_s=-1)) == []


def test_a_pulled_version_is_a_registry_of_its_own(registry: Registry) -> None:
    """What a server would fetch, and nothing else; pulling it again changes nothing."""
    target = MemoryStore()
    pulled = registry.pull(MODEL, "stable", target)
    manifest = registry.manifest(MODEL)
    version = manifest.versions["1.0.0"]
    assert (pulled.version, pulled.size) == ("1.0.0", version.record.size + version.artifacts["skops"].size)
    copied = Registry(target).manifest(MODEL)
    assert (copied.revision, copied.default, dict(copied.versions)) == (3, "1.0.0", {"1.0.0": version})
    before = [(entry.path, entry.generation) for entry in target.list()]
    registry.pull(MODEL, "1.0.0", target)
    assert [(entry.path, entry.generation) for entry in target.list()] == before
    assert [finding.problem for finding in Registry(target).verify(MODEL) if finding.problem] == []


def test_a_pull_does_not_take_a_registry_over(registry: Registry) -> None:
    """A target that has a life of its own keeps its versions, aliases and history."""
    target = MemoryStore()
    publish(target, "3.0.0", 9.0, promote="stable")
    registry.pull(MODEL, "1.1.0", target)
    found = state(target)
    assert found is not None
    assert list(found["versions"]) == ["3.0.0", "1.1.0"]
    assert (found["aliases"], found["default"]) == ({"stable": "3.0.0"}, "stable")
    assert [entry.revision for entry in Registry(target).history(MODEL)] == [2, 1]
    other: Store = MemoryStore()
    publish(other, "1.1.0", 9.0)
    with pytest.raises(ConflictError):
        registry.pull(MODEL, "1.1.0", other)


def test_damaged_bytes_are_not_pulled(registry: Registry) -> None:
    """The target gets no manifest that would name them."""
    ref = registry.manifest(MODEL).versions["1.0.0"].artifacts["skops"]
    replace_object(registry.store, f"{MODEL}/{ref.path}", b"other")
    target = MemoryStore()
    with pytest.raises(IntegrityError):
        registry.pull(MODEL, "1.0.0", target)
    assert state(target) is None


def test_reinstating_needs_nothing_but_a_version(registry: Registry) -> None:
    """Also when a person wrote an alias onto a withdrawn version: this is how it is mended."""
    registry.withdraw(MODEL, "1.2.0")
    edit_manifest(registry.store, {"aliases": {"stable": "1.2.0"}}, model=MODEL)
    registry.reinstate(MODEL, "1.2.0")
    assert registry.manifest(MODEL).versions["1.2.0"].state == "active"
    with pytest.raises(InputError) as caught:
        registry.withdraw(MODEL, "stable")
    assert caught.value.message == "'stable' is no version of model 'line': name the version itself"
