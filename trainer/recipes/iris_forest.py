"""Iris as a random forest on class names, for lengths that must be positive."""

from __future__ import annotations

from typing import Any

from registry.signature import Column
from trainer.recipes import SEED, Dataset, Recipe

N_TREES = 100


def _load() -> Dataset:
    from sklearn.datasets import load_iris

    iris = load_iris()
    return Dataset(inputs=iris.data, targets=iris.target_names.astype(str)[iris.target])


def _build() -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(n_estimators=N_TREES, random_state=SEED)


RECIPE = Recipe(
    summary=f"Tells three species of iris apart by four lengths: a forest of {N_TREES} trees that answers their names.",
    model="iris",
    version="1.1.0",
    columns=tuple(
        Column(name=name, exclusive_minimum=0.0)
        for name in ("sepal_length", "sepal_width", "petal_length", "petal_width")
    ),
    load=_load,
    build=_build,
    data_name="iris",
    data=(
        "R. A. Fisher's iris measurements of 1936, as they ship with scikit-learn: 50 flowers of each of three "
        "species, lengths and widths of sepal and petal in centimetres."
    ),
    intended_use="An example of a classifier that answers a name, and of inputs with a declared limit.",
    limits=(
        "It knows three species and answers one of them for every flower. Lengths that are not positive are refused. A "
        "forest does not extrapolate: outside the range that training saw, it answers as at the edge of it."
    ),
)
