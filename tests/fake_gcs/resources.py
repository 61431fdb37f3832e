"""Buckets and objects in the form that the JSON API gives them."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from typing import Any
from urllib.parse import quote

from tests.fake_gcs.objects import Bucket, StoredObject
from tests.fake_gcs.wire import Request

_OUTPUT_ONLY = {"kind", "id", "selfLink", "mediaLink", "name", "bucket", "generation", "metageneration"} | {
    "size",
    "etag",
    "timeCreated",
    "updated",
}


def writable(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that a client may set."""
    return {name: value for name, value in fields.items() if name not in _OUTPUT_ONLY}


def bucket_resource(bucket: Bucket) -> dict[str, Any]:
    return {
        "kind": "storage#bucket",
        "id": bucket.name,
        "name": bucket.name,
        "projectNumber": "123456789012",
        "location": "US",
        "storageClass": "STANDARD",
        "timeCreated": _text(bucket.created),
        "updated": _text(bucket.updated),
        "metageneration": str(bucket.metageneration),
        "etag": b64encode(str(bucket.metageneration).encode()).decode(),
        **bucket.fields,
    }


def object_resource(item: StoredObject, request: Request) -> dict[str, Any]:
    base = base_url(request)
    path = f"{item.bucket}/o/{quote(item.name, safe='')}"
    resource: dict[str, Any] = {
        "kind": "storage#object",
        "id": f"{item.bucket}/{item.name}/{item.generation}",
        "selfLink": f"{base}/storage/v1/b/{path}",
        "mediaLink": f"{base}/download/storage/v1/b/{path}?generation={item.generation}&alt=media",
        "name": item.name,
        "bucket": item.bucket,
        "generation": str(item.generation),
        "metageneration": str(item.metageneration),
        "storageClass": "STANDARD",
        "size": str(len(item.data)),
        "crc32c": item.crc32c,
        "etag": object_etag(item),
        "timeCreated": _text(item.created),
        "updated": _text(item.updated),
        "timeStorageClassUpdated": _text(item.created),
        **item.fields,
    }
    optional = {
        "md5Hash": item.md5,
        "componentCount": item.components,
        "timeDeleted": _text(item.deleted) if item.deleted else None,
    }
    return resource | {name: value for name, value in optional.items() if value is not None}


def object_etag(item: StoredObject) -> str:
    """Return the ETag of the JSON API, which is not the one of the XML API."""
    return b64encode(f"{item.generation}/{item.metageneration}".encode()).decode()


def base_url(request: Request) -> str:
    return f"http://{request.headers.get('host', 'localhost')}"


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
