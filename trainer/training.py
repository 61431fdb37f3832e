"""Training a recipe: split, fit, measure, describe; the same digest in every process.

The published estimator is the one that was fitted on the training rows, so the metrics, which are measured on rows
that it never saw, are its own. How many jobs fitted it leaves no trace in it.

Example:
    >>> trained = train("linear3")                                                      # doctest: +SKIP
    >>> trained.metrics["r2"]                                                           # doctest: +SKIP
    1.0
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from registry.digest import sha256
from registry.formats.skops import dump
from registry.record import Data
from registry.registry import Registry
from trainer.card import Facts, write_card
from trainer.code_revision import code_revision
from trainer.recipes import SEED, Recipe, open_recipe

if TYPE_CHECKING:
    from registry.publish import Published

HELD_OUT = 0.25
"""The part of the rows that the metrics are measured on."""

_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What a recipe came to.

    Attributes:
        name: The recipe's name.
        recipe: The recipe.
        estimator: Fitted on the training rows.
        inputs: The training rows, ``(n_rows, n_columns) float64``.
        metrics: Measured on the rows that were held out.
        data: What it was trained on.
        card: The model card, Markdown.
        training_s: How long fitting took, in seconds.
    """

    name: str
    recipe: Recipe
    estimator: Any
    inputs: np.ndarray[Any, Any]
    metrics: dict[str, float]
    data: Data
    card: str
    training_s: float

    def artifact(self) -> bytes:
        """Return the canonical bytes that would be published."""
        return dump(self.estimator)

    def digest(self) -> str:
        """Return the digest of the artifact."""
        return sha256(self.artifact())

    def publish(
        self, registry: Registry, *, model: str | None = None, version: str | None = None, alias: str | None = None
    ) -> Published:
        """Publish it as the recipe's model and version, or as others. See `registry.publish.publish`."""
        return registry.publish(
            model or self.recipe.model,
            self.estimator,
            inputs=self.inputs,
            version=version or self.recipe.version,
            columns=self.recipe.columns,
            class_names=self.recipe.class_names or None,
            promote=alias,
            metrics=self.metrics,
            data=self.data,
            seed=SEED,
            card=self.card,
            code_revision=code_revision(),
            training_s=round(self.training_s, 3),
        )


def train(name: str, *, jobs: int = 1) -> Trained:
    """Train a recipe.

    Args:
        name: The recipe's name.
        jobs: How many threads fit a forest; -1 means one a core. The digest does not depend on it.

    Raises:
        InputError: There is no such recipe.
    """
    from joblib import parallel_config
    from sklearn.base import is_classifier
    from sklearn.model_selection import train_test_split

    recipe = open_recipe(name)
    dataset = recipe.load()
    estimator = recipe.build()
    classifies = is_classifier(estimator)
    inputs, held_out, targets, answers = train_test_split(
        dataset.inputs,
        dataset.targets,
        test_size=HELD_OUT,
        random_state=SEED,
        stratify=dataset.targets if classifies else None,
    )
    started = time.perf_counter()
    with parallel_config(backend="threading", n_jobs=jobs):
        estimator.fit(inputs, targets)
    training_s = time.perf_counter() - started
    measure = _measure_classifier if classifies else _measure_regressor
    metrics = {name: round(float(value), _DIGITS) for name, value in measure(estimator, held_out, answers).items()}
    data = Data(name=recipe.data_name, sha256=fingerprint(inputs, targets), n_rows=len(inputs))
    facts = Facts(classifies=classifies, estimator=estimator, metrics=metrics, data=data, n_held_out=len(held_out))
    return Trained(
        name=name,
        recipe=recipe,
        estimator=estimator,
        inputs=inputs,
        metrics=metrics,
        data=data,
        card=write_card(name, recipe, facts),
        training_s=training_s,
    )


def fingerprint(*arrays: np.ndarray[Any, Any]) -> str:
    """Return the SHA-256 of arrays by their values, the same on every machine.

    Each array adds a line with its kind and shape, then its values: numbers as little-endian ``float64`` or ``int64``
    in row order, text as JSON.

    Example:
        >>> fingerprint(np.array([[1.0]])) == fingerprint(np.array([[1]]))
        False
    """
    digest = hashlib.sha256()
    for array in arrays:
        kind = {"f": "<f8", "i": "<i8", "u": "<i8"}.get(array.dtype.kind, "json")
        digest.update(f"{kind} {array.shape}\n".encode())
        digest.update(json.dumps(array.tolist()).encode() if kind == "json" else array.astype(kind).tobytes())
    return digest.hexdigest()


def _measure_classifier(estimator: Any, rows: Any, answers: Any) -> dict[str, float]:
    from sklearn.metrics import accuracy_score, f1_score, log_loss

    found = estimator.predict(rows)
    return {
        "accuracy": accuracy_score(answers, found),
        "f1_macro": f1_score(answers, found, average="macro"),
        "log_loss": log_loss(answers, estimator.predict_proba(rows), labels=estimator.classes_),
    }


def _measure_regressor(estimator: Any, rows: Any, answers: Any) -> dict[str, float]:
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

    found = estimator.predict(rows)
    return {
        "r2": r2_score(answers, found),
        "mean_absolute_error": mean_absolute_error(answers, found),
        "root_mean_squared_error": root_mean_squared_error(answers, found),
    }
