"""A host needs nothing but its own lock: each starts and predicts in an environment that was made from it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.deploy import dockerfile
from tests.deploy.conftest import PLATFORM, VERSIONS
from tests.deploy.documented import ROOT
from tests.deploy.servers import Server, running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

OFFLINE = re.compile(r"NewConnectionError|name resolution|ProxyError|ConnectTimeoutError|Network is unreachable")


def install(folder: Path, lock: str, *options: str) -> Path:
    """Make an environment without pip from a lock, and return its interpreter."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    command = [*pip, "install", "--quiet", *options, "--requirement", str(ROOT / lock)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if OFFLINE.search(done.stderr):
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, done.stderr
    checked = subprocess.run([*pip, "check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    return python


def assert_predicts(server: Server) -> None:
    """Every estimator answers, and so do the pages and the metrics."""
    assert [server.predict(version)["prediction"] for version in VERSIONS] == [0, 0, 0]
    assert [server.get(path)[0] for path in ("/model/info", "/metrics", "/")] == [200, 200, 200]


def test_the_service_needs_only_its_lock_and_nothing_that_the_image_leaves_out(
    model_environ: dict[str, str], tmp_path: Path
) -> None:
    """Installed as in the Dockerfile and trimmed as there, it predicts with every estimator and shows its pages."""
    folder = tmp_path / "environment"
    python = install(folder, "requirements/serving.txt", "--require-hashes", "--only-binary=:all:", "--no-compile")
    trimming = dockerfile.trimming().replace(dockerfile.ENVIRONMENT, str(folder))
    environ = {"PATH": f"{python.parent}:/usr/bin:/bin"}
    subprocess.run(["/bin/sh", "-eu", "-c", trimming], env=environ, check=True)
    for package in ("registry", "serving"):
        shutil.copytree(ROOT / package, tmp_path / "source" / package)
    command = [str(python), "-m", "serving"]
    with running(command, cwd=tmp_path / "source", environ=model_environ, log=tmp_path / "log") as server:
        assert_predicts(server)
        assert [server.get(path)[0] for path in ("/docs", "/redoc", "/openapi.json")] == [200, 200, 200]


def test_the_function_needs_only_its_lock(function_folder: Path, model_environ: dict[str, str], tmp_path: Path) -> None:
    """Installed with the options of the platform's build, the upload starts and predicts with every estimator."""
    options = ("--upgrade", "--upgrade-strategy=only-if-needed", "--force-reinstall", "--no-compile", "--no-cache-dir")
    python = install(tmp_path / "environment", "requirements/function.txt", *options)
    command = [python, python.with_name("functions-framework")]
    environ = {**PLATFORM, **model_environ, "PATH": f"{python.parent}:{os.defpath}"}
    with running(command, cwd=function_folder, environ=environ, log=tmp_path / "log") as server:
        assert_predicts(server)
