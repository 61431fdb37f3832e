"""Crafted skops archives: schemas built node by node, as an attacker with a text editor would."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import skops.io

Node = dict[str, Any]

PROTOCOL = 2


def node(loader: str, name: str, **fields: Any) -> Node:
    """Return a node of that loader for a qualified name."""
    module, _, cls = name.rpartition(".")
    return {"__class__": cls, "__module__": module, "__loader__": loader, **fields}


def json_node(value: Any) -> Node:
    return node("JsonNode", "builtins.str", content=json.dumps(value), is_json=True)


def type_node(name: str) -> Node:
    return node("TypeNode", name)


def function(name: str) -> Node:
    return node("FunctionNode", name)


def list_node(*items: Node, **fields: Any) -> Node:
    return node("ListNode", "builtins.list", content=list(items), **fields)


def tuple_node(*items: Node) -> Node:
    return node("TupleNode", "builtins.tuple", content=list(items))


def dict_node(content: Mapping[str, Node], key_types: Node | None = None) -> Node:
    keys = key_types or list_node(*[type_node("builtins.str")] * len(content))
    return node("DictNode", "builtins.dict", content=dict(content), key_types=keys)


def object_node(name: str, attributes: Mapping[str, Node] | None = None) -> Node:
    return node("ObjectNode", name, content=dict_node(attributes or {}))


def partial_node(func: Node, *arguments: Node, **named: Node) -> Node:
    content = {
        "func": func,
        "args": tuple_node(*arguments),
        "kwds": dict_node(named),
        "namespace": json_node(None),
    }
    return node("PartialNode", "functools.partial", content=content)


def array_node(file: str) -> Node:
    return node("NdArrayNode", "numpy.ndarray", type="numpy", file=file)


def archive(
    schema: Any,
    members: Mapping[str, bytes] | None = None,
    *,
    protocol: Any = PROTOCOL,
    compression: int = zipfile.ZIP_STORED,
) -> bytes:
    """Return an archive of a schema, which may be given as bytes, and its members."""
    if isinstance(schema, dict):
        schema = json.dumps({**schema, "protocol": protocol, "_skops_version": "0.16.0"})
    elif not isinstance(schema, bytes):
        schema = json.dumps(schema)
    return pack({**(members or {}), "schema.json": schema}, compression=compression)


def pack(members: Mapping[str, bytes | str], *, compression: int = zipfile.ZIP_STORED) -> bytes:
    """Return a ZIP file of members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression=compression) as target:
        for name, data in members.items():
            target.writestr(name, data)
    return buffer.getvalue()


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the schema of an archive and its other members."""
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        members = {name: source.read(name) for name in source.namelist()}
    return json.loads(members.pop("schema.json")), members


def injected(estimator: Any, evil: Node, *, attribute: str = "injected") -> bytes:
    """Return the archive of a fitted estimator that has one more attribute."""
    schema, members = unpack(skops.io.dumps(estimator))
    attributes = schema["content"]
    attributes["content"][attribute] = evil
    attributes["key_types"]["content"].append(type_node("builtins.str"))
    return archive(schema, members)


def hidden(estimator: Any, evil: Node) -> bytes:
    """Return the archive of a fitted estimator with a node that no loader would reach."""
    schema, members = unpack(skops.io.dumps(estimator))
    schema["comment"] = {"nothing": [{"reads": evil}]}
    return archive(schema, members)
