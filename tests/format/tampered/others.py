"""Random states, sparse tables and attributes that are not what they should be."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from sklearn._loss.loss import HalfSquaredError
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from tests.format.tampered.parts import CLASSES, FAR, ROWS, UNCHECKED, UNSAFE, VALUES, Case, changed
from tests.format.tampered.trees import decision_tree, hist


def with_attribute(estimator: Any, name: str, value: Any) -> Any:
    setattr(estimator, name, value)
    return estimator


def without(estimator: Any, name: str) -> Any:
    delattr(estimator, name)
    return estimator


def displaced(position: int) -> Any:
    """Return a classifier that draws its answers from a random state beyond its words."""
    state = np.random.RandomState(0)
    stored: Any = state.get_state(legacy=False)
    stored["state"]["pos"] = position
    state.set_state(stored)
    return DummyClassifier(strategy="uniform", random_state=state).fit(ROWS, CLASSES)


def sparse_coefficients() -> Any:
    """Return a linear model whose sparse coefficients name a column that is not there."""
    estimator = LogisticRegression().fit(ROWS, CLASSES)
    estimator.sparsify()
    estimator.coef_.indices = changed(estimator.coef_.indices, 0, FAR)
    return estimator


def calling(function: Any, inverse: Any = None) -> Any:
    """Return a pipeline that begins with a call."""
    return make_pipeline(FunctionTransformer(function, inverse), LinearRegression().fit(ROWS, VALUES))


A_LOSS = UNSAFE + "a function transformer would call a HalfSquaredError"

TAMPERED: dict[str, Case] = {
    "a random state beyond its words": (
        lambda: displaced(FAR),
        UNSAFE + f"a random state is at word {FAR} of 624",
    ),
    "a random state before its words": (lambda: displaced(-5), UNSAFE + "a random state is at word -5 of 624"),
    "a generator of another kind": (
        lambda: with_attribute(hist(), "_feature_subsample_rng", np.random.Generator(np.random.Philox(0))),
        UNSAFE + "a random generator draws from a Philox",
    ),
    "sparse coefficients of no column": (sparse_coefficients, UNCHECKED + "ValueError: "),
    "a transformer that calls a loss": (lambda: calling(HalfSquaredError()), A_LOSS),
    "a transformer that calls a loss backwards": (lambda: calling(np.exp, HalfSquaredError()), A_LOSS),
    "a partial of a loss": (
        lambda: calling(partial(HalfSquaredError(), VALUES)),
        "the artifact holds a PartialNode that would call an object",
    ),
    "another number of columns": (
        lambda: LinearRegression().fit(ROWS[:, :2], VALUES),
        UNSAFE + "the estimator takes 2 columns, and the signature has 4",
    ),
    "no number of columns": (lambda: without(decision_tree(), "n_features_in_"), UNCHECKED + "AttributeError: "),
    "a method that is a number": (
        lambda: with_attribute(LinearRegression().fit(ROWS, VALUES), "predict", 1),
        UNSAFE + "a value hides LinearRegression.predict",
    ),
    "something that cannot predict": (
        lambda: StandardScaler().fit(ROWS),
        "the artifact holds a StandardScaler, which cannot predict",
    ),
}
