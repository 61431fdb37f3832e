"""Clients that leave, dawdle, flood or send nonsense: everybody else is answered."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import uvicorn

from registry.inference.boot import boot
from registry.inference.service import Service
from registry.stores import Store
from serving.app import App
from tests.fixtures.asking import ROW, at_once, eventually
from tests.fixtures.models import settings
from tests.fixtures.processes import Client, Host, free_port

HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"


def still_answers(host: Client) -> bool:
    return host.ask("POST", "/predict", ROW).status == 200


def test_clients_that_leave_in_the_middle_do_no_harm(serving_host: Host) -> None:
    """Connections that end in their headers or bodies leave no traceback, and nobody waits for them."""
    for sent in (b"", b"POST /pre", HEAD, HEAD + b'{"features": [', HEAD.replace(b"1000", b"5000000") + b"x" * 200_000):
        for _ in range(10):
            with socket.create_connection(("127.0.0.1", serving_host.port)) as connection:
                connection.sendall(sent)
        assert still_answers(serving_host)
    assert not [line for line in serving_host.lines() if "Traceback" in line or "ERROR" in line]


def test_clients_that_dawdle_hold_up_nobody(serving_host: Host) -> None:
    """Two hundred half-sent requests are open, and whole ones are answered between them."""
    with ExitStack() as open_ones:
        dawdling = []
        for _ in range(200):
            connection = socket.create_connection(("127.0.0.1", serving_host.port))
            open_ones.enter_context(connection)
            connection.sendall(HEAD + b"{")
            dawdling.append(connection)
        assert all(still_answers(serving_host) for _ in range(20))
        dawdling[0].sendall(b" " * 999)
        assert b" 422 " in dawdling[0].recv(100)


def test_what_is_no_http_is_refused(serving_host: Host) -> None:
    """Garbage gets a 400 or the end of the connection; the next client is answered."""
    for sent in (b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"POST /predict HTTP/1.1\r\nContent-Length: x\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", serving_host.port), timeout=10) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(12) in (b"", b"HTTP/1.1 400")
    assert still_answers(serving_host)
    assert not [line for line in serving_host.lines() if "Traceback" in line]


def test_a_flood_is_answered(serving_host: Host) -> None:
    """Two hundred clients at the same moment, five requests each."""
    with ThreadPoolExecutor(200) as pool:
        for _ in range(5):
            answers = [future.result() for future in at_once(pool, serving_host, 200, ROW)]
            assert {(answer.status, answer.body) for answer in answers} == {(200, answers[0].body)}


@pytest.fixture
def narrow(published: Store) -> Iterator[Client]:
    """A service in this process that accepts two requests at a time."""
    told = settings(refresh_s=0.0)
    app = App(lambda: Service(boot(told, store=published), told), max_in_flight=2)
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    assert eventually(lambda: server.started)
    yield Client(port=port)
    server.should_exit = True
    thread.join(timeout=20)


def test_more_requests_than_it_accepts_are_told_to_come_again(narrow: Client) -> None:
    """While two requests are under way a third one gets a 429, probes are answered, and afterwards all is well."""
    with ExitStack() as open_ones:
        for _ in range(2):
            connection = open_ones.enter_context(socket.create_connection(("127.0.0.1", narrow.port)))
            connection.sendall(HEAD)
        assert eventually(lambda: narrow.ask("POST", "/predict", ROW).status == 429)
        answer = narrow.ask("POST", "/predict", ROW)
        assert (answer.headers["retry-after"], json.loads(answer.body)) == (
            "1",
            {
                "detail": "2 requests are under way, and more are not accepted at once",
                "code": "too_many_requests",
                "limit": 2,
            },
        )
        assert narrow.ask("GET", "/health").status == 200
    assert eventually(lambda: still_answers(narrow))
    counted = narrow.ask("GET", "/metrics").body.decode()
    assert 'request_count_total{code="429",method="POST",route="/predict"}' in counted
