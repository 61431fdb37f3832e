"""Verbs that look and change nothing: list, show, history, diff."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.cli.printing import Part, Prose, Table, counted, shown_size
from registry.cli.verb import Answer, Call, Model, verb
from registry.errors import InputError, ManifestError, UnknownModelError
from registry.manifest import Manifest, Version
from registry.names import Pin, parse_pin, version_key

if TYPE_CHECKING:
    from registry.history import Entry
    from registry.record import Record

_MOST_VERSIONS = 20


@verb("list")
def list_models(call: Call) -> Answer:
    """List the models, and what is served of each by default.

    A manifest that cannot be understood is named, the other models are listed all the same, and the exit code is 1.
    """
    models: list[dict[str, Any]] = []
    rows: list[list[str]] = []
    problems: list[str] = []
    for model in call.registry.models():
        try:
            manifest = call.registry.manifest(model)
        except UnknownModelError:
            continue  # objects of a publication that did not reach its end, and no manifest
        except ManifestError as error:
            problems.append(str(error))
            models.append({"model": model, "problem": str(error)})
            continue
        models.append(_overview(manifest))
        aliases = ", ".join(f"{alias} = {version}" for alias, version in manifest.aliases.items())
        rows.append([model, _serves(manifest), str(len(manifest.versions)), aliases, manifest.updated_at])
    parts: list[Part] = [Table(header=("MODEL", "SERVES", "VERSIONS", "ALIASES", "UPDATED"), rows=rows)]
    if not models:
        parts = [f"no models in {call.registry.store.url}"]
    return Answer(
        document={"registry": call.registry.store.url, "models": models},
        parts=[*parts, *(f"problem: {problem}" for problem in problems)],
        code=1 if problems else 0,
    )


@verb("show")
def show(
    call: Call,
    model: Model,
    version: Annotated[
        str | None, typer.Option("--version", metavar="PIN", help="Show this version instead of the model.")
    ] = None,
) -> Answer:
    """Show a model: its aliases and its versions.

    With --version it shows what is known about one version: what it takes, its metrics, how it came about, its card.
    """
    manifest = call.registry.manifest(model)
    if version is None:
        return _show_model(call, manifest)
    return _show_version(call, manifest, parse_pin(version))


@verb("history")
def history(
    call: Call,
    model: Model,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="How many entries; 0 means all.")] = 20,
) -> Answer:
    """Show what was in force, newest first: since when, and by whom."""
    entries = list(islice(call.registry.history(model), limit or None))
    rows = [[_revision(entry), entry.manifest.updated_at, *_change(entry.manifest)] for entry in entries]
    return Answer(
        document={"model": model, "history": [_entry(entry) for entry in entries]},
        parts=[Table(header=("REVISION", "SINCE", "BY", "CHANGE"), rows=rows)],
    )


@verb("diff")
def diff(
    call: Call,
    model: Model,
    a: Annotated[str, typer.Argument(metavar="A", help="A pin: a version, an alias or latest.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another pin.")],
) -> Answer:
    """Show what differs between two versions.

    Compares signatures, metrics, parameters, environments and artifacts.
    """
    found = call.registry.diff(model, a, b)
    return Answer(
        document={"model": model, "a": found.a, "b": found.b, "differences": found.lines},
        parts=[f"{model} {found.a} -> {found.b}: {counted(len(found.lines), 'difference')}", *found.lines],
    )


def _overview(manifest: Manifest) -> dict[str, Any]:
    return {
        "model": manifest.model,
        "revision": manifest.revision,
        "updated_at": manifest.updated_at,
        "default": manifest.default,
        "serves": _served(manifest),
        "aliases": dict(manifest.aliases),
        "versions": len(manifest.versions),
    }


def _served(manifest: Manifest) -> str | None:
    try:
        return manifest.resolve(Pin()).version
    except InputError:
        return None


def _serves(manifest: Manifest) -> str:
    served = _served(manifest)
    return f"{manifest.default} -> {served or 'nothing'}" if served != manifest.default else served


def _show_model(call: Call, manifest: Manifest) -> Answer:
    labels = sorted(manifest.versions, key=version_key)
    rows = [_version_row(manifest, label) for label in reversed(labels[-_MOST_VERSIONS:])]
    by, change = _change(manifest)
    parts: list[Part] = [
        f"{manifest.model} in {call.registry.store.url}",
        f"revision {manifest.revision}, {manifest.updated_at}, by {by}: {change}",
        f"default: {_serves(manifest)}",
        Table(header=("VERSION", "STATE", "ALIASES", "CREATED", "SIZE", "ARTIFACTS", "SHA256"), rows=rows),
    ]
    if len(labels) > _MOST_VERSIONS:
        parts.append(f"and {len(labels) - _MOST_VERSIONS} earlier versions (--json lists them)")
    document = {
        "registry": call.registry.store.url,
        "serves": _served(manifest),
        "manifest": json.loads(manifest.to_bytes()),
    }
    return Answer(document=document, parts=parts)


def _version_row(manifest: Manifest, label: str) -> list[str]:
    version = manifest.versions[label]
    canonical = version.artifacts[version.canonical]
    aliases = ", ".join(alias for alias, target in manifest.aliases.items() if target == label)
    formats = ", ".join(version.artifacts)
    size = shown_size(canonical.size)
    return [label, version.state, aliases, version.created_at, size, formats, canonical.sha256[:16]]


def _show_version(call: Call, manifest: Manifest, pin: Pin) -> Answer:
    from registry.fetch import fetch_record

    resolved = manifest.resolve(pin, withdrawn=True)
    version = manifest.versions[resolved.version]
    record = fetch_record(call.registry.store, manifest, resolved.version)
    document = {
        "registry": call.registry.store.url,
        "model": manifest.model,
        "version": resolved.version,
        "resolved": list(resolved.steps),
        "revision": manifest.revision,
        **version.to_dict(),
        "record": record.model_dump(mode="json"),
    }
    return Answer(document=document, parts=_version_parts(record, version, resolved.steps))


def _version_parts(record: Record, version: Version, steps: tuple[str, ...]) -> list[Part]:
    run = record.run
    facts = {
        "resolved": " -> ".join(steps),
        "state": version.state,
        "task": record.signature.task,
        "estimator": record.estimator,
        "classes": ", ".join(record.signature.class_names),
        "metrics": ", ".join(f"{name} {value:g}" for name, value in record.metrics.items()),
        "data": f"{record.data.name}, {record.data.n_rows} rows, sha256 {record.data.sha256}" if record.data else "",
        "seed": "" if record.seed is None else str(record.seed),
        "created": run.created_at,
        "code": run.code_revision or "",
        "training": "" if run.training_s is None else f"{run.training_s:g} s",
        "environment": ", ".join([f"python {run.python}", *(f"{name} {at}" for name, at in run.libraries.items())]),
        **{form: f"{shown_size(ref.size)}, sha256 {ref.sha256}" for form, ref in version.artifacts.items()},
    }
    columns = [
        [column.name, column.dtype, column.limits(), _range(column.observed_minimum, column.observed_maximum)]
        for column in record.signature.columns
    ]
    parts: list[Part] = [
        f"{record.model} {record.version}",
        Table(header=("FACT", "VALUE"), rows=[[name, value] for name, value in facts.items() if value]),
        "",
        Table(header=("COLUMN", "TYPE", "LIMITS", "SEEN IN TRAINING"), rows=columns),
    ]
    return [*parts, "", Prose(markdown=_without_head(record.card))] if record.card else parts


def _without_head(card: str) -> str:
    """Return a model card without the metadata that model hubs read."""
    head, fence, text = card.removeprefix("---\n").partition("\n---\n")
    return text.lstrip("\n") if fence and card.startswith("---\n") and "\n\n" not in head else card


def _range(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:g} to {high:g}"


def _revision(entry: Entry) -> str:
    notes = [*(["in force"] if entry.in_force else []), *([] if entry.counted else ["edited in the bucket"])]
    return f"{entry.revision} ({', '.join(notes)})" if notes else str(entry.revision)


def _change(manifest: Manifest) -> tuple[str, str]:
    return str(manifest.change.get("by", "unknown")), str(manifest.change.get("text", ""))


def _entry(entry: Entry) -> dict[str, Any]:
    by, change = _change(entry.manifest)
    return {
        **{key: value for key, value in _overview(entry.manifest).items() if key not in ("model", "revision")},
        "revision": entry.revision,
        "in_force": entry.in_force,
        "counted": entry.counted,
        "by": by,
        "change": change,
    }
