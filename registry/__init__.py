"""A model registry that is only a bucket.

Example:
    >>> from registry import Registry
    >>> published = Registry("memory://").publish("iris", estimator, inputs=X)          # doctest: +SKIP
    >>> published.version                                                               # doctest: +SKIP
    '1.0.0'

Nothing heavy is imported here: imports are most of a cold start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from registry.registry import Registry

__all__ = ["Registry", "__version__"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "Registry":
        from registry.registry import Registry

        return Registry
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
