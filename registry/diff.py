"""Comparing two versions of a model: what differs, place by place."""

from __future__ import annotations

from dataclasses import dataclass

from registry.fetch import fetch_manifest, fetch_record
from registry.manifest import Manifest
from registry.names import parse_pin
from registry.record import Record, differences
from registry.stores import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """What differs between two versions.

    Attributes:
        a: The first version's label.
        b: The second version's label.
        lines: Lines such as ``metrics.accuracy: 0.95 -> 0.97``; empty when nothing differs.
    """

    a: str
    b: str
    lines: list[str]


def diff(store: Store, model: str, a: str, b: str) -> Diff:
    """Compare two pins of a model: signature, metrics, parameters, environment, artifacts and size.

    Raises:
        UnknownModelError, UnknownVersionError, WithdrawnVersionError: There is nothing to compare.
        ContentError, StoreError: As `registry.fetch.fetch_record`.
    """
    manifest = fetch_manifest(store, model).manifest
    labels = [manifest.resolve(parse_pin(pin), withdrawn=True).version for pin in (a, b)]
    first, second = (_facts(manifest, label, fetch_record(store, manifest, label)) for label in labels)
    return Diff(a=labels[0], b=labels[1], lines=differences(first, second))


def _facts(manifest: Manifest, label: str, record: Record) -> dict[str, object]:
    facts = record.content()
    for key in ("format", "model", "version", "artifacts", "card", "examples"):
        facts.pop(key)
    artifacts = {
        form: {"sha256": ref.sha256, "size": ref.size} for form, ref in manifest.versions[label].artifacts.items()
    }
    columns = facts["signature"].pop("columns")
    facts["columns"] = {column.pop("name"): column for column in columns}
    facts["column_order"] = record.signature.feature_names
    run = record.run
    return {**facts, "environment": {"python": run.python, **run.libraries}, "artifacts": artifacts}
