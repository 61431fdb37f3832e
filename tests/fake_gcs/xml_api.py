"""The XML API, ``/bucket/object``, as far as obstore and the library's multipart uploads speak it."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from datetime import datetime
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

from tests.fake_gcs.listing import list_objects
from tests.fake_gcs.media import media_response, object_headers
from tests.fake_gcs.objects import Buckets, Conditions, StoredObject
from tests.fake_gcs.uploads import Uploads, crc32c_in, encoded_crc32c
from tests.fake_gcs.wire import GcsError, Request, Response, failed_precondition, xml, xml_error, xml_response

_LISTS = "xmlns='http://doc.s3.amazonaws.com/2006-03-01'"
_UPLOADS = "xmlns='http://s3.amazonaws.com/doc/2006-03-01/'"
_CONDITIONS = (
    "x-goog-if-generation-match",
    "x-goog-if-generation-not-match",
    "x-goog-if-metageneration-match",
    "x-goog-if-metageneration-not-match",
)
_FIELDS = {
    "content-type": "contentType",
    "cache-control": "cacheControl",
    "content-encoding": "contentEncoding",
    "content-disposition": "contentDisposition",
    "content-language": "contentLanguage",
    "content-md5": "md5Hash",
    "x-goog-storage-class": "storageClass",
}


class XmlApi:
    def __init__(self, buckets: Buckets, uploads: Uploads) -> None:
        self._buckets = buckets
        self._uploads = uploads

    def handle(self, request: Request) -> Response:
        """Answer a request, whatever it is."""
        bucket, _, name = request.path.removeprefix("/").partition("/")
        try:
            if not name:
                return self._bucket(request, unquote(bucket))
            return self._object(request, unquote(bucket), unquote(name))
        except GcsError as error:
            return xml_error(error)

    def _bucket(self, request: Request, bucket: str) -> Response:
        if request.method != "GET" or request.query.get("list-type") != "2":
            raise GcsError(501, "A header or query you provided requested a function that is not implemented.")
        query = request.query
        token = query.get("continuation-token")
        page = list_objects(
            self._buckets.snapshot(bucket),
            prefix=query.get("prefix", ""),
            delimiter=query.get("delimiter", ""),
            after=b64decode(token).decode() if token else query.get("start-after", ""),
            limit=min(int(query.get("max-keys", 1000)), 1000),
        )
        content = xml(Name=bucket, Prefix=query.get("prefix", ""), KeyCount=len(page))
        content += xml(IsTruncated="false" if page.next_after is None else "true")
        if page.next_after is not None:
            content += xml(NextContinuationToken=b64encode(page.next_after.encode()).decode())
        for item in page.items:
            entry = xml(Key=item.name, Generation=item.generation, MetaGeneration=item.metageneration)
            entry += xml(LastModified=_text(item.updated), ETag=_etag(item), Size=len(item.data))
            content += f"<Contents>{entry}</Contents>"
        content += "".join(f"<CommonPrefixes>{xml(Prefix=prefix)}</CommonPrefixes>" for prefix in page.prefixes)
        return xml_response(f"ListBucketResult {_LISTS}", content)

    def _object(self, request: Request, bucket: str, name: str) -> Response:
        method, query = request.method, request.query
        if method in ("GET", "HEAD"):
            return self._get(request, bucket, name)
        if method == "PUT" and "partNumber" in query:
            etag = self._uploads.put_part(query.get("uploadId", ""), int(query["partNumber"]), request)
            return Response(200, [("ETag", etag), ("x-goog-hash", f"crc32c={encoded_crc32c(request.body)}")])
        if method == "PUT":
            return (
                self._copy(request, bucket, name)
                if "x-goog-copy-source" in request.headers
                else self._put(request, bucket, name)
            )
        if method == "POST" and "uploads" in query:
            upload_id = self._uploads.begin_multipart(bucket, name, _fields(request))
            content = xml(Bucket=bucket, Key=name, UploadId=upload_id)
            return xml_response(f"InitiateMultipartUploadResult {_UPLOADS}", content)
        if method == "POST" and "uploadId" in query:
            return self._complete(request, bucket, name)
        if method == "DELETE":
            if "uploadId" in query:
                self._uploads.abort_multipart(query["uploadId"])
            else:
                self._buckets.delete(bucket, name, generation=_generation(request), conditions=_conditions(request))
            return Response(204)
        raise GcsError(501, "A header or query you provided requested a function that is not implemented.")

    def _get(self, request: Request, bucket: str, name: str) -> Response:
        item = self._buckets.get(bucket, name, generation=_generation(request), conditions=_conditions(request))
        etag = _etag(item)
        wanted, unwanted = request.headers.get("if-match"), request.headers.get("if-none-match")
        if wanted is not None and wanted not in ("*", etag):
            raise failed_precondition()
        if unwanted is not None and unwanted in ("*", etag):
            raise GcsError(304, "Not Modified", headers={"ETag": etag})
        return media_response(item, request, etag=etag)

    def _put(self, request: Request, bucket: str, name: str) -> Response:
        fields = _fields(request)
        if stated := crc32c_in(request.headers):
            fields["crc32c"] = stated
        written = self._buckets.put(bucket, name, request.body, fields, _conditions(request))
        return Response(200, _written_headers(written))

    def _copy(self, request: Request, bucket: str, name: str) -> Response:
        from_bucket, _, from_name = unquote(request.headers["x-goog-copy-source"]).removeprefix("/").partition("/")
        generation = request.headers.get("x-goog-copy-source-generation")
        source = self._buckets.get(from_bucket, from_name, generation=None if generation is None else int(generation))
        written = self._buckets.put(bucket, name, source.data, dict(source.fields), _conditions(request))
        content = xml(ETag=_etag(written), LastModified=_text(written.updated))
        return xml_response("CopyObjectResult", content, _written_headers(written))

    def _complete(self, request: Request, bucket: str, name: str) -> Response:
        try:
            order = ElementTree.fromstring(request.body)
        except ElementTree.ParseError:
            raise GcsError(400, "The XML you provided was not well-formed.", xml_code="MalformedXML") from None
        numbers = [int(part.text or 0) for part in order.iter() if part.tag.rpartition("}")[2] == "PartNumber"]
        written = self._uploads.complete_multipart(request.query["uploadId"], numbers, _conditions(request))
        location = f"http://{request.headers.get('host', 'localhost')}/{bucket}/{name}"
        content = xml(Location=location, Bucket=bucket, Key=name, ETag=_etag(written))
        return xml_response(f"CompleteMultipartUploadResult {_UPLOADS}", content, _written_headers(written))


def _written_headers(item: StoredObject) -> list[tuple[str, str]]:
    headers = object_headers(item, etag=_etag(item))
    return [pair for pair in headers if pair[0] == "ETag" or pair[0].startswith("x-goog-")]


def _etag(item: StoredObject) -> str:
    """Return the ETag of the XML API: the MD5, or something else where there is none."""
    return f'"{b64decode(item.md5).hex()}"' if item.md5 else f'"-{item.generation:x}"'


def _fields(request: Request) -> dict[str, Any]:
    fields: dict[str, Any] = {
        field: request.headers[header] for header, field in _FIELDS.items() if header in request.headers
    }
    prefix = "x-goog-meta-"
    metadata = {
        header.removeprefix(prefix): value for header, value in request.headers.items() if header.startswith(prefix)
    }
    return fields | ({"metadata": metadata} if metadata else {})


def _conditions(request: Request) -> Conditions:
    return Conditions.of(request.headers, *_CONDITIONS)


def _generation(request: Request) -> int | None:
    generation = request.query.get("generation")
    return int(generation) if generation and re.fullmatch(r"\d+", generation) else None


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
