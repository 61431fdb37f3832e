"""The service: a predictor, its protocols and its metrics, behind one function from request to response.

Routing happens here, once, so that every host has the same routes, the same 404 and the same 405. Hosts turn what
their framework received into a `Request` and send the `Response`; they add nothing to it.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace

import orjson

from registry.errors import BusyError, RegistryError, TooLargeError
from registry.inference.metrics import Metrics
from registry.inference.once import MustWait
from registry.inference.predictor import Predictor
from registry.inference.protocols import Request, Response, Route, known_protocols, native, open_protocol
from registry.inference.settings import Settings

log = logging.getLogger(__name__)

UNKNOWN_ROUTE = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a request may have.

    Attributes:
        max_body: Bytes.
        max_rows: Rows.
    """

    max_body: int
    max_rows: int


class Service:
    """Answers requests."""

    def __init__(self, predictor: Predictor, settings: Settings, *, docs: str = "") -> None:
        """Collect the routes of all protocols.

        Args:
            predictor: What answers.
            settings: What the server was told.
            docs: Path of a page that shows the OpenAPI document, where the host has one.
        """
        self.predictor = predictor
        self.settings = settings
        self.docs = docs
        self.limits = Limits(max_body=settings.max_body, max_rows=settings.max_rows)
        self.metrics = Metrics()
        self._routes: dict[str, dict[str, Route]] = {}
        for name in known_protocols():
            for route in open_protocol(name).routes(self):
                self._routes.setdefault(route.path, {})[route.method] = route
        self._timing_sent = threading.Lock()

    @property
    def paths(self) -> list[str]:
        """The paths that are served."""
        return list(self._routes)

    def respond(self, request: Request) -> Response:
        """Answer a request. A bug of ours is a logged 500.

        Raises:
            MustWait: The answer has to wait for the bucket, and the request may not; nothing was counted.
        """
        start_s = time.perf_counter()
        methods, route = self._find(request)
        if route is not None:
            response = self._answer(route, request)
        elif methods:
            response = _method_not_allowed(request, methods)
        else:
            response = _not_found(request, self.paths)
        self._count(request, response, time.perf_counter() - start_s)
        return self._with_timing(response)

    def is_probe(self, request: Request) -> bool:
        """Tell whether the request asks how the process is."""
        _, route = self._find(request)
        return route is not None and route.probe

    def too_large(self, request: Request) -> Response:
        """Answer a request whose body is larger than `Limits.max_body`; the body was not read."""
        limit = self.limits.max_body
        return self._refuse(request, TooLargeError(f"a body has at most {limit} bytes", limit=limit))

    def busy(self, request: Request, *, limit: int) -> Response:
        """Answer a request that came while as many as the host accepts were under way; the body was not read."""
        error = BusyError(f"{limit} requests are under way, and more are not accepted at once", limit=limit)
        return self._refuse(request, error)

    def _find(self, request: Request) -> tuple[dict[str, Route], Route | None]:
        """Return the routes at a path by their methods, and the one that answers the request."""
        methods = self._routes.get(request.path, {})
        return methods, methods.get("GET" if request.method == "HEAD" else request.method)

    def _answer(self, route: Route, request: Request) -> Response:
        try:
            return route.handler(request)
        except RegistryError as error:
            return route.error(error)
        except MustWait:
            raise
        except Exception:
            log.exception("a bug: %s %s failed", request.method, request.path)
            return Response(status=500, body=b'{"detail":"Internal Server Error","code":"internal_error"}')

    def _refuse(self, request: Request, error: RegistryError) -> Response:
        _, route = self._find(request)
        response = (route.error if route else native.error)(error)
        self._count(request, response, 0.0)
        return response

    def _count(self, request: Request, response: Response, duration_s: float) -> None:
        methods, route = self._find(request)
        method, path = request.method if route else "other", request.path if methods else UNKNOWN_ROUTE
        self.metrics.request(method, path, response.status, duration_s)

    def _with_timing(self, response: Response) -> Response:
        """Add what the cold start cost to the first response."""
        if not self._timing_sent.acquire(blocking=False):
            return response
        phases = self.predictor.serving.loaded.phases
        timing = ", ".join(f"{phase.name};dur={phase.ms:.1f}" for phase in phases)
        return replace(response, headers={**response.headers, "server-timing": timing})


def _not_found(request: Request, known: list[str]) -> Response:
    body = {"detail": f"there is nothing at {request.path}", "code": "not_found", "known": known}
    return Response(status=404, body=orjson.dumps(body))


def _method_not_allowed(request: Request, methods: dict[str, Route]) -> Response:
    allowed = sorted({*methods, "HEAD"} if "GET" in methods else methods)
    body = {
        "detail": f"{request.path} does not answer {request.method}",
        "code": "method_not_allowed",
        "known": allowed,
    }
    return Response(status=405, body=orjson.dumps(body), headers={"allow": ", ".join(allowed)})
