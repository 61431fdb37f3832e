"""The JSON Schemas in ``manifests/``."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "manifests"


@cache
def schema(name: str) -> dict[str, Any]:
    """Return the schema of that name: ``manifest``, ``record`` or ``decisions``."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))
    return found
