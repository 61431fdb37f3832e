"""The manifest as a value: its bytes, what a pin comes to, and what it costs with many versions."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from registry.decisions import Decisions
from registry.errors import IntegrityError, UnknownVersionError, WithdrawnVersionError
from registry.manifest import Manifest
from registry.names import parse_pin
from registry.record import Record, differences
from tests.core.documents import DECISIONS, MANIFEST, RECORD, SHA_A, SHA_B, SHA_C, Document, data, edited, version

GOLDEN = f"""\
{{
  "format": 1,
  "model": "iris",
  "revision": 7,
  "updated_at": "2026-11-20T10:00:00Z",
  "previous_sha256": "{SHA_C}",
  "change": {{
    "id": "c0ffee",
    "by": "ann@example",
    "text": "promote stable: 1.0.0 -> 1.1.0"
  }},
  "default": "stable",
  "aliases": {{
    "stable": "1.1.0"
  }},
  "versions": {{
    "1.1.0": {{
      "created_at": "2026-11-20T10:00:00Z",
      "state": "active",
      "record": {{
        "path": "versions/1.1.0/{SHA_B[:16]}.json",
        "sha256": "{SHA_B}",
        "size": 2104
      }},
      "artifacts": {{
        "skops": {{
          "path": "versions/1.1.0/{SHA_A[:16]}.skops",
          "sha256": "{SHA_A}",
          "size": 23799
        }}
      }},
      "note": "schön"
    }}
  }},
  "owner": "team-a"
}}
"""

ONE = edited(edited(MANIFEST, "versions", {"1.1.0": version("1.1.0", note="schön")}), "aliases", {"stable": "1.1.0"})


def read(document: Document) -> Manifest:
    return Manifest.from_bytes(data(document))


def test_the_golden_bytes_of_a_manifest() -> None:
    """A changed byte is a decision: indented for people, UTF-8, our fields first, a final newline."""
    manifest = read({"owner": "team-a", **ONE})
    assert manifest.to_bytes().decode() == GOLDEN
    assert Manifest.from_bytes(GOLDEN.encode()) == manifest


def test_the_golden_bytes_of_a_record() -> None:
    """A record is written once, and its digest is its name."""
    text = Record.from_bytes(json.dumps(RECORD).encode()).to_bytes().decode()
    assert text == json.dumps(RECORD, indent=2, ensure_ascii=False) + "\n"
    assert Record.from_bytes(text.encode()).to_bytes().decode() == text


def test_decisions_read_what_they_write() -> None:
    """States are left out when there are none."""
    decisions = Decisions.from_bytes(data(DECISIONS))
    assert decisions.to_dict() == DECISIONS
    assert "states" not in Decisions.from_bytes(data(edited(DECISIONS, "states", {}))).to_dict()
    assert Decisions.from_bytes(data({"$schema": "decisions.schema.json", **DECISIONS})) == decisions


PINS: list[tuple[str, str, list[str]]] = [
    ("", "1.1.0", ["default", "stable", "1.1.0"]),
    ("stable", "1.1.0", ["stable", "1.1.0"]),
    ("canary", "1.0.0", ["canary", "1.0.0"]),
    ("1.0.0", "1.0.0", ["1.0.0"]),
    ("latest", "1.1.0", ["latest", "1.1.0"]),
    (" stable ", "1.1.0", ["stable", "1.1.0"]),
    (f"1.1.0@sha256:{SHA_A}", "1.1.0", ["1.1.0"]),
    (f"stable@sha256:{SHA_A}", "1.1.0", ["stable", "1.1.0"]),
    (f"latest@sha256:{SHA_A}", "1.1.0", ["latest", "1.1.0"]),
]


@pytest.mark.parametrize(("pin", "label", "steps"), PINS)
def test_a_pin_comes_to_a_version_in_steps(pin: str, label: str, steps: list[str]) -> None:
    """A version, an alias, `latest`, or nothing for the default, each with a digest if one likes."""
    resolved = read(MANIFEST).resolve(parse_pin(pin))
    assert (resolved.version, list(resolved.steps)) == (label, steps)


@pytest.mark.parametrize(("default", "label"), [("1.0.0", "1.0.0"), ("latest", "1.1.0"), ("canary", "1.0.0")])
def test_the_default_is_an_alias_a_version_or_latest(default: str, label: str) -> None:
    """What a server without a pin serves."""
    assert read(edited(MANIFEST, "default", default)).resolve(parse_pin("")).version == label


def test_a_pin_that_leads_nowhere_is_answered_with_what_is_known() -> None:
    """The sentence, and the same for machines."""
    with pytest.raises(UnknownVersionError) as caught:
        read(MANIFEST).resolve(parse_pin("2.0"))
    assert caught.value.message == (
        "model 'iris' has no version or alias '2.0' (versions: 1.0.0, 1.1.0; aliases: canary, stable)"
    )
    assert caught.value.details == {"known": ["1.0.0", "1.1.0"], "aliases": {"stable": "1.1.0", "canary": "1.0.0"}}
    empty = edited(edited(MANIFEST, "versions", {}), "aliases", {})
    for pin, message in [
        ("1.0", "model 'iris' has no version or alias '1.0' (versions: none; aliases: none)"),
        ("", "model 'iris' has no version or alias 'stable' (versions: none; aliases: none)"),
        ("latest", "model 'iris' has no active version"),
    ]:
        with pytest.raises(UnknownVersionError) as caught:
            read(empty).resolve(parse_pin(pin))
        assert caught.value.message == message


def test_a_withdrawn_version_is_not_served() -> None:
    """Whichever way leads to it; `latest` passes it over."""
    manifest = read(edited(MANIFEST, "versions/1.1.0/state", "withdrawn"))
    for pin in ("1.1.0", "stable", "", f"1.1.0@sha256:{SHA_A}"):
        with pytest.raises(WithdrawnVersionError) as caught:
            manifest.resolve(parse_pin(pin))
        assert caught.value.message == "version '1.1.0' of model 'iris' was withdrawn (active: 1.0.0)"
    assert manifest.resolve(parse_pin("latest")).version == "1.0.0"


def test_a_digest_that_no_artifact_has_is_an_integrity_error() -> None:
    """The record's digest is not the artifact's."""
    for digest in (SHA_B, SHA_C):
        with pytest.raises(IntegrityError) as caught:
            read(MANIFEST).resolve(parse_pin(f"1.1.0@sha256:{digest}"))
        assert caught.value.message == f"version '1.1.0' of model 'iris' is not {digest}: it has skops {SHA_A}"


def test_ten_thousand_versions_are_read_and_resolved() -> None:
    """A model that was retrained every hour for a year."""
    versions = {f"1.{number}.0": version(f"1.{number}.0") for number in range(10_000)}
    text = data(edited(edited(MANIFEST, "versions", versions), "aliases", {"stable": "1.5000.0"}))
    begin_s = time.perf_counter()
    manifest = Manifest.from_bytes(text)
    assert manifest.resolve(parse_pin("")).version == "1.5000.0"
    assert manifest.resolve(parse_pin("latest")).version == "1.9999.0"
    assert Manifest.from_bytes(manifest.to_bytes()) == manifest
    assert time.perf_counter() - begin_s < 20
    with pytest.raises(UnknownVersionError) as caught:
        manifest.resolve(parse_pin("2"))
    assert len(caught.value.message) < 400
    assert len(caught.value.details["known"]) == 20


def test_values_are_frozen_and_changing_returns_a_new_one() -> None:
    """Nothing that was handed out changes."""
    manifest = read(MANIFEST)
    before = manifest.to_bytes()
    changed: Any = manifest.with_alias("stable", "1.0.0").with_state("1.1.0", "withdrawn")
    assert (changed.aliases["stable"], changed.versions["1.1.0"].state) == ("1.0.0", "withdrawn")
    assert manifest.to_bytes() == before
    with pytest.raises(AttributeError):
        changed.revision = 8


@pytest.mark.parametrize(
    ("a", "b", "lines"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, ["a.b: 1 -> 2"]),
        ({"a": 1}, {}, ["a: 1 -> None"]),
        ({}, {"a": [1]}, ["a: None -> [1]"]),
        ({"a": {"b": 1}}, {"a": 5}, ["a: {'b': 1} -> 5"]),
        ({"b": 1, "a": 2}, {"a": 3, "c": 4}, ["b: 1 -> None", "a: 2 -> 3", "c: None -> 4"]),
    ],
)
def test_differences_are_told_place_by_place(a: Any, b: Any, lines: list[str]) -> None:
    """In the order in which the fields stand."""
    assert differences(a, b) == lines
