"""Every gcloud command of the documentation is one that gcloud knows, with flags and values that it takes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.deploy.documented import Call, calls


def complaints(gcloud: str, found: list[Call], folder: Path) -> dict[str, str]:
    """Return what gcloud's own parser finds wrong, by command."""
    lines = sorted({call.line for call in found})
    asked = folder / "commands.json"
    asked.write_text(json.dumps([{"command_string": line} for line in lines]))
    command = [gcloud, "meta", "lint-gcloud-commands", f"--commands-file={asked}"]
    environ = {**os.environ, "CLOUDSDK_CONFIG": str(folder / "config")}
    stdin = "".join(call.stdin for call in found)  # the parser reads the file that it is given, also when that is -
    done = subprocess.run(command, env=environ, input=stdin, capture_output=True, text=True, check=False, timeout=50)
    if "Invalid choice" in done.stderr:
        pytest.skip("this gcloud does not check commands")
    verdicts = json.loads(done.stdout)
    assert len(verdicts) == len(lines)
    return {each["command_string"]: each["error_message"] for each in verdicts if not each["success"]}


def test_gcloud_takes_every_command_of_the_deployment_page(
    gcloud: str, deploy_calls: list[Call], tmp_path: Path
) -> None:
    """As the shell expands it, each command parses with the parser of the installed Cloud SDK."""
    found = [call for call in deploy_calls if call.words[0] == "gcloud"]
    assert complaints(gcloud, found, tmp_path) == {}


def test_gcloud_takes_every_command_of_the_readme(gcloud: str, tmp_path: Path) -> None:
    """So it does with those that a newcomer sees first."""
    found = [call for call in calls("README.md", tmp_path) if call.words[0] == "gcloud"]
    assert len(found) >= 4
    assert complaints(gcloud, found, tmp_path) == {}


def test_a_wrong_flag_is_noticed(gcloud: str, tmp_path: Path) -> None:
    """The test above can fail."""
    call = Call(words=("gcloud", "run", "deploy", "iris", "--image=image", "--cpu-bost"), stdin="")
    assert "--cpu-bost" in complaints(gcloud, [call], tmp_path)[call.line]
