"""Describing a fitted estimator: its signature, its parameters and the environment, for the record.

Everything here is read off the estimator and the training inputs; the publisher may say more, never less.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from typing import Any

import numpy as np
import orjson
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from registry.errors import InputError
from registry.signature import ClassLabel, Column, Signature

LIBRARIES = ("scikit-learn", "skops", "numpy", "scipy")
"""Whose versions a record states: they decide whether an artifact means the same where it is loaded."""

N_EXAMPLES = 5


def describe_signature(
    estimator: Any,
    inputs: Any,
    *,
    columns: Sequence[Column | str] | None = None,
    class_names: Sequence[str] | Mapping[Any, str] | None = None,
) -> Signature:
    """Work out what an estimator takes and gives.

    Args:
        estimator: Fitted; a classifier has ``classes_``.
        inputs: The training inputs, ``(n_rows, n_columns)``; a table's columns give the names.
        columns: Names, or columns with declared limits, in the estimator's order.
        class_names: Labels in the order of ``classes_``, or from class to label. As text, when they are missing.

    Raises:
        InputError: It is not fitted on such inputs, has several outputs, or the columns or classes do not fit.
    """
    rows = as_rows(inputs)
    _check_fitted(estimator, n_columns=rows.shape[1])
    given = [
        column if isinstance(column, Column) else Column(name=column) for column in columns or _names(inputs, rows)
    ]
    if len(given) != rows.shape[1]:
        raise InputError(f"{len(given)} columns were named, and the inputs have {rows.shape[1]}")
    classes = _classes(estimator)
    return Signature(
        task="classification" if classes else "regression",
        columns=tuple(_observed(column, rows[:, place]) for place, column in enumerate(given)),
        classes=classes,
        class_names=_class_names(classes, class_names),
    ).check()


def describe_estimator(estimator: Any) -> tuple[str, dict[str, Any]]:
    """Return the qualified name of an estimator (of the last step, for a pipeline) and its parameters as JSON."""
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    parameters = {name: _as_json(value) for name, value in sorted(estimator.get_params(deep=True).items())}
    return f"{type(last).__module__}.{type(last).__qualname__}", parameters


def describe_libraries() -> dict[str, str]:
    """Return the versions of the libraries that decide what an artifact means."""
    return {name: metadata.version(name) for name in LIBRARIES}


def describe_python() -> str:
    """Return the version of Python."""
    return platform.python_version()


def as_rows(inputs: Any) -> np.ndarray[Any, Any]:
    """Return inputs as rows of shape ``(n_rows, n_columns) float64``.

    Raises:
        InputError: They are not a table of numbers, or there are none.
    """
    try:
        rows = np.asarray(inputs, dtype=np.float64)
    except (TypeError, ValueError) as exc:
        raise InputError(f"the inputs are not a table of numbers: {exc}") from exc
    if rows.ndim != 2 or 0 in rows.shape:
        raise InputError(f"expected inputs of shape (n_rows, n_columns), not {rows.shape}")
    return rows


def example_rows(rows: np.ndarray[Any, Any]) -> list[list[float]]:
    """Return a few finite rows, spread over the inputs."""
    finite = rows[np.isfinite(rows).all(axis=1)]
    if not len(finite):
        return []
    places = np.unique(np.linspace(0, len(finite) - 1, N_EXAMPLES).astype(int))
    examples: list[list[float]] = finite[places].tolist()
    return examples


def _names(inputs: Any, rows: np.ndarray[Any, Any]) -> list[str]:
    names = getattr(inputs, "columns", None)
    return [str(name) for name in names] if names is not None else [f"feature_{i}" for i in range(rows.shape[1])]


def _observed(column: Column, values: np.ndarray[Any, Any]) -> Column:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return column
    return replace(column, observed_minimum=float(finite.min()), observed_maximum=float(finite.max()))


def _check_fitted(estimator: Any, *, n_columns: int) -> None:
    name = type(estimator).__name__
    if not hasattr(estimator, "predict"):
        raise InputError(f"{name} has no predict")
    try:
        check_is_fitted(estimator)
    except NotFittedError as exc:
        raise InputError(f"{name} is not fitted") from exc
    expected = getattr(estimator, "n_features_in_", n_columns)
    if expected != n_columns:
        raise InputError(f"{name} was fitted on {expected} columns, and the inputs have {n_columns}")


def _classes(estimator: Any) -> tuple[ClassLabel, ...]:
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        return ()
    if isinstance(classes, list):
        raise InputError(f"{type(estimator).__name__} has several outputs; a model has one")
    labels: list[ClassLabel] = np.asarray(classes).tolist()
    return tuple(labels)


def _class_names(classes: tuple[ClassLabel, ...], given: Sequence[str] | Mapping[Any, str] | None) -> tuple[str, ...]:
    if given is None:
        return tuple(str(label) for label in classes)
    if isinstance(given, Mapping):
        if unknown := [label for label in given if label not in classes]:
            raise InputError(f"class_names: {unknown} are no classes of the estimator (known: {list(classes)})")
        return tuple(str(given.get(label, label)) for label in classes)
    return tuple(str(name) for name in given)


def _as_json(value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.tolist()
    try:
        plain = orjson.loads(orjson.dumps(value))
    except TypeError:
        return str(value) if not hasattr(value, "get_params") else type(value).__name__
    return str(value) if plain is None and value is not None else plain
