"""Every command of the README is run, as it stands there, by somebody who has just cloned the project."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs_check import blocks

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
GCLOUD = Path(__file__).parent / "gcloud.py"


def sessions() -> list[list[tuple[str, str]]]:
    """Return the console blocks, each as pairs of a command and what it is shown to answer."""
    found = []
    for body in blocks(README, "console"):
        parts = re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]
        found.append([(command, answer.strip()) for command, _, answer in (part.partition("\n") for part in parts)])
    return found


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("readme") / "registry"


@pytest.fixture(scope="module")
def port(registry: Path) -> Iterator[int]:
    """`make run`, in the background, as the README says, on a port and a registry of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
    make = ["make", "-o", f"{sys.prefix}/.ready", "run", f"VENV={sys.prefix}"]
    command = [*make, f"PORT={number}", f"REGISTRY=file://{registry}"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True) as process:
        try:
            _wait(number, process)
            yield number
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=20)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(500):
        assert process.poll() is None, "make run ended"
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("make run did not start within 50 s")


@pytest.mark.timeout(120)
def test_every_console_command_of_the_readme_does_what_it_shows(port: int, registry: Path, tmp_path: Path) -> None:
    """The commands run in one shell, in the README's order; an ellipsis stands for anything."""
    (tmp_path / "gcloud").write_text(f'#!/bin/sh\nexec {sys.executable} {GCLOUD} "$@"\n')
    (tmp_path / "gcloud").chmod(0o755)
    environ = {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "REGION": "europe-west1",
        "PROJECT": "acme",
        "BUCKET": "acme-models",
    }
    commands = [pair for session in sessions() for pair in session if pair[0] != "make run"]
    mark = "--- next ---"
    script = "\n".join(f"{_here(command, port, registry)} || exit 1; echo; echo '{mark}'" for command, _ in commands)
    done = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=100, check=False
    )
    answers = [answer.strip() for answer in done.stdout.split(mark)]
    assert done.returncode == 0, f"{commands[len(answers) - 1][0]}: {done.stderr}"
    for (command, shown), answer in zip(commands, answers, strict=False):
        assert re.fullmatch(".*".join(map(re.escape, shown.split("…"))) or ".*", answer, re.DOTALL), (command, answer)


def _here(command: str, port: int, registry: Path) -> str:
    here = command.replace("127.0.0.1:8080", f"127.0.0.1:{port}").replace("$PWD/.registry", str(registry))
    return here.replace(".venv/bin/", f"{sys.prefix}/bin/").replace("python3 ", f"{sys.executable} ")


def test_the_python_of_the_readme_publishes(tmp_path: Path) -> None:
    """The example of the Python API runs as it stands there."""
    (code,) = blocks(README, "python")
    code = code.replace("file:///tmp/models", f"file://{tmp_path}/models")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("1.0.0 file://")
    manifest = json.loads((tmp_path / "models" / "wine" / "manifest.json").read_text())
    assert manifest["aliases"] == {"stable": "1.0.0"}


def test_the_readme_names_the_two_commands() -> None:
    """A newcomer finds `make run` and `make test`."""
    assert [command for command, _ in sessions()[0]] == ["make run"]
    assert "`make test`" in README
