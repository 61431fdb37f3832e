"""From arguments to a verb, and from its answer to what is printed."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from registry import __version__
from registry.cli.ending import CLOSED_PIPE, WRONG_CALL
from registry.cli.printing import plain, print_parts
from registry.cli.verb import Answer, AsJson, RegistryUrl, Shared, app
from registry.errors import RegistryError

PROGRAM = "model-bucket"

_EPILOG = (
    "Exit codes: 0 done, 1 the registry or its content is at fault, 2 the call is wrong, 3 conflict: somebody else was "
    "first, 4 the store cannot be reached."
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


@app.callback(epilog=_EPILOG)
def _model_bucket(
    ctx: typer.Context,
    registry: RegistryUrl = None,
    as_json: AsJson = False,
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """A model registry that is only a bucket.

    --registry and --json can stand before or behind the verb.
    """
    ctx.obj = Shared(url=registry, as_json=as_json)


def run(arguments: list[str], as_json: bool) -> int:
    """Run the verb that the arguments name, print its answer, and return its exit code.

    Raises:
        RegistryError: What the verb raised.
    """
    # Each registers its verbs; the order is that of the help.
    from registry.cli import look, deciding, editing, checking, publishing  # noqa: F401, I001 - in this order

    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a card may hold what the terminal's encoding does not
    try:
        answer = app(arguments, prog_name=PROGRAM, standalone_mode=False)
    except typer.Abort:
        return WRONG_CALL
    except SystemExit:  # typer ends the process itself only when nobody reads its help any more
        return CLOSED_PIPE
    except typer.TyperException as error:
        return _report_usage(error, as_json)
    if not isinstance(answer, Answer):
        return int(answer or 0)
    if as_json:
        _print_json(answer.document)
    else:
        print_parts(answer.parts)
    return answer.code


def report(error: RegistryError, as_json: bool) -> None:
    """Tell of an error: one line on the standard error, or a JSON document on the standard output."""
    notes = getattr(error, "__notes__", [])
    if as_json:
        _print_json({"error": error.code, "message": "; ".join([error.message, *notes]), "details": error.details})
    else:
        typer.echo(f"error: {plain('; '.join([str(error), *notes]))}", err=True)


def _report_usage(error: typer.TyperException, as_json: bool) -> int:
    message = error.format_message()
    if as_json:
        _print_json({"error": "usage", "message": message, "details": {}})
    else:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else PROGRAM
        typer.echo(f"error: {plain(message)}\nTry '{command} --help'.", err=True)
    return WRONG_CALL


def _print_json(document: Any) -> None:
    typer.echo(json.dumps(document, indent=2, default=str))
