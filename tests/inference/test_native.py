"""The native protocol: what it answers to requests that can be answered."""

from __future__ import annotations

import numpy as np
import pytest

from registry.inference.protocols import native
from registry.inference.service import Service
from registry.stores import Store
from tests.fixtures.models import (
    SETOSA,
)
from tests.inference.asking import post, read, service


def test_one_row_of_a_classifier_on_integers(flowers: Service) -> None:
    """The prediction is what the estimator returns; the label, the id and the probabilities stand beside it."""
    answer = read(post(flowers, {"features": SETOSA}))
    shares = answer.pop("probabilities")
    assert answer == {
        "prediction": 0,
        "prediction_id": 0,
        "prediction_label": "setosa",
        "confidence": max(shares.values()),
        "model_name": "flowers",
        "model_version": "1.0.0",
    }
    assert list(shares) == ["setosa", "versicolor", "virginica"]
    assert sum(shares.values()) == pytest.approx(1.0)


def test_one_row_of_a_classifier_on_names(flowers: Service) -> None:
    """A model that was trained on names answers the name, and the columns are those of its own version."""
    assert read(post(flowers, {"length": 6.5, "width": 2.4, "model_version": "1.1.0"})) == {
        "prediction": "virginica",
        "prediction_id": 2,
        "prediction_label": "virginica",
        "confidence": 1.0,
        "probabilities": {"setosa": 0.0, "versicolor": 0.0, "virginica": 1.0},
        "model_name": "flowers",
        "model_version": "1.1.0",
    }


def test_a_regressor_answers_a_number(published: Store) -> None:
    """There are no classes, so nothing stands beside the number."""
    line = service(published, "line")
    assert read(post(line, {"features": [1, 2]})) == {
        "prediction": pytest.approx(3.0),
        "model_name": "line",
        "model_version": "1.0",
    }
    assert read(post(line, {"instances": [[1, 2], {"y": 0, "x": 0}]})) == {
        "predictions": [pytest.approx(3.0), pytest.approx(0.0, abs=1e-9)],
        "model_name": "line",
        "model_version": "1.0",
    }


def test_many_rows_answer_in_their_order(flowers: Service) -> None:
    """Rows by position and by name may be mixed, and a plain array is the same as `instances`."""
    rows = [[6.5, 2.4], {"width": 0.25, "length": 1.2}]
    answer = read(post(flowers, {"instances": rows}))
    shares = answer.pop("probabilities")
    assert answer == {
        "predictions": [2, 0],
        "prediction_labels": ["virginica", "setosa"],
        "class_names": ["setosa", "versicolor", "virginica"],
        "model_name": "flowers",
        "model_version": "1.0.0",
    }
    assert np.array(shares).shape == (2, 3)
    assert post(flowers, rows).body == post(flowers, {"instances": rows}).body


@pytest.mark.parametrize("version", ["1.0.0", "stable", None])
def test_the_same_row_gives_the_same_bytes_however_it_is_written(flowers: Service, version: str | None) -> None:
    """By position, by name, under `features`, with the version named or not."""
    length, width = SETOSA
    named = {"model_version": version}
    ways = [
        {"features": SETOSA, **named},
        {"features": {"length": length, "width": width}, **named},
        {"width": width, "length": length, **named},
    ]
    assert len({post(flowers, way).body for way in [*ways, {"features": SETOSA}]}) == 1


def test_every_answer_says_what_produced_it(flowers: Service) -> None:
    """The headers carry the version, the artifact's digest and the revision of the manifest."""
    manifest = flowers.predictor.serving.manifest
    for version in ("1.0.0", "1.1.0"):
        answer = post(flowers, {"length": 1, "width": 1, "model_version": version})
        assert answer.headers == {
            "x-model-version": version,
            "x-model-digest": f"sha256:{manifest.versions[version].artifacts['skops'].sha256}",
            "x-manifest-revision": str(manifest.revision),
        }


def test_a_version_is_asked_with_its_own_columns_and_limits(flowers: Service) -> None:
    """What fits the served version may not fit another one, and the other way round."""
    wide = {"length": 0.5, "width": 20.0}
    assert post(flowers, wide).status == 200
    answer = post(flowers, {**wide, "model_version": "canary"})
    assert (answer.status, [problem["loc"] for problem in read(answer)["detail"]]) == (
        422,
        [["body", "width"], ["body", "length"]],
    )
    first = post(flowers, {"features": [0.2, 1.2], "model_version": "canary"})
    assert read(first)["prediction"] == "setosa"
    assert read(post(flowers, {"features": [1.2, 0.2]}))["prediction"] == 0


def test_the_error_form_of_the_protocol_is_what_its_routes_use(flowers: Service) -> None:
    """Every route of the protocol puts errors into the same form."""
    assert {route.error for route in native.routes(flowers)} == {native.error}
