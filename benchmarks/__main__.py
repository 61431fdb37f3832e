"""``make bench``: each model behind the reference and behind both hosts, interleaved, as ratios.

The server runs on one core and the load on the other. Every figure is the median of the rounds; the machine drifts, so
read the ratios. Nothing here is asserted.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.load import drive
from benchmarks.models import Measured, prepare
from benchmarks.server import Candidate, request_bytes, running

ROOT = Path(__file__).parent.parent
FIGURES = (
    ("cold start", "s", "lower"),
    ("memory", "MiB", "lower"),
    ("p50, 1 connection", "µs", "lower"),
    ("32 connections", "requests/s", "higher"),
    ("1,000 rows", "requests/s", "higher"),
)


def candidates(measured: Measured) -> list[Candidate]:
    """Return the reference, and ours in both hosts."""
    python = sys.executable
    ours = {"MODEL_REGISTRY": measured.registry, "MODEL_NAME": measured.model, "MODEL_VERSION": measured.version}
    asked = {"body": measured.row, "expected": measured.expected}
    uvicorn = (python, "-m", "uvicorn", "--port", "{port}", "--no-access-log", "benchmarks.reference:app")
    function = (python, "-m", "functions_framework", "--source", "function/main.py", "--target", "predict")
    return [
        Candidate(name="reference", command=uvicorn, environ={"REFERENCE_MODEL": str(measured.pickle)}, **asked),
        Candidate(name="service", command=(python, "-m", "serving"), environ={**ours, "PORT": "{port}"}, **asked),
        Candidate(name="function", command=function, environ={**ours, "PORT": "{port}"}, **asked),
    ]


def measure(candidate: Candidate, measured: Measured, *, seconds: float) -> list[float]:
    """Return one round's figures of a candidate, in the order of `FIGURES`."""
    cores = sorted(os.sched_getaffinity(0))
    with running(candidate, core=cores[0]) as server:
        os.sched_setaffinity(0, {cores[-1]})
        one = request_bytes(measured.row)
        alone = drive(server.port, one, connections=1, seconds=seconds)
        loaded = drive(server.port, one, connections=32, seconds=seconds)
        many = drive(server.port, request_bytes(measured.rows(1000)), connections=1, seconds=seconds)
        os.sched_setaffinity(0, cores)
        return [server.cold_start_s, server.memory_mib, alone.p50_us, loaded.requests_per_s, many.requests_per_s]


def table(measured: Measured, results: dict[str, list[list[float]]]) -> str:
    """Return the figures of a model as a Markdown table, with ratios to the reference."""
    medians = {
        name: [statistics.median(column) for column in zip(*rounds, strict=True)] for name, rounds in results.items()
    }
    lines = [f"| {measured.label} | {' | '.join(medians)} |", "|---" * (len(medians) + 1) + "|"]
    for place, (figure, unit, better) in enumerate(FIGURES):
        reference = medians["reference"][place]
        cells = [_cell(values[place], reference, plain=name == "reference") for name, values in medians.items()]
        lines.append(f"| {figure}, {unit} ({better} is better) | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(value: float, reference: float, *, plain: bool) -> str:
    shown = f"{value:.2f}" if value < 10 else f"{value:,.0f}"
    return shown if plain else f"{shown} ({value / reference:.2f}x)"


def main() -> None:
    """Measure, and print a table a model."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds, each of every candidate (default 5)")
    parser.add_argument("--seconds", type=float, default=2.0, help="seconds a load lasts (default 2)")
    arguments = parser.parse_args()
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        for measured in prepare(Path(folder)):
            results: dict[str, list[list[float]]] = {}
            for _ in range(arguments.rounds):
                for candidate in candidates(measured):
                    figures = measure(candidate, measured, seconds=arguments.seconds)
                    results.setdefault(candidate.name, []).append(figures)
            print(table(measured, results), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
