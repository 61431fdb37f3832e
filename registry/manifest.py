"""The manifest of a model: the one object that is ever replaced, as a value.

Bytes in, a `Manifest` or a `ManifestError` out. This module refuses to read files, to look at the clock and to reach
for a bucket. A manifest is made to be edited by a person, so every mistake is reported with the place it stands at,
and fields that we do not know survive a round trip.

Example:
    >>> manifest = Manifest.from_bytes(data)                                    # doctest: +SKIP
    >>> manifest.resolve(parse_pin("stable")).version                           # doctest: +SKIP
    '1.1.0'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import orjson

from registry.digest import is_sha256
from registry.errors import IntegrityError, ManifestError, UnknownVersionError, WithdrawnVersionError
from registry.layout import path_problem
from registry.names import LATEST, Pin, check_alias, check_model, check_version, version_key
from registry.strict_json import (
    at,
    check_object,
    extra_fields,
    keep,
    parse_json,
    read_count,
    read_mapping,
    read_text,
    required,
    type_name,
)

FORMAT = 1
"""The format of the bucket that this code reads and writes."""

CANONICAL = "skops"
"""The artifact format that a version is judged by when it has several."""

State = Literal["active", "withdrawn"]

_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRef:
    """An object of a version: where it lies, relative to the model's folder, and what it must be.

    Attributes:
        path: Such as ``versions/1.1.0/9b2e0c1f00aa77bb.skops``.
        sha256: 64 hexadecimal digits.
        size: In bytes.
        extra: Fields that we do not know, kept as they were.
    """

    path: str
    sha256: str
    size: int
    extra: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, document: Any, version: str) -> ObjectRef:
        """Read the JSON form and check that the path belongs to the version and to the digest."""
        check_object(document)
        sha256 = read_text(document, "sha256")
        if not is_sha256(sha256):
            raise ManifestError(f"expected 64 lowercase hexadecimal digits, not {sha256!r}", place="sha256")
        path = read_text(document, "path")
        if problem := path_problem(path, version=version, sha256=sha256):
            raise ManifestError(problem, place="path")
        extra = extra_fields(document, ("path", "sha256", "size"))
        return cls(path=path, sha256=sha256, size=read_count(document, "size"), extra=extra)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, unknown fields included."""
        return {"path": self.path, "sha256": self.sha256, "size": self.size, **self.extra}


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A published version: its record and its artifacts. Only ``state`` ever changes.

    Attributes:
        created_at: When it was published, RFC 3339 in UTC.
        state: ``active`` or ``withdrawn``.
        record: What is known about it.
        artifacts: Format to artifact, at least one.
        extra: Fields that we do not know, kept as they were.
    """

    created_at: str
    state: State
    record: ObjectRef
    artifacts: Mapping[str, ObjectRef]
    extra: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, document: Any, label: str) -> Version:
        """Read the JSON form."""
        check_object(document)
        artifacts = read_mapping(document, "artifacts", lambda _, value: ObjectRef.from_dict(value, label))
        if not artifacts:
            raise ManifestError("a version has at least one artifact", place="artifacts")
        return cls(
            created_at=read_text(document, "created_at"),
            state=_read_state(document.get("state", "active")),
            record=at("record", ObjectRef.from_dict, required(document, "record"), label),
            artifacts=artifacts,
            extra=extra_fields(document, ("created_at", "state", "record", "artifacts")),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, unknown fields included."""
        return {
            "created_at": self.created_at,
            "state": self.state,
            "record": self.record.to_dict(),
            "artifacts": {name: ref.to_dict() for name, ref in self.artifacts.items()},
            **self.extra,
        }

    @property
    def canonical(self) -> str:
        """The format of the artifact that the version is judged by."""
        return CANONICAL if CANONICAL in self.artifacts else min(self.artifacts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What a pin came to.

    Attributes:
        version: The version's label.
        steps: How it was found, for example ``("default", "stable", "1.1.0")``.
        sha256: The digest that the served artifact must have, when the pin stated one.
    """

    version: str
    steps: tuple[str, ...]
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What is in force for a model.

    Attributes:
        model: The model's name.
        revision: Counts the manifests of this model, from 1. Order comes from it.
        updated_at: When it was written, RFC 3339 in UTC.
        default: What a server without a pin serves: an alias, a version or ``latest``.
        aliases: Alias to version.
        versions: Label to version.
        previous_sha256: Digest of the manifest that this one replaced; None for the first.
        change: Who changed what, for people: ``id``, ``by`` and ``text``.
        extra: Fields that we do not know, kept as they were.
    """

    model: str
    revision: int = 0
    updated_at: str = ""
    default: str = "stable"
    aliases: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, Version] = field(default_factory=dict)
    previous_sha256: str | None = None
    change: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_bytes(cls, data: bytes, *, model: str | None = None) -> Manifest:
        """Read a manifest.

        Args:
            data: UTF-8 JSON.
            model: The model that it must be of, when that is known.

        Raises:
            ManifestError: The place and what is wrong there.
        """
        document = parse_json(data)
        found = required(document, "format")
        if found != FORMAT or isinstance(found, bool):
            raise ManifestError(f"this program reads format {FORMAT}, not {found!r}", place="format")
        manifest = cls(
            model=read_model(document),
            revision=read_count(document, "revision"),
            updated_at=read_text(document, "updated_at"),
            default=read_text(document, "default"),
            aliases=read_aliases(document),
            versions=read_mapping(document, "versions", _read_version),
            previous_sha256=_read_previous(document),
            change=read_mapping(document, "change", lambda _, value: keep(value)) if "change" in document else {},
            extra=extra_fields(document, _KNOWN),
        )
        if model is not None and manifest.model != model:
            raise ManifestError(f"this is the manifest of {manifest.model!r}, expected {model!r}", place="model")
        manifest.check_references()
        return manifest

    def to_bytes(self) -> bytes:
        """Return the JSON form, indented for people, with a final newline."""
        document = {
            "format": FORMAT,
            "model": self.model,
            "revision": self.revision,
            "updated_at": self.updated_at,
            "previous_sha256": self.previous_sha256,
            "change": self.change,
            "default": self.default,
            "aliases": self.aliases,
            "versions": {label: version.to_dict() for label, version in self.versions.items()},
            **self.extra,
        }
        return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

    def check_references(self) -> None:
        """Check that the aliases lead somewhere.

        The default may name an alias that is not there yet: that is how a model begins.

        Raises:
            ManifestError: The place and what is known.
        """
        for alias, version in self.aliases.items():
            if alias in self.versions:
                raise ManifestError("a version has the same name", place=f"aliases.{alias}")
            if version not in self.versions:
                raise ManifestError(f"no version {version!r} (known: {shown(self.versions)})", place=f"aliases.{alias}")

    def resolve(self, pin: Pin, *, withdrawn: bool = False) -> Resolved:
        """Find the version that a pin means.

        Args:
            pin: What is asked for.
            withdrawn: Whether a withdrawn version will do: to look at it, never to serve it.

        Raises:
            UnknownVersionError: There is none; the error lists the known ones.
            WithdrawnVersionError: It was taken out of service.
            IntegrityError: The pin states a digest that none of the version's artifacts has.
        """
        name, steps = pin.name, [pin.name or "default"]
        if not name:
            name = self.default
            steps.append(name)
        if name == LATEST:
            name = self._latest()
            steps.append(name)
        elif name in self.aliases:
            name = self.aliases[name]
            steps.append(name)
        if name not in self.versions:
            raise UnknownVersionError(
                f"model {self.model!r} has no version or alias {name!r} "
                f"(versions: {shown(self.versions) or 'none'}; aliases: {shown(self.aliases) or 'none'})",
                known=sorted(self.versions, key=version_key)[-_SHOWN:],
                aliases=dict(self.aliases),
            )
        version = self.versions[name]
        if version.state == "withdrawn" and not withdrawn:
            raise WithdrawnVersionError(
                f"version {name!r} of model {self.model!r} was withdrawn (active: {shown(self.active()) or 'none'})",
                known=self.active()[-_SHOWN:],
            )
        if pin.sha256 and pin.sha256 not in {ref.sha256 for ref in version.artifacts.values()}:
            has = ", ".join(f"{form} {ref.sha256}" for form, ref in version.artifacts.items())
            raise IntegrityError(f"version {name!r} of model {self.model!r} is not {pin.sha256}: it has {has}")
        return Resolved(version=name, steps=tuple(steps), sha256=pin.sha256)

    def active(self) -> list[str]:
        """Return the labels of the active versions, lowest first."""
        labels = (label for label, version in self.versions.items() if version.state == "active")
        return sorted(labels, key=version_key)

    def with_version(self, label: str, version: Version) -> Manifest:
        """Return the manifest with one more version, or with another state of a known one."""
        return replace(self, versions={**self.versions, label: version})

    def with_alias(self, alias: str, version: str) -> Manifest:
        """Return the manifest with the alias on the version."""
        return replace(self, aliases={**self.aliases, alias: version})

    def with_state(self, label: str, state: State) -> Manifest:
        """Return the manifest with the version in that state."""
        return self.with_version(label, replace(self.versions[label], state=_state(state)))

    def _latest(self) -> str:
        active = [label for label, version in self.versions.items() if version.state == "active"]
        if not active:
            raise UnknownVersionError(f"model {self.model!r} has no active version", known=[])
        return max(active, key=version_key)


_KNOWN = (
    "format",
    "model",
    "revision",
    "updated_at",
    "previous_sha256",
    "change",
    "default",
    "aliases",
    "versions",
)


def shown(names: Any) -> str:
    """Return names for a sentence: the last twenty in version order, and how many more there are."""
    ordered = sorted(names, key=version_key)
    more = f"… {len(ordered) - _SHOWN} more, " if len(ordered) > _SHOWN else ""
    return more + ", ".join(ordered[-_SHOWN:])


def read_model(document: Mapping[str, Any]) -> str:
    """Return the required field ``model``."""
    return at("model", check_model, read_text(document, "model"))


def read_aliases(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the required field ``aliases``."""

    def read(alias: str, version: Any) -> str:
        check_alias(alias)
        if not isinstance(version, str):
            raise ManifestError(f"expected a version's label as text, not {type_name(version)}")
        return check_version(version)

    return read_mapping(document, "aliases", read)


def read_states(document: Mapping[str, Any]) -> dict[str, State]:
    """Return the optional field ``states``."""
    return read_mapping(document, "states", lambda _, value: _state(value)) if "states" in document else {}


def _read_version(label: str, document: Any) -> Version:
    check_version(label)
    return Version.from_dict(document, label)


def _read_previous(document: Mapping[str, Any]) -> str | None:
    value = document.get("previous_sha256")
    if value is not None and not (isinstance(value, str) and is_sha256(value)):
        raise ManifestError("expected 64 lowercase hexadecimal digits or null", place="previous_sha256")
    return value


def _read_state(value: Any) -> State:
    return at("state", _state, value)


def _state(value: Any) -> State:
    if value not in get_args(State):
        raise ManifestError(f"expected one of {', '.join(get_args(State))}, not {value!r}")
    return value  # type: ignore[no-any-return]  # one of the literals
