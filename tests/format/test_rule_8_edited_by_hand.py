"""Rule 8: a manifest edited by hand is a first-class citizen."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from registry import Registry
from registry.decisions import Decisions
from registry.errors import InputError, ManifestError
from registry.inference.boot import boot
from registry.layout import manifest_path
from registry.promote import decisions_of
from registry.stores import Store
from registry.stores.memory import MemoryStore
from tests.fixtures.models import edit_manifest, settings
from tests.format.scenarios import MODEL, problems, publish

MANIFEST = manifest_path(MODEL)

UNKNOWN = {"owner": "team-a", "labels": [{"tier": [1, 2.5, None, True, "ü"]}]}
"""Fields that we do not know."""


def two_versions(store: Store) -> Registry:
    publish(store, "1.0.0", 1.0, promote="stable")
    publish(store, "1.1.0", 2.0)
    return Registry(store, by="test")


def document(store: Store) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(store.read(MANIFEST).data)
    return found


def add_unknown_fields(store: Store) -> None:
    """Write fields that we do not know into the manifest, a version, its record and an artifact."""
    versions = document(store)["versions"]
    for version in versions.values():
        version.update(UNKNOWN)
        version["record"].update(UNKNOWN)
        version["artifacts"]["skops"].update(UNKNOWN)
    edit_manifest(store, {**UNKNOWN, "versions": versions}, model=MODEL)


def unknown_in(value: dict[str, Any]) -> dict[str, Any]:
    return {key: value.get(key) for key in UNKNOWN}


VERBS: dict[str, Callable[[Registry], object]] = {
    "publish": lambda registry: publish(registry.store, "1.2.0", 3.0, promote="canary"),
    "promote": lambda registry: registry.promote(MODEL, "1.1.0"),
    "rollback": lambda registry: (registry.promote(MODEL, "1.1.0"), registry.rollback(MODEL)),
    "withdraw": lambda registry: registry.withdraw(MODEL, "1.1.0"),
    "reinstate": lambda registry: (registry.withdraw(MODEL, "1.1.0"), registry.reinstate(MODEL, "1.1.0")),
    "apply": lambda registry: registry.apply(Decisions(model=MODEL, default="stable", aliases={"stable": "1.1.0"})),
}


@pytest.mark.parametrize("verb", VERBS)
def test_fields_that_we_do_not_know_survive_every_verb(verb: str, store: Store) -> None:
    """Fields we do not know survive a round trip, wherever in the manifest they stand."""
    registry = two_versions(store)
    add_unknown_fields(store)
    before = document(store)
    VERBS[verb](registry)
    after = document(store)
    assert after["revision"] > before["revision"]
    assert unknown_in(after) == UNKNOWN
    for label in ("1.0.0", "1.1.0"):
        version = after["versions"][label]
        assert [unknown_in(part) for part in (version, version["record"], version["artifacts"]["skops"])] == [
            UNKNOWN
        ] * 3


def test_fields_that_we_do_not_know_survive_a_pull() -> None:
    """A pulled registry says what its source said about the version."""
    store, target = MemoryStore(), MemoryStore()
    registry = two_versions(store)
    add_unknown_fields(store)
    registry.pull(MODEL, "1.0.0", target)
    pulled = document(target)
    version = pulled["versions"]["1.0.0"]
    assert [unknown_in(part) for part in (pulled, version, version["record"], version["artifacts"]["skops"])] == [
        UNKNOWN
    ] * 4


def test_promoting_is_editing_the_manifest(store: Store) -> None:
    """Straight in the bucket: what a person writes is what a server resolves."""
    two_versions(store)
    assert boot(settings(MODEL), store=store).serving.resolved.version == "1.0.0"
    edit_manifest(store, {"aliases": {"stable": "1.1.0"}}, model=MODEL)
    assert boot(settings(MODEL), store=store).serving.resolved.version == "1.1.0"
    assert problems(store) == []


def test_what_a_person_writes_may_be_terse(store: Store) -> None:
    """A version without a state is active; white space and the order of fields are free; one line is fine."""
    two_versions(store)
    found = document(store)
    for version in found["versions"].values():
        del version["state"]
    for name in ("change", "previous_sha256"):
        del found[name]
    data = json.dumps(dict(sorted(found.items(), reverse=True))).encode()
    store.replace(MANIFEST, data, generation=store.read(MANIFEST).generation)
    manifest = Registry(store).manifest(MODEL)
    assert [version.state for version in manifest.versions.values()] == ["active", "active"]
    Registry(store).promote(MODEL, "1.1.0")
    assert problems(store) == []


def test_a_mistake_is_named_with_its_place(store: Store) -> None:
    """A mistake gets a message that names the place, to whoever reads or changes the manifest next."""
    registry = two_versions(store)
    edit_manifest(store, {"aliases": {"stable": "1.9.0"}}, model=MODEL)
    expected = f"{store.url}/line/manifest.json.aliases.stable: no version '1.9.0' (known: 1.0.0, 1.1.0)"
    for call in (
        lambda: registry.manifest(MODEL),
        lambda: registry.promote(MODEL, "1.1.0"),
        lambda: publish(store, "1.2.0", 3.0),
        lambda: list(registry.history(MODEL)),
        lambda: boot(settings(MODEL), store=store),
    ):
        with pytest.raises(ManifestError) as caught:
            call()
        assert caught.value.message == expected
    assert [finding.problem for finding in registry.verify(MODEL)] == [expected]


def test_a_broken_manifest_is_not_archived_or_replaced(store: Store) -> None:
    """Nobody writes over what they cannot read; a person can mend it, and the history goes on."""
    registry = two_versions(store)
    before = store.read(MANIFEST)
    broken = before.data.replace(b"{", b"{{", 1)
    store.replace(MANIFEST, broken, generation=before.generation)
    with pytest.raises(ManifestError):
        registry.promote(MODEL, "1.1.0")
    assert store.read(MANIFEST).data == broken
    store.replace(MANIFEST, before.data, generation=store.read(MANIFEST).generation)
    registry.promote(MODEL, "1.1.0")
    assert [entry.revision for entry in registry.history(MODEL)] == [3, 2, 1]


def test_decisions_are_what_a_person_decides(store: Store) -> None:
    """manifests/<model>.json holds default, aliases and states; read back and applied, it changes nothing."""
    registry = two_versions(store)
    registry.withdraw(MODEL, "1.1.0")
    decided = decisions_of(registry.manifest(MODEL))
    assert decided.to_dict() == {
        "model": "line",
        "default": "stable",
        "aliases": {"stable": "1.0.0"},
        "states": {"1.1.0": "withdrawn"},
    }
    read = Decisions.from_bytes(json.dumps(decided.to_dict()).encode())
    assert registry.apply(read).changed is False


@pytest.mark.parametrize(
    ("decided", "message"),
    [
        ({"default": ""}, "default: expected text, not empty text"),
        ({"aliases": {"a b": "1.0.0"}}, "aliases.a b: 'a b' cannot be an alias: "),
        ({"aliases": {"a": "../1"}}, "aliases.a: '../1' cannot name a version: "),
        ({"states": {"1.0.0": "gone"}}, "states.1.0.0: expected one of active, withdrawn, not 'gone'"),
        ({"model": "Line"}, "model: 'Line' cannot name a model: "),
    ],
)
def test_a_program_cannot_decide_what_no_reader_accepts(decided: dict[str, Any], message: str) -> None:
    """Decisions that were not read from a file are checked like those that were."""
    with pytest.raises(ManifestError) as caught:
        Decisions(**{"model": MODEL, "default": "stable", "aliases": {}, **decided})
    assert caught.value.message.startswith(message)


def test_a_name_that_is_no_text_breaks_nothing() -> None:
    """Who changed something may come from an environment that is not UTF-8."""
    store = MemoryStore()
    two_versions(store)
    Registry(store, by="ann\udcff").promote(MODEL, "1.1.0")
    assert Registry(store).manifest(MODEL).change["by"] == "ann?"


@pytest.mark.parametrize(
    ("decided", "message"),
    [
        ({"aliases": {"stable": "1.9.0"}}, "aliases.stable: no version '1.9.0' (known: 1.0.0, 1.1.0)"),
        ({"default": "canary"}, "default: no alias or version 'canary' (known: stable, latest, 1.0.0, 1.1.0)"),
        ({"states": {"9": "withdrawn"}}, "states.9: no such version (known: 1.0.0, 1.1.0)"),
        (
            {"states": {"1.0.0": "withdrawn"}},
            "aliases.stable: version '1.0.0' is withdrawn, or would be: move it first",
        ),
        (
            {"default": "1.1.0", "states": {"1.1.0": "withdrawn"}},
            "default: version '1.1.0' is withdrawn, or would be: move it first",
        ),
    ],
)
def test_a_decision_that_leads_nowhere_is_refused(decided: dict[str, Any], message: str) -> None:
    """CI applies what was reviewed: a mistake names the place, and nothing is changed."""
    store = MemoryStore()
    registry = two_versions(store)
    before = store.read(MANIFEST).data
    fields = {"default": "stable", "aliases": {"stable": "1.0.0"}, "states": {}, **decided}
    with pytest.raises(InputError) as caught:
        registry.apply(Decisions(model=MODEL, **fields))
    assert caught.value.message == message
    assert store.read(MANIFEST).data == before
