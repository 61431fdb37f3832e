"""The git revision of this code, for the record of what it trained."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

_TIMEOUT_S = 5


def code_revision() -> str | None:
    """Return the git revision of this code, with ``-dirty`` when files differ from it; None when there is none."""
    # A copy inside somebody else's repository is not tracked there, and has no revision of ours.
    if _git("ls-files", "--error-unmatch", Path(__file__).name) is None:
        return None
    return _git("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*") or None


def _git(*arguments: str) -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    try:
        answer = subprocess.run(  # noqa: S603 - our own arguments
            [git, *arguments], cwd=Path(__file__).resolve().parent, capture_output=True, timeout=_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.decode(errors="replace").strip()
