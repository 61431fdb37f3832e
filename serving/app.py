"""The FastAPI application.

FastAPI carries the pages (``/docs``, ``/redoc``); every other request goes, as it is, to
`registry.inference.service.Service`, which both hosts share.

Predicting blocks, so it runs in a worker thread. Waiting for the bucket would block that thread for as long as the
bucket takes, so requests that have to wait do it in threads of their own: a version that loads slowly never holds up
those that are loaded. Probes are answered at once, ahead of everything that queues.

Run it with ``python -m serving`` or ``uvicorn serving.app:app``; it is configured by the environment.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI
from fastapi.openapi.docs import get_redoc_html
from fastapi_offline import FastAPIOffline
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

import registry
from registry.errors import RegistryError
from registry.inference import logs
from registry.inference.boot import boot
from registry.inference.once import MustWait
from registry.inference.protocols import Request as WireRequest
from registry.inference.protocols import Response as WireResponse
from registry.inference.service import Service
from registry.inference.settings import Settings

MAX_IN_FLIGHT = 1000
"""How many requests may be under way: more are told to come again, before their bodies are read."""

WAITING_THREADS = 64
"""How many requests may wait for the bucket at once; further ones queue, without holding up those that need not."""

_REDOC_POLICY = (
    "default-src 'self'; img-src 'self' data:; script-src 'self' 'unsafe-inline'; "
    "style-src 'self' 'unsafe-inline'; worker-src blob:"
)


def start(environ: Mapping[str, str] | None = None) -> Service:
    """Boot what the environment asks for, and log what it cost.

    Args:
        environ: Where the settings come from; the process's environment when not given.

    Raises:
        RegistryError: Any of our errors, with the phase in ``details["phase"]``.
    """
    settings = Settings.from_environ(os.environ if environ is None else environ)
    logs.configure(settings.log_level)
    service = Service(boot(settings), settings, docs="docs")
    logs.log_started(service.predictor)
    return service


class App:
    """The ASGI application: FastAPI, with a start that says in one sentence why it failed."""

    def __init__(self, start: Callable[[], Service] = start, *, max_in_flight: int = MAX_IN_FLIGHT) -> None:
        """Make the application.

        Args:
            start: Called once, when the server starts it.
            max_in_flight: How many requests may be under way.
        """
        self._start = start
        self._max_in_flight = max_in_flight
        self._fastapi: FastAPI | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI connection."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._fastapi is None:
            raise RuntimeError("the server did not start the application: it must speak the lifespan protocol")
        else:
            await self._fastapi(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            service = await to_thread.run_sync(self._start)
        except RegistryError as error:
            await send({"type": "lifespan.startup.failed", "message": logs.start_failed(error)})
            return
        self._fastapi = create_fastapi(Requests(service, max_in_flight=self._max_in_flight))
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})


class Requests:
    """The ASGI endpoint that hands requests to the service and sends what it answers."""

    def __init__(self, service: Service, *, max_in_flight: int) -> None:
        self._service = service
        self._max_in_flight = max_in_flight
        self._in_flight = 0
        self._waiting = CapacityLimiter(WAITING_THREADS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        self._in_flight += 1
        try:
            answer = await self._answer(request)
        except ClientDisconnect:  # it left in the middle of its body: there is nobody to answer
            return
        finally:
            self._in_flight -= 1
        content_type = {"content-type": answer.media_type}
        response = Response(answer.body, status_code=answer.status, headers={**answer.headers, **content_type})
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> WireResponse:
        service = self._service
        wire = WireRequest(
            method=request.method,
            path="/" + request.scope["path"].removeprefix(request.scope.get("root_path", "")).lstrip("/"),
            query=request.scope["query_string"].decode("latin-1"),
            headers=dict(request.headers),
        )
        if service.is_probe(wire):
            return service.respond(wire)
        if self._in_flight > self._max_in_flight:
            return service.busy(wire, limit=self._max_in_flight)
        body = await _read(request, limit=service.limits.max_body)
        if body is None:
            return service.too_large(wire)
        wire = wire.with_body(body)
        try:
            return await to_thread.run_sync(service.respond, wire.without_waiting())
        except MustWait:
            return await to_thread.run_sync(service.respond, wire, limiter=self._waiting)


def create_fastapi(requests: Requests) -> FastAPI:
    """Return FastAPI with its pages, and one route that hands everything else on."""
    fastapi = FastAPIOffline(title="model-bucket", version=registry.__version__, redoc_url=None)
    fastapi.router.routes.insert(0, Route("/openapi.json", requests))
    fastapi.add_api_route("/redoc", _redoc, include_in_schema=False)
    fastapi.router.routes.append(Route("/{path:path}", requests))
    return fastapi


async def _redoc() -> HTMLResponse:
    """Return the page for reading. Its script would fetch a logo from elsewhere: the policy forbids that."""
    page = get_redoc_html(
        openapi_url="openapi.json",
        title="model-bucket - ReDoc",
        redoc_js_url="static-offline-docs/redoc.standalone.js",
        redoc_favicon_url="static-offline-docs/favicon.png",
        with_google_fonts=False,
    )
    page.headers["content-security-policy"] = _REDOC_POLICY
    return page


async def _read(request: Request, *, limit: int) -> bytes | None:
    """Return the body, or None as soon as it is known to be larger than the limit."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > limit:
        return None
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > limit:
            return None
        pieces.append(piece)
    return b"".join(pieces)


app = App()
