"""Verifying a registry: every byte that its manifests reach.

Reads the manifest in force, the history, and every record and artifact that the manifest names; audits what the
artifacts would construct, without constructing it. Findings are values; only a store that cannot be reached raises.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from registry.digest import sha256
from registry.errors import ContentError, IntegrityError, ManifestError
from registry.fetch import Progress, fetch_manifest, fetch_object, fetch_record
from registry.formats import open_format
from registry.history import archived_revisions
from registry.layout import history_path
from registry.manifest import Manifest
from registry.stores import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        place: What was looked at, such as ``iris 1.1.0 skops``.
        problem: What is wrong with it; empty when it is sound.
        size: Bytes that were read.
    """

    place: str
    problem: str = ""
    size: int = 0


def verify(
    store: Store, model: str, *, trusted: frozenset[str] = frozenset(), progress: Progress | None = None
) -> Iterator[Finding]:
    """Look at everything that a model's manifest reaches, and yield a finding for each.

    Raises:
        UnknownModelError: There is no such model.
        StoreError: The store cannot be reached.
    """
    try:
        snapshot = fetch_manifest(store, model)
    except ManifestError as error:
        yield Finding(place=f"{model} manifest", problem=str(error))
        return
    manifest = snapshot.manifest
    yield Finding(place=f"{model} manifest", size=len(snapshot.data))
    yield from _verify_versions(store, manifest, trusted, progress)
    yield from _verify_history(store, manifest)


def _verify_versions(
    store: Store, manifest: Manifest, trusted: frozenset[str], progress: Progress | None
) -> Iterator[Finding]:
    for label, version in manifest.versions.items():
        place = f"{manifest.model} {label}"
        described = None
        try:
            described = fetch_record(store, manifest, label).artifacts
        except ContentError as error:
            yield Finding(place=f"{place} record", problem=str(error))
        else:
            yield Finding(place=f"{place} record", size=version.record.size)
        for form, ref in version.artifacts.items():
            try:
                data = fetch_object(store, manifest.model, ref, progress=progress)
                if described is not None and described.get(form) != ref.sha256:
                    raise IntegrityError(f"{ref.path}: not the artifact that the record describes")
                open_format(form).audit(data, trusted=trusted)
            except ContentError as error:
                yield Finding(place=f"{place} {form}", problem=str(error))
            else:
                yield Finding(place=f"{place} {form}", size=ref.size)


def _verify_history(store: Store, manifest: Manifest) -> Iterator[Finding]:
    """Check that each archived manifest can be read, and that what each one says it replaced is there."""
    digests: set[str] = set()
    stated = {manifest.revision: manifest.previous_sha256}
    for revision in sorted(archived_revisions(store, manifest.model)):
        place = f"{manifest.model} history {revision}"
        data = store.read(history_path(manifest.model, revision)).data
        digests.add(sha256(data))
        try:
            stated[revision] = Manifest.from_bytes(data, model=manifest.model).previous_sha256
        except ManifestError as error:
            yield Finding(place=place, problem=str(error), size=len(data))
        else:
            yield Finding(place=place, size=len(data))
    for revision, previous in sorted(stated.items()):
        if previous is not None and previous not in digests:
            yield Finding(
                place=f"{manifest.model} history",
                problem=f"revision {revision} replaced a manifest ({previous[:16]}…) that is not in the history: "
                "it was edited in the bucket, or its archive was changed",
            )
