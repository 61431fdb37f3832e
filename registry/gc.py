"""Collecting garbage: objects below a model that no manifest reaches, now or in the history.

Such objects are what a publication leaves that did not reach its end. One that is still under way looks the same, so
objects younger than a day are left alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from registry.errors import GenerationError
from registry.fetch import fetch_manifest, find_manifest
from registry.history import archived_manifest, archived_revisions
from registry.layout import object_path, versions_prefix
from registry.manifest import Manifest
from registry.names import check_model
from registry.stores import Entry, Store

MIN_AGE_S = 24 * 3600.0
"""How old an object must be before it is taken for garbage, in seconds."""


def gc(store: Store, model: str, *, delete: bool = False, min_age_s: float = MIN_AGE_S) -> Iterator[Entry]:
    """Yield the objects that nothing reaches, and delete each when told to.

    The objects are listed before the manifest is read, so an object that is published meanwhile is in the manifest. A
    model whose first publication broke off has objects and no manifest yet.

    Raises:
        UnknownModelError: There is no such model, and no object of one.
        ManifestError: A manifest, or one in the history, cannot be understood: nothing is deleted.
        StoreError: The store cannot be reached.
    """
    listed = list(store.list(versions_prefix(check_model(model))))
    reached = _reached(store, model, begun=bool(listed))
    newest_s = time.time() - min_age_s
    for entry in listed:
        if entry.path in reached or entry.updated_s > newest_s:
            continue
        if delete:
            try:
                store.delete(entry.path, generation=entry.generation)
            except GenerationError:
                continue
        yield entry


def _reached(store: Store, model: str, *, begun: bool) -> set[str]:
    snapshot = find_manifest(store, model)
    if snapshot is None and not begun:
        fetch_manifest(store, model)
    reached = _named(snapshot.manifest) if snapshot else set()
    for revision in archived_revisions(store, model):
        reached |= _named(archived_manifest(store, model, revision))
    return reached


def _named(manifest: Manifest) -> set[str]:
    return {
        object_path(manifest.model, ref.path)
        for version in manifest.versions.values()
        for ref in (version.record, *version.artifacts.values())
    }
