"""The errors of the registry, one tree, sorted by whose fault it is.

    RegistryError
    ├── InputError               the caller: a wrong argument, a wrong request
    │   ├── UnknownModelError        the registry has no such model
    │   ├── UnknownVersionError      the model has no such version or alias
    │   ├── WithdrawnVersionError    the version was taken out of service
    │   ├── InvalidRowsError         rows that do not fit the model's signature
    │   ├── TooLargeError            more bytes or rows than the server accepts
    │   ├── BusyError                more requests at once than the server accepts
    │   └── MediaTypeError           a body that is not what the route reads
    ├── ContentError             the bucket: what lies in it is not what it should be
    │   ├── ManifestError            the manifest (or a record) cannot be understood
    │   ├── SkewError                libraries differ from those of training, and the operator refuses that
    │   └── IntegrityError           bytes, sizes, types or tables that must not be trusted
    │       └── UntrustedTypeError       an artifact names a type outside the allow-list
    ├── StoreError               the world: the store cannot be reached or refuses us
    │   └── ObjectNotFoundError      there is no object at that path
    └── ConflictError            a race: somebody else was first
        ├── ObjectExistsError        a create-only object is already there
        └── GenerationError          the object changed since it was read

Every error carries a stable ``code`` for machines and a sentence for people; one from a cold start or the loading of
a version carries the phase it happened in as ``details["phase"]``. A sentence says what was asked,
what was found and, where it helps, what would have worked.

`IntegrityError` is never retried and never caught to carry on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar


class RegistryError(Exception):
    """Anything that this project raises on purpose."""

    code: ClassVar[str] = "registry_error"

    def __init__(self, message: str, **details: Any) -> None:
        """Say what happened.

        Args:
            message: One sentence for a person.
            details: JSON values for a machine (for example ``known=["1.0.0"]``), shown beside the sentence.
        """
        super().__init__(message)
        self.message = message
        self.details = details


class InputError(RegistryError):
    """The caller asked for something that cannot be done."""

    code = "invalid_input"


class UnknownModelError(InputError):
    """The registry has no model of that name."""

    code = "unknown_model"


class UnknownVersionError(InputError):
    """The model has no version or alias of that name."""

    code = "unknown_version"


class WithdrawnVersionError(InputError):
    """The version exists and was taken out of service."""

    code = "withdrawn_version"


class InvalidRowsError(InputError):
    """The rows of a request do not fit the model's signature.

    ``problems`` holds one ``{"loc": [...], "msg": "...", "type": "..."}`` for each fault found, in FastAPI's form.
    """

    code = "invalid_input"

    def __init__(self, problems: Iterable[dict[str, Any]]) -> None:
        self.problems = list(problems)
        first = self.problems[0]
        where = ".".join(str(part) for part in first["loc"])
        more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
        super().__init__(f"{where}: {first['msg']}{more}")


class TooLargeError(InputError):
    """A request has more bytes or rows than the server accepts."""

    code = "too_large"


class BusyError(InputError):
    """More requests are under way than the server accepts at once."""

    code = "too_many_requests"


class MediaTypeError(InputError):
    """The body of a request is not of a type that the route reads."""

    code = "unsupported_media_type"


class ContentError(RegistryError):
    """What lies in the bucket is not what it should be."""

    code = "content_error"


class ManifestError(ContentError):
    """A manifest, a record or a decisions file cannot be understood.

    The message starts with the place, which grows while the error unwinds: ``aliases.stable: no version '1.9.0'``.
    """

    code = "invalid_manifest"

    def __init__(self, problem: str, *, place: str = "", **details: Any) -> None:
        self.problem = problem
        self.place = place
        super().__init__(f"{place}: {problem}" if place else problem, **details)

    def within(self, outer: str) -> ManifestError:
        """Return the same error, seen from one level further out.

        Example:
            >>> str(ManifestError("must be text", place="stable").within("aliases"))
            'aliases.stable: must be text'
        """
        place = f"{outer}.{self.place}" if self.place else outer
        return type(self)(self.problem, place=place, **self.details)


class SkewError(ContentError):
    """A version was made with other library versions than ours, and the operator refuses that."""

    code = "version_skew"


class IntegrityError(ContentError):
    """Bytes that must not be trusted: a wrong digest, size, archive or table."""

    code = "integrity_error"


class UntrustedTypeError(IntegrityError):
    """An artifact names types or functions that the server does not allow."""

    code = "untrusted_type"


class StoreError(RegistryError):
    """The store cannot be reached, or refuses us."""

    code = "store_unavailable"


class ObjectNotFoundError(StoreError):
    """There is no object at that path."""

    code = "object_not_found"


class ConflictError(RegistryError):
    """Somebody else was first, or the same name already stands for something else."""

    code = "conflict"


class ObjectExistsError(ConflictError):
    """A create-only object is already there."""

    code = "object_exists"


class GenerationError(ConflictError):
    """The object is no longer the one that was read."""

    code = "generation_changed"


def exit_code(error: RegistryError) -> int:
    """Return the exit code of a program that ends with this error.

    1 the registry or its content is at fault, 2 the call is wrong, 3 conflict, 4 the store cannot be reached.
    """
    codes = ((InputError, 2), (ConflictError, 3), (StoreError, 4))
    return next((code for kind, code in codes if isinstance(error, kind)), 1)
