"""Example rows."""

from __future__ import annotations

from typing import Any

import pytest

from registry.inference.examples import by_name, example_rows
from registry.inference.rows import read_row
from registry.record import Record, Run
from registry.signature import Column, Signature


def record(columns: list[Column], examples: list[list[float]]) -> Record:
    """Return a record with those columns and examples."""
    return Record(
        model="m",
        version="1",
        estimator="x.Y",
        parameters={},
        signature=Signature(task="regression", columns=tuple(columns)),
        artifacts={},
        examples=examples,
        run=Run(created_at="", python="", libraries={}),
    )


def test_rows_that_the_model_does_not_accept_are_left_out() -> None:
    """Training may have seen what the declared limits forbid, and a record may hold rows that are none."""
    columns = [Column(name="a", minimum=0.0), Column(name="n", dtype="int64")]
    rows = [[-1.0, 1.0], [2.0, 3.0], [1.0]]
    assert example_rows(record(columns, rows)) == [[2.0, 3]]


@pytest.mark.parametrize(
    "limits",
    [
        {},
        {"minimum": 5.0},
        {"exclusive_minimum": 0.0},
        {"exclusive_maximum": 0.0},
        {"maximum": -7.5},
        {"exclusive_minimum": 0.0, "exclusive_maximum": 1.5},
        {"minimum": 1.0, "maximum": 1.0},
    ],
)
@pytest.mark.parametrize("dtype", ["float64", "int64", "bool"])
def test_without_examples_one_is_made_up_inside_the_limits(dtype: Any, limits: dict[str, float]) -> None:
    """There is always an example, and it is one that the model accepts."""
    made_of = record([Column(name="a", dtype=dtype, **({} if dtype == "bool" else limits))], [])
    (row,) = example_rows(made_of)
    assert read_row(row, made_of.signature, loc=()).shape == (1, 1)


def test_a_row_by_name_has_the_columns_names() -> None:
    """In their order."""
    signature = record([Column(name="b"), Column(name="a")], []).signature
    assert list(by_name([1.0, 2.0], signature).items()) == [("b", 1.0), ("a", 2.0)]
