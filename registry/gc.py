"""Collecting garbage: objects below a model that no manifest reaches, now or in the history.

Such objects are what a publication leaves that did not reach its end. One that is still under way looks the same, so
objects younger than a day are left alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress

from registry.errors import GenerationError, ObjectExistsError, UnknownModelError
from registry.fetch import fetch_manifest
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


def renew(store: Store, path: str, data: bytes) -> None:
    """Make an object young that lies there already and is about to be named, with the same content.

    It may have been left by a publication that broke off long ago, and be garbage in the eyes of a collection that
    runs at this moment. One that deletes what it listed meets another generation.

    Raises:
        StoreError: The store cannot be reached.
    """
    for entry in store.list(path):
        if entry.path == path and entry.updated_s < time.time() - MIN_AGE_S / 2:
            with suppress(GenerationError, ObjectExistsError):  # another publication of the same content did it
                store.delete(path, generation=entry.generation)
                store.create(path, data)


def _reached(store: Store, model: str, *, begun: bool) -> set[str]:
    manifests: list[Manifest] = []
    try:
        manifests.append(fetch_manifest(store, model).manifest)
    except UnknownModelError:
        if not begun:
            raise
    manifests += [archived_manifest(store, model, revision) for revision in archived_revisions(store, model)]
    return {
        object_path(model, ref.path)
        for manifest in manifests
        for version in manifest.versions.values()
        for ref in (version.record, *version.artifacts.values())
    }
