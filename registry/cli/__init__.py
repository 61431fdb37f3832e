"""The command line: ``model-bucket VERB … [--registry URL] [--json]``.

The only part of the library that prints or exits. A verb takes a `registry.cli.verb.Call` and returns an
`registry.cli.verb.Answer`; `main` prints it and ends with the exit code that `registry.cli.ending` lists. Everything
that a verb does is done by `registry.registry.Registry`, so a script can do the same.

With ``--json``, exactly one JSON document goes to the standard output, also when the command fails; without it, errors
go to the standard error. Progress goes to the standard error, and only when that is a terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from registry.cli.ending import INTERRUPTED, WRONG_CALL, run_to_end


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command, and return its exit code.

    Args:
        argv: What stands behind the name of the program; that of the process when None.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    try:
        from registry.cli import app
    except ModuleNotFoundError as exc:
        if exc.name not in ("typer", "rich"):
            raise
        sys.stderr.write(f"error: {exc.name} is not installed: install model-bucket with the extra 'cli'\n")
        return WRONG_CALL
    except KeyboardInterrupt:
        return INTERRUPTED
    as_json = "--json" in arguments
    return run_to_end(lambda: app.run(arguments, as_json), report=lambda error: app.report(error, as_json))
