"""What a person reads: lines, tables and prose; with rich on a terminal, plain text in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TextIO

import typer


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under a header."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prose:
    """Markdown, such as a model card."""

    markdown: str


Part = str | Table | Prose


def print_parts(parts: Iterable[Part]) -> None:
    """Print the parts of an answer, one below the other."""
    if is_terminal(sys.stdout):
        _print_rich(parts)
        return
    for part in parts:
        if isinstance(part, Table):
            _print_columns(part)
        elif isinstance(part, Prose):
            typer.echo(_plain_lines(part.markdown))
        else:
            typer.echo(plain(part))


def is_terminal(stream: TextIO | None) -> bool:
    """Tell whether a person sees the stream; it is None where the caller closed it."""
    return stream is not None and stream.isatty()


def plain(text: str) -> str:
    """Return text on one line, without anything that a terminal obeys: what lies in a bucket is not ours."""
    line = text.replace("\n", " ")
    return "".join(character if character.isprintable() else "\ufffd" for character in line)


def shown_size(size: int) -> str:
    """Return a number of bytes for a person.

    Example:
        >>> shown_size(1_234_567)
        '1.2 MB'
    """
    value, unit = float(size), "B"
    for bigger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, bigger
    return f"{size} B" if unit == "B" else f"{value:.1f} {unit}"


def counted(count: int, noun: str) -> str:
    """Return a count with its noun.

    Example:
        >>> counted(1, "object"), counted(2, "object")
        ('1 object', '2 objects')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _plain_lines(text: str) -> str:
    return "\n".join(plain(line) for line in text.splitlines())


def _print_columns(table: Table) -> None:
    lines = [[plain(cell) for cell in row] for row in (table.header, *table.rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(table.header))]
    for line in lines:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _print_rich(parts: Iterable[Part]) -> None:
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.table import Table as RichTable

    console = Console(markup=False, highlight=False, emoji=False)
    for part in parts:
        if isinstance(part, Table):
            table = RichTable(*part.header, box=None, pad_edge=False, header_style="bold")
            for row in part.rows:
                table.add_row(*(plain(cell) for cell in row))
            console.print(table)
        elif isinstance(part, Prose):
            console.print(Markdown(_plain_lines(part.markdown), hyperlinks=False))
        else:
            console.print(plain(part))
