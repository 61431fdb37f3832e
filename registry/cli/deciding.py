"""Verbs that decide what is served: promote, rollback, withdraw, reinstate, apply. Each is one swap of a manifest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.cli.printing import Part
from registry.cli.verb import Answer, Call, Model, verb
from registry.errors import InputError, ManifestError, RegistryError

if TYPE_CHECKING:
    from registry.decisions import Decisions
    from registry.revise import Revised

Alias = Annotated[str, typer.Option("--alias", metavar="ALIAS", help="The alias to move.")]
Label = Annotated[str, typer.Argument(metavar="VERSION", help="The version's label.")]


@verb("promote")
def promote(
    call: Call,
    model: Model,
    version: Annotated[
        str, typer.Argument(metavar="VERSION", help="A version, another alias, latest, or VERSION@sha256:DIGEST.")
    ],
    alias: Alias = "stable",
) -> Answer:
    """Put an alias on a version: this is what servers follow.

    The alias is made when it is not there.
    """
    return revised_answer(call.registry.promote(model, version, alias=alias))


@verb("rollback")
def rollback(call: Call, model: Model, alias: Alias = "stable") -> Answer:
    """Put an alias back to the version that it was on before.

    A second call goes forward again.
    """
    return revised_answer(call.registry.rollback(model, alias=alias))


@verb("withdraw")
def withdraw(call: Call, model: Model, version: Label) -> Answer:
    """Take a version out of service; its bytes stay.

    No alias may lead to it: promote another version first.
    """
    return revised_answer(call.registry.withdraw(model, version))


@verb("reinstate")
def reinstate(call: Call, model: Model, version: Label) -> Answer:
    """Put a withdrawn version back into service."""
    return revised_answer(call.registry.reinstate(model, version))


@verb("apply")
def apply(
    call: Call,
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Decisions files, one a model.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
) -> Answer:
    """Make manifests say what files decide.

    A file holds the default, the aliases and the states of one model, as manifests/*.json do.

    All files are checked before the first one is applied. What is decided already is no change.
    """
    decisions = _read_all(files)
    plans = {file: _plan(call, file, decided) for file, decided in decisions.items()}
    if dry_run:
        models = [
            {"file": str(file), "model": decided.model, "changes": plans[file]} for file, decided in decisions.items()
        ]
        lines = [f"{model['model']}: {'; '.join(model['changes']) or 'nothing to change'}" for model in models]
        return Answer(document={"dry_run": True, "models": models}, parts=lines)
    answers: list[tuple[Path, Answer]] = []
    for file, decided in decisions.items():
        try:
            answers.append((file, revised_answer(call.registry.apply(decided))))
        except RegistryError as error:
            if answers:
                error.add_note(f"applied before that: {', '.join(str(applied) for applied, _ in answers)}")
            raise
    models = [{"file": str(file), **answer.document} for file, answer in answers]
    return Answer(
        document={"dry_run": False, "models": models}, parts=[part for _, answer in answers for part in answer.parts]
    )


def _read_all(files: list[Path]) -> dict[Path, Decisions]:
    decisions: dict[Path, Decisions] = {}
    for file in files:
        decided = _read(file)
        for other, earlier in decisions.items():
            if earlier.model == decided.model:
                raise InputError(f"{file}: decides about model {decided.model!r}, and so does {other}")
        decisions[file] = decided
    return decisions


def _read(file: Path) -> Decisions:
    from registry.decisions import Decisions

    try:
        return Decisions.from_bytes(file.read_bytes())
    except OSError as exc:
        raise InputError(f"cannot read {file}: {exc.strerror}") from exc
    except ManifestError as exc:
        raise InputError(f"{file}: {exc}") from exc


def _plan(call: Call, file: Path, decided: Decisions) -> list[str]:
    try:
        return call.registry.plan(decided)
    except InputError as exc:
        raise InputError(f"{file}: {exc.message}", **exc.details) from exc


def revised_answer(revised: Revised) -> Answer:
    """Return the answer of a verb that changed a manifest, or found nothing to change."""
    manifest = revised.manifest
    document: dict[str, Any] = {
        "model": manifest.model,
        "revision": manifest.revision,
        "changed": revised.changed,
        "change": revised.text,
        "default": manifest.default,
        "aliases": dict(manifest.aliases),
    }
    what = revised.text if revised.changed else "nothing to change"
    parts: list[Part] = [f"{manifest.model}: {what} (revision {manifest.revision})"]
    return Answer(document=document, parts=parts)
