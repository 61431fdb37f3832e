"""The ``skops`` format: the canonical artifact of every scikit-learn model.

Three steps, in this order: *audit* (`registry.formats._audit`: every name in the file is on the server's list),
*construct* (by skops, which audits once more), *check tables* (`registry.formats._tables`: raw tables of trees stay
inside their bounds). There is no pickle and no joblib here, and no way to skip a step.

Example:
    >>> runtime = load(dump(estimator), trusted=frozenset(), n_columns=4)               # doctest: +SKIP
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from registry.errors import InputError, IntegrityError, UntrustedTypeError
from registry.formats import Predictions
from registry.formats._audit import audit
from registry.formats._canonical import canonical
from registry.formats._tables import check_tables

if TYPE_CHECKING:
    import numpy as np


class SklearnRuntime:
    """A scikit-learn estimator that answers rows."""

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator
        self._probabilities = getattr(estimator, "predict_proba", None)

    def predict(self, rows: np.ndarray[Any, Any]) -> Predictions:
        """Answer rows of shape ``(n_rows, n_columns) float64``."""
        import numpy as np

        with np.errstate(all="ignore"):  # what overflows is not finite, and the protocol says so to the client
            values = self.estimator.predict(rows)
            shares = self._probabilities(rows) if self._probabilities else None
        return Predictions(values=values, probabilities=shares)


def dump(estimator: Any) -> bytes:
    """Return the canonical bytes of a fitted estimator.

    Raises:
        InputError: skops cannot write it.
    """
    import skops.io
    from skops.io.exceptions import UnsupportedTypeException

    try:
        return canonical(skops.io.dumps(estimator))
    except (UnsupportedTypeException, TypeError, AttributeError) as exc:
        raise InputError(f"{type(estimator).__name__} cannot be written as skops: {exc}") from exc


def load(data: bytes, *, trusted: frozenset[str], n_columns: int) -> SklearnRuntime:
    """Audit, construct, check tables. See `registry.formats.Format.load`."""
    named = audit(data, trusted=trusted)

    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        estimator = skops.io.loads(data, trusted=sorted(named))
    except UntrustedTypesFoundException as exc:
        raise UntrustedTypeError(f"the artifact names what skops does not allow: {exc}") from exc
    except MemoryError as exc:
        raise IntegrityError("the artifact does not fit into memory") from exc
    except Exception as exc:  # whatever a library raises on bytes that passed the audit, the bytes are at fault
        raise IntegrityError(f"the artifact cannot be constructed: {type(exc).__name__}: {exc}") from exc
    if not hasattr(estimator, "predict"):
        raise IntegrityError(f"the artifact holds a {type(estimator).__name__}, which cannot predict")
    check_tables(estimator, n_columns=n_columns)
    # An estimator that was fitted on a table warns when it is given an array; the signature has checked the columns.
    warnings.filterwarnings("ignore", message="X does not have valid feature names", category=UserWarning)
    return SklearnRuntime(estimator)
