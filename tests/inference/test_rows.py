"""Rows: JSON values to arrays, or every problem with its place."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import InvalidRowsError
from registry.inference.rows import LARGEST, MAX_PROBLEMS, read_row, read_rows
from registry.signature import Column, Signature

SIGNATURE = Signature(
    task="regression",
    columns=(
        Column(name="a"),
        Column(name="b", minimum=0.0, maximum=10.0),
        Column(name="n", dtype="int64", exclusive_minimum=0.0, exclusive_maximum=5.0),
        Column(name="wet", dtype="bool"),
    ),
)
NUMBERS = Signature(task="regression", columns=(Column(name="a"), Column(name="b")))


def problems(item: Any, signature: Signature = SIGNATURE) -> list[tuple[str, str, str]]:
    """Return what is wrong with a row, each as place, message and type."""
    with pytest.raises(InvalidRowsError) as caught:
        read_row(item, signature, loc=("body", "features"))
    return [(".".join(map(str, found["loc"])), found["msg"], found["type"]) for found in caught.value.problems]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ([1.5, 0, 1, True], [1.5, 0.0, 1.0, 1.0]),
        ([-0.0, 10, 4.0, False], [-0.0, 10.0, 4.0, 0.0]),
        ({"wet": False, "n": 1, "b": 2.5, "a": 18446744073709551615}, [18446744073709551615.0, 2.5, 1.0, 0.0]),
        ([LARGEST, 1, 1, False], [LARGEST, 1.0, 1.0, 0.0]),
    ],
)
def test_a_row_becomes_one_line_of_floats_in_column_order(item: Any, expected: list[float]) -> None:
    """By position or by name; whole numbers and booleans count as numbers where the column says so."""
    array = read_row(item, SIGNATURE, loc=())
    assert (array.dtype, array.tolist()) == (np.float64, [expected])


FIRST = "body.features"
WRONG: dict[str, tuple[Any, list[tuple[str, str, str]]]] = {
    "text": ("1", [(FIRST, "Input should be an array of values or an object of columns", "row_type")]),
    "null": (None, [(FIRST, "Input should be an array of values or an object of columns", "row_type")]),
    "too short": ([1, 2], [(FIRST, "A row should have at least 4 values (a, b, n, wet), not 2", "too_short")]),
    "empty": ([], [(FIRST, "A row should have at least 4 values (a, b, n, wet), not 0", "too_short")]),
    "too long": ([1] * 5, [(FIRST, "A row should have at most 4 values (a, b, n, wet), not 5", "too_long")]),
    "types": (
        ["1", None, [], 1],
        [
            (f"{FIRST}.0", "Input should be a valid number", "float_type"),
            (f"{FIRST}.1", "Input should be a valid number", "float_type"),
            (f"{FIRST}.2", "Input should be a valid number", "float_type"),
            (f"{FIRST}.3", "Input should be true or false", "bool_type"),
        ],
    ),
    "a boolean is no number": ([True, 1, 1, True], [(f"{FIRST}.0", "Input should be a valid number", "float_type")]),
    "a fraction": ([1, 1, 1.5, True], [(f"{FIRST}.2", "Input should be a whole number", "int_from_float")]),
    "limits": (
        [1e39, -1, 0, True],
        [
            (f"{FIRST}.0", "Input should be a finite number of magnitude at most 3.4028235e+38", "finite_number"),
            (f"{FIRST}.1", "Input should be greater than or equal to 0", "greater_than_equal"),
            (f"{FIRST}.2", "Input should be greater than 0", "greater_than"),
        ],
    ),
    "upper limits, by name": (
        {"a": 0, "b": 10.5, "n": 5, "wet": True},
        [
            (f"{FIRST}.b", "Input should be less than or equal to 10", "less_than_equal"),
            (f"{FIRST}.n", "Input should be less than 5", "less_than"),
        ],
    ),
    "an integer beyond every float": (
        [-(10**400), 1, 1, True],
        [(f"{FIRST}.0", "Input should be a finite number of magnitude at most 3.4028235e+38", "finite_number")],
    ),
    "infinity and not a number": (
        [math.nan, math.inf, 1, True],
        [
            (f"{FIRST}.0", "Input should be a finite number of magnitude at most 3.4028235e+38", "finite_number"),
            (f"{FIRST}.1", "Input should be a finite number of magnitude at most 3.4028235e+38", "finite_number"),
        ],
    ),
    "infinity is not whole": (
        [0, 0, math.inf, True],
        [(f"{FIRST}.2", "Input should be a whole number", "int_from_float")],
    ),
    "missing and unknown": (
        {"a": 1, "b": 2, "wet": True, "c": 3},
        [
            (f"{FIRST}.n", "Field required", "missing"),
            (f"{FIRST}.c", "No such column (known: a, b, n, wet)", "extra_forbidden"),
        ],
    ),
    "nothing": ({}, [(f"{FIRST}.{name}", "Field required", "missing") for name in ("a", "b", "n", "wet")]),
}


@pytest.mark.parametrize(("item", "expected"), WRONG.values(), ids=WRONG)
def test_every_problem_is_told_with_its_place(item: Any, expected: list[tuple[str, str, str]]) -> None:
    """A row that does not fit is refused with FastAPI's form of an error for each value."""
    assert problems(item) == expected


EDGES = Signature(
    task="regression",
    columns=(
        Column(name="at_least", minimum=1.0),
        Column(name="at_most", maximum=1.0),
        Column(name="above", exclusive_minimum=1.0),
        Column(name="below", exclusive_maximum=1.0),
    ),
)


@pytest.mark.parametrize(
    ("place", "least_wrong"),
    [(0, math.nextafter(1.0, 0.0)), (1, math.nextafter(1.0, 2.0)), (2, 1.0), (3, 1.0)],
)
def test_limits_hold_to_the_last_bit(place: int, least_wrong: float) -> None:
    """A limit that includes its bound accepts it, one that excludes it does not, and nothing else is rounded away."""
    right = [1.0, 1.0, math.nextafter(1.0, 2.0), math.nextafter(1.0, 0.0)]
    assert read_row(right, EDGES, loc=()).tolist() == [right]
    wrong = [*right[:place], least_wrong, *right[place + 1 :]]
    assert [found[0] for found in problems(wrong, EDGES)] == [f"{FIRST}.{place}"]


def test_problems_of_many_rows_name_the_row() -> None:
    """Rows that are right are passed over."""
    with pytest.raises(InvalidRowsError) as caught:
        read_rows([[1, 2], [1, "2"], {"a": 1}], NUMBERS, loc=("body", "instances"))
    assert caught.value.problems == [
        {"loc": ["body", "instances", 1, 1], "msg": "Input should be a valid number", "type": "float_type"},
        {"loc": ["body", "instances", 2, "b"], "msg": "Field required", "type": "missing"},
    ]
    assert caught.value.message == "body.instances.1.1: Input should be a valid number (and 1 more)"


@pytest.mark.parametrize(
    "items",
    [
        [["x", "y"]] * 1000,
        [[1e300, 1e300]] * 1000,
        [{str(name): 1 for name in range(1000)}],
        [[]] * 1000,
    ],
    ids=["types", "limits", "names", "lengths"],
)
def test_at_most_twenty_problems_are_told(items: list[Any]) -> None:
    """However wrong a request is, the answer stays small."""
    with pytest.raises(InvalidRowsError) as caught:
        read_rows(items, NUMBERS, loc=())
    assert len(caught.value.problems) == MAX_PROBLEMS


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.sampled_from(["a", "b", "n"]),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.sampled_from(["a", "b", "n", "wet", "x"]), inner, max_size=5)
        | st.tuples(*[inner] * 4).map(list)
    ),
    max_leaves=12,
)
NEAR = st.tuples(st.floats() | st.integers(), st.floats(-1, 11), st.integers(-1, 6) | st.floats(), st.booleans())


@given(JSON | NEAR.map(list) | NEAR.map(lambda row: dict(zip(SIGNATURE.feature_names, row, strict=True))))
def test_any_json_value_yields_an_array_that_fits_or_our_error(item: Any) -> None:
    """Untrusted values yield an array inside the declared limits or `InvalidRowsError`, nothing else."""
    try:
        array = read_row(item, SIGNATURE, loc=("body",))
    except InvalidRowsError as error:
        told = len(error.problems)
    else:
        told = 1
        assert_fits(array)
    assert 1 <= told <= MAX_PROBLEMS


def assert_fits(array: np.ndarray[Any, Any]) -> None:
    """Check one row against what `SIGNATURE` declares."""
    assert (array.shape, array.dtype) == ((1, 4), np.float64)
    a, b, n, wet = array[0].tolist()
    assert abs(a) <= LARGEST
    assert 0 <= b <= 10
    assert n in {1.0, 2.0, 3.0, 4.0}
    assert wet in {0.0, 1.0}


@given(st.lists(st.lists(st.floats(-1e38, 1e38), min_size=2, max_size=2), min_size=1, max_size=5))
def test_by_name_and_by_position_are_the_same_rows(rows: list[list[float]]) -> None:
    """What is read is what was sent, whichever way it was written."""
    named = [{"b": b, "a": a} for a, b in rows]
    assert read_rows(rows, NUMBERS, loc=()).tolist() == rows == read_rows(named, NUMBERS, loc=()).tolist()
