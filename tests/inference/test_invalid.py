"""The native protocol: what it says to requests that cannot be answered, whole."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures
from sklearn.tree import DecisionTreeClassifier

from registry import Registry
from registry.digest import sha256
from registry.formats.skops import dump
from registry.inference.protocols.native import STATUS
from registry.inference.service import Service
from tests.fixtures.models import (
    PETALS,
    SETOSA,
    SPECIES,
    artifact_path,
    edit_manifest,
    put_version,
    record_path,
    replace_object,
)
from tests.fixtures.watched import Watched
from tests.inference.asking import post, read, service


def detail(answer: Any) -> list[tuple[str, str, str]]:
    return [(".".join(map(str, one["loc"])), one["msg"], one["type"]) for one in answer["detail"]]


BAD_PIN = "is not a pin: expected a version, an alias, 'latest' or VERSION@sha256:DIGEST"
INVALID: dict[str, tuple[bytes, list[tuple[str, str, str]]]] = {
    "no body": (b"", [("body.0", "JSON decode error: Input is a zero-length, empty document", "json_invalid")]),
    "no JSON": (b"{", [("body.1", "JSON decode error: EOF while parsing an object", "json_invalid")]),
    "text": (b'"x"', [("body", "Input should be an object or an array of rows", "model_type")]),
    "null": (b"null", [("body", "Input should be an object or an array of rows", "model_type")]),
    "no rows": (b'{"instances": []}', [("body.instances", "There should be at least 1 row", "too_short")]),
    "an empty array": (b"[]", [("body", "There should be at least 1 row", "too_short")]),
    "an empty object": (
        b"{}",
        [("body.length", "Field required", "missing"), ("body.width", "Field required", "missing")],
    ),
    "instances is no array": (
        b'{"instances": {"length": 1, "width": 1}}',
        [("body.instances", "Input should be an array of rows", "list_type")],
    ),
    "features beside columns": (
        b'{"features": [1, 1], "length": 1, "width": 2}',
        [
            ("body.length", "Not beside 'features'", "extra_forbidden"),
            ("body.width", "Not beside 'features'", "extra_forbidden"),
        ],
    ),
    "both": (
        b'{"features": [1, 1], "instances": [[1, 1]]}',
        [("body.instances", "Not beside 'features'", "extra_forbidden")],
    ),
    "a version that is a number": (
        b'{"features": [1, 1], "model_version": 1.0}',
        [("body.model_version", "Input should be a version or an alias as text", "string_type")],
    ),
    "an empty version": (
        b'{"features": [1, 1], "model_version": ""}',
        [("body.model_version", "Input should be a version or an alias, not ''", "value_error")],
    ),
    "a version with a space": (
        b'{"features": [1, 1], "model_version": " 1.0.0"}',
        [("body.model_version", "Input should be a version or an alias, not ' 1.0.0'", "value_error")],
    ),
    "a version that is a path": (
        b'{"features": [1, 1], "model_version": "../../x"}',
        [("body.model_version", f"'../../x' {BAD_PIN}", "value_error")],
    ),
}


@pytest.mark.parametrize(("body", "expected"), INVALID.values(), ids=INVALID)
def test_a_body_that_is_no_request_is_told_where(
    flowers: Service, body: bytes, expected: list[tuple[str, str, str]]
) -> None:
    """422 in FastAPI's form, with a stable code."""
    answer = post(flowers, body)
    document = read(answer)
    if "JSON decode error" in expected[0][1]:  # orjson's own words and position, which may change with it
        assert document["detail"][0]["type"] == "json_invalid"
        assert document["detail"][0]["msg"].startswith("JSON decode error: ")
    else:
        assert detail(document) == expected
    assert (answer.status, document["code"], set(document)) == (422, "invalid_input", {"detail", "code"})


def test_a_huge_number_of_wrong_fields_gets_a_small_answer(flowers: Service) -> None:
    """An error answer does not grow with the request."""
    for body in ({"features": [1, 1]} | {str(n): n for n in range(50_000)}, {str(n): n for n in range(50_000)}):
        answer = post(flowers, body)
        assert (answer.status, len(read(answer)["detail"])) == (422, 20)
        assert len(answer.body) < 10_000


@pytest.mark.parametrize(
    ("document", "status", "expected"),
    [
        (
            {"features": [1, 1], "model_version": "7.7.7"},
            404,
            {
                "detail": "model 'flowers' has no version or alias '7.7.7' (versions: 0.9.0, 1.0.0, 1.1.0, 1.2.0; "
                "aliases: canary, stable)",
                "code": "unknown_version",
                "known": ["0.9.0", "1.0.0", "1.1.0", "1.2.0"],
                "aliases": {"stable": "1.0.0", "canary": "1.1.0"},
            },
        ),
        (
            {"features": [1, 1], "model_version": "0.9.0"},
            410,
            {
                "detail": "version '0.9.0' of model 'flowers' was withdrawn (active: 1.0.0, 1.1.0, 1.2.0)",
                "code": "withdrawn_version",
                "known": ["1.0.0", "1.1.0", "1.2.0"],
            },
        ),
        (
            {"instances": [[1, 1]] * 101},
            413,
            {"detail": "a request has at most 100 rows, not 101", "code": "too_large", "limit": 100},
        ),
    ],
    ids=["unknown", "withdrawn", "too many rows"],
)
def test_what_cannot_be_had_says_what_can(flowers: Service, document: Any, status: int, expected: Any) -> None:
    """A stable code, a sentence, and what would have worked."""
    answer = post(flowers, document)
    assert (answer.status, read(answer)) == (status, expected)


@pytest.mark.parametrize(
    ("media_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("Application/JSON", 200),
        ("application/vnd.acme+json", 200),
        ("", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
    ],
)
def test_only_json_is_read(flowers: Service, media_type: str, status: int) -> None:
    """A body of another type is refused with the type that would have worked; no type at all means JSON."""
    answer = post(flowers, {"features": SETOSA}, content_type=media_type)
    assert answer.status == status
    if status == 415:
        assert read(answer) == {
            "detail": f"expected Content-Type: application/json, not {media_type.partition(';')[0]!r}",
            "code": "unsupported_media_type",
            "known": ["application/json"],
        }


def test_the_bucket_at_fault_is_503_with_a_time_to_try_again(watched: Watched) -> None:
    """A client of a version that cannot be loaded is told the phase and when to come again; the others are answered."""
    flowers = service(watched)
    path = artifact_path(watched, "1.1.0")
    replace_object(watched, path, b"?" * len(watched.read(path).data))
    answer = post(flowers, {"length": 1, "width": 1, "model_version": "1.1.0"})
    document = read(answer)
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert (document["code"], document["phase"], path in document["detail"]) == ("integrity_error", "verify", True)
    watched.unreachable = True
    answer = post(flowers, {"length": 1, "width": 1, "model_version": "1.2.0"})
    assert (answer.status, read(answer)) == (
        503,
        {"detail": "cannot reach memory://", "code": "store_unavailable"},
    )
    assert post(flowers, {"features": SETOSA}).status == 200


def test_bad_input_loads_nothing(watched: Watched) -> None:
    """Rows that do not fit another version are refused from its record; its artifact is not fetched for them."""
    flowers = service(watched)
    for document in ({"features": ["x", 1]}, {"features": [1]}, {"features": [1, 1, 1]}, {"features": [-1, -1]}):
        assert post(flowers, {**document, "model_version": "1.1.0"}).status == 422
    assert watched.count(artifact_path(watched, "1.1.0")) == 0


def test_a_version_without_the_runtime_that_the_operator_wants_is_422(watched: Watched) -> None:
    """The server was told to run one format only, and says so."""
    entry = json.loads(watched.read("flowers/manifest.json").data)["versions"]["1.1.0"]
    entry["artifacts"] = {"pmml": entry["artifacts"]["skops"]}
    edit_manifest(watched, {"versions": {"1.1.0": entry}})
    flowers = service(watched, runtime="skops")
    answer = post(flowers, {"length": 1, "width": 1, "model_version": "1.1.0"})
    assert (answer.status, detail(read(answer))) == (
        422,
        [("request", "MODEL_RUNTIME=skops, and version '1.1.0' has only: pmml", "value_error")],
    )


def test_an_answer_that_is_not_finite_is_told_and_not_sent(watched: Watched) -> None:
    """JSON has no infinity: a row that a model answers with one is refused, with its place."""
    steep = LinearRegression().fit(np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([0.0, 1e308]))
    Registry(watched).publish("steep", steep, inputs=[[0.0, 0.0], [1.0, 0.0]], promote="stable")
    model = service(watched, "steep")
    assert post(model, {"features": [1, 0]}).status == 200
    answer = post(model, {"features": [1e5, 0]})
    assert (answer.status, detail(read(answer))) == (
        422,
        [("body.features", "The model has no finite answer to this row", "no_finite_prediction")],
    )
    answer = post(model, {"instances": [[0, 0], [1e5, 0]]})
    assert detail(read(answer))[0][0] == "body.instances.1"


def test_rows_that_the_estimator_refuses_are_the_callers(watched: Watched) -> None:
    """A row may fit the signature and yet be refused: one step of the model makes it infinite, the next says no."""
    steep = make_pipeline(PolynomialFeatures(9), LinearRegression()).fit(PETALS, SPECIES)
    Registry(watched).publish("steep", steep, inputs=PETALS, promote="stable")
    model = service(watched, "steep")
    answer = post(model, {"features": [1e38, 1]})
    assert (answer.status, read(answer)["code"]) == (422, "invalid_input")
    assert read(answer)["detail"][0]["msg"].startswith("the model cannot answer these rows: Input X contains infinity")


def test_a_class_that_the_record_does_not_know_is_the_fault_of_the_bucket(watched: Watched) -> None:
    """503, not a bug: artifact and record do not fit together, and no example row showed it."""
    other = DecisionTreeClassifier().fit(PETALS, np.where(SPECIES == 2, 7, SPECIES))
    artifact = dump(other)
    record = json.loads(watched.read(record_path(watched, "1.0.0")).data)
    record |= {"artifacts": {"skops": sha256(artifact)}, "examples": []}
    put_version(watched, "1.0.0", artifact=artifact, record=json.dumps(record).encode())
    flowers = service(watched)
    for document in ({"features": [6.5, 2.4]}, {"instances": [[6.5, 2.4]]}):
        answer = post(flowers, document)
        assert (answer.status, read(answer)["detail"]) == (
            503,
            "the artifact answers 7, a class that its record does not know",
        )


def test_only_our_own_errors_have_a_status() -> None:
    """A bug is a 500: no builtin exception stands in the table."""
    assert all(kind.__module__ == "registry.errors" for kind, _ in STATUS)


@given(body=st.binary(max_size=60), media_type=st.sampled_from(["application/json", "", "text/plain", "\xff"]))
def test_any_bytes_get_a_documented_answer(flowers: Service, body: bytes, media_type: str) -> None:
    """Whatever the body is, the answer is one of the documented ones."""
    assert post(flowers, body, content_type=media_type).status in {200, 404, 410, 413, 415, 422}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4)
    | st.sampled_from(["1.0.0", "canary", "0.9.0"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["features", "instances", "model_version", "length", "width", "x"]), inner)
    ),
    max_leaves=10,
)


@given(document=JSON)
def test_any_document_gets_a_documented_answer(flowers: Service, document: Any) -> None:
    """Whatever JSON the body is, the answer is one of the documented ones, and valid JSON itself."""
    answer = post(flowers, document)
    assert answer.status in {200, 404, 410, 413, 422}
    assert isinstance(read(answer), dict)
