"""Strict reading of JSON that a person may have edited: every mistake is named with its place.

Bytes and parsed values in, checked values or a `ManifestError` out. Shared by the manifest and by decisions files.

Example:
    >>> read_text(parse_json(b'{"model": "iris"}'), "model")
    'iris'
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import orjson

from registry.errors import InputError, ManifestError

T = TypeVar("T")

LARGEST_COUNT = 2**53 - 1
"""The largest whole number that every JSON reader keeps exact (RFC 7493 section 2.2)."""


class _Ambiguous(dict[str, Any]):
    """A JSON object in which a key stands twice."""

    key = ""


def parse_json(data: bytes) -> dict[str, Any]:
    """Read a JSON object strictly (RFC 8259): UTF-8, no duplicate keys, no NaN, no lone surrogates.

    Raises:
        ManifestError: Line and column of a syntax error, or the place of a duplicate key.
    """
    ambiguous: list[_Ambiguous] = []

    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        built = dict(pairs)
        if len(built) == len(pairs):
            return built
        ambiguous.append(_Ambiguous(built))
        counts = Counter(key for key, _ in pairs)
        ambiguous[-1].key = next(key for key, count in counts.items() if count > 1)
        return ambiguous[-1]

    try:
        orjson.loads(data)
        document = json.loads(data.decode(), object_pairs_hook=build)
    except json.JSONDecodeError as exc:
        raise ManifestError(f"not JSON: {exc.msg}", place=f"line {exc.lineno} column {exc.colno}") from exc
    except RecursionError as exc:
        raise ManifestError("not JSON that is meant for us: nested too deeply") from exc
    except ValueError as exc:
        raise ManifestError(f"not JSON that is meant for us: {exc}") from exc
    if ambiguous:
        raise ManifestError("this key stands twice", place=_place_of_ambiguous(document))
    return check_object(document)


def check_object(document: Any) -> dict[str, Any]:
    """Return the value if it is a JSON object."""
    if not isinstance(document, dict):
        raise ManifestError(f"expected an object, not {type_name(document)}")
    return document


def required(document: Mapping[str, Any], key: str) -> Any:
    """Return the value of a field that must be there."""
    if key not in document:
        raise ManifestError("this field is missing", place=key)
    return document[key]


def read_text(document: Mapping[str, Any], key: str) -> str:
    """Return a required, non-empty text field."""
    value = required(document, key)
    if not isinstance(value, str) or not value:
        raise ManifestError(f"expected text, not {type_name(value)}", place=key)
    return value


def read_count(document: Mapping[str, Any], key: str) -> int:
    """Return a required field that is a whole number, zero or more."""
    value = required(document, key)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_COUNT:
        found = type_name(value) if isinstance(value, bool) or not isinstance(value, int) else value
        raise ManifestError(f"expected a whole number from 0 to {LARGEST_COUNT}, not {found}", place=key)
    return value


def read_mapping(document: Mapping[str, Any], key: str, read: Callable[[str, Any], T]) -> dict[str, T]:
    """Return a required object field, each of its members read by ``read(name, value)``."""
    mapping = required(document, key)
    if not isinstance(mapping, dict):
        raise ManifestError(f"expected an object, not {type_name(mapping)}", place=key)
    return {name: at(f"{key}.{name}", read, name, value) for name, value in mapping.items()}


def at(place: str, read: Callable[..., T], *arguments: Any) -> T:
    """Return ``read(*arguments)``; an error of it is one that happened at that place."""
    try:
        return read(*arguments)
    except ManifestError as error:
        raise error.within(place) from error.__cause__
    except InputError as error:
        raise ManifestError(error.message, place=place) from error


def extra_fields(document: Mapping[str, Any], known: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields that are not among the known ones, after checking that they can be kept."""
    return {key: at(key, keep, value) for key, value in document.items() if key not in known}


def keep(value: Any) -> Any:
    """Return a value that we do not understand, after checking that it can be written again as it is."""
    try:
        orjson.dumps(value)
    except TypeError as exc:
        raise ManifestError(f"cannot be kept: {exc}") from exc
    return value


def type_name(value: Any) -> str:
    """Return what a JSON value is, in the words of JSON."""
    names = {dict: "an object", list: "an array", str: "text", bool: "true or false", type(None): "null"}
    return "empty text" if value == "" else names.get(type(value), "a number")


def _place_of_ambiguous(document: Any) -> str:
    """Return the place of the first key that stands twice."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), document)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, _Ambiguous):
            return ".".join((*place, value.key))
        children: list[tuple[Any, Any]] = []
        if isinstance(value, dict | list):
            children = list(value.items() if isinstance(value, dict) else enumerate(value))
        waiting += [((*place, str(key)), child) for key, child in reversed(children)]
    return ""
