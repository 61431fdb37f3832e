"""Bounds checks of the raw tables that compiled code indexes without looking.

A type check cannot see what a table says: a decision tree whose nodes point outside its own table, or at themselves,
makes ``predict`` read foreign memory or run for ever. These checks run once, right after construction and before the
first prediction, as whole-array comparisons. They look at everything that can be reached from the estimator, parts
before what is made of them, so a check may use parts that were checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from registry.errors import IntegrityError
from registry.formats._kept_rows import check_libsvm, check_neighbours, check_search_tree
from registry.formats._require import require
from registry.formats._trees import (
    check_decision_tree,
    check_forest,
    check_gradient_boosting,
    check_hist_boosting,
    check_tree,
)

_PLAIN = (str, bytes, int, float, bool, type(None), type)
_MERSENNE_WORDS = 624


def check_tables(estimator: Any, *, n_columns: int) -> None:
    """Check every raw table below an estimator.

    Raises:
        IntegrityError: A table points outside its bounds; the sentence says which and where.
    """
    try:
        for found in _walk(estimator):
            _check(found)
        expected = getattr(estimator, "n_features_in_", n_columns)
        require(expected == n_columns, f"the estimator takes {expected} columns, and the signature has {n_columns}")
    except IntegrityError:
        raise
    except Exception as exc:  # whatever is not there, or not of the kind that a check expects, the artifact is at fault
        raise IntegrityError(f"the artifact's tables cannot be checked: {type(exc).__name__}: {exc}") from exc


def _check(found: Any) -> None:
    module = type(found).__module__
    if module.startswith("sklearn."):
        _check_attributes(found)
    elif module.startswith("scipy.sparse."):
        found.check_format(full_check=True)
    if check := _CHECKS.get(module):
        check(found)


def _check_attributes(found: Any) -> None:
    """Check that no attribute of an object hides a method of its class, or the name of what the class computes."""
    for name in getattr(found, "__dict__", ()):
        hidden = getattr(type(found), name, None)
        hides = callable(hidden) or isinstance(hidden, str)
        require(not hides, f"a value hides {type(found).__name__}.{name}")


def _check_random_state(state: Any) -> None:
    position = state.get_state(legacy=False)["state"]["pos"]
    require(0 <= position <= _MERSENNE_WORDS, f"a random state is at word {position} of {_MERSENNE_WORDS}")


def _check_generator(generator: Any) -> None:
    kind = type(generator.bit_generator).__name__
    require(kind == "PCG64", f"a random generator draws from a {kind}")


def _check_function_transformer(transformer: Any) -> None:
    for function in (transformer.func, transformer.inverse_func):
        kind = type(function)
        require(not kind.__module__.startswith("sklearn."), f"a function transformer would call a {kind.__name__}")


_CHECKS = {
    "numpy.random._generator": _check_generator,
    "numpy.random.mtrand": _check_random_state,
    "sklearn.ensemble._forest": check_forest,
    "sklearn.ensemble._gb": check_gradient_boosting,
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting": check_hist_boosting,
    "sklearn.neighbors._classification": check_neighbours,
    "sklearn.neighbors._kd_tree": check_search_tree,
    "sklearn.neighbors._regression": check_neighbours,
    "sklearn.preprocessing._function_transformer": _check_function_transformer,
    "sklearn.svm._classes": check_libsvm,
    "sklearn.tree._classes": check_decision_tree,
    "sklearn.tree._tree": check_tree,
}
"""Module of a type to the check of what it hands to compiled code."""


def _walk(root: Any) -> Iterator[Any]:
    """Yield every object that can be reached from an estimator, each once, after everything below it."""
    seen: set[int] = set()
    waiting: list[tuple[Any, bool]] = [(root, False)]
    while waiting:
        value, expanded = waiting.pop()
        if expanded:
            yield value
        elif not isinstance(value, _PLAIN) and id(value) not in seen:
            seen.add(id(value))
            waiting.append((value, True))
            waiting.extend((part, False) for part in _parts(value))


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, np.ndarray):
        yield from value.flat if value.dtype == object else ()
    elif isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, (list, tuple, set)):
        yield from value
    elif isinstance(value, partial):  # asked for its __dict__, it would make one, and be another partial when dumped
        yield from (value.args, value.keywords)
        return
    yield from getattr(value, "__dict__", {}).values()
