"""The table of requests that both hosts must answer alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One request, and the status that it must get.

    Attributes:
        status: What the answer is.
        method: Of the request.
        target: Its path and query, as they go over the wire.
        body: The body, if there is one.
        chunked: Whether the body goes out in chunks, without a length.
        headers: Further headers.
    """

    status: int
    method: str = "POST"
    target: str = "/predict"
    body: bytes | None = None
    chunked: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    def chunks(self) -> bytes | Iterator[bytes] | None:
        """Return the body as it is to be sent."""
        if self.body is None or not self.chunked:
            return self.body
        return iter([self.body[place : place + 1000] for place in range(0, len(self.body), 1000)])


def _post(status: int, document: Any, **more: Any) -> Sent:
    body = document if isinstance(document, bytes) else orjson.dumps(document)
    return Sent(status=status, body=body, **more)


def _get(status: int, target: str, **more: Any) -> Sent:
    return Sent(status=status, method="GET", target=target, **more)


ROW = [1.2, 0.25]
NAMED = {"length": 1.2, "width": 0.25}
BIG = b" " * 100_001
DEEP = b"[" * 5000 + b"]" * 5000

REQUESTS: dict[str, Sent] = {
    # What works.
    "by position": _post(200, {"features": ROW}),
    "by name": _post(200, NAMED),
    "features by name": _post(200, {"features": NAMED}),
    "many": _post(200, {"instances": [ROW, NAMED, [6.5, 2.4]]}),
    "a plain array": _post(200, [ROW, NAMED]),
    "a version": _post(200, {"features": ROW, "model_version": "1.0.0"}),
    "an alias": _post(200, {**NAMED, "length": 1.5, "model_version": "canary"}),
    "another version": _post(200, {"features": ROW, "model_version": "1.2.0"}),
    "latest": _post(200, {"features": ROW, "model_version": "latest"}),
    "no version, said": _post(200, {"features": ROW, "model_version": None}),
    "a duplicate key": _post(200, b'{"features": [9, 9], "features": [1.2, 0.25]}'),
    "no content type": _post(200, {"features": ROW}, headers={"Content-Type": ""}),
    "a parameter in the type": _post(200, {"features": ROW}, headers={"Content-Type": "application/json;charset=utf8"}),
    "chunks": _post(200, {"features": ROW}, chunked=True),
    "a query beside": _post(200, {"features": ROW}, target="/predict?model_version=7.7.7&x=%00"),
    "an encoded path": _post(200, {"features": ROW}, target="/pre%64ict"),
    "two slashes": _post(200, {"features": ROW}, target="//predict"),
    "as many rows as allowed": _post(200, {"instances": [ROW] * 100}),
    "as many bytes as allowed": _post(200, orjson.dumps({"features": ROW}).ljust(100_000)),
    "status": _get(200, "/"),
    "health": _get(200, "/health"),
    "live": _get(200, "/health/live"),
    "ready": _get(200, "/health/ready"),
    "startup": _get(200, "/health/startup"),
    "openapi": _get(200, "/openapi.json"),
    # Wrong values.
    "text": _post(422, {"features": ["1", 1]}),
    "null": _post(422, {"features": [None, 1]}),
    "a boolean": _post(422, {"features": [True, 1]}),
    "nested": _post(422, {"features": [[1, 1]]}),
    "missing": _post(422, {"length": 1}),
    "unknown": _post(422, {**NAMED, "height": 1}),
    "unknown and missing": _post(422, {"Länge": 1}),
    "NaN": _post(422, b'{"features": [NaN, 1]}'),
    "Infinity": _post(422, b'{"features": [Infinity, 1]}'),
    "-Infinity": _post(422, b'{"features": [-Infinity, 1]}'),
    "1e400": _post(422, b'{"features": [1e400, 1]}'),
    "1e39": _post(422, b'{"features": [1e39, 1]}'),
    "a huge integer": _post(422, b'{"features": [1' + b"0" * 60 + b", 1]}"),
    "a huger integer": _post(422, b'{"features": [1' + b"0" * 5000 + b", 1]}"),
    "below a limit": _post(422, {"features": [0, 1]}),
    "above a limit": _post(422, {"features": [1, 50.1]}),
    "above the other version's limit": _post(422, {**NAMED, "width": 6, "model_version": "canary"}),
    "too short": _post(422, {"features": [1]}),
    "too long": _post(422, {"features": [1, 1, 1]}),
    "no values": _post(422, {"features": []}),
    "no rows": _post(422, {"instances": []}),
    "an empty array": _post(422, []),
    "an empty object": _post(422, {}),
    "rows among wrong ones": _post(422, {"instances": [ROW, ["x", 1], {}, 7, None]}),
    "many wrong rows": _post(422, {"instances": [["x", "y"]] * 100}),
    # Wrong documents.
    "nothing": _post(422, b""),
    "no JSON": _post(422, b"{"),
    "a trailing comma": _post(422, b'{"features": [1, 1],}'),
    "deep nesting": _post(422, DEEP),
    "deep features": _post(422, b'{"features": ' + DEEP + b"}"),
    "invalid UTF-8": _post(422, b'{"features": "\xff\xfe"}'),
    "a lone surrogate": _post(422, b'{"\\ud800": 1}'),
    "a byte order mark": _post(422, b'\xef\xbb\xbf{"features": [1, 1]}'),
    "a control character": _post(422, b'{"a\x00": 1}'),
    "text as document": _post(422, "x"),
    "both kinds": _post(422, {"features": ROW, "instances": [ROW]}),
    "a version that is a number": _post(422, {"features": ROW, "model_version": 1}),
    "a version that is a path": _post(422, {"features": ROW, "model_version": "../../etc"}),
    "an empty version": _post(422, {"features": ROW, "model_version": ""}),
    # Versions.
    "an unknown version": _post(404, {"features": ROW, "model_version": "7.7.7"}),
    "a withdrawn version": _post(410, {"features": ROW, "model_version": "0.9.0"}),
    "a wrong digest": _post(404, {"features": ROW, "model_version": f"1.0.0@sha256:{'0' * 64}"}),
    "about an unknown version": _get(404, "/model/info?model_version=7.7.7"),
    "about a withdrawn version": _get(410, "/model-info?model_version=0.9.0"),
    "about nothing": _get(422, "/model/info?model_version="),
    "about a null byte": _get(422, "/model/info?model_version=%00"),
    "about bytes": _get(422, "/model/info?model_version=%FF%FE%F0"),
    "about a long name": _get(422, f"/model/info?model_version={'9' * 3000}"),
    # Sizes and types.
    "too many rows": _post(413, {"instances": [ROW] * 101}),
    "too many bytes": _post(413, BIG),
    "too many bytes in chunks": _post(413, BIG, chunked=True),
    "far too many bytes": _post(413, b"x" * 5_000_000),
    "far too many bytes in chunks": _post(413, b"x" * 5_000_000, chunked=True),
    "too many bytes for nothing": _post(413, BIG, target="/nothing"),
    "text/plain": _post(415, {"features": ROW}, headers={"Content-Type": "text/plain"}),
    "a form": _post(415, b"features=1", headers={"Content-Type": "application/x-www-form-urlencoded"}),
    "a form in parts": _post(415, b"--x--", headers={"Content-Type": "multipart/form-data; boundary=x"}),
    # Routes.
    "an unknown path": _get(404, "/nothing"),
    "a slash at the end": _get(404, "/health/"),
    "dots": _get(404, "/model/../health"),
    "an encoded slash": _get(404, "/model%2Finfo%2F"),
    "an encoded question mark": _get(404, "/health%3Fx"),
    "an encoded space and letter": _get(404, "/%20%C3%BC"),
    "bytes in a path": _get(404, "/%FF%FE"),
    "upper case": _get(404, "/HEALTH"),
    "a body with GET": Sent(status=200, method="GET", target="/health", body=b"{}"),
    "GET predict": _get(405, "/predict"),
    "PUT predict": _post(405, {"features": ROW}, method="PUT"),
    "PATCH predict": _post(405, {"features": ROW}, method="PATCH"),
    "DELETE predict": Sent(status=405, method="DELETE"),
    "OPTIONS predict": Sent(status=405, method="OPTIONS"),
    "TRACE predict": Sent(status=405, method="TRACE"),
    "POST health": _post(405, {}, target="/health"),
    "POST openapi": _post(405, {}, target="/openapi.json"),
    "HEAD status": Sent(status=200, method="HEAD", target="/"),
    "HEAD health": Sent(status=200, method="HEAD", target="/health"),
    "HEAD openapi": Sent(status=200, method="HEAD", target="/openapi.json"),
    "HEAD predict": Sent(status=405, method="HEAD"),
    "HEAD nothing": Sent(status=404, method="HEAD", target="/nothing"),
}
