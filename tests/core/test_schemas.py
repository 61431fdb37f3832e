"""The JSON Schemas in ``manifests/``: what they accept and refuse is what we do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from registry import Registry
from registry.decisions import Decisions
from registry.errors import ManifestError
from registry.layout import manifest_path
from registry.manifest import Manifest
from registry.record import Record
from registry.stores import Store
from tests.core.documents import DECISIONS, MANIFEST, MISSING, RECORD, Document, data, edited
from tests.core.schemas import FOLDER, schema

READERS: dict[str, tuple[Document, Callable[[bytes], Any]]] = {
    "manifest": (MANIFEST, Manifest.from_bytes),
    "decisions": (DECISIONS, Decisions.from_bytes),
    "record": (RECORD, Record.from_bytes),
}


def published_record_schema() -> Document:
    """Return the schema of the record as it is to be published, from the Pydantic model."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:model-bucket:record:1",
        **Record.model_json_schema(),
        "title": "Record of a version (format 1)",
    }


def test_the_schema_of_the_record_is_that_of_the_model() -> None:
    """JSON Schema published: when a field changes, the file in manifests/ changes with it."""
    assert schema("record") == published_record_schema()


@pytest.mark.parametrize("name", READERS)
def test_a_schema_is_one(name: str) -> None:
    """Each is a schema of the draft that it names."""
    jsonschema.Draft202012Validator.check_schema(schema(name))
    assert schema(name)["$schema"] == jsonschema.Draft202012Validator.META_SCHEMA["$id"]


@pytest.mark.parametrize("name", READERS)
def test_a_good_document_passes_both(name: str) -> None:
    """The whole form of format 1, with every field."""
    document, read = READERS[name]
    jsonschema.validate(document, schema(name))
    read(data(document))


@pytest.mark.parametrize("name", ["manifest", "record"])
def test_unknown_fields_pass_both(name: str) -> None:
    """Open for what others add, at the top and inside."""
    document, read = READERS[name]
    inside = {
        "manifest": ["owner", "versions/1.1.0/owner", "versions/1.1.0/record/crc32c"],
        "record": ["owner", "run/host", "signature/order", "signature/columns/0/unit"],
    }
    for place in inside[name]:
        changed = edited(document, place, {"a": [1, None]})
        jsonschema.validate(changed, schema(name))
        read(data(changed))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("previous_sha256", None),
        ("previous_sha256", MISSING),
        ("change", MISSING),
        ("versions/1.1.0/state", MISSING),
        ("versions/1.1.0/state", "withdrawn"),
        ("aliases", {}),
        ("default", "latest"),
        ("default", "1.1.0"),
        ("default", "not-there-yet"),
        ("revision", 0),
        ("model", "a"),
        ("model", "a" * 64),
        ("model", "0.a_b-c"),
        ("aliases/A_b.c-D9", "1.1.0"),
    ],
)
def test_what_may_be_left_out_or_be_otherwise(place: str, value: Any) -> None:
    """Both agree on what is allowed as well."""
    document = edited(MANIFEST, place, value)
    jsonschema.validate(document, schema("manifest"))
    Manifest.from_bytes(data(document))


def test_what_the_library_writes_passes(published: Store) -> None:
    """Every manifest and record of the example models, and the decisions in them."""
    registry = Registry(published)
    for model in registry.models():
        jsonschema.validate(json.loads(published.read(manifest_path(model)).data), schema("manifest"))
        for version in registry.manifest(model).versions.values():
            found = published.read(f"{model}/{version.record.path}").data
            jsonschema.validate(json.loads(found), schema("record"))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.name)
def test_the_decisions_in_the_repository_pass(path: Path) -> None:
    """What a team keeps in git is what the schema says."""
    if not path.name.endswith(".schema.json"):
        jsonschema.validate(json.loads(path.read_text(encoding="utf-8")), schema("decisions"))
        assert Decisions.from_bytes(path.read_bytes()).model == path.stem


BAD_DECISIONS: list[tuple[str, Any, str]] = [
    ("model", MISSING, "model: this field is missing"),
    ("default", MISSING, "default: this field is missing"),
    ("aliases", MISSING, "aliases: this field is missing"),
    ("alias", {}, "alias: unknown field (known: model, default, aliases, states)"),
    (
        "model",
        "Iris",
        "model: 'Iris' cannot name a model: use 1 to 64 of a-z, 0-9, '.', '_' and '-', beginning and ending",
    ),
    ("default", 5, "default: expected text, not a number"),
    ("aliases/latest", "1.1.0", "aliases.latest: 'latest' cannot be an alias"),
    ("aliases/stable", None, "aliases.stable: expected a version's label as text, not null"),
    ("states", [], "states: expected an object, not an array"),
    ("states/1.1.0", "gone", "states.1.1.0: expected one of active, withdrawn, not 'gone'"),
]


@pytest.mark.parametrize(("place", "value", "message"), BAD_DECISIONS)
def test_a_mistake_in_decisions_is_refused_by_both(place: str, value: Any, message: str) -> None:
    """A misspelt field is a mistake here: nothing else writes this file."""
    document = edited(DECISIONS, place, value)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema("decisions"))
    with pytest.raises(ManifestError) as caught:
        Decisions.from_bytes(data(document))
    assert caught.value.message.startswith(message)


BAD_RECORDS: list[tuple[str, Any, str]] = [
    ("model", MISSING, "record.model: Field required"),
    ("signature", MISSING, "record.signature: Field required"),
    ("run/libraries", MISSING, "record.run.libraries: Field required"),
    ("format", 2, "record.format: Input should be less than or equal to 1"),
    ("metrics/accuracy", "good", "record.metrics.accuracy: Input should be a valid number, unable to parse string"),
    ("metrics/accuracy", None, "record.metrics.accuracy: Input should be a valid number"),
    ("signature/task", "clustering", "record.signature.task: Input should be 'classification' or 'regression'"),
    (
        "signature/columns/0/dtype",
        "float32",
        "record.signature.columns.0.dtype: Input should be 'float64', 'int64' or 'bool'",
    ),
    ("examples", [["a"]], "record.examples.0.0: Input should be a valid number, unable to parse string as a number"),
    ("data/n_rows", -1, "record.data.n_rows: Input should be greater than or equal to 0"),
    ("artifacts", {"skops": 5}, "record.artifacts.skops: Input should be a valid string"),
]


@pytest.mark.parametrize(("place", "value", "message"), BAD_RECORDS)
def test_a_mistake_in_a_record_is_refused_by_both(place: str, value: Any, message: str) -> None:
    """The place, and what would have been right."""
    document = edited(RECORD, place, value)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema("record"))
    with pytest.raises(ManifestError) as caught:
        Record.from_bytes(data(document))
    assert caught.value.message.startswith(message)


BAD_SIGNATURES: list[tuple[str, Any, str]] = [
    ("columns", [], "a model has at least one input column"),
    ("columns", [{"name": "a"}, {"name": "a"}], "column names must be there and differ, not ['a', 'a']"),
    ("columns", [{"name": ""}], "column names must be there and differ, not ['']"),
    (
        "columns",
        [{"name": "instances"}],
        "no column can be called 'instances': it has a meaning of its own in a request",
    ),
    ("class_names", ["a"], "expected one label for each of the classes (0, 1), not ('a',)"),
    ("class_names", ["a", "a"], "expected one label for each of the classes (0, 1), not ('a', 'a')"),
    ("task", "regression", "a classifier has classes, and nothing else has"),
]


@pytest.mark.parametrize(("field", "value", "message"), BAD_SIGNATURES)
def test_a_signature_that_makes_no_sense_is_refused(field: str, value: Any, message: str) -> None:
    """What a schema cannot see: a server checks every request against the signature, and relies on it."""
    document = edited(RECORD, f"signature/{field}", value)
    jsonschema.validate(document, schema("record"))
    with pytest.raises(ManifestError) as caught:
        Record.from_bytes(data(document))
    assert caught.value.message == f"record.signature: {message}"
