"""The example registry, published twice by two processes that have nothing in common but the recipes."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Demo:
    """Two registries with the same content, and what making the first one printed. Not to be changed."""

    first: Path
    second: Path
    printed: str


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Publish the example registry in two processes: other hash seeds, other numbers of jobs, once for all workers."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    made = Demo(first=shared / "demo-1", second=shared / "demo-2", printed="")
    log = shared / "demo.log"
    with (shared / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not log.exists():
            first, second = (publish_demo(folder, n) for n, folder in enumerate((made.first, made.second), start=1))
            printed, errors = first.communicate(timeout=50)
            assert (first.returncode, errors) == (0, "")
            _, errors = second.communicate(timeout=50)
            assert (second.returncode, errors) == (0, "")
            log.write_text(printed)
        return Demo(first=made.first, second=made.second, printed=log.read_text())


def publish_demo(folder: Path, n: int) -> subprocess.Popen[str]:
    """Start the trainer with hash seed and number of jobs n."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "trainer", "--demo", folder.as_uri(), "--jobs", str(n)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": str(n)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def folder(demo: Demo, tmp_path: Path) -> Path:
    """A copy of the example registry."""
    copy = tmp_path / "registry"
    shutil.copytree(demo.first, copy)
    return copy
