"""Promoting, rolling back, withdrawing, applying decisions: what a person decides, each one swap of the manifest."""

from __future__ import annotations

from dataclasses import replace

from registry.decisions import Decisions
from registry.errors import ConflictError, InputError, ManifestError, UnknownVersionError
from registry.history import archived_manifest, archived_revisions
from registry.manifest import Manifest, State, shown
from registry.names import LATEST, check_alias, parse_pin, version_key
from registry.revise import Revised, revise
from registry.stores import Store


def promote(store: Store, model: str, version: str, *, alias: str = "stable", by: str) -> Revised:
    """Put an alias on a version.

    Args:
        store: Where the registry lies.
        model: The model's name.
        version: A pin: a version, another alias, ``latest``, or a version with its digest.
        alias: The alias to move; made when it is not there.
        by: Who does it, for the history.

    Raises:
        UnknownModelError, UnknownVersionError, WithdrawnVersionError: There is nothing to promote.
        IntegrityError: The pin states a digest that the version does not have.
        ConflictError, ManifestError, StoreError: As `revise`.
    """
    check_alias(alias)
    pin = parse_pin(version)
    if not pin.name:
        raise InputError("promote what? Name a version")

    def change(manifest: Manifest) -> tuple[Manifest, str]:
        label = manifest.resolve(pin).version
        if alias in manifest.versions:
            raise InputError(f"{alias!r} is a version of model {model!r} and cannot name an alias")
        before = manifest.aliases.get(alias, "nothing")
        return manifest.with_alias(alias, label), f"promote {alias}: {before} -> {label}"

    return revise(store, model, change, by=by)


def rollback(store: Store, model: str, *, alias: str = "stable", by: str) -> Revised:
    """Put an alias back to the version that it was on before, as a new revision.

    A second call goes forward again: what was in force before the rollback is then the version before. Two calls at
    once do not: the one that comes second is a conflict.

    Raises:
        UnknownVersionError: The model has no such alias.
        InputError: The alias was never on another version that is still active.
        ConflictError: Somebody else moved the alias meanwhile; or as `revise`.
        ManifestError, StoreError: As `revise`.
    """
    seen: list[str] = []

    def change(manifest: Manifest) -> tuple[Manifest, str]:
        current = manifest.aliases.get(alias)
        if current is None:
            known = ", ".join(sorted(manifest.aliases)) or "none"
            raise UnknownVersionError(f"model {model!r} has no alias {alias!r} (known: {known})")
        seen.append(current)
        if current != seen[0]:
            raise ConflictError(f"somebody else moved {alias!r} from {seen[0]!r} to {current!r} meanwhile: look again")
        previous = _previous(store, manifest, alias, current)
        return manifest.with_alias(alias, previous), f"rollback {alias}: {current} -> {previous}"

    return revise(store, model, change, by=by)


def withdraw(store: Store, model: str, version: str, *, state: State = "withdrawn", by: str) -> Revised:
    """Take a version out of service, or put it back with ``state="active"``. Its bytes stay.

    Raises:
        UnknownModelError, UnknownVersionError: There is nothing to withdraw.
        InputError: An alias or the default leads to it; move that first.
        ConflictError, ManifestError, StoreError: As `revise`.
    """

    def change(manifest: Manifest) -> tuple[Manifest, str]:
        if version not in manifest.versions:
            manifest.resolve(parse_pin(version))
            raise InputError(f"{version!r} is no version of model {model!r}: name the version itself")
        changed = manifest.with_state(version, state)
        if state == "withdrawn":
            _check_targets(changed)
        return changed, f"{'withdraw' if state == 'withdrawn' else 'reinstate'} {version}"

    return revise(store, model, change, by=by)


def apply(store: Store, decisions: Decisions, *, expected: Decisions | None = None, by: str) -> Revised:
    """Make the manifest say what a person decided. Nothing to change is fine.

    Args:
        store: Where the registry lies.
        decisions: What the person decided.
        expected: What was decided before, when the person saw it; None changes whatever is in force.
        by: Who does it, for the history.

    Raises:
        UnknownModelError: There is no such model.
        InputError: A decision leads nowhere; the sentence begins with the place.
        ConflictError: Somebody else decided otherwise than expected meanwhile; or as `revise`.
        ManifestError, StoreError: As `revise`.
    """

    def change(manifest: Manifest) -> tuple[Manifest, str]:
        if expected is not None and (others := _changes(expected, decisions_of(manifest))):
            raise ConflictError(
                f"somebody else changed model {manifest.model!r} meanwhile ({'; '.join(others)}): look again",
                differences=others,
            )
        changed, lines = decide(manifest, decisions)
        return changed, f"apply: {'; '.join(lines) or 'nothing'}"

    return revise(store, decisions.model, change, by=by)


def decide(manifest: Manifest, decisions: Decisions) -> tuple[Manifest, list[str]]:
    """Return the manifest that says what a person decided, and what changes, such as ``stable: 1.0.0 -> 1.1.0``.

    Raises:
        InputError: A decision leads nowhere; the sentence begins with the place.
    """
    changed = replace(manifest, default=decisions.default, aliases=dict(decisions.aliases))
    for version, state in decisions.states.items():
        if version not in manifest.versions:
            known = shown(manifest.versions)
            raise InputError(f"states.{version}: no such version (known: {known})")
        changed = changed.with_state(version, state)
    try:
        changed.check_references()
    except ManifestError as error:
        raise InputError(error.message) from error
    _check_default(changed)
    _check_targets(changed)
    return changed, _changes(decisions_of(manifest), decisions_of(changed))


def decisions_of(manifest: Manifest) -> Decisions:
    """Return the part of a manifest that a person decides, naming the states that are not ``active``."""
    states = {label: version.state for label, version in manifest.versions.items() if version.state != "active"}
    return Decisions(model=manifest.model, default=manifest.default, aliases=manifest.aliases, states=states)


def _check_default(manifest: Manifest) -> None:
    if manifest.default not in {LATEST, *manifest.aliases, *manifest.versions}:
        known = ", ".join([*sorted(manifest.aliases), LATEST, shown(manifest.versions)])
        raise InputError(f"default: no alias or version {manifest.default!r} (known: {known})")


def _check_targets(manifest: Manifest) -> None:
    for place, label in [("default", manifest.default), *((f"aliases.{a}", v) for a, v in manifest.aliases.items())]:
        if label in manifest.versions and manifest.versions[label].state == "withdrawn":
            raise InputError(f"{place}: version {label!r} is withdrawn, or would be: move it first")


def _changes(before: Decisions, after: Decisions) -> list[str]:
    changes = []
    if before.default != after.default:
        changes.append(f"default: {before.default} -> {after.default}")
    for alias in sorted({*before.aliases, *after.aliases}):
        old, new = before.aliases.get(alias, "nothing"), after.aliases.get(alias, "nothing")
        changes += [f"{alias}: {old} -> {new}"] if old != new else []
    for label in sorted({*before.states, *after.states}, key=version_key):
        old, new = before.states.get(label, "active"), after.states.get(label, "active")
        changes += [f"{label}: {old} -> {new}"] if old != new else []
    return changes


def _previous(store: Store, manifest: Manifest, alias: str, current: str) -> str:
    active = set(manifest.active())
    for revision in sorted(archived_revisions(store, manifest.model), reverse=True):
        found = archived_manifest(store, manifest.model, revision).aliases.get(alias)
        if found not in (None, current) and found in active:
            return str(found)
    raise InputError(f"{alias!r} of model {manifest.model!r} was never on another version that is still active")
