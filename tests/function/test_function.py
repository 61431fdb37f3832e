"""The function under functions-framework: how it starts, fails, answers from many threads and stops."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from registry import Registry
from registry.stores import Store
from tests.fake_gcs import FakeGcs
from tests.fake_gcs.faults import Fault
from tests.fixtures.asking import ROW, at_once, eventually, fetches, for_version
from tests.fixtures.models import artifact_path, record_path, replace_object
from tests.fixtures.processes import FUNCTION, Host, environment, fails, running


@pytest.fixture(scope="module")
def told(bucket: Store, gcs_server: FakeGcs) -> dict[str, str]:
    """The environment of a function on a bucket."""
    return environment(bucket.url, MODEL_REFRESH_S="0.05", STORAGE_EMULATOR_HOST=gcs_server.endpoint)


@pytest.fixture
def bucket_host(told: dict[str, str], tmp_path: Path) -> Iterator[Host]:
    """The function on a bucket."""
    with running(FUNCTION, told, tmp_path / "log") as host:
        yield host


def starts(host: Host) -> list[str]:
    """Return the log lines that say that the model was loaded."""
    return [line for line in host.lines() if '"message":"serving flowers' in line]


@pytest.mark.parametrize(
    ("variables", "code", "sentence"),
    [
        (
            {"MODEL_NAME": ""},
            2,
            "start failed: MODEL_NAME is not set: expected the name of a model",
        ),
        (
            {"MODEL_VERSION": "0.9.0"},
            2,
            (
                "start failed in phase resolve: version '0.9.0' of model 'flowers' was withdrawn "
                "(active: 1.0.0, 1.1.0, 1.2.0)"
            ),
        ),
        (
            {"MODEL_REGISTRY": "file:///no/such/folder"},
            2,
            "start failed in phase manifest: file:///no/such/folder has no model 'flowers' (known: none)",
        ),
    ],
    ids=["setting", "pin", "folder"],
)
def test_a_start_that_fails_says_in_one_sentence_why(
    published: Store, variables: dict[str, str], code: int, sentence: str
) -> None:
    """The process ends while the platform imports it, with the exit codes of the service; no traceback."""
    assert fails(FUNCTION, environment(published.url, **variables)) == (code, f"{sentence}\n")


def test_a_spoilt_artifact_is_not_served(own_folder: Store) -> None:
    """The phase and the object are named."""
    path = artifact_path(own_folder, "1.0.0")
    replace_object(own_folder, path, own_folder.read(path).data[:-1] + b"\x01")
    code, text = fails(FUNCTION, environment(own_folder.url))
    assert (code, text.count("\n")) == (1, 1)
    assert text.startswith(f"start failed in phase verify: {own_folder.url}/{path}: SHA-256 is ")


def test_the_model_is_loaded_once_however_many_requests_come(
    gcs_server: FakeGcs, bucket: Store, bucket_host: Host
) -> None:
    """The threads share what the import loaded and what they load on first use, and follow a promotion."""
    paths = [artifact_path(bucket, version) for version in ("1.0.0", "1.1.0")]
    before = [fetches(gcs_server, bucket, path) for path in paths]
    with ThreadPoolExecutor(64) as pool:
        for body in (ROW, for_version("1.1.0")):
            answers = [future.result() for future in at_once(pool, bucket_host, 64, body)]
            assert {(answer.status, answer.body) for answer in answers} == {(200, answers[0].body)}
    assert [fetches(gcs_server, bucket, path) for path in paths] == [before[0], before[1] + 1]
    assert json.loads(bucket_host.ask("GET", "/model/info").body)["model_version"] == "1.0.0"

    def answering() -> str:
        answer = bucket_host.ask("POST", "/predict", ROW)
        assert answer.status == 200
        version: str = json.loads(answer.body)["model_version"]
        return version

    Registry(bucket).promote("flowers", "1.2.0")
    assert eventually(lambda: answering() == "1.2.0")
    assert len(starts(bucket_host)) == 1
    Registry(bucket).promote("flowers", "1.0.0")


def test_told_to_stop_it_answers_what_is_in_flight(gcs_server: FakeGcs, bucket: Store, bucket_host: Host) -> None:
    """Requests that were accepted are answered, and the exit code is 0."""
    gcs_server.faults.add(Fault(kind="delay", path=artifact_path(bucket, "1.1.0"), seconds=1.5))
    record = record_path(bucket, "1.1.0")
    before = fetches(gcs_server, bucket, record)
    with ThreadPoolExecutor(3) as pool:
        slow = at_once(pool, bucket_host, 3, for_version("1.1.0"))
        assert eventually(lambda: fetches(gcs_server, bucket, record) > before)
        bucket_host.process.terminate()
        assert [future.result().status for future in slow] == [200] * 3
    assert bucket_host.process.wait(timeout=20) == 0


def test_clients_that_leave_in_the_middle_do_no_harm(function_host: Host) -> None:
    """Connections that end in their bodies leave no traceback, and the next client is answered."""
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    for sent in (b"POST /pre", head, head + b'{"features": [', head.replace(b"1000", b"5000000") + b"x" * 200_000):
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", function_host.port)) as connection:
                connection.sendall(sent)
        assert function_host.ask("POST", "/predict", ROW).status == 200
    assert not [line for line in function_host.lines() if "Traceback" in line]
