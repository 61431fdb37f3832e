"""What a model takes and gives: its columns, its task and its classes, as values.

The signature is written into a version's record when it is published, and every request is checked against it. This
module holds the values only; `registry.inference.rows` does the checking.

Example:
    >>> Column(name="sepal_length", exclusive_minimum=0.0).limits()
    'greater than 0'
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from registry.errors import InputError

Task = Literal["classification", "regression"]
DType = Literal["float64", "int64", "bool"]
ClassLabel = str | int | float | bool

_OF_LATER_VERSIONS = {"extra": "ignore"}
"""How records are read whose columns or signatures have fields that we do not know: a later version wrote them."""

RESERVED_COLUMNS = frozenset({"features", "instances", "model_version"})
"""Names with a meaning of their own in a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One input column.

    The limits are declared by the publisher and enforced on every request. The observed range is what training saw:
    advice, never enforced.

    Attributes:
        name: As clients write it.
        dtype: ``float64``, ``int64`` or ``bool``.
        minimum: Smallest allowed value.
        maximum: Largest allowed value.
        exclusive_minimum: Values must be greater than this.
        exclusive_maximum: Values must be less than this.
        observed_minimum: Smallest value seen in training.
        observed_maximum: Largest value seen in training.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = _OF_LATER_VERSIONS

    name: str
    dtype: DType = "float64"
    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: float | None = None
    exclusive_maximum: float | None = None
    observed_minimum: float | None = None
    observed_maximum: float | None = None

    def limits(self) -> str:
        """Return the declared limits as a phrase, empty when there are none."""
        phrases = {
            "at least": self.minimum,
            "at most": self.maximum,
            "greater than": self.exclusive_minimum,
            "less than": self.exclusive_maximum,
        }
        return " and ".join(f"{words} {value:g}" for words, value in phrases.items() if value is not None)

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema of a value of this column."""
        kind = {"float64": "number", "int64": "integer", "bool": "boolean"}[self.dtype]
        limits = {
            "minimum": self.minimum,
            "maximum": self.maximum,
            "exclusiveMinimum": self.exclusive_minimum,
            "exclusiveMaximum": self.exclusive_maximum,
        }
        return {"type": kind, **{word: value for word, value in limits.items() if value is not None}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a model takes and gives.

    Attributes:
        task: ``classification`` or ``regression``.
        columns: The input columns, in the estimator's order.
        classes: What the estimator itself returns for each class, in the order of its probabilities.
        class_names: The label of each class, for people; as many as ``classes``.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = _OF_LATER_VERSIONS

    task: Task
    columns: tuple[Column, ...]
    classes: tuple[ClassLabel, ...] = ()
    class_names: tuple[str, ...] = ()

    def check(self) -> Signature:
        """Return the signature if it makes sense.

        Raises:
            InputError: Columns without a name or with the same one, a reserved name, a limit that is not finite, or
                classes without a label.
        """
        names = [column.name for column in self.columns]
        if not names:
            raise InputError("a model has at least one input column")
        if not all(names) or len(set(names)) < len(names):
            raise InputError(f"column names must be there and differ, not {names}")
        for column in self.columns:
            if column.name in RESERVED_COLUMNS:
                raise InputError(f"no column can be called {column.name!r}: it has a meaning of its own in a request")
            limits = (column.minimum, column.maximum, column.exclusive_minimum, column.exclusive_maximum)
            if not all(limit is None or math.isfinite(limit) for limit in limits):
                raise InputError(f"the limits of column {column.name!r} must be finite numbers")
        if len(self.class_names) != len(self.classes) or len(set(self.class_names)) != len(self.class_names):
            raise InputError(f"expected one label for each of the classes {self.classes}, not {self.class_names}")
        if (self.task == "classification") != bool(self.classes):
            raise InputError("a classifier has classes, and nothing else has")
        return self

    @property
    def feature_names(self) -> list[str]:
        """The names of the columns, in order."""
        return [column.name for column in self.columns]
