"""A regression on three features, on data whose law is known: the row 1, 2, 3 has the answer 10."""

from __future__ import annotations

from typing import Any

from registry.signature import Column
from trainer.recipes import SEED, Dataset, Recipe

COEFFICIENTS = (1.0, 1.0, 2.0)
INTERCEPT = 1.0
NOISE = 0.01
N_ROWS = 400


def _load() -> Dataset:
    import numpy as np

    random = np.random.default_rng(SEED)
    inputs = random.uniform(0.0, 10.0, size=(N_ROWS, len(COEFFICIENTS)))
    targets = inputs @ np.array(COEFFICIENTS) + INTERCEPT + random.normal(0.0, NOISE, size=N_ROWS)
    return Dataset(inputs=inputs, targets=targets)


def _build() -> Any:
    from sklearn.linear_model import LinearRegression

    return LinearRegression()


RECIPE = Recipe(
    summary="Finds y = x1 + x2 + 2·x3 + 1 in noisy data: a linear regression that answers about 10 to 1, 2, 3.",
    model="linear3",
    version="1.0",
    columns=tuple(Column(name=name) for name in ("x1", "x2", "x3")),
    load=_load,
    build=_build,
    data_name="linear3",
    data=(
        f"{N_ROWS} rows that the recipe draws itself: x1, x2 and x3 uniformly from 0 to 10, and "
        f"y = x1 + x2 + 2·x3 + 1 with Gaussian noise of standard deviation {NOISE}."
    ),
    intended_use="An example of a regressor whose right answer can be worked out in the head. A check of a deployment.",
    limits="It says nothing about anything real.",
)
