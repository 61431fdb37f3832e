"""Verbs that look after what lies in the bucket: verify, gc."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.cli.ending import CONTENT_AT_FAULT, DONE
from registry.cli.printing import Part, Table, counted, shown_size
from registry.cli.verb import Answer, Call, verb
from registry.errors import InputError, ManifestError, UnknownModelError

if TYPE_CHECKING:
    from registry.stores import Entry
    from registry.verify import Finding

SomeModel = Annotated[str | None, typer.Argument(metavar="MODEL", help="One model; all of them when none is named.")]
TrustedTypes = Annotated[
    list[str] | None,
    typer.Option(
        "--trusted-type",
        metavar="NAME",
        help="A type to allow beside our own list, as in MODEL_TRUSTED_TYPES; can be repeated.",
    ),
]

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(s|m|h|d)")
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@verb("verify")
def verify(call: Call, model: SomeModel = None, trusted_type: TrustedTypes = None) -> Answer:
    """Check every byte that manifests reach.

    Audits what artifacts would construct, too, and constructs nothing. The exit code is 1 when anything is wrong.
    """
    models = [model] if model else call.registry.models()
    trusted = trusted_types(trusted_type)
    findings: dict[str, list[Finding]] = {}
    with call.progress("verifying", lambda: _size(call, models)) as progress:
        for name in models:
            try:
                findings[name] = list(call.registry.verify(name, trusted=trusted, progress=progress))
            except UnknownModelError:
                if model:
                    raise
    problems = [finding for found in findings.values() for finding in found if finding.problem]
    parts: list[Part] = [line for name, found in findings.items() for line in _lines(name, found)]
    return Answer(
        document={
            "sound": not problems,
            "findings": [
                {"place": finding.place, "problem": finding.problem or None, "size": finding.size}
                for found in findings.values()
                for finding in found
            ],
        },
        parts=parts or [f"no models in {call.registry.store.url}"],
        code=CONTENT_AT_FAULT if problems else DONE,
    )


@verb("gc")
def gc(
    call: Call,
    model: SomeModel = None,
    delete: Annotated[bool, typer.Option("--delete", help="Delete them; without it they are only shown.")] = False,
    min_age: Annotated[
        str, typer.Option(metavar="AGE", help="Leave younger objects alone, as in 90m, 36h, 7d.")
    ] = "1d",
) -> Answer:
    """Show or delete the objects that nothing reaches.

    That is, no manifest, now or in the history. A publication that is still under way has
    such objects as well: that is what the age is for.
    """
    min_age_s = _seconds(min_age)
    entries: list[Entry] = []
    problems: list[str] = []
    for name in [model] if model else call.registry.models():
        try:
            entries += call.registry.gc(name, delete=delete, min_age_s=min_age_s)
        except (UnknownModelError, ManifestError) as error:
            if model:
                raise
            problems += [str(error)] if isinstance(error, ManifestError) else []
    objects: list[dict[str, Any]] = [
        {
            "path": entry.path,
            "size": entry.size,
            "updated_at": datetime.fromtimestamp(entry.updated_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        for entry in entries
    ]
    size = sum(entry.size for entry in entries)
    rows = [[item["path"], shown_size(item["size"]), item["updated_at"]] for item in objects]
    what = f"{counted(len(objects), 'object')}, {shown_size(size)}"
    parts: list[Part] = [Table(header=("OBJECT", "SIZE", "WRITTEN"), rows=rows)] if rows else []
    deleted = "deleted" if delete else "that nothing reaches: --delete deletes them"
    parts.append(f"{what} {deleted}" if rows else "nothing to collect")
    parts += [f"left alone: {problem}" for problem in problems]
    document = {"deleted": delete, "objects": objects, "size": size, "problems": problems}
    return Answer(document=document, parts=parts, code=CONTENT_AT_FAULT if problems else DONE)


def trusted_types(given: list[str] | None) -> frozenset[str]:
    """Return the types that the caller allows: by option, and by the variable that servers read."""
    listed = os.environ.get("MODEL_TRUSTED_TYPES", "").split(",")
    return frozenset(name.strip() for name in [*listed, *(given or [])] if name.strip())


def _size(call: Call, models: list[str]) -> int:
    return sum(
        ref.size
        for model in models
        for manifest in _manifests(call, model)
        for version in manifest.versions.values()
        for ref in version.artifacts.values()
    )


def _manifests(call: Call, model: str) -> Iterator[Any]:
    try:
        yield call.registry.manifest(model)
    except (UnknownModelError, ManifestError):
        return


def _lines(model: str, findings: list[Finding]) -> Iterator[str]:
    problems = [finding for finding in findings if finding.problem]
    looked_at = f"{counted(len(findings), 'object')}, {shown_size(sum(finding.size for finding in findings))}"
    yield f"{model}: {looked_at}, {counted(len(problems), 'problem') if problems else 'sound'}"
    for finding in problems:
        yield f"  {finding.place}: {finding.problem}"


def _seconds(age: str) -> float:
    match = _DURATION.fullmatch(age.strip())
    if match is None:
        raise InputError(f"--min-age: expected a number with s, m, h or d behind it, such as 36h, not {age!r}")
    return float(match[1]) * _UNITS_S[match[2]]
