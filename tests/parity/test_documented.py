"""Both hosts do what ``/openapi.json`` says: schemathesis asks them, with right and with wrong requests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from registry.stores import Store
from tests.fixtures.processes import FUNCTION, HOSTS, Host, environment, running

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"


def findings(host: Host, folder: Path, *options: str, timeout_s: float) -> str:
    """Have schemathesis ask a host, and return what it found."""
    done = subprocess.run(
        [SCHEMATHESIS, "run", f"{host.url}/openapi.json", "--checks", "all", "--no-color", *options],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert "Coverage" in done.stdout, done.stdout
    return "" if done.returncode == 0 else done.stdout


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", ["serving_host", "function_host"])
def test_every_answer_is_a_documented_one(request: pytest.FixtureRequest, tmp_path: Path, name: str) -> None:
    """Statuses, types, headers and schemas are as documented; what fits is answered, what does not is refused."""
    host: Host = request.getfixturevalue(name)
    options = ["--max-examples", "10", "--generation-deterministic"]
    assert findings(host, tmp_path, *options, timeout_s=100) == ""


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("model", ["flowers", "kinds", "line"])
@pytest.mark.parametrize("command", HOSTS.values(), ids=HOSTS)
def test_every_answer_is_a_documented_one_for_every_kind_of_model(
    published: Store, tmp_path: Path, command: list[str], model: str
) -> None:
    """The same with many more requests, other ones every time."""
    examples = "75" if command == FUNCTION else "150"
    with running(command, environment(published.url, MODEL_NAME=model), tmp_path / "log") as host:
        assert findings(host, tmp_path, "--max-examples", examples, timeout_s=350) == ""
