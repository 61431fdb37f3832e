"""Rows to fit on, and what is done to fitted estimators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from registry.errors import RegistryError
from registry.formats import skops

Case = tuple[Callable[[], Any], str]
"""Makes an estimator or an archive; the message that a server answers with, or its beginning."""

FAR = 10**9
N_COLUMNS = 4
UNSAFE = "the artifact holds an unsafe table: "
UNCHECKED = "the artifact's tables cannot be checked: "

_random = np.random.default_rng(0)
ROWS = _random.normal(size=(90, N_COLUMNS))
ROWS[:, 3] = np.arange(90) % 5
CLASSES = np.arange(90) % 3
TWO = np.arange(90) % 2
VALUES = ROWS @ np.array([1.0, 2.0, 3.0, 4.0])


def changed(array: Any, place: Any, value: Any) -> Any:
    """Return a copy of an array with another value at a place."""
    copied = array.copy()
    copied[place] = value
    return copied


def artifact(made: Any) -> bytes:
    """Return the artifact of an estimator, or the archive that was made already."""
    return made if isinstance(made, bytes) else skops.dump(made)


def ending(data: bytes) -> str:
    """Return how loading an artifact and predicting with it ends."""
    try:
        runtime = skops.load(data, trusted=frozenset(), n_columns=N_COLUMNS)
    except RegistryError as error:
        return f"{type(error).__name__}: {error.message}"
    return f"predicted {runtime.predict(ROWS).values[:3].tolist()}"
