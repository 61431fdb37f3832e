"""The audit of a skops archive: everything it names, compared with what is allowed, before anything is constructed.

The audit reads the archive's schema as plain JSON and imports nothing that the archive mentions. It looks at every
node in the file, whether or not a loader would reach it, and knows nothing about what the archive claims to need.

A node can refer to another by its id, and skops then takes the first one with that id for it, whatever this one says.
The audit therefore asks that all nodes of one id are alike: none can stand in for another, and no file can make a
reader visit more nodes than it contains.
"""

from __future__ import annotations

from typing import Any

from registry.errors import IntegrityError, UntrustedTypeError
from registry.formats._allowlist import ALLOWED, EXTENSIBLE
from registry.formats._archive import Archive, reading

OLDEST_PROTOCOL = 2
"""Older skops protocols have loaders of their own, which are not audited here."""

_FILES = {"NdArrayNode": ".npy", "SparseMatrixNode": ".npz", "BytesNode": ".bin"}
"""Loader to the suffix of the member that it reads."""

_NAMELESS = frozenset({"JsonNode", "TypeNode"})
"""Loaders that construct no object of the type they name."""


def audit(archive: bytes, *, trusted: frozenset[str]) -> frozenset[str]:
    """Check every name in a skops archive, and return the qualified names of the objects it would construct.

    Raises:
        UntrustedTypeError: It names something that is not allowed.
        IntegrityError: It is no skops archive of a form that we read.
    """
    survey = _Survey()
    with reading():
        opened = Archive(archive)
        opened.check_room()
        _check_protocol(opened.schema.get("protocol"))
        survey.visit(opened.schema)
    refused = {
        name if loader in ALLOWED else f"{name} (through {loader})"
        for loader, name in survey.identities
        if name not in ALLOWED.get(loader, ()) and not (loader in EXTENSIBLE and name in trusted)
    }
    if refused:
        listed = ", ".join(sorted(refused))
        raise UntrustedTypeError(
            f"the artifact names what this server does not allow: {listed}. "
            "An operator who trusts it can add types with MODEL_TRUSTED_TYPES",
            untrusted=sorted(refused),
        )
    return frozenset(name for loader, name in survey.identities if loader not in _NAMELESS)


class _Survey:
    """One pass over a schema. ``identities`` holds the loader and the qualified name of every node."""

    def __init__(self) -> None:
        self.identities: set[tuple[str, str]] = set()
        self._ids: dict[int, tuple[str, str, int]] = {}

    def visit(self, value: Any) -> int:
        """Look at every node in an object or an array, and return how many there are."""
        items = value.values() if isinstance(value, dict) else value
        count = sum([self.visit(item) for item in items if isinstance(item, (dict, list))])
        if isinstance(value, list) or not ("__loader__" in value or "__class__" in value or "__module__" in value):
            return count
        loader, name = _identity(value)
        self.identities.add((loader, name))
        _check_form(value, loader)
        self._check_id(value.get("__id__"), (loader, name, count))
        return count + 1

    def _check_id(self, number: Any, node: tuple[str, str, int]) -> None:
        if number is None:
            return
        if type(number) is not int:
            raise IntegrityError("the artifact is not a skops archive: an id that is no whole number")
        if self._ids.setdefault(number, node) != node:
            raise IntegrityError(f"the artifact is not a skops archive: different nodes have the id {number}")


def _check_protocol(protocol: Any) -> None:
    if type(protocol) is not int or protocol < OLDEST_PROTOCOL:
        raise IntegrityError(f"the artifact has skops protocol {protocol!r}; {OLDEST_PROTOCOL} or later is read")


def _identity(node: dict[str, Any]) -> tuple[str, str]:
    loader, module, name = node.get("__loader__"), node.get("__module__"), node.get("__class__")
    if not (isinstance(loader, str) and isinstance(module, str) and isinstance(name, str)):
        raise IntegrityError("the artifact is not a skops archive: a node without a loader, a module or a class")
    return loader, f"{module}.{name}"


def _check_form(node: dict[str, Any], loader: str) -> None:
    """Check that a node reads a file of its own kind, and that what it calls is a function or a type, not an object."""
    if "file" in node and not str(node["file"]).endswith(_FILES.get(loader, "")):
        raise IntegrityError(f"the artifact is not a skops archive: {loader} reads {node['file']!r}")
    called: list[Any] = []
    if loader == "PartialNode":
        called = [node["content"]["func"]]
    elif loader == "DefaultDictNode":
        called = [node["content"]["default_factory"]]
    elif loader == "DictNode":
        called = node["key_types"]["content"]
    if not all(item["__loader__"] in ("FunctionNode", "TypeNode", "JsonNode") for item in called):
        raise UntrustedTypeError(f"the artifact holds a {loader} that would call an object")
