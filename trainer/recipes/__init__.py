"""What can be trained: one file a recipe.

The name of a recipe is the name of its module with dashes (``iris_forest.py`` is ``iris-forest``), so a new recipe is
one new file that sets ``RECIPE``. A recipe's module imports scikit-learn inside the functions that need it, because
recipes are listed without it.

A recipe refuses to be random: whatever draws numbers draws them from `SEED`.

Example:
    >>> known_recipes()
    ['digits-forest', 'iris-forest', 'iris-logistic', 'linear3']
    >>> open_recipe("linear3").version
    '1.0'
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from registry.errors import InputError
from registry.signature import Column

if TYPE_CHECKING:
    import numpy as np

SEED = 7
"""The seed of every recipe: of its data, where they are drawn, of the split and of the estimator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """What there is to learn from.

    Attributes:
        inputs: ``(n_rows, n_columns) float64``.
        targets: ``(n_rows,)``: numbers, or the classes themselves, as the estimator shall return them.
    """

    inputs: np.ndarray[Any, Any]
    targets: np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a model comes about, and what a person should know about it.

    Attributes:
        summary: One line, for the list and for the card.
        model: The model that it is published as, unless told otherwise.
        version: The version that it is published as, unless told otherwise.
        columns: The input columns, in the order of the data set.
        class_names: The labels in the order of the classes; empty where the classes name themselves.
        load: Returns the whole data set.
        build: Returns the estimator, not fitted.
        data_name: What the data set is called.
        data: Where the data come from and what they are.
        intended_use: What the model is for.
        limits: What it must not be used for, and where it is weak.
    """

    summary: str
    model: str
    version: str
    columns: tuple[Column, ...]
    class_names: tuple[str, ...] = ()
    load: Callable[[], Dataset]
    build: Callable[[], Any]
    data_name: str
    data: str
    intended_use: str
    limits: str


def known_recipes() -> list[str]:
    """Return the names of the recipes, in alphabetical order."""
    modules = (module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    return sorted(name.replace("_", "-") for name in modules)


def open_recipe(name: str) -> Recipe:
    """Return the recipe of that name.

    Raises:
        InputError: There is none; the error lists those that there are.
    """
    known = known_recipes()
    if name not in known:
        raise InputError(f"there is no recipe {name!r} (known: {', '.join(known)})", known=known)
    recipe: Recipe = importlib.import_module(f"{__name__}.{name.replace('-', '_')}").RECIPE
    return recipe
