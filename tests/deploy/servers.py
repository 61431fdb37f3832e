"""Hosts as processes of their own, and questions to them."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROW = [5.1, 3.5, 1.4, 0.2]
"""A setosa: class 0 for every version that `tests.deploy.conftest` publishes."""

START_S = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A host that listens on this machine."""

    url: str

    def get(self, path: str) -> tuple[int, str]:
        """Return the status and the body of an answer."""
        return self._ask(urllib.request.Request(self.url + path))

    def predict(self, version: str) -> Any:
        """Return the answer for `ROW`."""
        body = json.dumps({"features": ROW, "model_version": version}).encode()
        request = urllib.request.Request(self.url + "/predict", body, {"Content-Type": "application/json"})
        status, text = self._ask(request)
        assert status == 200, text
        return json.loads(text)

    def _ask(self, request: urllib.request.Request) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def is_ready(self) -> bool:
        """Tell whether it listens and says that it is ready."""
        try:
            return self.get("/health/ready")[0] == 200
        except OSError:
            return False


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def running(command: Sequence[str | Path], *, cwd: Path, environ: Mapping[str, str], log: Path) -> Iterator[Server]:
    """Start a host with nothing in its environment but what is given, and stop it at the end.

    Raises:
        AssertionError: It ended, or did not get ready; with what it printed.
    """
    port = free_port()
    environ = {"PATH": "/usr/bin:/bin", "HOST": "127.0.0.1", "PORT": str(port), **environ}
    server = Server(url=f"http://127.0.0.1:{port}")
    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=cwd, env=environ, stdout=output, stderr=subprocess.STDOUT) as process,
    ):
        try:
            end_s = time.monotonic() + START_S
            while not server.is_ready():
                assert process.poll() is None, f"it ended with {process.returncode}: {log.read_text()}"
                assert time.monotonic() < end_s, f"it is not ready after {START_S} s: {log.read_text()}"
                time.sleep(0.05)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
