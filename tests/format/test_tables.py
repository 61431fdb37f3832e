"""Tables that compiled code reads without looking: every one that lies is refused before the first prediction."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.format.tampered import TAMPERED
from tests.format.tampered.parts import ROWS, artifact, ending
from tests.format.tampered.trees import forest, hist

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")


def test_tables_that_lie_are_refused_before_the_first_prediction(tmp_path: Path) -> None:
    """Trees, boosting, support vectors, neighbours: an IntegrityError that says what is wrong, and no crash."""
    for number, (build, _) in enumerate(TAMPERED.values()):
        (tmp_path / f"{number:03}.skops").write_bytes(artifact(build()))
    command = [sys.executable, "-W", "error", "-m", "tests.format.tampered", str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    endings = dict(zip(TAMPERED, (json.loads(line)[1] for line in ran.stdout.splitlines()), strict=False))
    assert (ran.returncode, ran.stderr) == (0, ""), f"it ended after {list(endings)[-1:]}"
    assert list(endings) == list(TAMPERED)
    assert {name: found for name, found in endings.items() if not found.startswith(refusal(name))} == {}


def refusal(name: str) -> str:
    """Return how the error of a tampered artifact begins."""
    _, message = TAMPERED[name]
    kind = "UntrustedTypeError" if "would call an object" in message else "IntegrityError"
    return f"{kind}: {message}"


def test_honest_tables_are_not_refused() -> None:
    """The estimators that were tampered with load and predict as they are."""
    for estimator in (forest(), hist(), hist(categorical_features=[3])):
        assert ending(artifact(estimator)) == f"predicted {estimator.predict(ROWS)[:3].tolist()}"
