"""Iris as a logistic regression on integer classes."""

from __future__ import annotations

from typing import Any

from registry.signature import Column
from trainer.recipes import Dataset, Recipe


def _load() -> Dataset:
    from sklearn.datasets import load_iris

    iris = load_iris()
    return Dataset(inputs=iris.data, targets=iris.target)


def _build() -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))


RECIPE = Recipe(
    summary="Tells three species of iris apart by four lengths: logistic regression on the classes 0, 1 and 2.",
    model="iris",
    version="1.0.0",
    columns=tuple(Column(name=name) for name in ("sepal_length", "sepal_width", "petal_length", "petal_width")),
    class_names=("setosa", "versicolor", "virginica"),
    load=_load,
    build=_build,
    data_name="iris",
    data=(
        "R. A. Fisher's iris measurements of 1936, as they ship with scikit-learn: 50 flowers of each of three "
        "species, lengths and widths of sepal and petal in centimetres."
    ),
    intended_use="An example of a classifier that answers a number, with a label beside it.",
    limits=(
        "It knows three species and answers one of them for every flower. Values far outside the range that training "
        "saw are extrapolated without a warning. Setosa is told apart without fail, the other two overlap."
    ),
)
