"""Artifact formats: bytes to something that predicts, one file a format.

The name of a format is the name of its module and of its key in a manifest's ``artifacts``, so a new format is one
new file with a ``load`` function (and a ``dump`` function, when estimators can be written in it).

A format refuses two things: to construct what the server does not allow, and to trust a claim that an artifact makes
about itself. Whoever calls `load` has checked the bytes against their digest before.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from registry.errors import ContentError

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """What a model answers to some rows.

    Attributes:
        values: What the estimator itself returns, ``(n_rows,)``.
        probabilities: ``(n_rows, n_classes) float64`` in the order of the classes; None where there are none.
    """

    values: np.ndarray[Any, Any]
    probabilities: np.ndarray[Any, Any] | None


class Runtime(Protocol):
    """A loaded artifact. Safe to call from several threads."""

    def predict(self, rows: np.ndarray[Any, Any]) -> Predictions:
        """Answer rows of shape ``(n_rows, n_columns) float64``."""


class Format(Protocol):
    """What the module of a format offers."""

    def audit(self, data: bytes, *, trusted: frozenset[str]) -> object:
        """Check everything that the bytes name, and construct nothing.

        Raises:
            UntrustedTypeError, IntegrityError: As `load`.
        """

    def load(self, data: bytes, *, trusted: frozenset[str], n_columns: int) -> Runtime:
        """Audit the bytes, construct what is in them, and check what was constructed.

        Args:
            data: The artifact, already checked against its digest.
            trusted: Qualified names that the operator allows in addition to our own list.
            n_columns: How many input columns the signature has.

        Raises:
            UntrustedTypeError: It names a type or function that is not allowed; nothing was constructed.
            IntegrityError: It is damaged, or holds tables that are unsafe to predict from.
        """


def known_formats() -> list[str]:
    """Return the names of the formats, in alphabetical order."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def open_format(name: str) -> Format:
    """Return the format of that name.

    Raises:
        ContentError: We do not read it.
    """
    known = known_formats()
    if name not in known:
        raise ContentError(f"cannot read artifacts of format {name!r} (known: {', '.join(known)})", known=known)
    return importlib.import_module(f"{__name__}.{name}")
