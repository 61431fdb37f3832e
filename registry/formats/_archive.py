"""A skops archive, opened: a schema in JSON, and the members that it names.

It constructs nothing, and refuses what could choke a reader before anything is read: members that unpack to far more
than the archive's own size, members of one name, and ways to pack that we do not need.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from registry.errors import IntegrityError

SCHEMA = "schema.json"

MAX_GROWTH = 100
"""How many times its own size an archive may unpack to. Models of trees, deflated, unpack to about ten times."""

MIN_ROOM = 1024 * 1024
"""Bytes that every archive may unpack to."""

_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1
_SUFFIXES = (".npy", ".npz", ".bin")

# What zipfile, zlib, json and numpy raise on bytes that are not what they expect.
_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


@contextmanager
def reading() -> Iterator[None]:
    """Turn what libraries raise on damaged bytes into ours."""
    try:
        yield
    except _FAULTS as exc:
        raise IntegrityError(f"the artifact is not a skops archive: {exc}") from exc


class Archive:
    """The members of an archive, and its schema."""

    def __init__(self, data: bytes) -> None:
        """Open an archive. Call it within `reading`.

        Raises:
            IntegrityError: It has members that are refused.
        """
        self._opened = zipfile.ZipFile(io.BytesIO(data))  # nothing to close: the bytes are in memory
        self._room = MAX_GROWTH * len(data) + MIN_ROOM
        self._check_members()
        self.schema: dict[str, Any] = json.loads(self._opened.read(SCHEMA))
        if not isinstance(self.schema, dict):
            raise IntegrityError("the artifact is not a skops archive: its schema is no object")

    def read(self, name: str) -> bytes:
        """Return the bytes of a member."""
        return self._opened.read(name)

    def check_room(self) -> None:
        """Check that the members, and the archives among them, do not unpack to too much."""
        members = self._opened.infolist()
        self._check_sizes(members)
        for member in members:
            if member.filename.endswith(".npz"):
                members = [*members, *zipfile.ZipFile(io.BytesIO(self.read(member.filename))).infolist()]
        self._check_sizes(members)

    def _check_members(self) -> None:
        members = self._opened.infolist()
        if len({member.filename for member in members}) < len(members):
            raise IntegrityError("the artifact is not a skops archive: two members have the same name")
        for member in members:
            name = member.filename
            if name != SCHEMA and (not name.endswith(_SUFFIXES) or "/" in name or "\\" in name):
                raise IntegrityError(f"the artifact is not a skops archive: unexpected member {name!r}")
            if member.compress_type not in _PACKED or member.flag_bits & _ENCRYPTED:
                raise IntegrityError(f"the artifact is not a skops archive: {name!r} is neither stored nor deflated")

    def _check_sizes(self, members: list[zipfile.ZipInfo]) -> None:
        unpacked = sum(member.file_size for member in members)
        if unpacked > self._room:
            raise IntegrityError(f"the artifact unpacks to {unpacked} bytes; its size allows for {self._room}")
