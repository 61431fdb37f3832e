"""The example registry: every recipe under its own name, ready to be served and promoted.

Idempotent and cheap: what is published already is looked up in the manifest, and nothing is imported or trained for
it. An alias that exists is never moved, so what a person promoted stays promoted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from registry.errors import UnknownModelError
from registry.fetch import fetch_manifest
from registry.manifest import Manifest
from registry.stores import Store
from trainer.recipes import Recipe, open_recipe

RECIPES = ("iris-logistic", "iris-forest", "linear3", "digits-forest")
"""In this order: the first one of a model gets the alias."""

ALIAS = "stable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One version of the example registry.

    Attributes:
        model: The model's name.
        version: The version's label.
        created: False when it was there already.
        metrics: Held-out metrics of what was trained now.
        promoted: Whether the alias was put on it now.
    """

    model: str
    version: str
    created: bool
    metrics: dict[str, float]
    promoted: bool


def publish_demo(store: Store, *, jobs: int = 1) -> Iterator[Step]:
    """Publish what is missing of the example registry, and yield each version when it is there.

    Raises:
        ConflictError, ManifestError, StoreError: As `registry.publish.publish`.
    """
    for name in RECIPES:
        recipe = open_recipe(name)
        manifest = _manifest(store, recipe.model)
        alias = None if manifest and ALIAS in manifest.aliases else ALIAS
        if manifest and recipe.version in manifest.versions:
            yield _keep(store, manifest, recipe, alias)
        else:
            yield _publish(store, name, alias, jobs)


def _manifest(store: Store, model: str) -> Manifest | None:
    try:
        return fetch_manifest(store, model).manifest
    except UnknownModelError:
        return None


def _keep(store: Store, manifest: Manifest, recipe: Recipe, alias: str | None) -> Step:
    promoted = alias is not None and manifest.versions[recipe.version].state == "active"
    if promoted:
        from registry.registry import Registry

        Registry(store).promote(recipe.model, recipe.version, alias=ALIAS)
    return Step(model=recipe.model, version=recipe.version, created=False, metrics={}, promoted=promoted)


def _publish(store: Store, name: str, alias: str | None, jobs: int) -> Step:
    from registry.registry import Registry
    from trainer.training import train

    trained = train(name, jobs=jobs)
    published = trained.publish(Registry(store), alias=alias)
    return Step(
        model=published.model,
        version=published.version,
        created=published.created,
        metrics=trained.metrics,
        promoted=alias is not None,
    )
