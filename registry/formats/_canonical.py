"""Canonical skops bytes: the same model gives the same bytes.

A skops archive carries memory addresses (member names such as ``139898967873584.npy``, ``"__id__"`` in its schema),
random member names, times and the order of sets, so two dumps of one model differ. `canonical` rewrites an archive,
without constructing anything, into a form that depends on its content only:

1. The schema is visited depth first: of an object its members in their order, then the object itself. Sets are ordered
   before they are visited, by their elements without ids and with the digests of files in place of their names.
2. Each id becomes the number of ids that were met before it, plus one. Values that cannot be changed (text, numbers,
   types, functions) share one id by value; everything else keeps its own, so that two references to one array remain
   two references to one array.
3. A member is named by the order in which it is met. Members that nothing names are dropped. Bytes between the fields
   of a structured array become zero; an archive in the archive (``.npz``) is stored like the outer one.
4. The schema is written without white space, in ASCII, as the last member; members are stored, not deflated, because
   the output of a compressor depends on its version; every member has the same time and permissions.

The result opens with stock ``skops.io.load`` and ``get_untrusted_types``, and is its own canonical form.
"""

from __future__ import annotations

import io
import json
import zipfile
from hashlib import sha256
from typing import Any

import numpy as np

from registry.formats._archive import SCHEMA, Archive, reading

_SHARED_BY_VALUE = ("JsonNode", "TypeNode", "FunctionNode")
_TIME = (1980, 1, 1, 0, 0, 0)
_READABLE_BY_OWNER = 0o600 << 16
_UNIX = 3


def canonical(archive: bytes) -> bytes:
    """Return the canonical form of a skops archive.

    Raises:
        IntegrityError: It is not a skops archive.
    """
    with reading():
        rewriting = _Rewriting(Archive(archive))
        schema = json.dumps(rewriting.rewritten(), separators=(",", ":"))
        return _pack([*rewriting.members, (SCHEMA, schema.encode())])


class _Rewriting:
    """One pass over a schema, giving out ids and member names."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._ids: dict[Any, int] = {}
        self._names: dict[str, str] = {}
        self.members: list[tuple[str, bytes]] = []

    def rewritten(self) -> Any:
        """Return the schema in canonical form, and fill `members`."""
        return self._visit(self._archive.schema)

    def _visit(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._visit(item) for item in value]
        if not isinstance(value, dict):
            return value
        if value.get("__loader__") == "SetNode":
            value = {**value, "content": sorted(value["content"], key=self._order)}
        rewritten = {key: self._member(key, item) for key, item in value.items()}
        if "__id__" in value:
            rewritten["__id__"] = self._id(value)
        return rewritten

    def _member(self, key: str, value: Any) -> Any:
        return self._file(value) if key == "file" and isinstance(value, str) else self._visit(value)

    def _id(self, node: dict[str, Any]) -> int:
        key: Any = node["__id__"]
        if node.get("__loader__") in _SHARED_BY_VALUE:
            key = (node["__loader__"], node["__module__"], node["__class__"], node.get("content"))
        return self._ids.setdefault(key, len(self._ids) + 1)

    def _file(self, name: str) -> str:
        if name not in self._names:
            self._names[name] = f"{len(self._names) + 1}.{name.rpartition('.')[2]}"
            self.members.append((self._names[name], self._content(name)))
        return self._names[name]

    def _content(self, name: str) -> bytes:
        """Return the bytes of a member, without what does not belong to its content."""
        data, suffix = self._archive.read(name), name.rpartition(".")[2]
        return _CLEANED[suffix](data) if suffix in _CLEANED else data

    def _order(self, element: Any) -> str:
        return json.dumps(self._plain(element), sort_keys=True)

    def _plain(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._plain(item) for item in value]
        if not isinstance(value, dict):
            return value
        plain = {key: self._plain(item) for key, item in value.items() if key != "__id__"}
        if isinstance(value.get("file"), str):
            plain["file"] = sha256(self._content(value["file"])).hexdigest()
        return plain


def _clean_array(npy: bytes) -> bytes:
    array = np.lib.format.read_array(io.BytesIO(npy), allow_pickle=False)
    if array.dtype.names is None:
        return npy
    clean = np.zeros(array.shape, dtype=array.dtype)
    for name in array.dtype.names:
        clean[name] = array[name]
    buffer = io.BytesIO()
    np.save(buffer, clean, allow_pickle=False)
    return buffer.getvalue()


def _clean_archive(npz: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(npz)) as source:
        return _pack([(name, source.read(name)) for name in source.namelist()])


_CLEANED = {"npy": _clean_array, "npz": _clean_archive}
"""Suffix of a member to what removes from it what does not belong to its content."""


def _pack(members: list[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression=zipfile.ZIP_STORED) as target:
        for name, data in members:
            info = zipfile.ZipInfo(name, date_time=_TIME)
            info.create_system = _UNIX
            info.external_attr = _READABLE_BY_OWNER
            target.writestr(info, data)
    return buffer.getvalue()
