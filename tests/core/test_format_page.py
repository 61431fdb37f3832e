"""docs/FORMAT.md says what the code does: its examples are read, its tables are compared."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from registry.decisions import Decisions
from registry.fetch import MAX_MANIFEST_SIZE
from registry.formats._allowlist import ALLOWED, EXTENSIBLE
from registry.formats._archive import MAX_GROWTH, MIN_ROOM
from registry.formats._audit import OLDEST_PROTOCOL
from registry.gc import MIN_AGE_S
from registry.manifest import FORMAT, Manifest, Version
from registry.names import version_key
from registry.record import Record
from registry.strict_json import LARGEST_COUNT
from tests.core.documents import MANIFEST
from tests.core.schemas import schema

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "FORMAT.md").read_text(encoding="utf-8")
EXAMPLES = [json.loads(text) for text in re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)]


def first_cells(heading: str) -> list[str]:
    """Return the code in the first column of the table under a heading row."""
    table = PAGE[PAGE.index(f"| {heading} |") :].partition("\n\n")[0]
    return [name for row in table.splitlines()[2:] for name in re.findall(r"`([^`]+)`", row.split("|")[1])]


@pytest.mark.parametrize(
    ("number", "name", "read"),
    [
        (0, "manifest", Manifest.from_bytes),
        (1, "record", Record.from_bytes),
        (2, "decisions", Decisions.from_bytes),
    ],
)
def test_the_examples_are_what_they_say(number: int, name: str, read: Any) -> None:
    """A manifest, a record and decisions, read by the code and by their schemas."""
    assert len(EXAMPLES) == 3
    jsonschema.validate(EXAMPLES[number], schema(name))
    read(json.dumps(EXAMPLES[number]).encode())


def test_the_example_is_written_as_it_stands() -> None:
    """The order of the fields and the indentation are those of the library."""
    text = re.search(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert text is not None
    assert Manifest.from_bytes(text[1].encode()).to_bytes().decode() == text[1]


def test_the_tables_of_fields_are_complete() -> None:
    """Every field that we read stands in its table, and no other."""
    assert first_cells("field") == list(EXAMPLES[0]) == list(MANIFEST)
    fields = Version.__dataclass_fields__
    assert first_cells("field of a version") == [name for name in fields if name != "extra"]


def test_every_rule_has_its_tests() -> None:
    """Nine rules, nine modules."""
    named = re.findall(r"\]\(\.\./(tests/format/test_rule_(\d)_\w+\.py)\)", PAGE)
    assert [int(number) for _, number in named] == list(range(1, 10))
    assert all((ROOT / path).exists() for path, _ in named)


def test_the_loaders_are_those_of_the_list() -> None:
    """What may name something, and what an operator can add to."""
    trust = PAGE[PAGE.index("## Trust") :]
    named = set(re.findall(r"`(\w+Node)`", trust))
    refused = {"MethodNode", "OperatorFuncNode", "ConstructorFromReduceNode", "CachedNode"}
    assert named - refused <= set(ALLOWED)
    assert not refused & set(ALLOWED)
    assert "Only names for `ObjectNode` and `FunctionNode` can be added." in PAGE
    assert {"ObjectNode", "FunctionNode"} == EXTENSIBLE


def test_the_numbers_are_those_of_the_code() -> None:
    """Limits that a reader of the page may rely on."""
    assert (FORMAT, OLDEST_PROTOCOL, MAX_GROWTH, MIN_ROOM) == (1, 2, 100, 1024**2)
    assert (MAX_MANIFEST_SIZE, LARGEST_COUNT, MIN_AGE_S) == (64 * 1024**2, 9007199254740991, 24 * 3600)


def test_the_examples_of_the_order_hold() -> None:
    """What the page says comes before what."""
    sentence = re.search(r"^So (.*?)\.\n", PAGE, re.MULTILINE | re.DOTALL)
    assert sentence is not None
    labels = re.findall(r"`([^`]+)`", sentence[1])
    pairs = list(zip(labels[::2], labels[1::2], strict=True))
    assert pairs == [("1.9.0", "1.10.0"), ("1.0.0-rc.1", "1.0.0"), ("2024-2-1", "2024-10-01")]
    assert all(version_key(lower) < version_key(higher) for lower, higher in pairs)
