"""The server: one thread a connection, kept alive, with faults where they are armed."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import sys
import threading
from collections import deque
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self

from tests.fake_gcs.faults import Fault, Faults
from tests.fake_gcs.json_api import JsonApi
from tests.fake_gcs.objects import Buckets
from tests.fake_gcs.uploads import Uploads
from tests.fake_gcs.wire import GcsError, Request, Response, json_error, json_response, text_error, xml_error
from tests.fake_gcs.xml_api import XmlApi

_JSON_PATHS = ("/storage/", "/upload/", "/download/", "/batch/", "/resumable/")
_BREAK = struct.pack("ii", 1, 0)  # SO_LINGER: close by a reset
_SMALL = 64 * 1024


class Seen(NamedTuple):
    """A request that came in, and the status of its answer; 0 when none was sent."""

    method: str
    path: str
    status: int


class FakeGcs:
    """Cloud Storage in memory, on a port of 127.0.0.1.

    Args:
        port: 0 for any that is free.
        write_interval_s: How long one object must rest between two changes; 1.0 is what Google asks for.

    Example:
        >>> with FakeGcs() as server:
        ...     bucket = server.buckets.create_bucket("models", {})
        ...     server.endpoint.startswith("http://127.0.0.1:")
        True
    """

    def __init__(self, port: int = 0, *, write_interval_s: float = 0.0) -> None:
        self.buckets = Buckets(write_interval_s=write_interval_s)
        self.faults = Faults()
        self.seen: deque[Seen] = deque(maxlen=10_000)
        self.crashes: list[BaseException] = []
        uploads = Uploads(self.buckets)
        self._json = JsonApi(self.buckets, uploads)
        self._xml = XmlApi(self.buckets, uploads)
        self._server = _Server(self, port)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> Self:
        """Serve, in a thread."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving and break all connections."""
        self._server.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server.break_connections()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def handle(self, request: Request) -> Response:
        """Answer a request that met no fault."""
        if request.path in ("/_faults", "/_requests"):
            return self._control(request)
        return (self._json if request.path.startswith(_JSON_PATHS) else self._xml).handle(request)

    def refuse(self, request: Request, error: GcsError) -> Response:
        """Write an error in the dialect of the API that was asked."""
        if not request.path.startswith(_JSON_PATHS):
            return xml_error(error)
        return text_error(error) if request.query.get("alt") == "media" else json_error(error)

    def _control(self, request: Request) -> Response:
        """Arm, show or disarm faults; show or forget the requests."""
        if request.path == "/_requests":
            answer: list[Any] = [seen._asdict() for seen in self.seen]
            if request.method == "DELETE":
                self.seen.clear()
        else:
            if request.method == "POST":
                self.faults.add(Fault(**json.loads(request.body)))
            elif request.method == "DELETE":
                self.faults.clear()
            answer = self.faults.armed()
        return json_response(answer)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, fake: FakeGcs, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.fake = fake
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception()
        if error is not None and not isinstance(error, ConnectionError | TimeoutError):
            self.fake.crashes.append(error)
            super().handle_error(request, client_address)

    def break_connections(self) -> None:
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _serve(self) -> None:
        fake = self.server.fake
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, self._read_body(headers))
        if request.path.startswith("/_"):
            self._send(fake.handle(request))
            return
        fault = fake.faults.take(request)
        response = self._meet(fault, request) if fault else fake.handle(request)
        fake.seen.append(Seen(request.method, request.plain_path, response.status if response else 0))
        if response is None:
            self._break()
        elif fault and fault.kind in ("truncate", "stall", "drip"):
            self._send_badly(response, fault)
        else:
            self._send(response)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the names http.server calls

    def _meet(self, fault: Fault, request: Request) -> Response | None:
        """Return the answer of a request that meets a fault, or None when there will be none."""
        fake = self.server.fake
        if fault.kind == "reset":
            return None
        if fault.kind == "status":
            return fake.refuse(request, fault.refusal())
        if fault.kind == "delay":
            self.server.stopping.wait(fault.seconds)
        response = fake.handle(request)
        if fault.kind == "lose":
            return None
        if fault.kind == "corrupt" and len(response.body) > fault.at:
            body = bytearray(response.body)
            body[fault.at] ^= 1
            response.body = bytes(body)
        return response

    def _read_body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(headers.get("content-length", 0)))
        pieces = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            continue
        return b"".join(pieces)

    def _send(self, response: Response, *, stop: int | None = None) -> None:
        """Send an answer, or the head and the first bytes of one."""
        reason = "Resume Incomplete" if response.status == 308 else _reason(response.status)
        lines = [f"HTTP/1.1 {response.status} {reason}", f"Date: {formatdate(usegmt=True)}", "Server: UploadServer"]
        lines += [f"{name}: {value}" for name, value in response.headers]
        if response.status not in (204, 304):
            lines.append(f"Content-Length: {len(response.body)}")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
        body = b"" if self.command == "HEAD" else response.body[:stop]
        if len(body) <= _SMALL:
            self.connection.sendall(head + bytes(body))
        else:
            self.connection.sendall(head)
            self.connection.sendall(body)

    def _send_badly(self, response: Response, fault: Fault) -> None:
        """Send an answer that ends early or comes slowly, and break the connection."""
        self.close_connection = True
        self._send(response, stop=0 if fault.kind == "drip" else fault.at)
        if fault.kind == "stall":
            self.server.stopping.wait(fault.seconds)
        elif fault.kind == "drip":
            for position in range(len(response.body)):
                if self.server.stopping.wait(fault.seconds):
                    break
                self.connection.sendall(response.body[position : position + 1])

    def _break(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _BREAK)
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name http.server gives it
        """Stay silent."""


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
