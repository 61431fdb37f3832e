"""What a verb of the command line is: a function from a `Call` to an `Answer`.

Example:
    @verb("models")
    def models(call: Call) -> Answer:
        \"\"\"Count the models.\"\"\"
        count = len(call.registry.models())
        return Answer(document={"models": count}, parts=[f"{count} models"])
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.cli.ending import DONE
from registry.cli.printing import Part, is_terminal
from registry.errors import InputError
from registry.fetch import Progress

if TYPE_CHECKING:
    from registry.registry import Registry

RegistryUrl = Annotated[
    str | None,
    typer.Option(
        "--registry", metavar="URL", help="The registry: gs://…, file:///… or memory://NAME; else MODEL_REGISTRY."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
Model = Annotated[str, typer.Argument(metavar="MODEL", help="The model's name.")]

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """The options that stood before the verb."""

    url: str | None
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a verb came to.

    Attributes:
        document: For ``--json``: JSON values.
        parts: For a person.
        code: The exit code.
    """

    document: dict[str, Any]
    parts: Sequence[Part]
    code: int = DONE


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of a verb.

    Attributes:
        url: The registry that was asked for, if any.
        as_json: Whether a machine reads the answer.
    """

    url: str | None
    as_json: bool

    @cached_property
    def registry(self) -> Registry:
        """The registry to work on.

        Raises:
            InputError: None was named, or the URL cannot be one.
        """
        from registry.registry import Registry

        url = self.url or os.environ.get("MODEL_REGISTRY")
        if not url:
            raise InputError("which registry? Give --registry URL or set MODEL_REGISTRY")
        return Registry(url)

    @contextmanager
    def progress(self, what: str, total: Callable[[], int | None]) -> Iterator[Progress | None]:
        """Show how many bytes went by while the block runs, when there is a terminal to show it on.

        Args:
            what: What is going on.
            total: Returns how many bytes there will be, or None when nobody knows; asked only when it is shown.
        """
        if not is_terminal(sys.stderr):
            yield None
            return
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
        from rich.progress import Progress as Bars

        columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
            task = bars.add_task(what, total=total())
            yield lambda size: bars.advance(task, size)


def verb(name: str) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """Make a function a verb: its parameters behind the `Call` are those of the command, with the shared ones added."""

    def register(function: Callable[..., Answer]) -> Callable[..., Answer]:
        own = inspect.signature(function, eval_str=True)

        @wraps(function)
        def command(ctx: typer.Context, registry: str | None, as_json: bool, **values: Any) -> Answer:
            shared: Shared = ctx.obj
            return function(Call(url=registry or shared.url, as_json=as_json or shared.as_json), **values)

        _, *parameters = own.parameters.values()
        added = [_keyword("ctx", typer.Context), *(item.replace(kind=_KIND) for item in parameters), *_SHARED]
        command.__signature__ = own.replace(parameters=added)  # type: ignore[attr-defined]  # inspect.signature reads it
        app.command(name)(command)
        return function

    return register


_KIND = inspect.Parameter.KEYWORD_ONLY


def _keyword(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, _KIND, annotation=annotation, default=default)


_SHARED = (_keyword("registry", RegistryUrl, None), _keyword("as_json", AsJson, False))
