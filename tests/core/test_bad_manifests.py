"""Manifests edited badly: a message that names the place, never a traceback."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from registry.errors import ManifestError
from registry.manifest import Manifest
from tests.core.documents import MANIFEST, MISSING, SHA_A, SHA_B, data, edited, editor, version
from tests.core.schemas import schema

edit = editor(MANIFEST)

HEX = "expected 64 lowercase hexadecimal digits"
COUNT = "expected a whole number from 0 to 9007199254740991"
MODEL_NAME = "use 1 to 64 of a-z, 0-9, '.', '_' and '-', beginning and ending with a letter or a digit"
ENDS = "beginning and ending with a letter or a digit, and not 'latest'"
LABEL = f"use 1 to 64 of 0-9, A-Z, a-z, '.', '_', '+' and '-', {ENDS}"
ALIAS = "use 1 to 64 of 0-9, A-Z, a-z, '.', '_' and '-', beginning with a letter, and not 'latest'"

SKOPS = "versions/1.1.0/artifacts/skops"
NO_DIGEST = f"its name does not carry the stated digest {SHA_A[:16]}…"
AT_SKOPS = "versions.1.1.0.artifacts.skops"

BY_SCHEMA: list[tuple[str, Any, str]] = [
    # Fields that are missing.
    *[(name, MISSING, f"{name}: this field is missing") for name in ("format", "model", "revision", "updated_at")],
    *[(name, MISSING, f"{name}: this field is missing") for name in ("default", "aliases", "versions")],
    ("versions/1.1.0/created_at", MISSING, "versions.1.1.0.created_at: this field is missing"),
    ("versions/1.1.0/record", MISSING, "versions.1.1.0.record: this field is missing"),
    ("versions/1.1.0/artifacts", MISSING, "versions.1.1.0.artifacts: this field is missing"),
    (f"{SKOPS}/path", MISSING, f"{AT_SKOPS}.path: this field is missing"),
    (f"{SKOPS}/sha256", MISSING, f"{AT_SKOPS}.sha256: this field is missing"),
    (f"{SKOPS}/size", MISSING, f"{AT_SKOPS}.size: this field is missing"),
    # Another format.
    ("format", 99, "format: this program reads format 1, not 99"),
    ("format", 0, "format: this program reads format 1, not 0"),
    ("format", "1", "format: this program reads format 1, not '1'"),
    ("format", True, "format: this program reads format 1, not True"),
    ("format", None, "format: this program reads format 1, not None"),
    # Wrong types.
    ("model", 5, "model: expected text, not a number"),
    ("model", "", "model: expected text, not empty text"),
    ("model", "Iris", f"model: 'Iris' cannot name a model: {MODEL_NAME}"),
    ("model", "../wine", f"model: '../wine' cannot name a model: {MODEL_NAME}"),
    ("model", "a..b", f"model: 'a..b' cannot name a model: {MODEL_NAME}"),
    ("model", "i" * 65, f"model: '{'i' * 65}' cannot name a model: {MODEL_NAME}"),
    ("revision", True, f"revision: {COUNT}, not true or false"),
    ("revision", "7", f"revision: {COUNT}, not text"),
    ("revision", 7.5, f"revision: {COUNT}, not a number"),
    ("revision", -1, f"revision: {COUNT}, not -1"),
    ("revision", None, f"revision: {COUNT}, not null"),
    ("revision", 2**53, f"revision: {COUNT}, not 9007199254740992"),
    ("revision", 10**30, f"revision: {COUNT}, not 1000000000000000000000000000000"),
    ("updated_at", None, "updated_at: expected text, not null"),
    ("default", ["stable"], "default: expected text, not an array"),
    ("default", "", "default: expected text, not empty text"),
    ("change", [], "change: expected an object, not an array"),
    ("previous_sha256", "abc", f"previous_sha256: {HEX} or null"),
    ("previous_sha256", SHA_A.upper(), f"previous_sha256: {HEX} or null"),
    ("previous_sha256", 5, f"previous_sha256: {HEX} or null"),
    ("aliases", [], "aliases: expected an object, not an array"),
    ("aliases", None, "aliases: expected an object, not null"),
    ("aliases/stable", 1.1, "aliases.stable: expected a version's label as text, not a number"),
    ("aliases/stable", None, "aliases.stable: expected a version's label as text, not null"),
    ("aliases/stable", "1.1.0/..", f"aliases.stable: '1.1.0/..' cannot name a version: {LABEL}"),
    ("aliases/stable", "", f"aliases.stable: '' cannot name a version: {LABEL}"),
    ("aliases/2nd", "1.1.0", f"aliases.2nd: '2nd' cannot be an alias: {ALIAS}"),
    ("aliases/latest", "1.1.0", f"aliases.latest: 'latest' cannot be an alias: {ALIAS}"),
    ("aliases/a b", "1.1.0", f"aliases.a b: 'a b' cannot be an alias: {ALIAS}"),
    ("aliases/", "1.1.0", f"aliases.: '' cannot be an alias: {ALIAS}"),
    ("versions", [], "versions: expected an object, not an array"),
    ("versions/1.1.0", "active", "versions.1.1.0: expected an object, not text"),
    ("versions/latest", lambda: version("latest"), f"versions.latest: 'latest' cannot name a version: {LABEL}"),
    ("versions/-1", lambda: version("-1"), f"versions.-1: '-1' cannot name a version: {LABEL}"),
    ("versions/1..0", lambda: version("1..0"), f"versions.1..0: '1..0' cannot name a version: {LABEL}"),
    ("versions/1.1.0/created_at", 5, "versions.1.1.0.created_at: expected text, not a number"),
    ("versions/1.1.0/state", "retired", "versions.1.1.0.state: expected one of active, withdrawn, not 'retired'"),
    ("versions/1.1.0/state", [], "versions.1.1.0.state: expected one of active, withdrawn, not []"),
    ("versions/1.1.0/record", [], "versions.1.1.0.record: expected an object, not an array"),
    ("versions/1.1.0/artifacts", [], "versions.1.1.0.artifacts: expected an object, not an array"),
    ("versions/1.1.0/artifacts", {}, "versions.1.1.0.artifacts: a version has at least one artifact"),
    (SKOPS, "x", f"{AT_SKOPS}: expected an object, not text"),
    (f"{SKOPS}/size", True, f"{AT_SKOPS}.size: {COUNT}, not true or false"),
    (f"{SKOPS}/size", "23799", f"{AT_SKOPS}.size: {COUNT}, not text"),
    (f"{SKOPS}/size", -5, f"{AT_SKOPS}.size: {COUNT}, not -5"),
    (f"{SKOPS}/sha256", "9b2e", f"{AT_SKOPS}.sha256: {HEX}, not '9b2e'"),
    (f"{SKOPS}/sha256", 9, f"{AT_SKOPS}.sha256: expected text, not a number"),
    # Paths; more of them in tests/format/test_rule_7_relative_paths.py.
    (f"{SKOPS}/path", 5, f"{AT_SKOPS}.path: expected text, not a number"),
    (f"{SKOPS}/path", "../x", f"{AT_SKOPS}.path: must not leave the model's folder: '../x'"),
    (f"{SKOPS}/path", "/x", f"{AT_SKOPS}.path: must be relative to the model's folder, not '/x'"),
    (f"{SKOPS}/path", "gs://b/x", f"{AT_SKOPS}.path: must be relative to the model's folder, not 'gs://b/x'"),
    (f"{SKOPS}/path", "a\\b", f"{AT_SKOPS}.path: must not leave the model's folder: 'a\\\\b'"),
]
"""Where a manifest was edited, what stands there now, and the whole message. The JSON Schema refuses each as well."""

BY_US_ALONE: list[tuple[str, Any, str]] = [
    ("aliases/stable", "1.9.0", "aliases.stable: no version '1.9.0' (known: 1.0.0, 1.1.0)"),
    ("versions/stable", lambda: version("stable"), "aliases.stable: a version has the same name"),
    (
        f"{SKOPS}/path",
        f"versions/1.0.0/{SHA_A[:16]}.skops",
        f"{AT_SKOPS}.path: belongs to version '1.0.0', not to '1.1.0': 'versions/1.0.0/{SHA_A[:16]}.skops'",
    ),
    (
        f"{SKOPS}/path",
        f"versions/1.1.0/{SHA_B[:16]}.skops",
        f"{AT_SKOPS}.path: {NO_DIGEST}: 'versions/1.1.0/{SHA_B[:16]}.skops'",
    ),
    ("owner", 2**64, "owner: cannot be kept: Integer exceeds 64-bit range"),
    ("change/by", [2**64], "change.by: cannot be kept: Integer exceeds 64-bit range"),
    ("versions/1.1.0/note", {"x": -(2**63) - 1}, "versions.1.1.0.note: cannot be kept: Integer exceeds 64-bit range"),
    (f"{SKOPS}/crc", 2**65, f"{AT_SKOPS}.crc: cannot be kept: Integer exceeds 64-bit range"),
]
"""The same for what compares two places, which a JSON Schema cannot, or what we cannot write again."""

WHOLE = json.dumps(MANIFEST, indent=2)


def nested(depth: int) -> str:
    return '{"owner": ' + "[" * depth + "]" * depth + "}"


NO_VALUE = "not JSON: unexpected character, expected a JSON value"
NO_COMMA = "not JSON: unexpected character, expected ',' or '}'"
NO_TEXT = "not JSON: str is not valid UTF-8: surrogates not allowed"

TEXTS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "line 1 column 1: not JSON: Input is a zero-length, empty document"),
    "null": (b"null", "expected an object, not null"),
    "a list": (b"[]", "expected an object, not an array"),
    "a text": (b'"iris"', "expected an object, not text"),
    "a number": (b"7", "expected an object, not a number"),
    "an empty object": (b"{}", "format: this field is missing"),
    "a trailing comma": (
        WHOLE.replace('"canary": "1.0.0"', '"canary": "1.0.0",').encode(),
        "line 15 column 22: not JSON: trailing comma is not allowed",
    ),
    "a missing comma": (WHOLE.replace('"format": 1,', '"format": 1').encode(), f"line 3 column 3: {NO_COMMA}"),
    "single quotes": (WHOLE.replace('"iris"', "'iris'", 1).encode(), f"line 3 column 12: {NO_VALUE}"),
    "a bare key": (
        WHOLE.replace('"format"', "format", 1).encode(),
        "line 2 column 3: not JSON: unexpected character, expected a string key",
    ),
    "a comment": (f"// promoted by hand\n{WHOLE}".encode(), f"line 1 column 1: {NO_VALUE}"),
    "an end that is missing": (WHOLE[:-1].encode(), "line 51 column 1: not JSON: unexpected end of data"),
    "two manifests": (f"{WHOLE}{WHOLE}".encode(), "line 51 column 2: not JSON: unexpected content after document"),
    "not a number": (WHOLE.replace("23799", "NaN", 1).encode(), f"line 30 column 19: {NO_VALUE}"),
    "an infinite number": (
        WHOLE.replace("23799", "1e999", 1).encode(),
        "line 30 column 19: not JSON: number is infinity when parsed as double",
    ),
    "a number of another base": (WHOLE.replace("23799", "0x5CF7", 1).encode(), f"line 30 column 20: {NO_COMMA}"),
    "a lone surrogate": (
        WHOLE.replace('"iris"', '"\\ud800"', 1).encode(),
        "line 3 column 13: not JSON: no low surrogate in string",
    ),
    "a control character": (
        WHOLE.replace("iris", "\x00", 1).encode(),
        "line 3 column 13: not JSON: unexpected control character in string",
    ),
    "bytes that are no text": (WHOLE.encode().replace(b"iris", b"\xff", 1), f"line 1 column 1: {NO_TEXT}"),
    "a byte order mark": (
        WHOLE.encode("utf-8-sig"),
        "line 1 column 1: not JSON: UTF-8 byte order mark (BOM) is not supported",
    ),
    "UTF-16": (WHOLE.encode("utf-16"), f"line 1 column 1: {NO_TEXT}"),
    "two models": (WHOLE.replace('"iris",', '"iris",\n  "model": "wine",').encode(), "model: this key stands twice"),
    "two sizes": (
        WHOLE.replace('"size": 23799', '"size": 23799, "size": 1').encode(),
        "versions.1.0.0.artifacts.skops.size: this key stands twice",
    ),
    "a key twice in a list": (b'{"a": [1, {"b": {"c": 1, "c": 2}}]}', "a.1.b.c: this key stands twice"),
    "a key twice beside a misleading one": (
        b'{"x": {"\\u0000duplicate": 5}, "y": {"a": 1, "a": 1}}',
        "y.a: this key stands twice",
    ),
    "lists nested deeply": (nested(100_000).encode(), "line 1 column 1035: not JSON: depth limit exceeded"),
}
"""What else can lie where a manifest should: its bytes, and the whole message."""


@pytest.mark.parametrize(("place", "value", "message"), BY_SCHEMA + BY_US_ALONE)
def test_a_mistake_is_named_with_its_place(place: str, value: Any, message: str) -> None:
    """A mistake gets a message that names the place, and what would have been right."""
    with pytest.raises(ManifestError) as caught:
        Manifest.from_bytes(data(edit(place, value)))
    assert caught.value.message == message


@pytest.mark.parametrize(("place", "value", "message"), BY_SCHEMA)
def test_the_schema_refuses_what_it_can_see(place: str, value: Any, message: str) -> None:
    """An editor that knows the JSON Schema marks the mistake before it is saved."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(edit(place, value), schema("manifest"))


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_no_manifest_is_told_with_line_and_column(name: str) -> None:
    """Strict JSON in UTF-8: no trailing comma, no key twice, no NaN, no lone surrogate, no byte order mark."""
    text, message = TEXTS[name]
    with pytest.raises(ManifestError) as caught:
        Manifest.from_bytes(text)
    assert caught.value.message == message


@pytest.mark.parametrize("depth", [900, 990, 1000, 1010, 1020])
def test_deep_nesting_ends_in_our_error(depth: int) -> None:
    """Whichever part of a reader gives up first, it is told as ours: never a RecursionError."""
    twice = nested(depth).replace('{"owner"', '{"a": {"b": 1, "b": 2}, "owner"')
    for text in (nested(depth), twice, nested(depth).replace("[", '{"a":').replace("]", "}")):
        with pytest.raises(ManifestError):
            Manifest.from_bytes(text.encode())


def test_another_models_manifest_is_refused() -> None:
    """A manifest that was copied into another model's folder does not pass for that model's."""
    with pytest.raises(ManifestError) as caught:
        Manifest.from_bytes(data(MANIFEST), model="wine")
    assert caught.value.message == "model: this is the manifest of 'iris', expected 'wine'"


def test_lists_of_what_is_known_stay_short() -> None:
    """With 10,000 versions a message names the newest twenty and how many more there are."""
    versions = {f"1.{number}.0": version(f"1.{number}.0") for number in range(10_000)}
    document = edited(edited(MANIFEST, "versions", versions), "aliases", {"stable": "2.0.0"})
    with pytest.raises(ManifestError) as caught:
        Manifest.from_bytes(json.dumps(document).encode())
    known = ", ".join(f"1.{number}.0" for number in range(9980, 10_000))
    assert caught.value.message == f"aliases.stable: no version '2.0.0' (known: … 9980 more, {known})"
