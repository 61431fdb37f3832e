"""Verbs that move artifacts: publish, pull."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from registry.cli.checking import TrustedTypes, trusted_types
from registry.cli.inputs import read_inputs
from registry.cli.printing import shown_size
from registry.cli.verb import Answer, Call, Model, verb
from registry.errors import InputError
from registry.names import parse_pin


@verb("publish")
def publish(
    call: Call,
    *,
    model: Model,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .skops file.")],
    inputs: Annotated[
        Path, typer.Option(metavar="FILE", help="The training inputs: a .csv file with a header, or a .npy file.")
    ],
    version: Annotated[
        str | None, typer.Option("--version", metavar="V", help="The label; else the next minor version.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A column to take of the inputs; repeat it in the model's order. Else all."),
    ] = None,
    class_name: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="The label of a class; repeat it in the order of the classes."),
    ] = None,
    metric: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A held-out metric; can be repeated.")
    ] = None,
    card: Annotated[Path | None, typer.Option(metavar="FILE", help="The model card, Markdown.")] = None,
    promote: Annotated[str | None, typer.Option(metavar="ALIAS", help="Put this alias on the version as well.")] = None,
    trusted_type: TrustedTypes = None,
) -> Answer:
    """Publish a model that skops wrote to a file.

    The file is audited before anything in it is constructed. The inputs give the names of the columns, the ranges that
    training saw, and rows to prove that the published artifact predicts what the model predicts.
    """
    # 1. Read what the call names, so that a mistake costs nothing.
    data = _read(file)
    about: dict[str, Any] = {"metrics": dict(_metric(text) for text in metric or [])}
    if card:
        about["card"] = _read(card).decode(errors="replace")
    table = read_inputs(inputs, column)
    registry, trusted = call.registry, trusted_types(trusted_type)
    # 2. Audit and construct.
    from registry.formats.skops import load

    estimator = load(data, trusted=trusted, n_columns=len(table.columns)).estimator
    table.check_fit(estimator)
    # 3. Publish.
    with call.progress(f"publishing {model}", lambda: None) as progress:
        published = registry.publish(
            model,
            estimator,
            inputs=table.rows,
            version=version,
            columns=table.columns,
            class_names=class_name,
            promote=promote,
            trusted=trusted,
            progress=progress,
            **about,
        )
    how = "published" if published.created else "was published before"
    what = f"{model} {published.version} {how} (revision {published.revision})"
    return Answer(
        document={
            "model": model,
            "version": published.version,
            "sha256": published.sha256,
            "size": published.size,
            "url": published.url,
            "revision": published.revision,
            "created": published.created,
        },
        parts=[what, f"{published.url}, {shown_size(published.size)}, sha256 {published.sha256}"],
    )


@verb("pull")
def pull(
    call: Call,
    model: Model,
    pin: Annotated[str, typer.Argument(metavar="PIN", help="A version, an alias, latest, or VERSION@sha256:DIGEST.")],
    folder: Annotated[str, typer.Argument(metavar="DIR", help="A folder, or the URL of another registry.")],
) -> Answer:
    """Copy a version into a folder: a registry of its own.

    Every byte is checked on the way. A server starts from it with MODEL_REGISTRY=file:///…
    What was pulled before stays.
    """
    target = folder if "://" in folder else Path(folder).absolute().as_uri()

    def total() -> int:
        manifest = call.registry.manifest(model)
        version = manifest.versions[manifest.resolve(parse_pin(pin)).version]
        return version.record.size + sum(ref.size for ref in version.artifacts.values())

    with call.progress(f"pulling {model}", total) as progress:
        pulled = call.registry.pull(model, pin, target, progress=progress)
    return Answer(
        document={"model": model, "version": pulled.version, "registry": pulled.url, "size": pulled.size},
        parts=[f"{model} {pulled.version} pulled, {shown_size(pulled.size)}: MODEL_REGISTRY={pulled.url}"],
    )


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as exc:
        raise InputError(f"cannot read {file}: {exc.strerror}") from exc


def _metric(text: str) -> tuple[str, float]:
    name, separator, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        separator = ""
        number = 0.0
    if not (name and separator):
        raise InputError(f"--metric: expected NAME=VALUE with a number, such as accuracy=0.97, not {text!r}")
    return name.strip(), number
