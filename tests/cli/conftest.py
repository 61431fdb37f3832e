"""The command line, called in this process or as a process of its own, on a copy of an example registry."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from registry import Registry
from registry.cli import main
from trainer.training import train

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ran:
    """How a call of the command line ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document that it printed."""
        return json.loads(self.out)


Cli = Callable[..., Ran]


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with iris 1.0.0 (stable) and 1.1.0, and linear3 1.0 (stable). Not to be changed."""
    folder = tmp_path_factory.mktemp("example") / "registry"
    registry = Registry(folder.as_uri(), by="ann@example")
    for recipe, alias in (("iris-logistic", "stable"), ("iris-forest", None), ("linear3", "stable")):
        train(recipe).publish(registry, alias=alias)
    return folder


@pytest.fixture
def folder(example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the example registry, which MODEL_REGISTRY names."""
    copy = tmp_path / "registry"
    shutil.copytree(example, copy)
    monkeypatch.setenv("MODEL_REGISTRY", copy.as_uri())
    return copy


@pytest.fixture
def registry(folder: Path) -> Registry:
    return Registry(folder.as_uri(), by="bob@example")


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Call the command line in this process."""

    def call(*arguments: object) -> Ran:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Ran(code=code, out=out, err=err)

    return call


def run(*arguments: str, **environ: str) -> Ran:
    """Call the command line as a process of its own."""
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-m", "registry.cli", *arguments],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return Ran(code=ended.returncode, out=ended.stdout, err=ended.stderr)


def run_on_terminal(*arguments: str, typed: bytes = b"", **environ: str) -> Ran:
    """Call the command line as a process whose standard input and standard error are a terminal."""
    controller, terminal = pty.openpty()
    os.write(controller, typed)
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "registry.cli", *arguments],
            cwd=ROOT,
            env={**os.environ, **environ},
            stdin=terminal,
            stdout=out,
            stderr=terminal,
        )
        os.close(terminal)
        shown = b""
        with suppress(OSError):  # how a terminal says that nobody writes to it any more
            while piece := os.read(controller, 4096):
                shown += piece
        os.close(controller)
        code = process.wait(timeout=30)
        out.seek(0)
        return Ran(code=code, out=out.read().decode(), err=shown.decode())
