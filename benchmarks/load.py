"""A load generator: some connections, each with one request under way, as fast as one core can ask."""

from __future__ import annotations

import selectors
import socket
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a server did under load.

    Attributes:
        requests_per_s: Right answers a second.
        p50_us: Median time from asking to the whole answer, in microseconds.
        p99_us: The same, 99th percentile.
        answers: How many answers there were.
    """

    requests_per_s: float
    p50_us: float
    p99_us: float
    answers: int


def drive(port: int, request: bytes, *, connections: int, seconds: float) -> Load:
    """Ask a server for some seconds.

    Raises:
        RuntimeError: An answer was not 200.
    """
    selector = selectors.DefaultSelector()
    opened = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    asked_s: dict[int, float] = {}
    pending: dict[int, bytes] = {}
    taken_s: list[float] = []
    now_s = time.perf_counter
    try:
        for connection in opened:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(connection, selectors.EVENT_READ, connection)
            asked_s[connection.fileno()] = now_s()
            connection.sendall(request)
        begin_s = now_s()
        end_s = begin_s + seconds
        while now_s() < end_s or len(taken_s) < connections:
            for key, _ in selector.select(timeout=1.0):
                connection = key.fileobj  # type: ignore[assignment]  # only sockets are registered
                answer = pending.pop(key.fd, b"") + connection.recv(1 << 20)
                if not _whole(answer):
                    pending[key.fd] = answer
                    continue
                if not answer.startswith(b"HTTP/1.1 200"):
                    raise RuntimeError(f"not an answer: {answer[:300]!r}")
                at_s = now_s()
                taken_s.append(at_s - asked_s[key.fd])
                asked_s[key.fd] = at_s
                connection.sendall(request)
        took_s = now_s() - begin_s
    finally:
        for connection in opened:
            connection.close()
        selector.close()
    taken_s.sort()
    return Load(
        requests_per_s=len(taken_s) / took_s,
        p50_us=taken_s[len(taken_s) // 2] * 1e6,
        p99_us=taken_s[int(len(taken_s) * 0.99)] * 1e6,
        answers=len(taken_s),
    )


def _whole(answer: bytes) -> bool:
    head, separator, body = answer.partition(b"\r\n\r\n")
    if not separator:
        return False
    place = head.lower().find(b"content-length:")
    if place < 0:
        raise RuntimeError(f"an answer without a length: {head!r}")
    length = head[place + 15 :].partition(b"\r\n")[0]
    return len(body) >= int(length)
