"""Digests: what bytes must be, and the check that they are.

Bytes in, nothing or an `IntegrityError` out. This module reads no files, opens no connections and knows no formats.

Example:
    >>> check(b"abc", sha256=sha256(b"abc"), size=3, what="artifact x")
"""

from __future__ import annotations

import hashlib
import hmac
import re

from registry.errors import IntegrityError

SHORT = 16
"""How many hexadecimal digits of a digest stand in an object's name."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


def sha256(data: bytes) -> str:
    """Return the SHA-256 of the bytes as 64 lowercase hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def is_sha256(text: str) -> bool:
    """Tell whether the text has the form of a SHA-256 in lowercase hexadecimal digits."""
    return _SHA256.fullmatch(text) is not None


class Check:
    """The check of one object, fed piece by piece while it arrives.

    Example:
        >>> check = Check(sha256=sha256(b"abcdef"), size=6, what="artifact x")
        >>> check.update(b"abc")
        >>> check.update(b"def")
        >>> check.finish()
    """

    def __init__(self, *, sha256: str, size: int, what: str) -> None:
        """Start a check.

        Args:
            sha256: The expected digest, 64 hexadecimal digits.
            size: The expected size in bytes.
            what: What the object is and where it lies, for the error's sentence.
        """
        self._expected = sha256
        self._size = size
        self._what = what
        self._hash = hashlib.sha256()
        self._seen = 0

    def update(self, piece: bytes) -> None:
        """Take the next bytes.

        Raises:
            IntegrityError: There are more bytes than expected.
        """
        self._seen += len(piece)
        if self._seen > self._size:
            raise IntegrityError(f"{self._what}: more than the {self._size} bytes that the manifest states")
        self._hash.update(piece)

    def finish(self) -> None:
        """Pass judgement.

        Raises:
            IntegrityError: The size or the digest differs from what was expected.
        """
        if self._seen != self._size:
            raise IntegrityError(f"{self._what}: {self._seen} bytes, and the manifest states {self._size}")
        found = self._hash.hexdigest()
        if not hmac.compare_digest(found, self._expected):
            raise IntegrityError(f"{self._what}: SHA-256 is {found}, and the manifest states {self._expected}")


def check(data: bytes, *, sha256: str, size: int, what: str) -> None:
    """Check whole bytes against their digest and size.

    Raises:
        IntegrityError: They differ; the sentence says in what.
    """
    checking = Check(sha256=sha256, size=size, what=what)
    checking.update(data)
    checking.finish()
