"""Where things lie in the bucket (format 1).

Pure functions from names to paths. Paths inside a manifest are relative to the model's folder, so that a registry
can be copied to another prefix; `object_path` turns them into paths relative to the registry's root, and refuses
those that would leave the folder.

Example:
    >>> object_path("iris", "versions/1.0.0/9b2e0c1f00aa77bb.skops")
    'iris/versions/1.0.0/9b2e0c1f00aa77bb.skops'
"""

from __future__ import annotations

import re

from registry.digest import SHORT

RECORD_SUFFIX = "json"

_PATH = re.compile(r"versions/(?P<version>[^/]+)/(?P<digest>[0-9a-f]{16})\.(?P<suffix>[a-z0-9]+)")


def manifest_path(model: str) -> str:
    """Return the path of a model's manifest, relative to the registry's root."""
    return f"{model}/manifest.json"


def history_path(model: str, revision: int) -> str:
    """Return the path of an archived manifest, relative to the registry's root."""
    return f"{history_prefix(model)}{revision}.json"


def history_prefix(model: str) -> str:
    """Return the prefix of all archived manifests of a model."""
    return f"{model}/history/"


def history_revision(model: str, path: str) -> int | None:
    """Return the revision that a path in the history stands for, or None when it stands for none."""
    stem = path.removeprefix(history_prefix(model)).removesuffix(".json")
    return int(stem) if stem.isascii() and stem.isdigit() and history_path(model, int(stem)) == path else None


def versions_prefix(model: str) -> str:
    """Return the prefix of all versions' objects of a model."""
    return f"{model}/versions/"


def relative_path(version: str, sha256: str, suffix: str) -> str:
    """Return the path, relative to the model's folder, of a version's object with that digest."""
    return f"versions/{version}/{sha256[:SHORT]}.{suffix}"


def path_problem(path: str, *, version: str, sha256: str) -> str | None:
    """Say what is wrong with a path that a manifest states for an object of a version, or return None.

    An object lies in its own version's folder under a name that carries its digest, so a path can neither leave the
    registry nor stand for another version's bytes.
    """
    if "://" in path or path.startswith("/"):
        return f"must be relative to the model's folder, not {path!r}"
    if ".." in path.split("/") or "\\" in path:
        return f"must not leave the model's folder: {path!r}"
    match = _PATH.fullmatch(path)
    if match is None:
        return f"expected versions/{version}/{sha256[:SHORT]}.<suffix>, not {path!r}"
    if match["version"] != version:
        return f"belongs to version {match['version']!r}, not to {version!r}: {path!r}"
    if match["digest"] != sha256[:SHORT]:
        return f"its name does not carry the stated digest {sha256[:SHORT]}…: {path!r}"
    return None


def object_path(model: str, path: str) -> str:
    """Return the path relative to the registry's root of an object that a checked manifest names."""
    return f"{model}/{path}"
