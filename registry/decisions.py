"""The part of a manifest that a person decides: the default, the aliases, the states.

It is what `model-bucket edit` opens in an editor and what a team keeps in git as ``manifests/<model>.json``:

    {"model": "iris", "default": "stable", "aliases": {"stable": "1.1.0", "canary": "1.2.0"}}

``aliases`` is the whole mapping: an alias that is missing is removed. ``states`` names only the versions whose state
is to be changed. A field that we do not know is an error here, because it is most likely a misspelt one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from registry.errors import ManifestError
from registry.manifest import State, read_aliases, read_model, read_states
from registry.strict_json import parse_json, read_text

_FIELDS = ("model", "default", "aliases", "states")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """What a person decided about a model. A name that cannot be one is a `ManifestError`.

    Attributes:
        model: The model's name.
        default: What a server without a pin serves: an alias, a version or ``latest``.
        aliases: Alias to version, all of them.
        states: Version to state, for the versions whose state is to be set.
    """

    model: str
    default: str
    aliases: Mapping[str, str]
    states: Mapping[str, State] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the names, also of decisions that a program made: a manifest that says so must be readable."""
        document = self.to_dict()
        read_model(document)
        read_text(document, "default")
        read_aliases(document)
        read_states(document)

    @classmethod
    def from_bytes(cls, data: bytes) -> Decisions:
        """Read a decisions file.

        Raises:
            ManifestError: The place and what is wrong there.
        """
        document = parse_json(data)
        unknown = sorted(set(document) - {*_FIELDS, "$schema"})
        if unknown:
            raise ManifestError(f"unknown field (known: {', '.join(_FIELDS)})", place=unknown[0])
        return cls(
            model=read_model(document),
            default=read_text(document, "default"),
            aliases=read_aliases(document),
            states=read_states(document),
        )

    def to_dict(self) -> dict[str, object]:
        """Return the JSON form, without states when there are none."""
        document: dict[str, object] = {"model": self.model, "default": self.default, "aliases": dict(self.aliases)}
        if self.states:
            document["states"] = dict(self.states)
        return document
