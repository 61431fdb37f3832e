"""The service: routing, bugs, limits, and what the first response tells."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from registry import Registry
from registry.inference.once import MustWait
from registry.inference.protocols import Request, Response
from registry.inference.service import Service
from registry.stores import Store
from tests.fixtures.models import SETOSA, record_path, replace_object
from tests.fixtures.watched import Watched
from tests.inference.asking import get, post, read, service

PATHS = [
    "/health",
    "/health/live",
    "/health/ready",
    "/health/startup",
    "/",
    "/model/info",
    "/model-info",
    "/predict",
    "/metrics",
    "/openapi.json",
]


@pytest.fixture
def flowers(published: Store) -> Service:
    """A service that has answered nothing yet."""
    return service(published, refresh_s=0.0)


def ask(flowers: Service, method: str, path: str) -> Response:
    return flowers.respond(Request(method=method, path=path))


@pytest.mark.parametrize("path", ["/nothing", "", "/predict/", "/PREDICT", "/health/", "//", "/\x00", "/ü%F0"])
def test_an_unknown_path_lists_the_known_ones(flowers: Service, path: str) -> None:
    """404 says what there is."""
    answer = ask(flowers, "GET", path)
    assert (answer.status, read(answer)) == (
        404,
        {"detail": f"there is nothing at {path}", "code": "not_found", "known": PATHS},
    )


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/predict", "POST"),
        ("HEAD", "/predict", "POST"),
        ("OPTIONS", "/predict", "POST"),
        ("POST", "/health", "GET, HEAD"),
        ("DELETE", "/", "GET, HEAD"),
        ("", "/metrics", "GET, HEAD"),
        ("get", "/metrics", "GET, HEAD"),
    ],
)
def test_another_method_lists_the_known_ones(flowers: Service, method: str, path: str, allow: str) -> None:
    """405 says which methods the path answers, in the body and in `Allow`."""
    answer = ask(flowers, method, path)
    assert (answer.status, answer.headers["allow"], read(answer)) == (
        405,
        allow,
        {"detail": f"{path} does not answer {method}", "code": "method_not_allowed", "known": allow.split(", ")},
    )


@pytest.mark.parametrize("path", [path for path in PATHS if path not in ("/predict", "/metrics")])
def test_head_is_get(flowers: Service, path: str) -> None:
    """The service answers the same to both; a host leaves the body out."""
    ask(flowers, "GET", "/")
    assert ask(flowers, "HEAD", path) == ask(flowers, "GET", path)


def test_the_first_response_tells_what_the_cold_start_cost(flowers: Service) -> None:
    """`Server-Timing` stands on one response, however many are answered at once."""
    with ThreadPoolExecutor(16) as pool:
        answers = [future.result() for future in [pool.submit(get, flowers, "/health") for _ in range(64)]]
    timings = [answer.headers["server-timing"] for answer in answers if "server-timing" in answer.headers]
    assert len(timings) == 1
    names = [part.partition(";dur=")[0] for part in timings[0].split(", ")]
    assert names == [phase.name for phase in flowers.predictor.serving.loaded.phases]


def test_a_bug_is_a_logged_500(
    flowers: Service, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no error of ours is told to nobody but the log, and the next request is answered."""
    runtime = flowers.predictor.serving.loaded.runtime
    with monkeypatch.context() as broken:
        broken.setattr(runtime, "_probabilities", lambda _: 1 // 0)
        answer = post(flowers, {"features": SETOSA})
    assert (answer.status, answer.body) == (500, b'{"detail":"Internal Server Error","code":"internal_error"}')
    assert ("a bug: POST /predict failed", logging.ERROR) in [(r.message, r.levelno) for r in caplog.records]
    assert "ZeroDivisionError" in caplog.text
    assert post(flowers, {"features": SETOSA}).status == 200


def test_a_body_that_is_too_large_is_refused_in_the_form_of_its_route(flowers: Service) -> None:
    """413 says the limit, whatever the path."""
    for path in ("/predict", "/nothing"):
        answer = flowers.too_large(Request(method="POST", path=path))
        assert (answer.status, read(answer)) == (
            413,
            {"detail": "a body has at most 33554432 bytes", "code": "too_large", "limit": 33554432},
        )


def test_too_many_requests_are_told_when_to_come_again(flowers: Service) -> None:
    """429 says the limit and a time."""
    answer = flowers.busy(Request(method="POST", path="/predict"), limit=3)
    assert (answer.status, answer.headers, read(answer)) == (
        429,
        {"retry-after": "1"},
        {
            "detail": "3 requests are under way, and more are not accepted at once",
            "code": "too_many_requests",
            "limit": 3,
        },
    )


def test_only_probes_are_probes(flowers: Service) -> None:
    """A host answers them ahead of its queue."""
    probes = [path for path in PATHS if flowers.is_probe(Request(method="GET", path=path))]
    assert probes == ["/health", "/health/live", "/health/ready", "/health/startup"]
    assert not flowers.is_probe(Request(method="POST", path="/health"))


def test_a_request_that_must_not_wait_is_not_counted_until_it_is_answered(flowers: Service) -> None:
    """The host asks again where waiting is fine; the request counts once."""
    request = Request(method="POST", path="/predict", body=b'{"features": [1, 1], "model_version": "1.1.0"}')
    with pytest.raises(MustWait):
        flowers.respond(request.without_waiting())
    assert flowers.respond(request).status == 200
    assert flowers.respond(request.without_waiting()).status == 200
    text = get(flowers, "/metrics").body.decode()
    assert 'request_count_total{code="200",method="POST",route="/predict"} 2.0' in text


def metrics_of(flowers: Service) -> dict[str, float]:
    lines = get(flowers, "/metrics").body.decode().splitlines()
    samples = [line.rpartition(" ") for line in lines if not line.startswith("#")]
    return {name: float(value) for name, _, value in samples}


def test_requests_are_counted_by_method_route_and_code(flowers: Service) -> None:
    """Unknown paths and methods share one label, so nobody outside can make the metrics grow."""
    for _ in range(3):
        post(flowers, {"features": SETOSA})
    post(flowers, b"")
    for n in range(5):
        ask(flowers, f"METHOD{n}", f"/path{n}")
        ask(flowers, f"METHOD{n}", "/predict")
    flowers.too_large(Request(method="POST", path="/predict"))
    found = {name: value for name, value in metrics_of(flowers).items() if name.startswith("request_count_total")}
    assert found == {
        'request_count_total{code="200",method="POST",route="/predict"}': 3.0,
        'request_count_total{code="422",method="POST",route="/predict"}': 1.0,
        'request_count_total{code="404",method="other",route="other"}': 5.0,
        'request_count_total{code="405",method="other",route="/predict"}': 5.0,
        'request_count_total{code="413",method="POST",route="/predict"}': 1.0,
    }


def test_rows_are_counted_by_version(flowers: Service) -> None:
    """Every row that was answered counts, under the version that answered it."""
    post(flowers, {"features": SETOSA})
    post(flowers, {"instances": [SETOSA] * 5})
    post(flowers, {"instances": [[1, 1]] * 2, "model_version": "canary"})
    post(flowers, {"instances": [SETOSA, ["x"]]})
    found = {name: value for name, value in metrics_of(flowers).items() if name.startswith("prediction_count_total")}
    assert found == {
        'prediction_count_total{model_name="flowers",model_version="1.0.0"}': 6.0,
        'prediction_count_total{model_name="flowers",model_version="1.1.0"}': 2.0,
    }


def test_the_cost_of_every_loaded_version_is_measured(flowers: Service) -> None:
    """Phases in seconds and artifacts in bytes: of the pinned version, and of one that a request asked for."""
    phases = flowers.predictor.serving.loaded.phases
    label = 'cold_start_phase_seconds{model_name="flowers",model_version="%s",phase="%s"}'
    before = metrics_of(flowers)
    assert {label % ("1.0.0", phase.name): phase.ms / 1000 for phase in phases}.items() <= before.items()
    assert not any("1.1.0" in name for name in before)
    post(flowers, {"length": 1, "width": 1, "model_version": "1.1.0"})
    after = metrics_of(flowers)
    assert after[label % ("1.1.0", "fetch")] > 0
    sizes = {name: value for name, value in after.items() if name.startswith("artifact_bytes")}
    assert sizes == {
        f'artifact_bytes{{format="skops",model_name="flowers",model_version="{loaded.record.version}"}}': loaded.size
        for loaded in flowers.predictor.loaded
    }


def test_a_version_that_was_let_go_is_not_measured_any_more(watched: Watched) -> None:
    """After a take-over the metrics speak of what is loaded now; what was counted stays."""
    flowers = service(watched, refresh_s=0.001)
    post(flowers, {"features": SETOSA})
    Registry(watched.inner).promote("flowers", "1.2.0")
    for _ in range(1000):
        if json.loads(post(flowers, {"features": SETOSA}).body)["model_version"] == "1.2.0":
            break
    found = metrics_of(flowers)
    assert {name for name in found if name.startswith("artifact_bytes")} == {
        'artifact_bytes{format="skops",model_name="flowers",model_version="1.2.0"}'
    }
    assert found['prediction_count_total{model_name="flowers",model_version="1.0.0"}'] >= 1.0


def test_durations_are_a_histogram(flowers: Service) -> None:
    """One observation a request."""
    post(flowers, {"features": SETOSA})
    found = metrics_of(flowers)
    assert found['request_duration_seconds_count{method="POST",route="/predict"}'] == 1.0
    assert 0 < found['request_duration_seconds_sum{method="POST",route="/predict"}'] < 60


def test_metrics_are_prometheus_text(flowers: Service) -> None:
    """The media type is the one that Prometheus asks for."""
    answer = get(flowers, "/metrics")
    assert answer.media_type.startswith("text/plain; version=")
    assert answer.body.endswith(b"\n")


def test_an_error_of_ours_while_describing_is_answered(watched: Watched) -> None:
    """A record that cannot be read is the bucket's fault, at `/model/info` as well."""
    flowers = service(watched)
    replace_object(watched, record_path(watched, "1.1.0"), b"{}")
    answer = get(flowers, "/model/info", "model_version=1.1.0")
    assert (answer.status, read(answer)["code"], answer.headers) == (
        503,
        "integrity_error",
        {**answer.headers, "retry-after": "5"},
    )


def secrets(document: Any) -> list[Callable[[Service], Any]]:
    return [lambda flowers: post(flowers, document), lambda flowers: get(flowers, "/model/info", json.dumps(document))]


def test_what_clients_send_is_not_logged(flowers: Service, caplog: pytest.LogCaptureFixture) -> None:
    """A wrong request is told to its sender, and to nobody else."""
    caplog.set_level(logging.DEBUG)
    for send in secrets({"features": ["s3cret", 1], "model_version": "s3cret-version"}):
        send(flowers)
    assert "s3cret" not in caplog.text
