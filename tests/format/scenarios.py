"""What writers do to a registry, in small models, so that it can be broken off anywhere and done again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from sklearn.linear_model import LinearRegression

from registry import Registry
from registry.decisions import Decisions
from registry.digest import sha256
from registry.errors import UnknownModelError
from registry.layout import history_path, manifest_path
from registry.manifest import Manifest
from registry.stores import Store
from registry.stores.memory import MemoryStore

MODEL = "line"
STEPS = np.arange(8.0).reshape(-1, 2) * np.array([1.0, 0.5])


def line(slope: float) -> LinearRegression:
    """Return a fitted model; another slope gives other bytes."""
    return LinearRegression().fit(STEPS, STEPS @ np.array([slope, 1.0]))


def publish(store: Store, version: str | None, slope: float, **more: Any) -> Any:
    """Publish a model of that slope."""
    return Registry(store, by="test").publish(MODEL, line(slope), inputs=STEPS, version=version, **more)


@dataclass(frozen=True)
class Scenario:
    """A change to a registry.

    Attributes:
        prepare: What must be there before.
        act: The change. Doing it again after it was done changes nothing more.
        first: The first revision that there is afterwards.
    """

    prepare: Callable[[Store], object]
    act: Callable[[Store], object]
    first: int = 1


def _two_versions(store: Store) -> None:
    publish(store, "1.0.0", 1.0, promote="stable")
    publish(store, "1.1.0", 2.0)


def _three_steps(store: Store) -> None:
    _two_versions(store)
    Registry(store, by="test").promote(MODEL, "1.1.0")


def _rollback_once(store: Store) -> None:
    """Roll back unless that is done: a second rollback goes forward again."""
    registry = Registry(store, by="test")
    if registry.manifest(MODEL).aliases["stable"] == "1.1.0":
        registry.rollback(MODEL)


@cache
def _source() -> Registry:
    """Return a registry to pull from. Nobody writes to it."""
    store = MemoryStore()
    _two_versions(store)
    return Registry(store, by="test")


DECISIONS = Decisions(model=MODEL, default="prod", aliases={"prod": "1.1.0"}, states={"1.0.0": "withdrawn"})

SCENARIOS = {
    "publish": Scenario(lambda store: None, lambda store: publish(store, "1.0.0", 1.0, promote="stable")),
    "publish another": Scenario(
        lambda store: publish(store, "1.0.0", 1.0, promote="stable"),
        lambda store: publish(store, "1.1.0", 2.0, promote="canary"),
    ),
    "promote": Scenario(_two_versions, lambda store: Registry(store, by="test").promote(MODEL, "1.1.0")),
    "rollback": Scenario(_three_steps, _rollback_once),
    "withdraw": Scenario(_two_versions, lambda store: Registry(store, by="test").withdraw(MODEL, "1.1.0")),
    "apply": Scenario(_two_versions, lambda store: Registry(store, by="test").apply(DECISIONS)),
    "pull": Scenario(lambda store: None, lambda store: _source().pull(MODEL, "1.0.0", store), first=2),
    "pull more": Scenario(
        lambda store: _source().pull(MODEL, "1.0.0", store),
        lambda store: _source().pull(MODEL, "1.1.0", store),
        first=2,
    ),
}


def state(store: Store) -> dict[str, Any] | None:
    """Return what a registry says about the model, without times and numbers that every run has anew."""
    try:
        manifest = Registry(store).manifest(MODEL)
    except UnknownModelError:
        return None
    versions = {
        label: (version.state, {form: ref.sha256 for form, ref in version.artifacts.items()})
        for label, version in manifest.versions.items()
    }
    return {"default": manifest.default, "aliases": dict(manifest.aliases), "versions": versions}


def problems(store: Store) -> list[str]:
    """Return what is wrong with what the registry's manifest reaches; nothing when there is no manifest yet."""
    try:
        return [finding.problem for finding in Registry(store).verify(MODEL) if finding.problem]
    except UnknownModelError:
        return []


def chain(store: Store, first: int = 1) -> list[Manifest]:
    """Return every manifest that was in force, oldest first. None of them is missing, doubled or changed."""
    in_force = store.read(manifest_path(MODEL)).data
    last = Manifest.from_bytes(in_force).revision
    archived = [store.read(history_path(MODEL, revision)).data for revision in range(first, last)]
    names = {entry.path for entry in store.list(f"{MODEL}/history/")}
    assert names == {history_path(MODEL, revision) for revision in range(first, last)}
    manifests = [Manifest.from_bytes(data) for data in [*archived, in_force]]
    assert [manifest.revision for manifest in manifests] == list(range(first, last + 1))
    assert [manifest.previous_sha256 for manifest in manifests] == [None, *map(sha256, archived)]
    assert len({manifest.change["id"] for manifest in manifests}) == len(manifests)
    return manifests
