"""The commands that the documentation shows, as a shell expands them.

The console blocks of a page are run by a shell in which gcloud, and whatever else would reach out, is replaced by a
program that writes down how it was called.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.docs_check import blocks

ROOT = Path(__file__).parents[2]

NAMES = {"PROJECT": "acme", "REGION": "europe-west1", "BUCKET": "acme-models"}
"""What a reader of the documentation sets first."""

_RECORDED = ("gcloud", "curl", "docker", "model-bucket")
_NOT_HERE = re.compile(r"make |curl |\.venv/")

_RECORDER = """\
import json, os, sys
call = {"words": [os.environ["RECORDED_NAME"], *sys.argv[1:]], "stdin": sys.stdin.read() if "-" in sys.argv else ""}
with open(os.environ["RECORDED_TO"], "a") as file:
    file.write(json.dumps(call) + chr(10))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """How a program was called.

    Attributes:
        words: The program's name and its arguments.
        stdin: What it was given to read, when it was told ``-``.
    """

    words: tuple[str, ...]
    stdin: str

    @property
    def line(self) -> str:
        """The call as one would type it."""
        return shlex.join(self.words)


def commands(page: str) -> list[str]:
    """Return the commands of a page's console blocks that reach no server of ours, in their order."""
    text = (ROOT / page).read_text(encoding="utf-8").replace("\\\n", "")
    lines = [line for block in blocks(text, "console") for line in block.splitlines()]
    return [line[2:] for line in lines if line.startswith("$ ") and not _NOT_HERE.match(line[2:])]


def calls(page: str, folder: Path) -> list[Call]:
    """Run a page's commands and return the calls of programs that were recorded.

    Args:
        page: Relative to the project.
        folder: An empty folder to work in; what the commands make goes there, too.
    """
    recorded = folder / "calls"
    recorded.touch()
    programs = folder / "bin"
    programs.mkdir()
    for name in _RECORDED:
        script = f'#!/bin/sh\nRECORDED_NAME={name} exec {sys.executable} -c {shlex.quote(_RECORDER)} "$@"\n'
        _write_program(programs / name, script)
    _write_program(programs / "python3", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    text = "\n".join(commands(page)).replace("function_source.py", f"function_source.py {folder / 'function'}")
    environ = {**NAMES, "HOME": str(folder), "PATH": f"{programs}:/usr/bin:/bin", "RECORDED_TO": str(recorded)}
    subprocess.run(["/bin/bash", "-eu", "-o", "pipefail", "-c", text], cwd=ROOT, env=environ, check=True, timeout=30)
    found = [json.loads(line) for line in recorded.read_text().splitlines()]
    return [Call(words=tuple(call["words"]), stdin=call["stdin"]) for call in found]


def _write_program(path: Path, script: str) -> None:
    path.write_text(script)
    path.chmod(0o755)
