"""Example rows that a client could send: what the OpenAPI document and the registry page show.

Example:
    >>> from registry.signature import Column
    >>> _made_up(Column(name="petals", dtype="int64", exclusive_minimum=0.0))
    1
"""

from __future__ import annotations

from registry.errors import InvalidRowsError
from registry.inference.rows import limit_problem, read_row
from registry.record import Record
from registry.signature import Column, Signature

JsonRow = list[float | int | bool]


def example_rows(record: Record) -> list[JsonRow]:
    """Return rows by position that the model accepts, at least one, as a client would write them."""
    rows = [_as_json(row, record.signature) for row in record.examples if len(row) == len(record.signature.columns)]
    accepted = [row for row in rows if _is_accepted(row, record.signature)]
    return accepted or [[_made_up(column) for column in record.signature.columns]]


def by_name(row: JsonRow, signature: Signature) -> dict[str, float | int | bool]:
    """Return a row by name."""
    return dict(zip(signature.feature_names, row, strict=True))


def _as_json(row: list[float], signature: Signature) -> JsonRow:
    kinds = {"float64": float, "int64": int, "bool": bool}
    return [kinds[column.dtype](value) for value, column in zip(row, signature.columns, strict=True)]


def _is_accepted(row: JsonRow, signature: Signature) -> bool:
    try:
        read_row(row, signature, loc=())
    except InvalidRowsError:
        return False
    return True


def _made_up(column: Column) -> float | int | bool:
    """Return a value inside the declared limits, near zero or near one of them."""
    if column.dtype == "bool":
        return False
    bounds = (column.minimum, column.maximum, column.exclusive_minimum, column.exclusive_maximum)
    stated = [bound for bound in bounds if bound is not None]
    middle = sum(stated) / max(len(stated), 1)
    tried = [0.0, *(bound + step for step in (0, 1, -1) for bound in stated), middle]
    if column.dtype == "int64":
        tried = [float(round(value)) for value in tried]
    found = next((value for value in tried if limit_problem(value, column) is None), middle)
    return int(found) if column.dtype == "int64" else found
