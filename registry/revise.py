"""Changing a manifest: archive, then swap.

The only way a manifest changes. The steps, in this order:

1. Read the manifest in force and its generation.
2. Work out the new one. When nothing changes, stop.
3. Archive the manifest in force, create-only, under ``history/<revision>.json``.
4. Replace it, only if it is still of the generation that was read (compare-and-swap).

A crash between 3 and 4 leaves an archived copy of what is still in force, which the next attempt finds and accepts.
When somebody else was first, all steps run again on what they wrote, after a jittered pause: one object takes about
one write a second. When the answer to step 4 was lost, what is in force now, or what was archived since, tells whether
our write landed: each carries an id of its own.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from registry.errors import (
    ConflictError,
    GenerationError,
    ManifestError,
    ObjectExistsError,
    ObjectNotFoundError,
)
from registry.fetch import Snapshot, fetch_manifest, find_manifest
from registry.history import archived_revisions
from registry.layout import history_path, manifest_path
from registry.manifest import Manifest
from registry.names import check_model
from registry.stores import Store
from registry.strict_json import LARGEST_COUNT

ATTEMPTS = 60
FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Revised:
    """What came of a change.

    Attributes:
        manifest: The manifest that is in force now.
        changed: False when there was nothing to do.
        text: What was changed, in a few words.
    """

    manifest: Manifest
    changed: bool
    text: str


Change = Callable[[Manifest], tuple[Manifest, str]]
"""From the manifest in force to the new one, and a few words on the change. Called in each attempt; writes nothing."""


def revise(store: Store, model: str, change: Change, *, by: str, create: bool = False) -> Revised:
    """Change a model's manifest, exactly once, whoever else is changing it at the same moment.

    Args:
        store: Where the registry lies.
        model: The model's name.
        change: From the manifest in force to the new one. What it raises is raised.
        by: Who changes it, for the history.
        create: Begin a model that is not there yet.

    Raises:
        UnknownModelError: There is no such model, and `create` is false.
        ConflictError: Others were first in every attempt.
        ManifestError: The manifest in force cannot be understood.
        StoreError: The store cannot be reached.
    """
    change_id = uuid.uuid4().hex
    by = by.encode("utf-8", "replace").decode()  # a name from the environment may hold what is no text
    check_model(model)
    tried: Manifest | None = None
    for attempt in range(ATTEMPTS):
        # 1. Read.
        snapshot = find_manifest(store, model) if create else fetch_manifest(store, model)
        current = snapshot.manifest if snapshot else Manifest(model=model)
        if tried and _landed(store, current, tried):
            return Revised(manifest=tried, changed=True, text=str(tried.change["text"]))
        # 2. Work out the new one.
        wanted, text = change(current)
        if wanted == current:
            return Revised(manifest=current, changed=False, text=text)
        wanted.check_references()
        # 3. Archive.
        revision = _archive(store, snapshot) if snapshot else 0
        # 4. Swap.
        if revision is not None:
            tried = replace(
                wanted,
                revision=revision + 1,
                updated_at=utc_now(),
                previous_sha256=snapshot.sha256 if snapshot else None,
                change={"id": change_id, "by": by, "text": text},
            )
            if _swap(store, snapshot, tried):
                return Revised(manifest=tried, changed=True, text=text)
        time.sleep(_pause_s(attempt))
    raise ConflictError(f"the manifest of {model!r} was changed by others {ATTEMPTS} times while we tried to change it")


def utc_now() -> str:
    """Return the time in UTC as RFC 3339, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _archive(store: Store, snapshot: Snapshot) -> int | None:
    """Archive the manifest in force, and return the revision that it has in the history, or None when it was replaced.

    That is its own revision, unless something is archived under it, which happens when a manifest was edited, or an
    older one put back, in the bucket without counting on: then it is the next free one. An attempt that was broken off,
    or another writer at this moment, may have archived it as the newest one already.
    """
    model, revision = snapshot.manifest.model, snapshot.manifest.revision
    while not (revision and _create(store, history_path(model, revision), snapshot.data)):
        newest = max(archived_revisions(store, model), default=0)
        if newest and store.read(history_path(model, newest)).data == snapshot.data:
            return newest
        if store.read(manifest_path(model)).generation != snapshot.generation:
            return None
        revision = newest + 1
    if revision >= LARGEST_COUNT:
        raise ManifestError(f"{revision} cannot be counted on: write a smaller one", place="revision")
    return revision


def _create(store: Store, path: str, data: bytes) -> bool:
    try:
        store.create(path, data)
    except ObjectExistsError:
        return False
    return True


def _landed(store: Store, current: Manifest, tried: Manifest) -> bool:
    """Tell whether a write that seemed to fail is in force, or was and has been replaced since."""
    change_id = tried.change["id"]
    if current.change.get("id") == change_id:
        return True
    try:
        archived = Manifest.from_bytes(store.read(history_path(tried.model, tried.revision)).data)
    except (ObjectNotFoundError, ManifestError):
        return False
    return bool(archived.change.get("id") == change_id)


def _swap(store: Store, snapshot: Snapshot | None, wanted: Manifest) -> bool:
    path, data = manifest_path(wanted.model), wanted.to_bytes()
    try:
        if snapshot is None:
            return _create(store, path, data)
        store.replace(path, data, generation=snapshot.generation)
    except GenerationError:
        # Somebody else was first, or the answer to our own write was lost: the next attempt's read tells.
        return False
    return True


def _pause_s(attempt: int) -> float:
    return random.uniform(0, min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**attempt))  # noqa: S311 - jitter, not a secret
