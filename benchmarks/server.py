"""A server under measurement: a process that is spawned, asked until it answers right, and stopped."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

DEADLINE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A way to serve a model.

    Attributes:
        name: As it stands in the tables.
        command: What to run; ``{port}`` stands for the port.
        environ: Added to the environment; ``{port}`` likewise.
        body: A request to ``/predict``.
        expected: Bytes that a right answer contains.
    """

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    expected: bytes = b""


@dataclass(slots=True, kw_only=True)
class Running:
    """A server that has given its first right answer.

    Attributes:
        port: Where it listens.
        pid: Its process.
        cold_start_s: From spawning it to that answer.
        memory_mib: Resident memory at that answer, children included.
    """

    port: int
    pid: int
    cold_start_s: float
    memory_mib: float


def request_bytes(body: bytes) -> bytes:
    """Return a whole HTTP/1.1 request to ``/predict``."""
    head = f"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


@contextlib.contextmanager
def running(candidate: Candidate, *, core: int | None = None) -> Iterator[Running]:
    """Spawn a candidate, on one core when told which, and yield it once it has answered right."""
    port = _free_port()
    environ = {**os.environ, **{name: value.format(port=port) for name, value in candidate.environ.items()}}
    command = [word.format(port=port) for word in candidate.command]
    start_s = time.perf_counter()
    process = subprocess.Popen(
        command,
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    if core is not None:
        os.sched_setaffinity(process.pid, {core})
    try:
        _wait_for_answer(candidate, process, port)
        cold_start_s = time.perf_counter() - start_s
        yield Running(port=port, pid=process.pid, cold_start_s=cold_start_s, memory_mib=_memory_mib(process.pid))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for_answer(candidate: Candidate, process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{candidate.name} ended with {process.returncode} before it answered")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
        try:
            connection.request("POST", "/predict", candidate.body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException):
            time.sleep(0.002)
            continue
        finally:
            connection.close()
        if response.status == 200 and candidate.expected in answer:
            return
        raise RuntimeError(f"{candidate.name} gave a wrong first answer: {answer[:500]!r}")
    raise RuntimeError(f"{candidate.name} did not answer within {DEADLINE_S} s")


def _memory_mib(group: int) -> float:
    pages = 0
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int((process / "stat").read_text().rpartition(")")[2].split()[2]) == group:
                pages += int((process / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
