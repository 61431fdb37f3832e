"""The cold start: what it does in which phase, and what it says when it is asked for what is not there."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from registry import Registry
from registry.errors import (
    InputError,
    IntegrityError,
    ManifestError,
    RegistryError,
    SkewError,
    StoreError,
    UnknownModelError,
    UnknownVersionError,
    WithdrawnVersionError,
)
from registry.inference.boot import boot
from registry.inference.logs import start_failed
from registry.manifest import Manifest
from registry.names import parse_pin
from registry.record import Record
from registry.stores import Store
from tests.fixtures.models import (
    artifact_path,
    edit_manifest,
    put_version,
    record_path,
    replace_object,
    settings,
)
from tests.fixtures.watched import Watched
from tests.inference.asking import failure

PHASES = ["store", "manifest", "resolve", "record", "libraries", "fetch", "verify", "deserialise", "warm"]


def test_every_phase_is_timed_once_with_its_bytes(watched: Watched) -> None:
    """The phases come in order, and those that move bytes say how many and from where."""
    predictor = boot(settings(), store=watched)
    phases = predictor.serving.loaded.phases
    version = Registry(watched).manifest("flowers").versions["1.0.0"]
    assert [phase.name for phase in phases] == PHASES
    assert {phase.name: (phase.size, phase.source) for phase in phases if phase.size is not None} == {
        "manifest": (len(watched.read("flowers/manifest.json").data), "memory"),
        "record": (version.record.size, "memory"),
        "fetch": (version.artifacts["skops"].size, "memory"),
    }


def test_it_reads_the_manifest_the_record_and_the_artifact_once(watched: Watched) -> None:
    """Nothing else is fetched at a cold start."""
    boot(settings(), store=watched)
    assert dict(watched.reads) == {
        "flowers/manifest.json": 1,
        record_path(watched.inner, "1.0.0"): 1,
        artifact_path(watched.inner, "1.0.0"): 1,
    }


@pytest.mark.parametrize(
    ("pin", "steps"),
    [
        ("", ("default", "stable", "1.0.0")),
        ("canary", ("canary", "1.1.0")),
        ("1.2.0", ("1.2.0",)),
        ("latest", ("latest", "1.2.0")),
    ],
)
def test_the_pin_decides_what_is_served(watched: Watched, pin: str, steps: tuple[str, ...]) -> None:
    """How a pin was resolved is remembered step by step."""
    assert boot(settings(pin=parse_pin(pin)), store=watched).serving.resolved.steps == steps


def test_a_digest_pin_serves_exactly_that_artifact(watched: Watched) -> None:
    """The version is served when it has the digest, and a start fails when it has not."""
    digest = Registry(watched).manifest("flowers").versions["1.1.0"].artifacts["skops"].sha256
    assert boot(settings(pin=parse_pin(f"1.1.0@sha256:{digest}")), store=watched).serving.loaded.sha256 == digest
    error = failure(watched, settings(pin=parse_pin(f"1.0.0@sha256:{digest}")))
    assert (type(error), error.details) == (IntegrityError, {"phase": "resolve"})


SIMPLE: dict[str, tuple[dict[str, Any], type[RegistryError], str]] = {
    "no such scheme": (
        {"registry": "s3://acme"},
        InputError,
        (
            "start failed in phase store: cannot open the registry 's3://acme': "
            "expected a URL of the form file://…, gs://…, memory://…"
        ),
    ),
    "no folder": (
        {"registry": "file:///no/such/folder"},
        UnknownModelError,
        "start failed in phase manifest: file:///no/such/folder has no model 'flowers' (known: none)",
    ),
    "unknown model": (
        {"model": "roses"},
        UnknownModelError,
        "start failed in phase manifest: memory:// has no model 'roses' (known: flowers, kinds, line)",
    ),
    "unknown pin": (
        {"pin": parse_pin("9.9.9")},
        UnknownVersionError,
        (
            "start failed in phase resolve: model 'flowers' has no version or alias '9.9.9' "
            "(versions: 0.9.0, 1.0.0, 1.1.0, 1.2.0; aliases: canary, stable)"
        ),
    ),
    "withdrawn": (
        {"pin": parse_pin("0.9.0")},
        WithdrawnVersionError,
        "start failed in phase resolve: version '0.9.0' of model 'flowers' was withdrawn (active: 1.0.0, 1.1.0, 1.2.0)",
    ),
    "no such runtime": (
        {"runtime": "onnx"},
        InputError,
        "start failed in phase resolve: MODEL_RUNTIME=onnx, and version '1.0.0' has only: skops",
    ),
}


@pytest.mark.parametrize(("changes", "kind", "sentence"), SIMPLE.values(), ids=SIMPLE)
def test_a_start_that_asks_for_what_is_not_there_says_what_is(
    watched: Watched, changes: dict[str, Any], kind: type[RegistryError], sentence: str
) -> None:
    """The sentence names the phase, what was asked and what would have worked."""
    error = failure(None if "registry" in changes else watched, replace(settings(), **changes))
    assert (type(error), start_failed(error)) == (kind, sentence)


def test_a_bucket_out_of_reach_fails_the_manifest_phase(watched: Watched) -> None:
    """The first thing that is read is the manifest."""
    watched.unreachable = True
    error = failure(watched, settings())
    assert (type(error), start_failed(error)) == (
        StoreError,
        "start failed in phase manifest: cannot reach memory://",
    )


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", ".line 1 column 1: not JSON"),
        (b'{"format": 1,}', ".line 1 column 1"),
        (b'{"format": 99}', ".format: this program reads format 1, not 99"),
        (b"[]", ": expected an object, not an array"),
    ],
)
def test_a_bad_manifest_is_named_with_the_place(watched: Watched, data: bytes, problem: str) -> None:
    """A manifest that cannot be understood stops the start, and the place of the mistake is told."""
    replace_object(watched, "flowers/manifest.json", data)
    error = failure(watched, settings())
    assert (type(error), error.details) == (ManifestError, {"phase": "manifest"})
    assert error.message.startswith(f"memory:///flowers/manifest.json{problem}")


def skewed(store: Store, libraries: dict[str, str]) -> None:
    """Make 1.0.0 a version that was trained with other libraries."""
    record = Record.from_bytes(store.read(record_path(store, "1.0.0")).data)
    document = record.model_dump(mode="json")
    document["run"]["libraries"] |= libraries
    put_version(store, "1.0.0", record=json.dumps(document).encode())


def test_other_libraries_than_those_of_training_are_reported(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that only warns says which libraries differ, and how."""
    here = Registry(watched).record("flowers", "1.0.0").run.libraries["numpy"]
    skewed(watched, {"numpy": "1.0", "no-such-library": "2.0", "": "3"})
    loaded = boot(settings(), store=watched).serving.loaded
    assert loaded.skew == {"numpy": ("1.0", here), "no-such-library": ("2.0", "none"), "": ("3", "none")}
    assert f"flowers 1.0.0 was made with numpy 1.0 (here {here})" in caplog.text


def test_other_libraries_can_be_refused(watched: Watched) -> None:
    """An operator who wants none of it gets none: the artifact is not even fetched."""
    here = Registry(watched).record("flowers", "1.0.0").run.libraries["numpy"]
    skewed(watched, {"numpy": "1.0"})
    error = failure(watched, settings(on_skew="refuse"))
    assert (type(error), start_failed(error)) == (
        SkewError,
        (
            f"start failed in phase libraries: flowers 1.0.0 was made with numpy 1.0 (here {here}), "
            "and MODEL_ON_SKEW=refuse"
        ),
    )
    assert watched.count(".skops") == 0


def test_a_format_that_we_do_not_read_is_named(watched: Watched) -> None:
    """A version that only another program can load is refused with what we can."""
    entry = json.loads(watched.read("flowers/manifest.json").data)["versions"]["1.0.0"]
    artifact = entry["artifacts"].pop("skops")
    entry["artifacts"]["pmml"] = artifact
    edit_manifest(watched, {"versions": {"1.0.0": entry}})
    record = Record.from_bytes(watched.read(record_path(watched, "1.0.0")).data)
    document = record.model_dump(mode="json") | {"artifacts": {"pmml": artifact["sha256"]}}
    put_version(watched, "1.0.0", record=json.dumps(document).encode())
    error = failure(watched, settings())
    assert error.details["phase"] == "deserialise"
    assert "cannot read artifacts of format 'pmml'" in error.message


def test_ten_thousand_versions_start(watched: Watched) -> None:
    """A long manifest is read once, and messages about it stay short."""
    document = json.loads(watched.read("flowers/manifest.json").data)
    entry = document["versions"]["1.0.0"]
    for place in range(10_000):
        objects = {"record": entry["record"], "skops": entry["artifacts"]["skops"]}
        moved = {name: ref | {"path": ref["path"].replace("1.0.0", f"2.0.{place}")} for name, ref in objects.items()}
        versioned = entry | {"record": moved["record"], "artifacts": {"skops": moved["skops"]}}
        document["versions"][f"2.0.{place}"] = versioned
    replace_object(watched, "flowers/manifest.json", json.dumps(document).encode())
    predictor = boot(settings(), store=watched)
    assert predictor.serving.resolved.version == "1.0.0"
    error = failure(watched, settings(pin=parse_pin("9")))
    assert len(error.message) < 500
    assert isinstance(predictor.serving.manifest, Manifest)
