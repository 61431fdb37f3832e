"""The JSON API: ``/storage/v1``, ``/upload/storage/v1``, ``/download/storage/v1`` and ``/batch/storage/v1``."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from email import message_from_bytes
from typing import Any
from urllib.parse import unquote

from tests.fake_gcs.listing import list_objects
from tests.fake_gcs.media import media_response
from tests.fake_gcs.objects import Buckets, Conditions, StoredObject
from tests.fake_gcs.resources import base_url, bucket_resource, object_etag, object_resource, writable
from tests.fake_gcs.uploads import Uploads, crc32c_in
from tests.fake_gcs.wire import GcsError, Request, Response, json_error, json_response, split_multipart, text_error

_CONDITIONS = ("ifGenerationMatch", "ifGenerationNotMatch", "ifMetagenerationMatch", "ifMetagenerationNotMatch")
_SOURCE_CONDITIONS = tuple(name.replace("if", "ifSource", 1) for name in _CONDITIONS)
Handler = Callable[..., Response]


class JsonApi:
    def __init__(self, buckets: Buckets, uploads: Uploads) -> None:
        self._buckets = buckets
        self._uploads = uploads
        one, item = r"/storage/v1/b/([^/]+)", r"/storage/v1/b/([^/]+)/o/([^/]+)"
        routes: list[tuple[str, str, Handler]] = [
            ("GET", r"/storage/v1/b", self._list_buckets),
            ("POST", r"/storage/v1/b", self._create_bucket),
            ("GET", one, self._get_bucket),
            ("PATCH|PUT", one, self._patch_bucket),
            ("DELETE", one, self._delete_bucket),
            ("GET", rf"{one}/o", self._list),
            ("GET", rf"(?:/download)?{item}", self._get),
            ("PATCH|PUT", item, self._patch),
            ("DELETE", item, self._delete),
            ("POST", rf"{item}/compose", self._compose),
            ("POST", rf"{item}/(?:rewriteTo|copyTo)/b/([^/]+)/o/([^/]+)", self._copy),
            ("POST", rf"(?:/resumable)?/upload{one}/o", self._upload),
            ("PUT", rf"(?:/resumable)?/upload{one}/o", self._resume),
            ("DELETE", rf"(?:/resumable)?/upload{one}/o", self._cancel),
            ("POST", r"/batch/storage/v1", self._batch),
        ]
        self._routes = [(re.compile(methods), re.compile(path), handler) for methods, path, handler in routes]

    def handle(self, request: Request) -> Response:
        """Answer a request, whatever it is."""
        try:
            for methods, path, handler in self._routes:
                match = path.fullmatch(request.path)
                if match and methods.fullmatch(request.method):
                    return handler(request, *map(unquote, match.groups()))
            raise GcsError(404, "Not Found")
        except GcsError as error:
            return text_error(error) if request.query.get("alt") == "media" else json_error(error)

    def _list_buckets(self, request: Request) -> Response:
        return json_response(
            {"kind": "storage#buckets", "items": [bucket_resource(b) for b in self._buckets.all_buckets()]}
        )

    def _create_bucket(self, request: Request) -> Response:
        fields = request.json()
        name = fields.pop("name", "")
        return json_response(bucket_resource(self._buckets.create_bucket(name, fields)))

    def _get_bucket(self, request: Request, bucket: str) -> Response:
        return json_response(bucket_resource(self._buckets.bucket(bucket)))

    def _patch_bucket(self, request: Request, bucket: str) -> Response:
        return json_response(
            bucket_resource(self._buckets.patch_bucket(bucket, writable(request.json()), _conditions(request)))
        )

    def _delete_bucket(self, request: Request, bucket: str) -> Response:
        self._buckets.delete_bucket(bucket)
        return Response(204)

    def _list(self, request: Request, bucket: str) -> Response:
        query = request.query
        versions = query.get("versions", "").lower() == "true"
        token = query.get("pageToken")
        page = list_objects(
            self._buckets.snapshot(bucket, versions=versions),
            prefix=query.get("prefix", ""),
            delimiter=query.get("delimiter", ""),
            after=b64decode(token).decode() if token else "",
            start=query.get("startOffset", ""),
            end=query.get("endOffset", ""),
            glob=query.get("matchGlob", ""),
            limit=min(int(query.get("maxResults", 1000)), 1000),
        )
        answer: dict[str, Any] = {"kind": "storage#objects"}
        if page.items:
            answer["items"] = [object_resource(item, request) for item in page.items]
        if page.prefixes:
            answer["prefixes"] = page.prefixes
        if page.next_after is not None:
            answer["nextPageToken"] = b64encode(page.next_after.encode()).decode()
        return json_response(answer)

    def _get(self, request: Request, bucket: str, name: str) -> Response:
        item = self._buckets.get(bucket, name, generation=_generation(request), conditions=_conditions(request))
        if request.query.get("alt") == "media":
            return media_response(item, request, etag=object_etag(item))
        return json_response(object_resource(item, request), headers=[("ETag", object_etag(item))])

    def _patch(self, request: Request, bucket: str, name: str) -> Response:
        changes = writable(request.json())
        item = self._buckets.patch(bucket, name, changes, _conditions(request), _generation(request))
        return json_response(object_resource(item, request))

    def _delete(self, request: Request, bucket: str, name: str) -> Response:
        self._buckets.delete(bucket, name, generation=_generation(request), conditions=_conditions(request))
        return Response(204)

    def _compose(self, request: Request, bucket: str, name: str) -> Response:
        order = request.json()
        sources = []
        for source in order.get("sourceObjects", []):
            conditions = Conditions.of(source.get("objectPreconditions") or {}, *_CONDITIONS)
            generation = int(source["generation"]) if source.get("generation") else None
            sources.append(self._buckets.get(bucket, source["name"], generation=generation, conditions=conditions))
        if not 1 <= len(sources) <= 32:
            raise GcsError(400, "The number of source components provided must be between 1 and 32.")
        count = sum(source.components or 1 for source in sources)
        content = b"".join(source.data for source in sources)
        fields = writable(order.get("destination", {}))
        written = self._buckets.put(bucket, name, content, fields, _conditions(request), components=count)
        return json_response(object_resource(written, request))

    def _copy(self, request: Request, bucket: str, name: str, to_bucket: str, to_name: str) -> Response:
        generation = int(request.query["sourceGeneration"]) if "sourceGeneration" in request.query else None
        conditions = Conditions.of(request.query, *_SOURCE_CONDITIONS)
        source = self._buckets.get(bucket, name, generation=generation, conditions=conditions)
        fields = writable(request.json()) or dict(source.fields)
        written = self._buckets.put(
            to_bucket, to_name, source.data, fields, _conditions(request), components=source.components
        )
        resource = object_resource(written, request)
        if "/copyTo/" in request.path:
            return json_response(resource)
        size = resource["size"]
        answer = {"kind": "storage#rewriteResponse", "totalBytesRewritten": size, "objectSize": size}
        return json_response({**answer, "done": True, "resource": resource})

    def _upload(self, request: Request, bucket: str) -> Response:
        kind = request.query.get("uploadType")
        content_type = request.headers.get("content-type", "application/octet-stream")
        if kind == "resumable":
            return self._begin(request, bucket)
        if kind == "multipart":
            parts = split_multipart(content_type, request.body)
            if len(parts) != 2:
                raise GcsError(400, "Malformed multipart body.")
            fields = Request("", "", body=parts[0][1]).json()
            content_type, content = parts[1][0].get("content-type", "application/octet-stream"), parts[1][1]
        elif kind == "media":
            fields, content = {}, request.body
            if stated := crc32c_in(request.headers):
                fields["crc32c"] = stated
        else:
            raise GcsError(400, "Upload requests must include an uploadType parameter.")
        name = fields.get("name") or request.query.get("name", "")
        fields = {"contentType": content_type} | writable(fields)
        written = self._buckets.put(bucket, name, content, fields, _conditions(request))
        return json_response(object_resource(written, request))

    def _begin(self, request: Request, bucket: str) -> Response:
        fields = request.json()
        name = fields.get("name") or request.query.get("name", "")
        usual = {"contentType": request.headers.get("x-upload-content-type", "application/octet-stream")}
        upload_id = self._uploads.begin(bucket, name, usual | writable(fields), _conditions(request))
        where = f"{base_url(request)}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&upload_id={upload_id}"
        return Response(200, [("Location", where), ("X-GUploader-UploadID", upload_id)])

    def _resume(self, request: Request, bucket: str) -> Response:
        outcome = self._uploads.resume(request.query.get("upload_id", ""), request)
        if isinstance(outcome, StoredObject):
            return json_response(object_resource(outcome, request))
        return Response(308, [("Range", f"bytes=0-{outcome - 1}")] if outcome else [])

    def _cancel(self, request: Request, bucket: str) -> Response:
        self._uploads.cancel(request.query.get("upload_id", ""))
        return Response(499)

    def _batch(self, request: Request) -> Response:
        answers = []
        for label, content in _split_batch(request):
            head, _, body = content.partition("\n\n")
            line, *lines = head.split("\n")
            method, target, _ = line.split(" ", 2)
            pairs = [text.partition(":") for text in lines]
            headers = {name.lower(): value.strip() for name, _, value in pairs}
            answer = self.handle(Request(method, target, headers, body.encode()))
            text = "".join(f"{name}: {value}\r\n" for name, value in answer.headers)
            wrapping = f"Content-Type: application/http\r\nContent-ID: {label.replace('<', '<response-', 1)}\r\n\r\n"
            answers.append(f"{wrapping}HTTP/1.1 {answer.status} \r\n{text}\r\n".encode() + bytes(answer.body))
        whole = b"".join(b"--batch_answer\r\n" + answer + b"\r\n" for answer in answers) + b"--batch_answer--\r\n"
        return Response(200, [("Content-Type", 'multipart/mixed; boundary="batch_answer"')], whole)


def _conditions(request: Request) -> Conditions:
    return Conditions.of(request.query, *_CONDITIONS)


def _generation(request: Request) -> int | None:
    generation = request.query.get("generation")
    return None if generation is None else int(generation)


def _split_batch(request: Request) -> Iterator[tuple[str, str]]:
    """Yield the content id and the text of each request in a batch. Line ends are those of whoever wrote it."""
    head = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n"
    for part in message_from_bytes(head.encode() + request.body).walk():
        if part.get_content_type() == "application/http":
            yield part.get("content-id", "<0>"), str(part.get_payload()).replace("\r\n", "\n").strip("\n") + "\n\n"
