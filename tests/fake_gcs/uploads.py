"""Uploads that take several requests: resumable ones of the JSON API, multipart ones of the XML API."""

from __future__ import annotations

import re
import secrets
import threading
from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import md5
from typing import Any

import google_crc32c

from tests.fake_gcs.objects import Buckets, Conditions, StoredObject
from tests.fake_gcs.wire import GcsError, Request

QUANTUM = 256 * 1024

_CHUNK = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")


@dataclass(slots=True)
class Session:
    """A resumable upload. A chunk that was persisted already may be sent again: what is known is skipped."""

    bucket: str
    name: str
    fields: dict[str, Any]
    conditions: Conditions
    chunks: list[bytes] = field(default_factory=list)
    received: int = 0
    done: StoredObject | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(slots=True)
class Parts:
    """A multipart upload of the XML API."""

    bucket: str
    name: str
    fields: dict[str, Any]
    parts: dict[int, bytes] = field(default_factory=dict)


class Uploads:
    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets
        self._sessions: dict[str, Session] = {}
        self._multipart: dict[str, Parts] = {}

    def begin(self, bucket: str, name: str, fields: dict[str, Any], conditions: Conditions) -> str:
        """Open a resumable session, and return its id. The conditions are checked now and at the end."""
        self._buckets.check(bucket, name, conditions)
        upload_id = secrets.token_urlsafe(24)
        self._sessions[upload_id] = Session(bucket, name, fields, conditions)
        return upload_id

    def resume(self, upload_id: str, request: Request) -> StoredObject | int:
        """Take a chunk; return the object when that was the last one, or else how many bytes are persisted."""
        session = self._sessions.get(upload_id)
        if session is None:
            raise GcsError(404, "No such upload session.")
        with session.lock:
            if session.done is not None:
                return session.done
            first, total = _place(request, session.received)
            self._persist(session, first, request.body, total)
            if total is None or session.received < total:
                return session.received
            if stated := crc32c_in(request.headers):
                session.fields.setdefault("crc32c", stated)
            content = b"".join(session.chunks)
            session.done = self._buckets.put(
                session.bucket, session.name, content, dict(session.fields), session.conditions
            )
            session.chunks.clear()
            return session.done

    def cancel(self, upload_id: str) -> None:
        """Forget a resumable session."""
        self._sessions.pop(upload_id, None)

    def _persist(self, session: Session, first: int, body: bytes, total: int | None) -> None:
        if first > session.received:
            raise GcsError(503, "The chunk does not begin where the persisted bytes end.")
        fresh = body[session.received - first :]
        if total is None or first + len(body) < total:
            fresh = fresh[: len(fresh) // QUANTUM * QUANTUM]
        session.chunks.append(fresh)
        session.received += len(fresh)

    def begin_multipart(self, bucket: str, name: str, fields: dict[str, Any]) -> str:
        """Open a multipart upload, and return its id."""
        self._buckets.bucket(bucket)
        upload_id = secrets.token_urlsafe(24)
        self._multipart[upload_id] = Parts(bucket, name, fields)
        return upload_id

    def put_part(self, upload_id: str, number: int, request: Request) -> str:
        """Keep a part, and return its ETag."""
        stated = crc32c_in(request.headers)
        if stated and stated != encoded_crc32c(request.body):
            raise GcsError(400, "The CRC32C you specified did not match what we received.", xml_code="BadDigest")
        self._parts(upload_id).parts[number] = request.body
        return f'"{md5(request.body, usedforsecurity=False).hexdigest()}"'

    def complete_multipart(self, upload_id: str, numbers: list[int], conditions: Conditions) -> StoredObject:
        """Make an object of the parts with these numbers."""
        upload = self._parts(upload_id)
        if not numbers or numbers != sorted(set(numbers)) or not set(numbers) <= set(upload.parts):
            raise GcsError(400, "One or more of the specified parts could not be found.", xml_code="InvalidPart")
        content = b"".join(upload.parts[number] for number in numbers)
        written = self._buckets.put(
            upload.bucket, upload.name, content, dict(upload.fields), conditions, components=len(numbers)
        )
        del self._multipart[upload_id]
        return written

    def abort_multipart(self, upload_id: str) -> None:
        """Forget a multipart upload."""
        self._parts(upload_id)
        del self._multipart[upload_id]

    def _parts(self, upload_id: str) -> Parts:
        if upload_id not in self._multipart:
            raise GcsError(404, "The requested upload was not found.", xml_code="NoSuchUpload")
        return self._multipart[upload_id]


def encoded_crc32c(data: bytes) -> str:
    return b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()


def crc32c_in(headers: dict[str, str]) -> str | None:
    """Return the CRC32C that a client states in ``x-goog-hash``."""
    match = re.search(r"crc32c=([^,\s]+)", headers.get("x-goog-hash", ""))
    return match[1] if match else None


def _place(request: Request, received: int) -> tuple[int, int | None]:
    """Return where a chunk begins, and how long the object will be, if that is known."""
    header = request.headers.get("content-range")
    if header is None:
        return 0, len(request.body)
    match = _CHUNK.fullmatch(header)
    if match is None or (match[1] and int(match[2]) - int(match[1]) + 1 != len(request.body)):
        raise GcsError(400, "Invalid Content-Range.")
    total = None if match[3] == "*" else int(match[3])
    return (int(match[1]) if match[1] else received), total
