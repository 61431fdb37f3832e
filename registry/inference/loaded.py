"""A version in memory: what it is, what it cost to load, and its answers, held against its record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from registry.errors import InputError, IntegrityError
from registry.formats import Predictions, Runtime
from registry.inference.phases import Phase
from registry.record import Record


class Identity(NamedTuple):
    """What makes a loaded version the one that was asked for. A label alone proves nothing."""

    version: str
    record_sha256: str
    artifact_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A version that is loaded and warm.

    Attributes:
        identity: Its label and its digests.
        record: What is known about it.
        format: The format of the artifact that was loaded.
        size: The artifact's size in bytes.
        runtime: Answers rows.
        phases: What loading cost.
        skew: Library to its version in training and here, where they differ.
    """

    identity: Identity
    record: Record
    format: str
    size: int
    runtime: Runtime
    phases: tuple[Phase, ...]
    skew: dict[str, tuple[str, str]]

    @property
    def sha256(self) -> str:
        """The artifact's digest."""
        return self.identity.artifact_sha256

    def predict(self, rows: Any) -> Predictions:
        """Answer rows of shape ``(n_rows, n_columns) float64``.

        Raises:
            InputError: The estimator refuses the rows, although they fit the signature.
            IntegrityError: The artifact answers something else than the record says.
        """
        try:
            predictions = self.runtime.predict(rows)
        except ValueError as exc:  # how scikit-learn refuses values, for example ones that a step made infinite
            raise InputError(f"the model cannot answer these rows: {exc}") from exc
        values, shares = predictions.values, predictions.probabilities
        n_classes = len(self.record.signature.classes)
        if values.shape != (len(rows),):
            raise IntegrityError(f"the artifact answers {len(rows)} rows with values of shape {values.shape}")
        if not n_classes and values.dtype.kind not in "fiu":
            raise IntegrityError(f"the record is that of a regression, and the artifact answers {values[:1].tolist()}")
        if shares is not None and shares.shape != (len(rows), n_classes):
            raise IntegrityError(f"the record knows {n_classes} classes, and the artifact {shares.shape[-1]}")
        return predictions
