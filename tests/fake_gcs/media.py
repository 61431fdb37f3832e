"""The bytes of an object in an answer, with the headers that both APIs give them."""

from __future__ import annotations

import gzip
import re
from email.utils import format_datetime

from tests.fake_gcs.objects import StoredObject
from tests.fake_gcs.wire import Body, GcsError, Request, Response

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def media_response(item: StoredObject, request: Request, *, etag: str) -> Response:
    """Answer with an object or the range that is asked for, unpacked if the client cannot unpack it."""
    encoding = item.fields.get("contentEncoding", "")
    is_unpacked = encoding == "gzip" and "gzip" not in request.headers.get("accept-encoding", "")
    headers = object_headers(item, etag=etag)
    if is_unpacked:  # decompressive transcoding: the range is ignored, and checksums are those of the stored bytes
        return Response(200, [pair for pair in headers if pair[0] != "Content-Encoding"], gzip.decompress(item.data))
    size = len(item.data)
    wanted = _parse_range(request.headers.get("range", ""), size)
    if wanted is None:
        return Response(200, headers, item.data)
    first, stop = wanted
    if first >= size or first >= stop:
        raise GcsError(416, "Request range not satisfiable", headers={"Content-Range": f"bytes */{size}"})
    part: Body = memoryview(item.data)[first:stop]
    return Response(206, [*headers, ("Content-Range", f"bytes {first}-{stop - 1}/{size}")], part)


def object_headers(item: StoredObject, *, etag: str) -> list[tuple[str, str]]:
    fields = item.fields
    headers = [
        ("Content-Type", fields.get("contentType", "application/octet-stream")),
        ("ETag", etag),
        ("Last-Modified", format_datetime(item.updated, usegmt=True)),
        ("Accept-Ranges", "bytes"),
        ("x-goog-generation", str(item.generation)),
        ("x-goog-metageneration", str(item.metageneration)),
        ("x-goog-storage-class", fields.get("storageClass", "STANDARD")),
        ("x-goog-stored-content-encoding", fields.get("contentEncoding", "identity")),
        ("x-goog-stored-content-length", str(len(item.data))),
        ("x-goog-hash", f"crc32c={item.crc32c}"),
    ]
    if item.md5:
        headers.append(("x-goog-hash", f"md5={item.md5}"))
    for name, header in (
        ("contentEncoding", "Content-Encoding"),
        ("cacheControl", "Cache-Control"),
        ("contentDisposition", "Content-Disposition"),
        ("contentLanguage", "Content-Language"),
    ):
        if fields.get(name):
            headers.append((header, fields[name]))
    headers += [(f"x-goog-meta-{key}", value) for key, value in fields.get("metadata", {}).items()]
    return headers


def _parse_range(header: str, size: int) -> tuple[int, int] | None:
    """Return the first byte and one past the last, or None where there is no range that Google would honour."""
    match = _RANGE.fullmatch(header)
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        return max(size - int(match[2]), 0), size
    if match[2] and int(match[2]) < int(match[1]):
        return None
    return int(match[1]), min(int(match[2]) + 1, size) if match[2] else size
