"""The record: what is known about a version, as a Pydantic model with a published JSON Schema.

A record says how a version came about and what it takes and gives. It lies beside the artifacts, under a name that
carries its digest, and never changes. Nothing in a record decides what a server may construct: that is the server's
own decision.
"""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from registry.errors import InputError, ManifestError
from registry.signature import Signature


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)


class Data(_Part):
    """What a version was trained on."""

    name: str = Field(description="What the data set is called.")
    sha256: str = Field(description="Digest of the training inputs and targets, as the trainer computed it.")
    n_rows: int = Field(ge=0, description="Rows used for training.")


class Run(_Part):
    """How the publication ran: the part that differs when the same training is published again."""

    created_at: str = Field(description="When the record was made, RFC 3339 in UTC.")
    code_revision: str | None = Field(default=None, description="Revision of the training code.")
    training_s: float | None = Field(default=None, description="How long fitting took, in seconds.")
    python: str = Field(description="Version of Python.")
    libraries: dict[str, str] = Field(description="Versions of the libraries that made the artifact.")


class Twin(_Part):
    """The proof that a twin equals the canonical artifact, or why there is none."""

    rows_compared: int = Field(default=0, ge=0)
    labels_equal: int = Field(default=0, ge=0)
    largest_difference: float | None = Field(default=None, description="Largest absolute difference of any output.")
    reason: str | None = Field(default=None, description="Why there is no twin.")


class Record(_Part):
    """What is known about a version."""

    format: int = Field(default=1, ge=1, le=1, description="The format of the registry.")
    model: str
    version: str
    estimator: str = Field(description="Qualified name of the estimator; of the last step, for a pipeline.")
    parameters: dict[str, JsonValue] = Field(description="The estimator's parameters; what is not JSON, as text.")
    signature: Signature
    artifacts: dict[str, str] = Field(description="Format to SHA-256 of the artifact that this record describes.")
    examples: list[list[float]] = Field(description="A few input rows, in column order, to warm a server with.")
    metrics: dict[str, float] = Field(default_factory=dict, description="Held-out metrics.")
    data: Data | None = None
    seed: int | None = None
    twins: dict[str, Twin] = Field(default_factory=dict)
    card: str = Field(default="", description="The model card, Markdown.")
    run: Run

    @classmethod
    def from_bytes(cls, data: bytes) -> Record:
        """Read a record.

        Raises:
            ManifestError: The place and what is wrong there.
        """
        try:
            record = cls.model_validate_json(data)
            record.signature.check()
        except ValidationError as exc:
            place, problem = first_problem(exc)
            raise ManifestError(problem, place=f"record.{place}" if place else "record") from exc
        except InputError as exc:
            raise ManifestError(exc.message, place="record.signature") from exc
        return record

    def to_bytes(self) -> bytes:
        """Return the JSON form, indented for people, with a final newline."""
        return orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

    def content(self) -> dict[str, Any]:
        """Return what must be the same when the same training is published again: everything but the run."""
        return self.model_dump(mode="json", exclude={"run"})


def first_problem(error: ValidationError) -> tuple[str, str]:
    """Return the place and the words of the first thing that Pydantic found wrong."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return ".".join(str(part) for part in first["loc"]), first["msg"]


def differences(a: Any, b: Any, place: str = "") -> list[str]:
    """Return where two JSON values differ, as lines such as ``metrics.accuracy: 0.97 -> 0.95``.

    Example:
        >>> differences({"a": {"b": 1}, "c": 2}, {"a": {"b": 3}, "c": 2})
        ['a.b: 1 -> 3']
    """
    if isinstance(a, dict) and isinstance(b, dict):
        keys = [*a, *(key for key in b if key not in a)]
        return [
            line for key in keys for line in differences(a.get(key), b.get(key), f"{place}.{key}" if place else key)
        ]
    return [] if a == b else [f"{place}: {a!r} -> {b!r}"]
