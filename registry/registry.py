"""`Registry`: everything one does with a registry, under one name.

Each method is one verb of this package, with the store and the person filled in; the verbs' own modules document
what they promise.
"""

from __future__ import annotations

import getpass
import socket
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from registry.decisions import Decisions
from registry.diff import Diff, diff
from registry.fetch import Progress, fetch_manifest, fetch_record, list_models
from registry.gc import MIN_AGE_S, gc
from registry.history import Entry, history
from registry.manifest import Manifest
from registry.names import parse_pin
from registry.promote import apply, decide, promote, rollback, withdraw
from registry.pull import Pulled, pull
from registry.record import Record
from registry.revise import Revised
from registry.signature import Column
from registry.stores import Entry as ObjectEntry
from registry.stores import Store, open_store

if TYPE_CHECKING:
    from registry.publish import Published
    from registry.verify import Finding


class Registry:
    """A model registry at a root URL.

    Example:
        >>> registry = Registry("gs://acme-models")                                         # doctest: +SKIP
        >>> registry.publish("iris", estimator, inputs=X, metrics={"accuracy": 0.97})       # doctest: +SKIP
        >>> registry.promote("iris", "1.1.0")                                               # doctest: +SKIP
    """

    def __init__(self, url: str | Store, *, by: str | None = None) -> None:
        """Open a registry. Nothing is read yet.

        Args:
            url: ``gs://bucket/prefix``, ``file:///path``, ``memory://``, or an open store.
            by: Who makes the changes, for the history; the user and host when not given.

        Raises:
            InputError: The URL is none of these.
        """
        self.store = open_store(url) if isinstance(url, str) else url
        self.by = (by or f"{_user()}@{socket.gethostname()}").encode("utf-8", "replace").decode()

    def publish(
        self,
        model: str,
        estimator: Any,
        *,
        inputs: Any,
        version: str | None = None,
        columns: Sequence[Column | str] | None = None,
        class_names: Sequence[str] | Mapping[Any, str] | None = None,
        promote: str | None = None,
        trusted: frozenset[str] = frozenset(),
        progress: Progress | None = None,
        **about: Any,
    ) -> Published:
        """Publish a fitted estimator as a version of a model. See `registry.publish.publish`.

        Args:
            model: The model's name.
            estimator: Fitted scikit-learn estimator or pipeline.
            inputs: The training inputs, ``(n_rows, n_columns)``.
            version: The label; the next minor version when not given.
            columns: Names, or columns with declared limits.
            class_names: Labels of the classes.
            promote: Put this alias on the version as well.
            trusted: Qualified names to allow in the artifact in addition to our own list.
            progress: Told of the bytes sent.
            about: Fields of `registry.publish.About`: ``metrics``, ``data``, ``seed``, ``card``, …
        """
        from registry.publish import About, publish

        return publish(
            self.store,
            model,
            estimator,
            inputs=inputs,
            version=version,
            columns=columns,
            class_names=class_names,
            about=About(**about),
            trusted=trusted,
            alias=promote,
            by=self.by,
            progress=progress,
        )

    def models(self) -> list[str]:
        """Return the names of the models, in alphabetical order."""
        return list_models(self.store)

    def manifest(self, model: str) -> Manifest:
        """Return the manifest in force."""
        return fetch_manifest(self.store, model).manifest

    def record(self, model: str, pin: str = "") -> Record:
        """Return the record of the version that a pin means."""
        manifest = self.manifest(model)
        return fetch_record(self.store, manifest, manifest.resolve(parse_pin(pin)).version)

    def promote(self, model: str, version: str, *, alias: str = "stable") -> Revised:
        """Put an alias on a version. See `registry.promote.promote`."""
        return promote(self.store, model, version, alias=alias, by=self.by)

    def rollback(self, model: str, *, alias: str = "stable") -> Revised:
        """Put an alias back to where it was before. See `registry.promote.rollback`."""
        return rollback(self.store, model, alias=alias, by=self.by)

    def withdraw(self, model: str, version: str) -> Revised:
        """Take a version out of service. See `registry.promote.withdraw`."""
        return withdraw(self.store, model, version, by=self.by)

    def reinstate(self, model: str, version: str) -> Revised:
        """Put a withdrawn version back into service."""
        return withdraw(self.store, model, version, state="active", by=self.by)

    def apply(self, decisions: Decisions, *, expected: Decisions | None = None) -> Revised:
        """Make the manifest say what a person decided. See `registry.promote.apply`."""
        return apply(self.store, decisions, expected=expected, by=self.by)

    def plan(self, decisions: Decisions) -> list[str]:
        """Return what `apply` would change, as lines, and change nothing."""
        return decide(self.manifest(decisions.model), decisions)[1]

    def history(self, model: str) -> Iterator[Entry]:
        """Yield what was in force, newest first."""
        return history(self.store, model)

    def diff(self, model: str, a: str, b: str) -> Diff:
        """Compare two versions."""
        return diff(self.store, model, a, b)

    def verify(
        self, model: str, *, trusted: frozenset[str] = frozenset(), progress: Progress | None = None
    ) -> Iterator[Finding]:
        """Look at every byte that the model's manifest reaches."""
        from registry.verify import verify

        return verify(self.store, model, trusted=trusted, progress=progress)

    def gc(self, model: str, *, delete: bool = False, min_age_s: float = MIN_AGE_S) -> Iterator[ObjectEntry]:
        """Yield, and delete when told to, the objects that nothing reaches."""
        return gc(self.store, model, delete=delete, min_age_s=min_age_s)

    def pull(self, model: str, pin: str, target: str | Store, *, progress: Progress | None = None) -> Pulled:
        """Copy the version that a pin means into another registry. See `registry.pull.pull`."""
        store = open_store(target) if isinstance(target, str) else target
        return pull(self.store, model, pin, store, by=self.by, progress=progress)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user has no name; KeyError before Python 3.13
        return "unknown"
