"""The image as far as it can be checked without building it. `test_container` checks one that was built."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tests.deploy import dockerfile
from tests.deploy.documented import ROOT
from tests.deploy.servers import free_port


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def allowed() -> set[str]:
    """What `.dockerignore` lets into the build."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    return {line[1:] for line in lines if line.startswith("!")}


@contextmanager
def answering(status: int) -> Iterator[int]:
    """A server that answers the path of the health check with a status, and any other with 404."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health/ready" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name http.server gives it
            """Stay silent."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def check_health(environ: dict[str, str]) -> int:
    """Run the health check of the image here, and return how it ends."""
    program, *arguments = dockerfile.health_check()
    assert program == "python"
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environ, stderr=subprocess.DEVNULL, check=False, timeout=20).returncode


def test_the_build_gets_what_the_distribution_is_made_of(project: dict[str, Any]) -> None:
    """`.dockerignore` lets in the packages, what their metadata names, and the locks; nothing that is not there."""
    about, built = project["project"], project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {"pyproject.toml", "requirements", about["readme"], *about["license-files"], *built["packages"]}
    assert allowed() == needed
    assert [name for name in needed if not (ROOT / name).exists()] == []


def test_the_dockerfile_copies_only_what_exists() -> None:
    """Each file that a COPY names is in the project, and the build may see it."""
    copied = [word for text in dockerfile.values("COPY") if "--from" not in text for word in text.split()[:-1]]
    assert copied
    assert [path for path in copied if not (ROOT / path).exists()] == []
    assert [path for path in copied if path != "." and path.partition("/")[0] not in allowed()] == []


def test_cloud_build_gets_what_the_build_needs(gcloud: str) -> None:
    """By gcloud's own reading of `.gcloudignore`: the Dockerfile, `.dockerignore`, and what that lets in."""
    command = [gcloud, "meta", "list-files-for-upload", str(ROOT)]
    sent = subprocess.run(command, capture_output=True, text=True, check=True, timeout=50).stdout.splitlines()
    files = {str(path.relative_to(ROOT)) for name in allowed() for path in (ROOT / name).rglob("*") if path.is_file()}
    files |= {name for name in allowed() if (ROOT / name).is_file()} | {"Dockerfile", ".dockerignore"}
    assert {os.path.normpath(path) for path in sent} == {path for path in files if not path.endswith(".pyc")}


def test_the_label_states_the_version_of_the_project(project: dict[str, Any]) -> None:
    """An image can be told from the next one."""
    (labels,) = dockerfile.values("LABEL")
    assert f'image.version="{project["project"]["version"]}"' in labels


def test_the_image_runs_on_the_python_that_built_it() -> None:
    """The environment is copied from one stage to the other, so both begin with the same base."""
    assert {text.split()[0] for text in dockerfile.values("FROM")} == {"python:3.11-slim"}


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False), (404, False)])
def test_the_health_check_asks_whether_the_host_is_ready(status: int, healthy: bool) -> None:
    """It ends with 0 for a host that is ready and with something else for one that is not, whatever proxy is set."""
    with answering(status) as port:
        code = check_health({"PORT": str(port), "http_proxy": f"http://127.0.0.1:{free_port()}"})
    assert (code == 0) is healthy


def test_the_health_check_notices_that_nothing_listens() -> None:
    """A host that hangs in its start is not healthy."""
    assert check_health({"PORT": str(free_port())}) != 0
