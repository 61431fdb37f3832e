"""The same request gets the same status, the same bytes and the same headers of ours from both hosts."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from sklearn.linear_model import LogisticRegression

from registry.formats.skops import dump
from registry.stores import Store
from tests.fixtures.models import PETALS, SPECIES, forge
from tests.fixtures.processes import HOSTS, Answer, Host, environment, running
from tests.parity.requests import REQUESTS, Sent

OURS = ("content-type", "allow", "retry-after", "vary", "content-security-policy", "x-content-type-options")
MODEL = ("x-model-version", "x-model-digest", "x-manifest-revision")


def send(host: Host, sent: Sent) -> Answer:
    return host.ask(sent.method, sent.target, sent.chunks(), sent.headers)


def own(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name in (*OURS, *MODEL)}


@pytest.fixture(scope="module", autouse=True)
def _first_answers_are_over(serving_host: Host, function_host: Host) -> None:
    """The first response of a process tells what its own start cost."""
    for host in (serving_host, function_host):
        host.ask("GET", "/health")


@pytest.mark.parametrize("sent", REQUESTS.values(), ids=REQUESTS)
def test_both_hosts_answer_alike(serving_host: Host, function_host: Host, sent: Sent) -> None:
    """Status, body and headers, to the byte; the status is the documented one."""
    answers = [send(host, sent) for host in (serving_host, function_host)]
    assert [answer.status for answer in answers] == [sent.status, sent.status]
    assert answers[0].body == answers[1].body
    assert own(answers[0]) == own(answers[1])
    assert "server-timing" not in {**answers[0].headers, **answers[1].headers}
    if sent.method == "HEAD":
        assert (answers[0].body, answers[0].headers["content-length"]) == (
            b"",
            answers[1].headers["content-length"],
        )
    elif sent.status != 200:
        assert {"detail", "code"} <= set(json.loads(answers[0].body))


@pytest.mark.parametrize("query", ["", "?model_version=canary"])
def test_both_hosts_describe_the_model_alike(serving_host: Host, function_host: Host, query: str) -> None:
    """All but what each process measured and loaded itself."""

    def described(host: Host) -> Any:
        document = json.loads(host.ask("GET", f"/model/info{query}").body)
        document["cold_start"] = [phase["phase"] for phase in document["cold_start"]["phases"]]
        return {**document, "versions_loaded": None}

    assert described(serving_host) == described(function_host)


def test_both_hosts_count_the_same_things(serving_host: Host, function_host: Host) -> None:
    """The names of the metrics and their help are those of the shared core.

    When a series began (``_created``) is left out: a host tells it only of what it was asked before this test.
    """

    def names(host: Host) -> list[str]:
        lines = host.ask("GET", "/metrics").body.decode().splitlines()
        return [line for line in lines if line.startswith(("# HELP", "# TYPE")) and "_created " not in line]

    assert names(serving_host) == names(function_host)
    counted = {line.split()[2] for line in names(serving_host)}
    assert {
        "request_count_total",
        "request_duration_seconds",
        "prediction_count_total",
        "cold_start_phase_seconds",
        "artifact_bytes",
    } <= counted


def test_both_hosts_have_the_registry_page(serving_host: Host, function_host: Host) -> None:
    """The page for people comes from both; only the service has pages of documentation to link to."""
    html = {"Accept": "text/html"}
    pages = [host.ask("GET", "/", headers=html) for host in (serving_host, function_host)]
    assert [page.headers["content-type"] for page in pages] == ["text/html; charset=utf-8"] * 2
    assert own(pages[0]) == own(pages[1])
    link = b'<a href="docs">Try the API</a>'
    assert [link in page.body for page in pages] == [True, False]
    assert serving_host.ask("GET", "/docs").status == 200


def test_both_hosts_keep_a_connection(serving_host: Host, function_host: Host) -> None:
    """An error does not end a connection: the next request on it is answered."""
    for host in (serving_host, function_host):
        with host.connection() as ask:
            statuses = [
                ask("POST", "/predict", b'{"features": [1.2, 0.25]}').status,
                ask("POST", "/predict", b"{").status,
                ask("GET", "/nothing").status,
                ask("POST", "/predict", b"x" * 200_000).status,
                ask("POST", "/predict", b'{"features": [1.2, 0.25]}').status,
            ]
        assert statuses == [200, 422, 404, 413, 200]


def test_both_hosts_answer_a_bug_alike(own_folder: Store, tmp_path: Path) -> None:
    """What is no error of ours is a 500 that tells the client nothing, and a traceback in one line of the log."""
    broken = LogisticRegression(max_iter=1000).fit(PETALS, SPECIES)
    del broken.intercept_
    forge(own_folder, dump(broken), examples=[])
    for name, command in HOSTS.items():
        with running(command, environment(own_folder.url), tmp_path / name) as host:
            answer = host.ask("POST", "/predict", b'{"features": [1.2, 0.25]}')
            assert (answer.status, answer.headers["content-type"], answer.body) == (
                500,
                "application/json",
                b'{"detail":"Internal Server Error","code":"internal_error"}',
            )
            assert host.ask("GET", "/health").status == 200
            logged = [json.loads(line) for line in host.lines() if "a bug: POST /predict failed" in line]
        assert [line["severity"] for line in logged] == ["ERROR"]
        assert "AttributeError" in logged[0]["stack_trace"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "in chunks"])
def test_a_huge_body_is_not_kept(serving_host: Host, function_host: Host, chunked: bool) -> None:
    """A refused body of fifty megabytes is read past, not held: the process does not grow by it."""
    body = b"x" * 50_000_000
    for host in (serving_host, function_host):
        before = peak_kb(host)
        pieces = (body[place : place + 100_000] for place in range(0, len(body), 100_000))
        answer = host.ask("POST", "/predict", pieces if chunked else body)
        assert answer.status == 413
        assert peak_kb(host) - before < 20_000


def peak_kb(host: Host) -> int:
    """Return the most memory that a host's processes have held, in kB."""
    children = Path(f"/proc/{host.process.pid}/task/{host.process.pid}/children").read_text().split()
    statuses = [Path(f"/proc/{pid}/status").read_text() for pid in (host.process.pid, *children)]
    return sum(int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) for status in statuses)
