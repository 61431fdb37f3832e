"""Training inputs from a file: a ``.csv`` file with a header, or a ``.npy`` file.

The header, or the fields of a structured array, say what the columns are called; columns that are not the model's, such
as the target, are left out by naming those that are.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from registry.errors import InputError

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Training inputs.

    Attributes:
        file: Where they came from.
        columns: The names of the columns.
        rows: ``(n_rows, n_columns) float64``.
    """

    file: Path
    columns: list[str]
    rows: np.ndarray[Any, Any]

    def check_fit(self, estimator: Any) -> None:
        """Check that the columns are those that an estimator was fitted on, when it knows their names.

        Raises:
            InputError: They are others, or stand in another order.
        """
        fitted = [str(name) for name in getattr(estimator, "feature_names_in_", self.columns)]
        if fitted != self.columns:
            raise InputError(
                f"{self.file}: the model was fitted on the columns {', '.join(fitted)}, in this order, and these are "
                f"{', '.join(self.columns)} (--column picks and orders them)"
            )


def read_inputs(file: Path, columns: Sequence[str] | None) -> Inputs:
    """Read training inputs.

    Args:
        file: A ``.csv`` or a ``.npy`` file.
        columns: Which columns to take, in this order; None means all of them.

    Raises:
        InputError: It cannot be read, a column is not there, or a cell is not a number; the sentence says where.
    """
    readers = {".csv": _read_csv, ".npy": _read_npy}
    if file.suffix not in readers:
        raise InputError(f"{file}: expected a .csv or a .npy file")
    try:
        return readers[file.suffix](file, columns)
    except OSError as exc:
        raise InputError(f"cannot read {file}: {exc.strerror or exc}") from exc


def _read_csv(file: Path, columns: Sequence[str] | None) -> Inputs:
    import numpy as np

    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            reader = csv.reader(opened, strict=True)
            lines = [(reader.line_num, [cell.strip() for cell in line]) for line in reader if line]
    except (UnicodeDecodeError, csv.Error) as exc:
        raise InputError(f"{file}: not a CSV file in UTF-8: {exc}") from exc
    if not lines:
        raise InputError(f"{file}: the file is empty; its first line must name the columns")
    (_, names), *table = lines
    if any(_is_number(name) for name in names) or len(set(names)) != len(names) or "" in names:
        raise InputError(f"{file}: the first line must name the columns, each once, not {', '.join(names)}")
    places = _places(file, names, columns)
    rows = np.empty((len(table), len(places)), dtype=np.float64)
    for row, (number, cells) in zip(rows, table, strict=True):
        if len(cells) != len(names):
            raise InputError(f"{file} line {number}: {len(cells)} cells, and the header has {len(names)}")
        for place in places:
            if cells[place] and not _is_number(cells[place]):
                raise InputError(f"{file} line {number}, column {names[place]!r}: {cells[place]!r} is not a number")
        row[:] = [float(cells[place] or "nan") for place in places]
    return Inputs(file=file, columns=[names[place] for place in places], rows=rows)


def _read_npy(file: Path, columns: Sequence[str] | None) -> Inputs:
    import numpy as np

    try:
        array = np.load(file, allow_pickle=False)
        fields: tuple[str, ...] | None = array.dtype.names
        if fields:
            array, names = np.column_stack([array[name] for name in fields]), [*fields]
        elif array.ndim == 2:
            names = [f"feature_{place}" for place in range(array.shape[1])]
        else:
            raise InputError(f"{file}: expected an array of shape (n_rows, n_columns), not {array.shape}")
        rows = array.astype(np.float64)
    except (ValueError, TypeError, EOFError) as exc:
        raise InputError(f"{file}: not a .npy file of numbers: {exc}") from exc
    places = _places(file, names, columns)
    return Inputs(file=file, columns=[names[place] for place in places], rows=rows[:, places])


def _places(file: Path, names: Sequence[str], columns: Sequence[str] | None) -> list[int]:
    for column in columns or ():
        if column not in names:
            raise InputError(f"{file}: there is no column {column!r} (columns: {', '.join(names)})")
    return [names.index(column) for column in columns or names]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
