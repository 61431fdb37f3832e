"""How a command ends: its exit code, and never with a traceback that is not about a bug.

| code | when |
|---|---|
| 0 | done |
| 1 | the registry or its content is at fault (`ContentError`) |
| 2 | the call is wrong (`InputError`, usage, a decisions file with a mistake) |
| 3 | somebody else was first (`ConflictError`) |
| 4 | the store cannot be reached (`StoreError`), or the output cannot be written |
| 130 | interrupted |
| 141 | whoever read the output closed it |

Imports nothing heavy: other commands of the project end the same way.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from registry.errors import RegistryError, exit_code

DONE = 0
CONTENT_AT_FAULT = 1
WRONG_CALL = 2
CANNOT_WRITE = 4
INTERRUPTED = 130
CLOSED_PIPE = 141


def run_to_end(run: Callable[[], int], *, report: Callable[[RegistryError], None]) -> int:
    """Run a command, and return its exit code however it ends.

    Args:
        run: The command; what it returns is its exit code.
        report: Tells a person, or a machine, of an error.
    """
    try:
        try:
            code = run()
        except RegistryError as error:
            report(error)
            code = exit_code(error)
        if sys.stdout is not None:  # it is None where the caller closed it
            sys.stdout.flush()
    except BrokenPipeError:
        drop_output()
        return CLOSED_PIPE
    except OSError as exc:  # the verbs raise our own errors: what is left is the printing
        drop_output()
        sys.stderr.write(f"error: cannot write the output: {exc.strerror}\n")
        return CANNOT_WRITE
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def drop_output() -> None:
    """Send the rest of the output nowhere, so that what is still buffered cannot fail again when the process ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
