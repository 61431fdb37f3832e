"""Writers in processes of their own, which can be killed.

``python -m tests.format.writers`` imports everything once and then reads jobs, one JSON line each. For every writer of
a job it forks a process; they all begin at the same moment. It answers with one JSON line: how each ended.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from registry.errors import RegistryError
from registry.stores import Store, open_store
from registry.stores.memory import MemoryStore
from tests.format.scenarios import MODEL, SCENARIOS, publish
from tests.format.stores import Dying, kill_myself

Job = dict[str, Any]
"""``task``, ``url`` and, for one that is to be killed, ``at`` and ``when``, or ``after_s``; ``number`` for a crowd."""

LIMIT_S = 60


def publish_and_promote(store: Store, number: int) -> str:
    """Publish a version of one's own, put ``stable`` on it, then an alias of one's own."""
    from registry import Registry

    registry = Registry(store, by=f"writer {number}")
    version = f"1.{number}.0"
    publish(store, version, float(number))
    registry.promote(MODEL, version)
    registry.promote(MODEL, version, alias=f"own-{number}")
    return version


def publish_the_same(store: Store, number: int) -> str:
    """Publish what everybody publishes, under one label; say whether this writer did it."""
    return str(publish(store, "1.0.0", 1.0).created)


def publish_unlabelled(store: Store, number: int) -> str:
    """Publish a model of one's own under whatever label is free."""
    published = publish(store, None, float(number))
    assert published.created
    return str(published.version)


CROWD: dict[str, Callable[[Store, int], str]] = {
    task.__name__: task for task in (publish_and_promote, publish_the_same, publish_unlabelled)
}


def write(job: Job) -> str:
    """Do one writer's work, in its own process."""
    store = open_store(job["url"])
    if job["task"] in CROWD:
        return CROWD[job["task"]](store, job["number"])
    if "at" in job:
        store = Dying(store, at=job["at"], when=job["when"], die=kill_myself)
    SCENARIOS[job["task"]].act(store)
    return "done"


class Writers:
    """The forking process, seen from a test."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "tests.format.writers"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )

    def run(self, jobs: list[Job]) -> list[str]:
        """Run a writer for every job, all at once, and return how each ended: its answer, or ``killed``."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        endpoint = os.environ.get("STORAGE_EMULATOR_HOST", "")
        self._process.stdin.write(json.dumps({"endpoint": endpoint, "jobs": jobs}) + "\n")
        self._process.stdin.flush()
        ended: list[str] = json.loads(self._process.stdout.readline())
        return ended

    def close(self) -> None:
        """End the forking process."""
        self._process.communicate(timeout=10)


def _fork(job: Job, gate: int) -> tuple[int, int]:
    """Start a writer that waits at the gate, and return its process and where its answer comes from."""
    answer, end = os.pipe()
    process = os.fork()
    if process:
        os.close(end)
        return process, answer
    signal.alarm(LIMIT_S)
    os.read(gate, 1)
    try:
        text = write(job)
    except RegistryError as error:
        text = f"{type(error).__name__}: {error}"
    except BaseException:  # noqa: BLE001 - told to the test, which shows it
        text = traceback.format_exc()
    os.write(end, text.encode()[:60_000])
    os._exit(0)


def _run(jobs: list[Job]) -> list[str]:
    gate, opener = os.pipe()
    running = [_fork(job, gate) for job in jobs]
    os.write(opener, b"x" * len(jobs))
    ended = []
    for job, (process, answer) in zip(jobs, running, strict=True):
        if "after_s" in job:
            time.sleep(job["after_s"])
            os.kill(process, signal.SIGKILL)
        with os.fdopen(answer) as reader:
            text = reader.read()
        _, status = os.waitpid(process, 0)
        ended.append("killed" if os.waitstatus_to_exitcode(status) == -signal.SIGKILL else text)
    os.close(gate)
    os.close(opener)
    return ended


def main() -> None:
    """Serve jobs until the standard input ends."""
    import registry.stores._google  # noqa: F401 - what every writer needs is imported once

    publish(MemoryStore(), "1.0.0", 1.0)
    for line in sys.stdin:
        asked = json.loads(line)
        os.environ["STORAGE_EMULATOR_HOST"] = asked["endpoint"]
        print(json.dumps(_run(asked["jobs"])), flush=True)


if __name__ == "__main__":
    main()
