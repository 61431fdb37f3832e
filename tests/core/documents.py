"""Manifests, records and decisions as JSON documents, to edit as a person does."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

Document = dict[str, Any]

SHA_A = "9b2e" + "0" * 60
SHA_B = "0c1f" + "0" * 60
SHA_C = "77aa" + "0" * 60
TIME = "2026-11-20T10:00:00Z"


def version(label: str, **more: Any) -> Document:
    """Return the entry of a version."""
    return {
        "created_at": TIME,
        "state": "active",
        "record": {"path": f"versions/{label}/{SHA_B[:16]}.json", "sha256": SHA_B, "size": 2104},
        "artifacts": {"skops": {"path": f"versions/{label}/{SHA_A[:16]}.skops", "sha256": SHA_A, "size": 23799}},
        **more,
    }


MANIFEST: Document = {
    "format": 1,
    "model": "iris",
    "revision": 7,
    "updated_at": TIME,
    "previous_sha256": SHA_C,
    "change": {"id": "c0ffee", "by": "ann@example", "text": "promote stable: 1.0.0 -> 1.1.0"},
    "default": "stable",
    "aliases": {"stable": "1.1.0", "canary": "1.0.0"},
    "versions": {"1.0.0": version("1.0.0"), "1.1.0": version("1.1.0")},
}

RECORD: Document = {
    "format": 1,
    "model": "iris",
    "version": "1.1.0",
    "estimator": "sklearn.ensemble._forest.RandomForestClassifier",
    "parameters": {"n_estimators": 100, "max_depth": None},
    "signature": {
        "task": "classification",
        "columns": [
            {
                "name": "sepal_length",
                "dtype": "float64",
                "minimum": None,
                "maximum": None,
                "exclusive_minimum": 0.0,
                "exclusive_maximum": None,
                "observed_minimum": 4.3,
                "observed_maximum": 7.9,
            },
        ],
        "classes": [0, 1],
        "class_names": ["setosa", "versicolor"],
    },
    "artifacts": {"skops": SHA_A},
    "examples": [[5.1]],
    "metrics": {"accuracy": 0.97},
    "data": {"name": "iris", "sha256": SHA_C, "n_rows": 120},
    "seed": 42,
    "twins": {},
    "card": "# Iris\n",
    "run": {
        "created_at": TIME,
        "code_revision": None,
        "training_s": 0.25,
        "python": "3.11.7",
        "libraries": {"scikit-learn": "1.9.1"},
    },
}

DECISIONS: Document = {
    "model": "iris",
    "default": "stable",
    "aliases": {"stable": "1.1.0", "canary": "1.0.0"},
    "states": {"1.0.0": "withdrawn"},
}

MISSING = object()
"""A value that stands for: remove the field."""


def edited(document: Document, place: str, value: Any) -> Document:
    """Return a document with another value at a place such as ``versions/1.1.0/record/size``."""
    changed = copy.deepcopy(document)
    *parents, last = place.split("/")
    inner: Any = changed
    for key in parents:
        inner = inner[int(key)] if isinstance(inner, list) else inner[key]
    if value is MISSING:
        del inner[last]
    elif isinstance(inner, list):
        inner[int(last)] = value
    else:
        inner[last] = value() if callable(value) else value
    return changed


def data(document: Any) -> bytes:
    return json.dumps(document, indent=2).encode()


def editor(document: Document) -> Callable[[str, Any], Document]:
    """Return what edits one document."""
    return lambda place, value: edited(document, place, value)
