"""The cold start refuses whatever is not what was published, in the phase that finds out, by name."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import FunctionTransformer

from registry.errors import (
    ContentError,
    IntegrityError,
    ManifestError,
    UntrustedTypeError,
)
from registry.formats.skops import dump
from registry.inference.boot import boot
from tests.fixtures.models import (
    PETALS,
    SETOSA,
    SPECIES,
    artifact_path,
    forge,
    put_version,
    record_path,
    replace_object,
    settings,
)
from tests.fixtures.watched import Watched
from tests.inference.asking import failure

PHASES = ["store", "manifest", "resolve", "record", "libraries", "fetch", "verify", "deserialise", "warm"]


def flip(data: bytes) -> bytes:
    return data[:100] + bytes([data[100] ^ 1]) + data[101:]


def truncate(data: bytes) -> bytes:
    return data[:-1]


@pytest.mark.parametrize("spoil", [flip, truncate, lambda data: data + b"\0", lambda _: b""])
@pytest.mark.parametrize(
    ("path_of", "phases"), [(artifact_path, {"fetch", "verify"}), (record_path, {"record"})], ids=["artifact", "record"]
)
def test_a_changed_byte_is_refused(
    watched: Watched, path_of: Callable[..., str], phases: set[str], spoil: Callable[[bytes], bytes]
) -> None:
    """Flipped, cut short, made longer or emptied: the phase and the object are named, and nothing is constructed."""
    path = path_of(watched, "1.0.0")
    replace_object(watched, path, spoil(watched.read(path).data))
    error = failure(watched, settings())
    assert type(error) is IntegrityError
    assert error.details["phase"] in phases
    assert path in error.message


@pytest.mark.parametrize(
    ("path_of", "phases"), [(artifact_path, {"fetch", "verify"}), (record_path, {"record"})], ids=["artifact", "record"]
)
def test_a_swapped_object_is_refused(watched: Watched, path_of: Callable[..., str], phases: set[str]) -> None:
    """The valid object of another version, under this version's name, is not this version's."""
    path = path_of(watched, "1.0.0")
    replace_object(watched, path, watched.read(path_of(watched, "1.2.0")).data)
    error = failure(watched, settings())
    assert type(error) is IntegrityError
    assert error.details["phase"] in phases
    assert path in error.message


def test_a_missing_object_is_refused(watched: Watched) -> None:
    """A manifest that names what is not there is at fault, not out of reach."""
    path = artifact_path(watched, "1.0.0")
    watched.delete(path, generation=watched.read(path).generation)
    error = failure(watched, settings())
    assert (type(error), error.details) == (IntegrityError, {"phase": "fetch"})
    assert error.message == f"memory:///{path}: the manifest names it, and it is not there"


def test_another_valid_artifact_is_refused_although_the_manifest_states_its_digest(watched: Watched) -> None:
    """The record, too, says which artifact it describes: changing the manifest is not enough."""
    put_version(watched, "1.0.0", artifact=watched.read(artifact_path(watched, "1.2.0")).data)
    error = failure(watched, settings())
    assert (type(error), error.details) == (IntegrityError, {"phase": "verify"})
    assert error.message == (
        f"memory:///{artifact_path(watched, '1.0.0')}: not the artifact that the record of '1.0.0' describes"
    )


def test_an_untrusted_type_is_refused_before_it_is_constructed(watched: Watched) -> None:
    """A forged version that names a function is refused by the server's own list, whatever it says of itself."""
    forge(watched, skops.io.dumps(FunctionTransformer(func=os.system)), trusted=["posix.system"])
    error = failure(watched, settings())
    assert (type(error), error.details["phase"]) == (UntrustedTypeError, "deserialise")
    assert error.message.startswith(f"memory:///{artifact_path(watched, '1.0.0')}: the artifact names ")
    assert "posix.system" in error.message


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x80\x04K\x01."], ids=["nothing", "half a zip", "a pickle"])
def test_bytes_that_are_no_artifact_are_refused(watched: Watched, data: bytes) -> None:
    """What passes every digest and is no skops archive fails where it would be constructed."""
    forge(watched, data)
    error = failure(watched, settings())
    assert isinstance(error, IntegrityError)
    assert error.details["phase"] == "deserialise"
    assert error.message.startswith(f"memory:///{artifact_path(watched, '1.0.0')}: ")


def test_an_empty_archive_is_refused(watched: Watched) -> None:
    """A zip file without a schema is no artifact."""
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    forge(watched, empty.getvalue())
    assert failure(watched, settings()).details["phase"] == "deserialise"


WIDER = LogisticRegression(max_iter=1000).fit(np.hstack([PETALS, PETALS]), SPECIES)
MORE_CLASSES = LogisticRegression(max_iter=1000).fit(PETALS, np.array([0, 1, 2, 3, 0, 1]))
OTHER_CLASSES = LogisticRegression(max_iter=1000).fit(PETALS, SPECIES + 5)
TWO_OUTPUTS = LinearRegression().fit(PETALS, PETALS)


@pytest.mark.parametrize(
    ("estimator", "phase", "sentence"),
    [
        (
            WIDER,
            "deserialise",
            "the artifact holds an unsafe table: the estimator takes 4 columns, and the signature has 2",
        ),
        (MORE_CLASSES, "warm", "the record knows 3 classes, and the artifact 4"),
        (OTHER_CLASSES, "warm", "the artifact answers classes that the record does not know"),
        (TWO_OUTPUTS, "warm", "the artifact answers 5 rows with values of shape (5, 2)"),
    ],
    ids=["columns", "number of classes", "classes", "outputs"],
)
def test_an_artifact_that_is_not_what_the_record_says_is_refused(
    watched: Watched, estimator: Any, phase: str, sentence: str
) -> None:
    """Before the first request, the example rows show whether artifact and record fit together."""
    forge(watched, dump(estimator))
    error = failure(watched, settings())
    assert (type(error), error.details["phase"]) == (IntegrityError, phase)
    assert error.message == f"memory:///{artifact_path(watched, '1.0.0')}: {sentence}"


@pytest.mark.parametrize(
    ("examples", "sentence"),
    [
        ([[1.0]], "the record's example rows do not have its 2 columns"),
        ([[1.0, None]], None),
        ([["x", 1.0]], None),
    ],
)
def test_examples_that_do_not_fit_are_refused(watched: Watched, examples: list[Any], sentence: str | None) -> None:
    """A record with example rows that are none is at fault."""
    forge(watched, watched.read(artifact_path(watched, "1.0.0")).data, examples=examples)
    error = failure(watched, settings())
    assert isinstance(error, ContentError)
    assert sentence is None or error.message.endswith(sentence)


def test_a_version_without_examples_starts(watched: Watched) -> None:
    """There is nothing to warm with, and that is no fault."""
    forge(watched, dump(LogisticRegression(max_iter=1000).fit(PETALS, SPECIES)), examples=[])
    predictor = boot(settings(), store=watched)
    assert predictor.serving.loaded.predict(np.array([SETOSA])).values.tolist() == [0]


def test_an_artifact_that_answers_otherwise_at_a_request_is_refused_then(watched: Watched) -> None:
    """Without examples the mismatch shows at the first prediction, as a fault of the bucket's content."""
    forge(watched, dump(MORE_CLASSES), examples=[])
    predictor = boot(settings(), store=watched)
    with pytest.raises(IntegrityError) as caught:
        predictor.serving.loaded.predict(np.array([SETOSA]))
    assert str(caught.value) == "the record knows 3 classes, and the artifact 4"


def test_the_record_of_another_version_is_refused(watched: Watched) -> None:
    """A manifest that points at a valid record of another version is found out by what the record says it is."""
    put_version(watched, "1.0.0", record=watched.read(record_path(watched, "1.2.0")).data)
    error = failure(watched, settings())
    assert (type(error), error.details) == (IntegrityError, {"phase": "record"})
    assert error.message.endswith("the record of flowers 1.2.0, expected that of flowers 1.0.0")


@pytest.mark.parametrize("record", [b"", b"{}", b"[]", b'{"format": 1}', b"\xff"])
def test_a_record_that_cannot_be_understood_is_refused(watched: Watched, record: bytes) -> None:
    """Bytes that are no record are an error of the record phase."""
    put_version(watched, "1.0.0", record=record)
    error = failure(watched, settings())
    assert (type(error), error.details) == (ManifestError, {"phase": "record"})
