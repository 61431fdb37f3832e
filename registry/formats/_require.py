"""How a check of a table fails."""

from __future__ import annotations

from typing import Any

import numpy as np

from registry.errors import IntegrityError


def require(holds: Any, problem: str) -> None:
    """Check something that must hold of a table.

    Raises:
        IntegrityError: It does not hold.
    """
    if not holds:
        raise IntegrityError(f"the artifact holds an unsafe table: {problem}")


def at_node(problem: str, wrong: np.ndarray[Any, Any]) -> str:
    """Return a problem of nodes with the number of the first one that is wrong."""
    return f"{problem} (node {int(np.argmax(wrong))})"
