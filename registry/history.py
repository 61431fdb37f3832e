"""The history of a model: every manifest that was in force, newest first.

Order comes from the revision in an archived manifest's name. A manifest that was edited in the bucket without
counting on stands under the next free revision; `Entry.counted` tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from registry.errors import ManifestError
from registry.fetch import Snapshot, fetch_manifest
from registry.layout import history_path, history_prefix, history_revision
from registry.manifest import Manifest
from registry.stores import Store

ATTEMPTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One manifest that was in force, or is.

    Attributes:
        revision: Its place in the order.
        in_force: Whether it is the one in force.
        manifest: The value.
    """

    revision: int
    in_force: bool
    manifest: Manifest

    @property
    def counted(self) -> bool:
        """Whether the manifest carries the revision that it stands under."""
        return self.manifest.revision == self.revision


def history(store: Store, model: str) -> Iterator[Entry]:
    """Yield what was in force, newest first, beginning with what is.

    Raises:
        UnknownModelError: There is no such model.
        ManifestError: A manifest cannot be understood.
        StoreError: The store cannot be reached.
    """
    current, revisions = _consistent(store, model)
    newest = max([current.manifest.revision, *(revision + 1 for revision in revisions)])
    # After a crash between archiving and swapping, what is in force is archived already: it counts once.
    if revisions and store.read(history_path(model, max(revisions))).data == current.data:
        newest = revisions.pop(revisions.index(max(revisions)))
    yield Entry(revision=newest, in_force=True, manifest=current.manifest)
    for revision in sorted(revisions, reverse=True):
        yield Entry(revision=revision, in_force=False, manifest=archived_manifest(store, model, revision))


def _consistent(store: Store, model: str) -> tuple[Snapshot, list[int]]:
    """Return the manifest in force and the archived revisions of one moment, as well as that can be had."""
    current, revisions = fetch_manifest(store, model), archived_revisions(store, model)
    for _ in range(ATTEMPTS):
        again = fetch_manifest(store, model)
        if again.generation == current.generation:
            break
        current, revisions = again, archived_revisions(store, model)
    return current, revisions


def archived_revisions(store: Store, model: str) -> list[int]:
    """Return the revisions in the history, in no order."""
    revisions = (history_revision(model, entry.path) for entry in store.list(history_prefix(model)))
    return [revision for revision in revisions if revision is not None]


def archived_manifest(store: Store, model: str, revision: int) -> Manifest:
    """Read one archived manifest.

    Raises:
        ManifestError: It cannot be understood.
        StoreError: The store cannot be reached.
    """
    path = history_path(model, revision)
    try:
        return Manifest.from_bytes(store.read(path).data, model=model)
    except ManifestError as error:
        raise error.within(f"{store.url}/{path}") from error.__cause__
