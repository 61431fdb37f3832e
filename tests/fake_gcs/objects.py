"""Buckets and objects, as Cloud Storage keeps them: versioned, conditional, and strongly consistent.

One lock is held around every check and the change that it allows. Contents are immutable, so that an answer can be
sent after the lock is gone.
"""

from __future__ import annotations

import re
import threading
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import md5
from typing import Any

import google_crc32c

from tests.fake_gcs.wire import GcsError, failed_precondition, no_bucket, no_object

_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")


@dataclass(slots=True)
class StoredObject:
    """One generation of one object. `fields` holds what the writer may set, under the names of the JSON API."""

    bucket: str
    name: str
    data: bytes
    fields: dict[str, Any]
    generation: int
    crc32c: str
    md5: str | None
    components: int | None
    created: datetime
    updated: datetime
    metageneration: int = 1
    deleted: datetime | None = None


@dataclass(slots=True)
class Bucket:
    name: str
    fields: dict[str, Any]
    created: datetime
    updated: datetime
    metageneration: int = 1
    live: dict[str, StoredObject] = field(default_factory=dict)
    archived: list[StoredObject] = field(default_factory=list)
    written_s: dict[str, float] = field(default_factory=dict)

    @property
    def keeps_versions(self) -> bool:
        """Whether a replaced object is kept under its generation."""
        return bool((self.fields.get("versioning") or {}).get("enabled"))


@dataclass(frozen=True, slots=True)
class Conditions:
    """What must hold for a request to be served. A generation of 0 stands for no live object."""

    generation: int | None = None
    not_generation: int | None = None
    metageneration: int | None = None
    not_metageneration: int | None = None

    @classmethod
    def of(cls, values: Mapping[str, str], *names: str) -> Conditions:
        """Take the four from a query or from headers, under the names given."""
        try:
            return cls(*(int(values[name]) if name in values else None for name in names))
        except ValueError:
            raise GcsError(400, "Invalid argument: a precondition is not a number.") from None

    def check(self, current: StoredObject | None, *, reading: bool = False) -> None:
        """Refuse unless all of them hold."""
        generation = current.generation if current else 0
        metageneration = current.metageneration if current else 0
        if self.generation not in (None, generation) or self.metageneration not in (None, metageneration):
            raise failed_precondition()
        if generation == self.not_generation or metageneration == self.not_metageneration:
            raise GcsError(304, "Not modified") if reading else failed_precondition()


NO_CONDITIONS = Conditions()


class Buckets:
    """All there is. Every method is one atomic step.

    Args:
        write_interval_s: How long one object must rest between two changes; sooner is a 429, as with Google.
    """

    def __init__(self, *, write_interval_s: float = 0.0) -> None:
        self.write_interval_s = write_interval_s
        self._buckets: dict[str, Bucket] = {}
        self._lock = threading.RLock()
        self._last_generation = 0

    def create_bucket(self, name: str, fields: dict[str, Any]) -> Bucket:
        """Make an empty bucket."""
        if not _BUCKET.fullmatch(name):
            raise GcsError(400, f"Invalid bucket name: '{name}'")
        now = datetime.now(UTC)
        with self._lock:
            if name in self._buckets:
                raise GcsError(
                    409, "Your previous request to create the named bucket succeeded and you already own it."
                )
            self._buckets[name] = Bucket(name, fields, now, now)
            return self._buckets[name]

    def bucket(self, name: str) -> Bucket:
        """Return a bucket."""
        with self._lock:
            if name not in self._buckets:
                raise no_bucket()
            return self._buckets[name]

    def all_buckets(self) -> list[Bucket]:
        """Return all buckets, ordered by name."""
        with self._lock:
            return [self._buckets[name] for name in sorted(self._buckets)]

    def patch_bucket(self, name: str, changes: dict[str, Any], conditions: Conditions) -> Bucket:
        """Change some fields of a bucket."""
        with self._lock:
            bucket = self.bucket(name)
            if conditions.metageneration not in (None, bucket.metageneration):
                raise failed_precondition()
            bucket.fields = _merged(bucket.fields, changes)
            bucket.metageneration += 1
            bucket.updated = datetime.now(UTC)
            return bucket

    def delete_bucket(self, name: str) -> None:
        """Remove an empty bucket."""
        with self._lock:
            if self.bucket(name).live or self.bucket(name).archived:
                raise GcsError(409, "The bucket you tried to delete is not empty.", xml_code="BucketNotEmpty")
            del self._buckets[name]

    def get(
        self, bucket: str, name: str, *, generation: int | None = None, conditions: Conditions = NO_CONDITIONS
    ) -> StoredObject:
        """Return the live object, or the one of a generation."""
        with self._lock:
            found = self._find(self.bucket(bucket), name, generation)
            if found is None:
                raise no_object(bucket, name)
            conditions.check(found, reading=True)
            return found

    def check(self, bucket: str, name: str, conditions: Conditions) -> None:
        """Check the conditions of a write that is going to be made later."""
        with self._lock:
            conditions.check(self.bucket(bucket).live.get(name))

    def put(
        self,
        bucket: str,
        name: str,
        data: bytes,
        fields: dict[str, Any],
        conditions: Conditions = NO_CONDITIONS,
        *,
        components: int | None = None,
    ) -> StoredObject:
        """Write an object after checking the checksums that the writer states, and the conditions."""
        if not name or len(name.encode()) > 1024 or "\n" in name or "\r" in name:
            raise GcsError(400, "Invalid object name.")
        crc32c = b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()
        digest = None if components else b64encode(md5(data, usedforsecurity=False).digest()).decode()
        stated = {"crc32c": fields.pop("crc32c", None), "md5Hash": fields.pop("md5Hash", None)}
        for kind, actual in (("crc32c", crc32c), ("md5Hash", digest)):
            if stated[kind] not in (None, actual):
                message = f'Provided {kind} "{stated[kind]}" doesn\'t match calculated {kind} "{actual}".'
                raise GcsError(400, message, xml_code="BadDigest")
        with self._lock:
            home = self.bucket(bucket)
            self._check_rate(home, name)
            conditions.check(home.live.get(name))
            now = datetime.now(UTC)
            self._last_generation = max(self._last_generation + 1, time.time_ns() // 1000)
            self._retire(home, name)
            written = StoredObject(
                bucket, name, data, fields, self._last_generation, crc32c, digest, components, now, now
            )
            home.live[name] = written
            home.written_s[name] = time.monotonic()
            return written

    def patch(
        self, bucket: str, name: str, changes: dict[str, Any], conditions: Conditions, generation: int | None = None
    ) -> StoredObject:
        """Change some fields of an object; its content and generation stay."""
        with self._lock:
            home = self.bucket(bucket)
            found = self._find(home, name, generation)
            if found is None:
                raise no_object(bucket, name)
            conditions.check(found)
            found.fields = _merged(found.fields, changes)
            found.metageneration += 1
            found.updated = datetime.now(UTC)
            return found

    def delete(
        self, bucket: str, name: str, *, generation: int | None = None, conditions: Conditions = NO_CONDITIONS
    ) -> None:
        """Delete the live object, or for good the one of a generation."""
        with self._lock:
            home = self.bucket(bucket)
            found = self._find(home, name, generation)
            if found is None:
                raise no_object(bucket, name)
            self._check_rate(home, name)
            conditions.check(found)
            if generation is None:
                self._retire(home, name)
            elif found in home.archived:
                home.archived.remove(found)
            else:
                del home.live[name]
            home.written_s[name] = time.monotonic()

    def snapshot(self, bucket: str, *, versions: bool = False) -> list[StoredObject]:
        """Return all objects of a bucket in the order of listings."""
        with self._lock:
            home = self.bucket(bucket)
            found = [*home.live.values(), *(home.archived if versions else [])]
        return sorted(found, key=lambda item: (item.name, item.generation))

    def _find(self, bucket: Bucket, name: str, generation: int | None) -> StoredObject | None:
        live = bucket.live.get(name)
        if generation is None or (live and live.generation == generation):
            return live
        return next((item for item in bucket.archived if (item.name, item.generation) == (name, generation)), None)

    def _retire(self, bucket: Bucket, name: str) -> None:
        old = bucket.live.pop(name, None)
        if old and bucket.keeps_versions:
            old.deleted = datetime.now(UTC)
            bucket.archived.append(old)

    def _check_rate(self, bucket: Bucket, name: str) -> None:
        if time.monotonic() - bucket.written_s.get(name, -1e9) < self.write_interval_s:
            message = (
                f"The object {bucket.name}/{name} exceeded the rate limit for object mutation operations "
                "(create, update, and delete). Please reduce your request rate."
            )
            raise GcsError(429, message)


def _merged(fields: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Apply a patch: null removes a field, and the members of maps are patched one by one."""
    merged = dict(fields)
    for name, value in changes.items():
        if value is None:
            merged.pop(name, None)
        elif name in ("metadata", "labels") and isinstance(merged.get(name), dict):
            merged[name] = _merged(merged[name], value)
        else:
            merged[name] = value
    return merged
