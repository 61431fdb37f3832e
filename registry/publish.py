"""Publishing a version: artifact first, manifest last.

The steps, in this order:

1. Dump the estimator, and put the bytes into canonical form.
2. Load them as a server would, and compare what they predict with what the estimator predicts.
3. Compare with what is published under that version: the same content is a no-op, other content a conflict.
4. Create the artifact, then the record, both create-only under names that carry their digests.
5. Archive the manifest in force and swap in one that names them (`registry.revise`).

A crash before 5 leaves objects that nothing names; publishing again finds and uses them, or `gc` removes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError

from registry.create import create_or_keep
from registry.describe import (
    as_rows,
    describe_estimator,
    describe_libraries,
    describe_python,
    describe_signature,
    example_rows,
)
from registry.digest import sha256
from registry.errors import ConflictError, InputError, WithdrawnVersionError
from registry.fetch import Progress, fetch_record, find_manifest
from registry.formats.skops import dump, load
from registry.layout import RECORD_SUFFIX, object_path, relative_path
from registry.manifest import CANONICAL, Manifest, ObjectRef, Version
from registry.names import check_alias, check_model, check_version, next_version
from registry.record import Data, Record, Run, differences, first_problem
from registry.revise import revise, utc_now
from registry.signature import Column, Signature
from registry.stores import Store

N_PROVED = 1000
"""Rows on which the dumped artifact must answer what the estimator answers."""

ROUNDING = 1e-9
"""How far a served number may be from the estimator's own, relative to the largest of them."""

_LABEL_ATTEMPTS = 30
_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What was published.

    Attributes:
        model: The model's name.
        version: The version's label.
        sha256: Digest of the canonical artifact.
        size: Its size in bytes.
        url: Where it lies.
        revision: The manifest's revision that names it.
        created: False when the same content was published before.
        record: What is known about it.
    """

    model: str
    version: str
    sha256: str
    size: int
    url: str
    revision: int
    created: bool
    record: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a publisher may say about a version, beyond what can be read off it.

    Attributes:
        metrics: Held-out metrics.
        data: What it was trained on.
        seed: The random seed.
        card: The model card, Markdown.
        code_revision: Revision of the training code.
        training_s: How long fitting took, in seconds.
    """

    metrics: Mapping[str, float] | None = None
    data: Data | None = None
    seed: int | None = None
    card: str = ""
    code_revision: str | None = None
    training_s: float | None = None


def publish(
    store: Store,
    model: str,
    estimator: Any,
    *,
    inputs: Any,
    version: str | None = None,
    columns: Sequence[Column | str] | None = None,
    class_names: Sequence[str] | Mapping[Any, str] | None = None,
    about: About | None = None,
    trusted: frozenset[str] = frozenset(),
    alias: str | None = None,
    by: str,
    progress: Progress | None = None,
) -> Published:
    """Publish a fitted estimator as a version of a model.

    Args:
        store: Where the registry lies.
        model: The model's name; a new name begins a new model.
        estimator: Fitted scikit-learn estimator or pipeline.
        inputs: The training inputs, ``(n_rows, n_columns)``.
        version: The label; None means the version that already has this content, else the next minor version.
        columns: Names, or columns with declared limits, in the estimator's order.
        class_names: Labels in the order of ``classes_``, or from class to label.
        about: What cannot be read off the estimator.
        trusted: Qualified names to allow in the artifact in addition to our own list; servers need them as well.
        alias: Put this alias on the version, in the same swap.
        by: Who publishes, for the history.
        progress: Told of the bytes sent.

    Returns:
        What was published, or what was there already.

    Raises:
        InputError: The estimator or its description cannot be published; nothing was written.
        UntrustedTypeError: No server would load it; nothing was written.
        ConflictError: The version exists with other content; the sentence says what differs.
        ManifestError, StoreError: As `revise`.
    """
    check_model(model)
    if version is not None:
        check_version(version)
    if alias is not None:
        check_alias(alias)
        if alias == version:
            raise InputError(f"{alias!r} cannot name a version and an alias of it")
    # 1. Dump.
    signature = describe_signature(estimator, inputs, columns=columns, class_names=class_names)
    artifact = dump(estimator)
    # 2. Prove.
    rows = as_rows(inputs)
    _prove(estimator, inputs, rows, artifact, trusted)
    write = _Write(store, model, artifact, by=by, alias=alias, progress=progress)
    for _ in range(_LABEL_ATTEMPTS):
        manifest = write.current()
        label = version or _label(manifest, sha256(artifact))
        record = _record(
            model,
            label,
            estimator=estimator,
            signature=signature,
            digest=sha256(artifact),
            rows=rows,
            about=about or About(),
        )
        try:
            return write.version(manifest, label, record)
        except _LabelTakenError:
            if version is not None or label in manifest.versions:
                raise
    raise ConflictError(f"others published {_LABEL_ATTEMPTS} versions of {model!r} while we looked for a free label")


class _LabelTakenError(ConflictError):
    """The version exists with other content."""


class _Write:
    """Steps 3 to 5 for one artifact, under whatever label."""

    def __init__(
        self, store: Store, model: str, artifact: bytes, *, by: str, alias: str | None, progress: Progress | None
    ) -> None:
        self._store, self._model, self._artifact = store, model, artifact
        self._by, self._alias, self._progress = by, alias, progress

    def current(self) -> Manifest:
        snapshot = find_manifest(self._store, self._model)
        return snapshot.manifest if snapshot else Manifest(model=self._model)

    def version(self, manifest: Manifest, label: str, record: Record) -> Published:
        # 3. Compare.
        if label in manifest.versions:
            record = self._same_or_conflict(manifest, label, record)
            version = manifest.versions[label]
        else:
            # 4. Create.
            version = Version(
                created_at=record.run.created_at,
                state="active",
                artifacts={CANONICAL: self._create(label, CANONICAL, self._artifact)},
                record=self._create(label, RECORD_SUFFIX, record.to_bytes()),
            )
        # 5. Swap.
        existed = label in manifest.versions

        def change(current: Manifest) -> tuple[Manifest, str]:
            nonlocal existed, record
            existed = label in current.versions
            if existed:
                record = self._same_or_conflict(current, label, record)
            elif label in current.aliases:
                raise InputError(f"{label!r} is an alias of model {self._model!r} and cannot name a version")
            changed = current if existed else current.with_version(label, version)
            text = f"publish {label}"
            if self._alias in changed.versions:
                raise InputError(f"{self._alias!r} is a version of model {self._model!r} and cannot name an alias")
            if self._alias and changed.versions[label].state == "withdrawn":
                raise WithdrawnVersionError(
                    f"version {label!r} of model {self._model!r} was withdrawn: reinstate it first"
                )
            if self._alias:
                before = current.aliases.get(self._alias, "nothing")
                changed, text = changed.with_alias(self._alias, label), f"{text}; {self._alias}: {before} -> {label}"
            return changed, text

        revised = revise(self._store, self._model, change, by=self._by, create=True)
        ref = revised.manifest.versions[label].artifacts[CANONICAL]
        return Published(
            model=self._model,
            version=label,
            sha256=ref.sha256,
            size=ref.size,
            url=f"{self._store.url}/{object_path(self._model, ref.path)}",
            revision=revised.manifest.revision,
            created=not existed,
            record=record,
        )

    def _create(self, label: str, suffix: str, data: bytes) -> ObjectRef:
        digest = sha256(data)
        ref = ObjectRef(path=relative_path(label, digest, suffix), sha256=digest, size=len(data))
        path = object_path(self._model, ref.path)
        create_or_keep(self._store, path, data, ref, progress=self._progress)
        return ref

    def _same_or_conflict(self, manifest: Manifest, label: str, record: Record) -> Record:
        """Return the published record of the same content, or say what differs."""
        published = fetch_record(self._store, manifest, label)
        found = differences(published.content(), record.content())
        if found:
            shown = "; ".join(line[:_SHOWN] for line in found[:5])
            raise _LabelTakenError(
                f"version {label!r} of model {self._model!r} is published with other content ({shown}). "
                "A published version never changes: choose another label",
                differences=found,
            )
        return published


def _prove(estimator: Any, inputs: Any, rows: np.ndarray[Any, Any], artifact: bytes, trusted: frozenset[str]) -> None:
    runtime = load(artifact, trusted=trusted, n_columns=rows.shape[1])
    given = inputs if hasattr(estimator, "feature_names_in_") else rows.copy()
    try:
        served = runtime.predict(rows[:N_PROVED]).values
        expected = np.asarray(estimator.predict(given[:N_PROVED]))
    except (TypeError, ValueError) as exc:
        raise InputError(f"the estimator cannot predict its own inputs: {exc}") from exc
    if served.shape != (len(rows[:N_PROVED]),):
        raise InputError(f"a model answers one value a row, not an array of shape {served.shape[1:]} a row")
    if not _alike(served, expected):
        raise InputError(
            "served by position, the artifact does not predict what the estimator predicts from the given inputs"
        )


def _alike(served: np.ndarray[Any, Any], expected: np.ndarray[Any, Any]) -> bool:
    """Tell whether answers are equal, numbers up to rounding: that depends on how arrays lie in memory."""
    if served.dtype.kind != "f" or expected.dtype.kind != "f":
        return np.array_equal(served, expected)
    largest = float(np.abs(expected).max())
    return np.allclose(served, expected, rtol=ROUNDING, atol=ROUNDING * largest)


def _label(manifest: Manifest, digest: str) -> str:
    for label, version in manifest.versions.items():
        if digest in {ref.sha256 for ref in version.artifacts.values()} and version.state == "active":
            return label
    return check_version(next_version([*manifest.versions]))


def _record(
    model: str,
    label: str,
    *,
    estimator: Any,
    signature: Signature,
    digest: str,
    rows: np.ndarray[Any, Any],
    about: About,
) -> Record:
    name, parameters = describe_estimator(estimator)
    try:
        record = Record(
            model=model,
            version=label,
            estimator=name,
            parameters=parameters,
            signature=signature,
            artifacts={CANONICAL: digest},
            examples=example_rows(rows),
            metrics=dict(about.metrics or {}),
            data=about.data,
            seed=about.seed,
            card=about.card,
            run=Run(
                created_at=utc_now(),
                code_revision=about.code_revision,
                training_s=about.training_s,
                python=describe_python(),
                libraries=describe_libraries(),
            ),
        )
        record.to_bytes()
    except ValidationError as exc:
        raise InputError(f"this cannot be recorded: {': '.join(first_problem(exc))}") from exc
    except TypeError as exc:  # text or a number that JSON cannot hold
        raise InputError(f"this cannot be recorded: {exc}") from exc
    return record
