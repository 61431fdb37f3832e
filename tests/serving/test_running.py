"""A running service: another version on first use, promoting, a bucket that goes bad, and stopping."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from registry import Registry
from registry.stores import Store
from serving.__main__ import GRACE_S
from tests.fake_gcs import FakeGcs
from tests.fake_gcs.faults import Fault
from tests.fixtures.asking import ROW, at_once, eventually, fetches, for_version
from tests.fixtures.models import artifact_path, record_path, replace_object
from tests.fixtures.processes import SERVING, Host, environment, running


@pytest.fixture(scope="module")
def told(bucket: Store, gcs_server: FakeGcs) -> dict[str, str]:
    """The environment of a service on a bucket."""
    return environment(bucket.url, MODEL_REFRESH_S="0", STORAGE_EMULATOR_HOST=gcs_server.endpoint)


@pytest.fixture(scope="module")
def bucket_host(told: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A service on a bucket, for tests that leave it running."""
    with running(SERVING, told, tmp_path_factory.mktemp("bucket") / "log") as host:
        yield host


@pytest.fixture
def stopping_host(told: dict[str, str], tmp_path: Path) -> Iterator[Host]:
    """A service on a bucket, for a test that stops it."""
    with running(SERVING, told, tmp_path / "log") as host:
        yield host


def health(host: Host) -> Any:
    return json.loads(host.ask("GET", "/health").body)


def test_many_first_requests_for_another_version_cause_one_fetch(
    gcs_server: FakeGcs, bucket: Store, bucket_host: Host
) -> None:
    """Sixty-four requests at the same moment: one read of the record, one of the artifact, the same answer to all."""
    paths = [record_path(bucket, "1.1.0"), artifact_path(bucket, "1.1.0")]
    before = [fetches(gcs_server, bucket, path) for path in paths]
    with ThreadPoolExecutor(64) as pool:
        answers = [future.result() for future in at_once(pool, bucket_host, 64, for_version("1.1.0"))]
    assert {(answer.status, answer.body) for answer in answers} == {(200, answers[0].body)}
    assert json.loads(answers[0].body)["model_version"] == "1.1.0"
    assert [fetches(gcs_server, bucket, path) - count for path, count in zip(paths, before, strict=True)] == [1, 1]


def test_a_slow_version_holds_up_nobody_who_asks_for_a_loaded_one(
    gcs_server: FakeGcs, bucket: Store, bucket_host: Host
) -> None:
    """More requests wait for the bucket than the service has threads, and the pinned version goes on answering."""
    gcs_server.faults.add(Fault(kind="delay", path=artifact_path(bucket, "1.2.0"), seconds=4.0))
    before = fetches(gcs_server, bucket, record_path(bucket, "1.2.0"))
    with ThreadPoolExecutor(120) as pool:
        slow = at_once(pool, bucket_host, 120, for_version("1.2.0"))
        assert eventually(lambda: fetches(gcs_server, bucket, record_path(bucket, "1.2.0")) > before)
        for _ in range(30):
            assert bucket_host.ask("POST", "/predict", ROW).status == 200
            assert health(bucket_host)["status"] == "ok"
        assert bucket_host.ask("POST", "/predict", b"{}").status == 422
        assert not any(future.done() for future in slow)
        assert {future.result().status for future in slow} == {200}


def test_told_to_stop_it_answers_what_is_in_flight(gcs_server: FakeGcs, bucket: Store, stopping_host: Host) -> None:
    """Requests that were accepted are answered, new connections are refused, and the exit code is 0."""
    gcs_server.faults.add(Fault(kind="delay", path=artifact_path(bucket, "1.1.0"), seconds=2.0))
    before = fetches(gcs_server, bucket, record_path(bucket, "1.1.0"))
    with ThreadPoolExecutor(16) as pool:
        slow = at_once(pool, stopping_host, 16, for_version("1.1.0"))
        assert eventually(lambda: fetches(gcs_server, bucket, record_path(bucket, "1.1.0")) > before)
        stopping_host.process.terminate()
        assert eventually(lambda: refuses(stopping_host))
        assert not any(future.done() for future in slow)
        assert [future.result().status for future in slow] == [200] * 16
    assert stopping_host.process.wait(timeout=10) == 0
    assert not [line for line in stopping_host.lines() if "Traceback" in line or "ERROR" in line]


def refuses(host: Host) -> bool:
    """Tell whether nobody listens any more."""
    try:
        socket.create_connection(("127.0.0.1", host.port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def test_it_says_once_what_it_serves_and_stops_when_told(published: Store, tmp_path: Path) -> None:
    """The first response and one line of the log tell what the start cost; idle connections do not hold up the end."""
    with running(SERVING, environment(published.url), tmp_path / "log") as host:
        first, second = host.ask("GET", "/model/info"), host.ask("GET", "/model/info")
        assert ("server-timing" in first.headers, "server-timing" in second.headers) == (True, False)
        kept = http.client.HTTPConnection("127.0.0.1", host.port)
        kept.request("GET", "/health")
        kept.getresponse().read()
        silent = socket.create_connection(("127.0.0.1", host.port))
        halting = socket.create_connection(("127.0.0.1", host.port))
        halting.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\n")
        try:
            assert host.stop(timeout_s=8) == 0
        finally:
            for connection in (kept, silent, halting):
                connection.close()
        lines = [json.loads(line) for line in host.lines()]
    assert [line["message"] for line in lines if line["logger"] == "registry.inference.logs"] == [
        f"serving flowers 1.0.0 after {lines[0]['cold_start_ms']:.0f} ms"
    ]


def promote_by_hand(store: Store, version: str) -> None:
    """Move the alias as a person with an editor would."""
    path = "flowers/manifest.json"
    document = json.loads(store.read(path).data)
    document["aliases"]["stable"] = version
    document["revision"] += 1
    replace_object(store, path, json.dumps(document).encode())


def test_a_promoted_version_takes_over_and_a_bad_bucket_changes_nothing(own_folder: Store, tmp_path: Path) -> None:
    """Without a restart: the manifest is edited, the new version answers; all is spoilt, it goes on answering."""
    with running(SERVING, environment(own_folder.url, MODEL_REFRESH_S="0.05"), tmp_path / "log") as host:

        def answering() -> str:
            answer = host.ask("POST", "/predict", ROW)
            assert answer.status == 200
            version: str = json.loads(answer.body)["model_version"]
            assert answer.headers["x-model-version"] == version
            return version

        assert answering() == "1.0.0"
        promote_by_hand(own_folder, "1.2.0")
        assert eventually(lambda: answering() == "1.2.0")
        revision = Registry(own_folder).manifest("flowers").revision
        assert health(host)["manifest_revision"] == revision
        manifest = own_folder.read("flowers/manifest.json").data
        for entry in list(own_folder.list("flowers/")):
            replace_object(own_folder, entry.path, b"\x00" * 100)
        assert eventually(lambda: answering() == "1.2.0" and health(host)["problem"] is not None)
        assert "flowers/manifest.json" in health(host)["problem"]
        replace_object(own_folder, "flowers/manifest.json", manifest)
        promote_by_hand(own_folder, "1.0.0")
        assert eventually(lambda: answering() == "1.2.0" and "versions/1.0.0" in str(health(host)["problem"]))
        broken = host.ask("POST", "/predict", for_version("1.1.0"))
        assert (broken.status, json.loads(broken.body)["code"]) == (503, "integrity_error")
        replace_object(own_folder, "flowers/manifest.json", manifest)
        assert eventually(lambda: answering() == "1.2.0" and health(host)["problem"] is None)
        assert not [line for line in host.lines() if "Traceback" in line]


@pytest.mark.slow
@pytest.mark.timeout(90)
def test_what_takes_longer_than_the_grace_is_cut(gcs_server: FakeGcs, bucket: Store, stopping_host: Host) -> None:
    """A client that stopped in its body, and a version that takes for ever, end when the grace is over, not later."""
    gcs_server.faults.add(Fault(kind="delay", path=artifact_path(bucket, "1.1.0"), seconds=40.0))
    before = fetches(gcs_server, bucket, record_path(bucket, "1.1.0"))
    with ThreadPoolExecutor(4) as pool, socket.create_connection(("127.0.0.1", stopping_host.port)) as dawdling:
        dawdling.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
        slow = at_once(pool, stopping_host, 4, for_version("1.1.0"))
        assert eventually(lambda: fetches(gcs_server, bucket, record_path(bucket, "1.1.0")) > before)
        begun_s = time.monotonic()
        code = stopping_host.stop(timeout_s=40)
        took_s = time.monotonic() - begun_s
        assert all(future.exception() or future.result().status != 200 for future in slow)
    assert (code, took_s < GRACE_S + 5) == (0, True)
