"""Rows: from the JSON values of a request to an array that fits the model's signature.

Values in, an array ``(n_rows, n_columns) float64`` or an `InvalidRowsError` out, in FastAPI's form (``loc``, ``msg``,
``type``, with Pydantic's names for the types). Every problem of a request is reported, up to twenty.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np

from registry.errors import InvalidRowsError
from registry.signature import Column, Signature

Problem = dict[str, Any]
Loc = tuple[str | int, ...]

MAX_PROBLEMS = 20
LARGEST = float(np.finfo(np.float32).max)
"""The largest magnitude that every estimator takes: trees compare in single precision."""

_NUMBERS = {float, int}


def problem(loc: Loc, msg: str, kind: str) -> Problem:
    """Return one problem in FastAPI's form."""
    return {"loc": list(loc), "msg": msg, "type": kind}


def read_rows(items: Sequence[Any], signature: Signature, *, loc: Loc) -> np.ndarray[Any, Any]:
    """Read rows, each by position (an array) or by name (an object).

    Args:
        items: The rows as JSON values, at least one.
        signature: What the model takes.
        loc: Where the rows stand in the request.

    Raises:
        InvalidRowsError: They do not fit.
    """
    return _read(items, signature, [(*loc, place) for place in range(len(items))])


def read_row(item: Any, signature: Signature, *, loc: Loc) -> np.ndarray[Any, Any]:
    """Read one row, by position or by name, as an array of one row.

    Raises:
        InvalidRowsError: It does not fit.
    """
    return _read([item], signature, [loc])


def _read(items: Sequence[Any], signature: Signature, locs: Sequence[Loc]) -> np.ndarray[Any, Any]:
    problems: list[Problem] = []
    rows: list[list[Any]] = []
    numbers_only = all(column.dtype == "float64" for column in signature.columns)
    for item, loc in zip(items, locs, strict=True):
        values = _values(item, signature, loc, problems, numbers_only=numbers_only)
        if values is not None:
            rows.append(values)
        if len(problems) >= MAX_PROBLEMS:
            break
    if problems:
        raise InvalidRowsError(problems[:MAX_PROBLEMS])
    array = _as_array(rows)
    if not _within_limits(array, signature):
        for item, values, loc in zip(items, array.tolist(), locs, strict=True):
            problems += _limit_problems(values, signature, loc, by_name=isinstance(item, dict))
            if len(problems) >= MAX_PROBLEMS:
                break
        raise InvalidRowsError(problems[:MAX_PROBLEMS])
    return array


def _as_array(rows: list[list[Any]]) -> np.ndarray[Any, Any]:
    try:
        return np.array(rows, dtype=np.float64)
    except OverflowError:  # an integer larger than any float: as good as infinite
        most = sys.float_info.max
        return np.array([[value if abs(value) <= most else math.inf for value in row] for row in rows])


def _values(
    item: Any, signature: Signature, loc: Loc, problems: list[Problem], *, numbers_only: bool
) -> list[Any] | None:
    """Return a row's values in column order, or None after noting what is wrong."""
    columns = signature.columns
    if isinstance(item, dict):
        values = _by_name(item, columns, loc, problems)
        places: Sequence[str | int] = signature.feature_names
    elif isinstance(item, list):
        values = _by_position(item, columns, loc, problems)
        places = range(len(columns))
    else:
        problems.append(problem(loc, "Input should be an array of values or an object of columns", "row_type"))
        return None
    if values is None:
        return None
    if numbers_only and set(map(type, values)) <= _NUMBERS:
        return values
    found = [_type_problem(value, column) for value, column in zip(values, columns, strict=True)]
    problems += [problem((*loc, place), *wrong) for place, wrong in zip(places, found, strict=True) if wrong]
    return None if any(found) else values


def _by_position(item: list[Any], columns: Sequence[Column], loc: Loc, problems: list[Problem]) -> list[Any] | None:
    if len(item) == len(columns):
        return item
    kind, bound = ("too_short", "at least") if len(item) < len(columns) else ("too_long", "at most")
    names = ", ".join(column.name for column in columns[:MAX_PROBLEMS])
    msg = f"A row should have {bound} {len(columns)} values ({names}), not {len(item)}"
    problems.append(problem(loc, msg, kind))
    return None


def _by_name(item: dict[str, Any], columns: Sequence[Column], loc: Loc, problems: list[Problem]) -> list[Any] | None:
    known = {column.name: column for column in columns}
    found = [problem((*loc, name), "Field required", "missing") for name in known if name not in item]
    if not found and len(item) == len(known):
        return [item[name] for name in known]
    msg = f"No such column (known: {', '.join(known)})"
    extra = islice((name for name in item if name not in known), MAX_PROBLEMS)
    problems += found[:MAX_PROBLEMS] + [problem((*loc, name), msg, "extra_forbidden") for name in extra]
    return None


def _type_problem(value: Any, column: Column) -> tuple[str, str] | None:
    if column.dtype == "bool":
        return None if isinstance(value, bool) else ("Input should be true or false", "bool_type")
    if type(value) not in _NUMBERS:
        return ("Input should be a valid number", "float_type")
    if column.dtype == "int64" and isinstance(value, float) and not value.is_integer():
        return ("Input should be a whole number", "int_from_float")
    return None


def _within_limits(array: np.ndarray[Any, Any], signature: Signature) -> bool:
    if not bool((np.abs(array) <= LARGEST).all()):
        return False
    for place, column in enumerate(signature.columns):
        values = array[:, place]
        if column.minimum is not None and not bool((values >= column.minimum).all()):
            return False
        if column.maximum is not None and not bool((values <= column.maximum).all()):
            return False
        if column.exclusive_minimum is not None and not bool((values > column.exclusive_minimum).all()):
            return False
        if column.exclusive_maximum is not None and not bool((values < column.exclusive_maximum).all()):
            return False
    return True


def _limit_problems(values: Sequence[float], signature: Signature, loc: Loc, *, by_name: bool) -> list[Problem]:
    return [
        problem((*loc, column.name if by_name else place), *wrong)
        for place, (value, column) in enumerate(zip(values, signature.columns, strict=True))
        if (wrong := limit_problem(value, column))
    ]


def limit_problem(value: float, column: Column) -> tuple[str, str] | None:
    """Return what is wrong with a value that a column cannot have: a message and its kind."""
    if not abs(value) <= LARGEST:
        return (f"Input should be a finite number of magnitude at most {LARGEST:.8g}", "finite_number")
    if column.minimum is not None and value < column.minimum:
        return (f"Input should be greater than or equal to {column.minimum:g}", "greater_than_equal")
    if column.maximum is not None and value > column.maximum:
        return (f"Input should be less than or equal to {column.maximum:g}", "less_than_equal")
    if column.exclusive_minimum is not None and value <= column.exclusive_minimum:
        return (f"Input should be greater than {column.exclusive_minimum:g}", "greater_than")
    if column.exclusive_maximum is not None and value >= column.exclusive_maximum:
        return (f"Input should be less than {column.exclusive_maximum:g}", "less_than")
    return None
