"""A stand-in for gcloud that knows the commands and flags which the documentation uses, and does nothing.

The table was read off the completion tree of the Google Cloud SDK 528. An unknown command or flag, a missing value or a
wrong number of arguments is an error, as it would be with the real one; so is a function without its main file.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

VALUE, SWITCH = True, False

COMMANDS: dict[tuple[str, ...], tuple[int, dict[str, bool]]] = {
    ("artifacts", "repositories", "create"): (
        1,
        {"--repository-format": VALUE, "--location": VALUE, "--description": VALUE, "--project": VALUE},
    ),
    ("builds", "submit"): (0, {"--tag": VALUE, "--region": VALUE, "--config": VALUE, "--project": VALUE}),
    ("run", "deploy"): (
        1,
        {
            "--image": VALUE,
            "--region": VALUE,
            "--cpu-boost": SWITCH,
            "--set-env-vars": VALUE,
            "--service-account": VALUE,
            "--memory": VALUE,
            "--cpu": VALUE,
            "--concurrency": VALUE,
            "--min-instances": VALUE,
            "--max-instances": VALUE,
            "--no-allow-unauthenticated": SWITCH,
            "--project": VALUE,
        },
    ),
    ("functions", "deploy"): (
        1,
        {
            "--gen2": SWITCH,
            "--region": VALUE,
            "--runtime": VALUE,
            "--source": VALUE,
            "--entry-point": VALUE,
            "--trigger-http": SWITCH,
            "--no-allow-unauthenticated": SWITCH,
            "--set-env-vars": VALUE,
            "--service-account": VALUE,
            "--run-service-account": VALUE,
            "--memory": VALUE,
            "--cpu": VALUE,
            "--project": VALUE,
        },
    ),
}
"""Command to its number of arguments and its flags."""


def main(words: list[str]) -> None:
    """Check a command line; end with an error when it is wrong."""
    command = next((known for known in COMMANDS if tuple(words[: len(known)]) == known), None)
    if command is None:
        sys.exit(f"gcloud: unknown command: {' '.join(words)}")
    n_arguments, flags = COMMANDS[command]
    parser = argparse.ArgumentParser(prog=f"gcloud {' '.join(command)}", allow_abbrev=False)
    for place in range(n_arguments):
        parser.add_argument(f"argument {place + 1}")
    for flag, takes in flags.items():
        parser.add_argument(flag, action="store" if takes is VALUE else "store_true")
    source = getattr(parser.parse_args(words[len(command) :]), "source", None)
    if source is not None and not (Path(source) / "main.py").is_file():
        parser.error(f"{source} does not have file [main.py]")


if __name__ == "__main__":
    main(sys.argv[1:])
