"""The native protocol: what it tells of itself and of the model."""

from __future__ import annotations

import pytest

from registry.inference.service import Service
from tests.fixtures.models import (
    SETOSA,
)
from tests.fixtures.watched import Watched
from tests.inference.asking import get, post, read, service


def test_the_status_is_json_for_programs_and_a_page_for_people(flowers: Service) -> None:
    """The same address serves both, and caches are told what it depends on."""
    answer = get(flowers, "/", accept="*/*")
    assert read(answer) == {
        "status": "ok",
        "service": "model-bucket",
        "model_loaded": True,
        "model_name": "flowers",
        "model_version": "1.0.0",
    }
    page = get(flowers, "/", accept="text/html,application/xhtml+xml")
    assert page.media_type == "text/html; charset=utf-8"
    assert answer.headers["vary"] == page.headers["vary"] == "accept"


def test_probes(flowers: Service) -> None:
    """A server that answers at all is alive; it listens only when its version is warm."""
    assert read(get(flowers, "/health/live")) == {"status": "ok"}
    for path in ("/health", "/health/ready", "/health/startup"):
        assert read(get(flowers, path)) == {
            "status": "ok",
            "model_loaded": True,
            "model_name": "flowers",
            "model_version": "1.0.0",
            "manifest_revision": flowers.predictor.serving.manifest.revision,
            "problem": None,
        }


def test_info_describes_the_served_version(flowers: Service) -> None:
    """Everything a client may want to know, under both names of the route."""
    document = read(get(flowers, "/model/info"))
    manifest = flowers.predictor.serving.manifest
    assert document["cold_start"]["total_ms"] == pytest.approx(
        sum(phase["ms"] for phase in document["cold_start"]["phases"]), abs=0.01
    )
    expected = {
        "model_name": "flowers",
        "model_version": "1.0.0",
        "resolved": ["default", "stable", "1.0.0"],
        "pin": None,
        "digest": f"sha256:{manifest.versions['1.0.0'].artifacts['skops'].sha256}",
        "manifest_revision": manifest.revision,
        "runtime": "skops",
        "task": "classification",
        "model_type": "LogisticRegression",
        "estimator": "sklearn.linear_model._logistic.LogisticRegression",
        "feature_names": ["length", "width"],
        "input_features": [
            {
                "name": "length",
                "dtype": "float64",
                "exclusive_minimum": 0.0,
                "observed": {"minimum": 1.0, "maximum": 6.5},
            },
            {
                "name": "width",
                "dtype": "float64",
                "minimum": 0.0,
                "maximum": 50.0,
                "observed": {"minimum": 0.2, "maximum": 2.4},
            },
        ],
        "class_names": ["setosa", "versicolor", "virginica"],
        "target_names": ["setosa", "versicolor", "virginica"],
        "output_classes": [0, 1, 2],
        "metrics": {"accuracy": 0.97},
        "version_skew": {},
        "versions": ["0.9.0", "1.0.0", "1.1.0", "1.2.0"],
        "aliases": {"stable": "1.0.0", "canary": "1.1.0"},
        "default": "stable",
    }
    assert {key: document[key] for key in expected} == expected
    assert document["parameters"]["max_iter"] == 1000
    assert document["lineage"]["seed"] == 7
    assert document["environment"]["scikit-learn"]
    assert get(flowers, "/model-info").body == get(flowers, "/model/info").body


def test_info_describes_another_version_when_asked(flowers: Service) -> None:
    """By version or by alias; the version is loaded for it."""
    for name in ("1.1.0", "canary"):
        document = read(get(flowers, "/model/info", f"model_version={name}"))
        assert (document["model_version"], document["resolved"][-1]) == ("1.1.0", "1.1.0")
        assert document["feature_names"] == ["width", "length"]
        assert "1.1.0" in document["versions_loaded"]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("model_version=7.7.7", 404, "unknown_version"),
        ("model_version=0.9.0", 410, "withdrawn_version"),
        ("model_version=", 422, "invalid_input"),
        ("model_version=%00", 422, "invalid_input"),
        ("model_version=%FF%FE", 422, "invalid_input"),
        ("model_version=1.0.0%20", 422, "invalid_input"),
        ("model_version=" + "9" * 10_000, 422, "invalid_input"),
        ("model_version=7.7.7&model_version=1.0.0", 200, None),
        ("model_version", 422, "invalid_input"),
        ("other=1&&&==", 200, None),
    ],
)
def test_a_query_is_answered_or_refused_with_a_code(
    flowers: Service, query: str, status: int, code: str | None
) -> None:
    """Whatever stands behind the question mark, the answer is a documented one."""
    answer = get(flowers, "/model/info", query)
    assert (answer.status, read(answer).get("code")) == (status, code)


def test_problems_of_the_bucket_show_in_health(watched: Watched) -> None:
    """What keeps a new version from taking over is told to whoever watches the probes."""
    flowers = service(watched, refresh_s=0.001)
    watched.unreachable = True
    problem = None
    for _ in range(1000):
        post(flowers, {"features": SETOSA})
        problem = read(get(flowers, "/health"))["problem"]
        if problem:
            break
    assert problem == "cannot reach memory://"
