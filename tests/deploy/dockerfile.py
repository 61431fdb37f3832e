"""The Dockerfile, read as far as its tests need it."""

from __future__ import annotations

import json
import re

from tests.deploy.documented import ROOT

ENVIRONMENT = "/opt/model-bucket"
"""Where the image has the libraries."""


def instructions() -> list[tuple[str, str]]:
    """Return the instructions in their order, each with its text on one line."""
    text = re.sub(r"(?m)^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines if line)]


def values(name: str) -> list[str]:
    """Return the texts of the instructions of one kind."""
    return [rest for each, rest in instructions() if each == name]


def health_check() -> list[str]:
    """Return the command of the health check."""
    (text,) = values("HEALTHCHECK")
    command: list[str] = json.loads(text.partition("CMD ")[2])
    return command


def trimming() -> str:
    """Return the shell command that removes what the libraries do not need."""
    (text,) = [each for each in values("RUN") if each.startswith("find ")]
    return text
