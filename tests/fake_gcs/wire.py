"""What goes over the wire: requests, answers, and the errors of Cloud Storage in its two dialects."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

Body = bytes | memoryview

NAMES = {  # status: reason in the JSON API, code in the XML API
    400: ("invalid", "InvalidArgument"),
    401: ("authError", "AuthenticationRequired"),
    403: ("forbidden", "AccessDenied"),
    404: ("notFound", "NoSuchKey"),
    408: ("requestTimeout", "RequestTimeout"),
    409: ("conflict", "BucketNameUnavailable"),
    412: ("conditionNotMet", "PreconditionFailed"),
    416: ("requestedRangeNotSatisfiable", "InvalidRange"),
    429: ("rateLimitExceeded", "SlowDown"),
    500: ("internalError", "InternalError"),
    501: ("notImplemented", "NotImplemented"),
    502: ("badGateway", "BadGateway"),
    503: ("backendError", "ServiceUnavailable"),
    504: ("gatewayTimeout", "GatewayTimeout"),
}


class GcsError(Exception):
    """A refusal, as Cloud Storage words it."""

    def __init__(self, status: int, message: str, *, xml_code: str = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.reason, usual = NAMES.get(status, ("unknown", "Unknown"))
        self.xml_code = xml_code or usual
        self.headers = headers or {}


def no_bucket() -> GcsError:
    return GcsError(404, "The specified bucket does not exist.", xml_code="NoSuchBucket")


def no_object(bucket: str, name: str) -> GcsError:
    return GcsError(404, f"No such object: {bucket}/{name}")


def failed_precondition() -> GcsError:
    return GcsError(412, "At least one of the pre-conditions you specified did not hold.")


@dataclass(slots=True)
class Request:
    """One request; names of headers are in lower case."""

    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path as it was sent, percent-encoded."""
        return re.sub(r"^https?://[^/]+", "", self.target).partition("?")[0]

    @property
    def plain_path(self) -> str:
        """The path, decoded."""
        return unquote(self.path)

    @property
    def query(self) -> dict[str, str]:
        """The query, decoded; of a repeated name the last value."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    def json(self) -> dict[str, Any]:
        """Parse the body, which must be an object or empty."""
        try:
            value = json.loads(self.body or b"{}")
        except ValueError:
            raise GcsError(400, "Parse Error") from None
        if not isinstance(value, dict):
            raise GcsError(400, "Parse Error")
        return value


@dataclass(slots=True)
class Response:
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: Body = b""


def json_response(value: Any, status: int = 200, headers: list[tuple[str, str]] | None = None) -> Response:
    body = json.dumps(value).encode()
    return Response(status, [("Content-Type", "application/json; charset=UTF-8"), *(headers or [])], body)


def xml_response(root: str, content: str, headers: list[tuple[str, str]] | None = None) -> Response:
    body = f"<?xml version='1.0' encoding='UTF-8'?><{root}>{content}</{root.partition(' ')[0]}>".encode()
    return Response(200, [("Content-Type", "application/xml; charset=UTF-8"), *(headers or [])], body)


def xml(**fields: object) -> str:
    """Write elements in order, escaped; None leaves one out."""
    return "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in fields.items() if value is not None)


def json_error(error: GcsError) -> Response:
    detail = {"message": error.message, "domain": "global", "reason": error.reason}
    value = {"error": {"code": error.status, "message": error.message, "errors": [detail]}}
    return _with_headers(json_response(value, error.status), error)


def text_error(error: GcsError) -> Response:
    """Return the error as a download of media gets it: the sentence alone, under a misleading content type."""
    body = error.message.encode()
    return _with_headers(Response(error.status, [("Content-Type", "text/html; charset=UTF-8")], body), error)


def xml_error(error: GcsError) -> Response:
    response = xml_response("Error", xml(Code=error.xml_code, Message=error.message))
    response.status = error.status
    return _with_headers(response, error)


def _with_headers(response: Response, error: GcsError) -> Response:
    response.headers += error.headers.items()
    if response.status == 304:
        response.body = b""
    return response


def split_multipart(content_type: str, body: bytes) -> list[tuple[dict[str, str], bytes]]:
    """Split a multipart body into the headers and the bytes of its parts; no byte of a part is changed."""
    match = re.search(r"""boundary=(?:"([^"]+)"|'([^']+)'|([^;\s]+))""", content_type)
    if match is None:
        raise GcsError(400, "Bad content type: no boundary.")
    line = b"--" + next(group for group in match.groups() if group).encode()
    if not body.startswith(line):
        raise GcsError(400, "Malformed multipart body.")
    parts = []
    position = len(line) + 2
    while True:
        head_end = body.find(b"\r\n\r\n", position)
        content_end = body.find(b"\r\n" + line, head_end + 2 if head_end >= 0 else position)
        if head_end < 0 or content_end < 0:
            raise GcsError(400, "Malformed multipart body.")
        head = [part.partition(":") for part in body[position:head_end].decode().split("\r\n") if part]
        headers = {name.strip().lower(): value.strip() for name, _, value in head}
        parts.append((headers, body[head_end + 4 : max(content_end, head_end + 4)]))
        position = content_end + 2 + len(line) + 2
        if body[position - 2 : position] == b"--":
            return parts
