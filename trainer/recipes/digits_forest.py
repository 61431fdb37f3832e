"""Handwritten digits as a forest of 300 trees: the heavy one, for measuring."""

from __future__ import annotations

from typing import Any

from registry.signature import Column
from trainer.recipes import SEED, Dataset, Recipe

N_TREES = 300
EDGE = 8
DARKEST = 16.0


def _load() -> Dataset:
    from sklearn.datasets import load_digits

    digits = load_digits()
    return Dataset(inputs=digits.data, targets=digits.target)


def _build() -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(n_estimators=N_TREES, random_state=SEED)


RECIPE = Recipe(
    summary=f"Reads a handwritten digit from {EDGE} by {EDGE} pixels: a forest of {N_TREES} trees.",
    model="digits",
    version="1.0.0",
    columns=tuple(
        Column(name=f"pixel_{row}_{column}", minimum=0.0, maximum=DARKEST)
        for row in range(EDGE)
        for column in range(EDGE)
    ),
    load=_load,
    build=_build,
    data_name="digits",
    data=(
        "The 1,797 test images of the UCI set of handwritten digits (E. Alpaydin and C. Kaynak, 1998), as they ship "
        "with scikit-learn: 8 by 8 pixels, row by row, each from 0 (paper) to 16 (ink)."
    ),
    intended_use="An example of a model with many columns and a large artifact, for measuring fetches and cold starts.",
    limits=(
        "Thirteen people wrote all the digits, those held out included, so a new hand is read less well than the "
        "metrics say. The images were centred and scaled before. It answers a digit for every image, also for one that "
        "shows none."
    ),
)
