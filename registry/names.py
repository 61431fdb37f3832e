"""The names that people choose, and the pins that servers are given.

Model names, version labels and aliases become parts of object paths and of URLs, so their alphabet is small. A
version and an alias of one model never share a name, and ``latest`` is neither: it always means the highest active
version.

Example:
    >>> parse_pin("1.1.0@sha256:" + "0" * 64).name
    '1.1.0'
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from registry.digest import is_sha256
from registry.errors import InputError

LATEST = "latest"

_MODEL = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
_VERSION = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z._+-]{0,62}[0-9A-Za-z])?")
_ALIAS = re.compile(r"[A-Za-z](?:[0-9A-Za-z._-]{0,62}[0-9A-Za-z])?")
_NUMBER = re.compile(r"[0-9]+")
_SEMANTIC = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """What a server, or a request, asks for.

    Attributes:
        name: A version, an alias or ``latest``; empty means the manifest's default.
        sha256: The digest that the artifact which answers must have, when the pin states one.
    """

    name: str = ""
    sha256: str | None = None

    def __str__(self) -> str:
        """Return the pin as it would be written."""
        return f"{self.name}@sha256:{self.sha256}" if self.sha256 else self.name


def is_model(name: str) -> bool:
    """Tell whether the text can name a model."""
    return _MODEL.fullmatch(name) is not None and ".." not in name


def check_model(name: str) -> str:
    """Return the model's name if it is one.

    Raises:
        InputError: It is not: 1 to 64 of ``a-z 0-9 . _ -``, beginning and ending with a letter or a digit.
    """
    if not is_model(name):
        raise InputError(
            f"{name!r} cannot name a model: use 1 to 64 of a-z, 0-9, '.', '_' and '-', "
            "beginning and ending with a letter or a digit"
        )
    return name


def check_version(label: str) -> str:
    """Return the version's label if it is one.

    Raises:
        InputError: It is not: 1 to 64 of ``0-9 A-Z a-z . _ + -``, beginning and ending with a letter or a digit.
    """
    if not _VERSION.fullmatch(label) or ".." in label or label == LATEST:
        raise InputError(
            f"{label!r} cannot name a version: use 1 to 64 of 0-9, A-Z, a-z, '.', '_', '+' and '-', "
            f"beginning and ending with a letter or a digit, and not {LATEST!r}"
        )
    return label


def check_alias(name: str) -> str:
    """Return the alias if it is one.

    Raises:
        InputError: It is not: 1 to 64 of ``0-9 A-Z a-z . _ -``, beginning with a letter, and not ``latest``.
    """
    if not _ALIAS.fullmatch(name) or ".." in name or name == LATEST:
        raise InputError(
            f"{name!r} cannot be an alias: use 1 to 64 of 0-9, A-Z, a-z, '.', '_' and '-', "
            f"beginning with a letter, and not {LATEST!r}"
        )
    return name


def parse_pin(text: str) -> Pin:
    """Read a pin: a version, an alias, ``latest``, ``VERSION@sha256:DIGEST``, or nothing for the default.

    Raises:
        InputError: The text has none of these forms.
    """
    name, separator, digest = text.strip().partition("@")
    algorithm, _, value = digest.partition(":")
    if name and not (_VERSION.fullmatch(name) and ".." not in name):
        raise InputError(f"{text!r} is not a pin: expected a version, an alias, {LATEST!r} or VERSION@sha256:DIGEST")
    if separator and (not name or algorithm != "sha256" or not is_sha256(value)):
        raise InputError(f"{text!r} is not a pin: after '@' comes sha256: and 64 hexadecimal digits")
    return Pin(name=name, sha256=value if separator else None)


def version_key(label: str) -> tuple[Any, ...]:
    """Return a key that orders version labels as Semantic Versioning section 11 does, and others naturally.

    Numbers compare as numbers, a release comes after its own pre-releases, and build metadata breaks ties only.

    Example:
        >>> sorted(["1.10.0", "1.9.0", "1.10.0-rc.1"], key=version_key)
        ['1.9.0', '1.10.0-rc.1', '1.10.0']
    """
    rest, _, build = label.partition("+")
    release, dash, pre = rest.partition("-")
    release = release.lstrip("vV")
    # Semantic Versioning parts a pre-release at dots only: "rc-1" is one identifier. Others are parted everywhere.
    separators = "." if _SEMANTIC.fullmatch(release) else "._-"
    return (_parts(release), not dash, _parts(pre, separators), _parts(build), label)


def next_version(labels: list[str]) -> str:
    """Return the version that a publisher who names none gets: ``1.0.0``, then the next minor version.

    Example:
        >>> next_version(["1.0.0", "1.9.3"])
        '1.10.0'
    """
    numbered = [parts for label in labels if (parts := _leading_numbers(label))]
    if not numbered:
        return "1.0.0"
    highest = max(numbered)
    return f"{highest[0]}.{(highest[1] if len(highest) > 1 else 0) + 1}.0"


def _parts(text: str, separators: str = "._-") -> tuple[tuple[int, int, str], ...]:
    pieces = (piece for piece in re.split(f"[{separators}]", text) if piece)
    return tuple((0, int(piece), "") if _NUMBER.fullmatch(piece) else (1, 0, piece) for piece in pieces)


def _leading_numbers(label: str) -> tuple[int, ...]:
    release = label.partition("+")[0].partition("-")[0].lstrip("vV")
    pieces = release.split(".")
    return tuple(int(piece) for piece in pieces) if all(_NUMBER.fullmatch(piece) for piece in pieces) else ()
