"""The Cloud Function: one HTTP function that answers every route of the service.

The model is loaded when the platform imports this file, once per instance, and kept in a module-level name because
that is the only place the platform offers for what outlives a request.

Run it as the platform does: ``functions-framework --source function/main.py --target predict``.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import flask
import functions_framework

from registry.errors import RegistryError, exit_code
from registry.inference import logs
from registry.inference.boot import boot
from registry.inference.protocols import Request as WireRequest
from registry.inference.service import Service
from registry.inference.settings import Settings

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

PIECE_SIZE = 1024 * 1024


def start() -> Service:
    """Boot what the environment asks for; a start that fails says why and ends the process."""
    try:
        settings = Settings.from_environ(os.environ)
        logs.configure(settings.log_level)
        service = Service(boot(settings), settings)
    except RegistryError as error:
        sys.stderr.write(f"{logs.start_failed(error)}\n")
        sys.exit(exit_code(error))
    logs.log_started(service.predictor)
    return service


service = start()


@functions_framework.http
def predict(request: Request) -> flask.Response:
    """Answer a request to any route."""
    wire = WireRequest(
        method=request.method,
        path=request.path,
        query=request.query_string.decode("latin-1"),
        headers={name.lower(): value for name, value in request.headers.items()},
    )
    body = _read(request, limit=service.limits.max_body)
    answer = service.too_large(wire) if body is None else service.respond(wire.with_body(body))
    response = flask.Response(answer.body, status=answer.status, headers=dict(answer.headers))
    response.headers["Content-Type"] = answer.media_type
    return response


def _read(request: Request, *, limit: int) -> bytes | None:
    """Return the body, or None when it is larger than the limit; the framework would keep what is not read here."""
    pieces, size = [], 0
    while piece := request.stream.read(PIECE_SIZE):
        size += len(piece)
        if size <= limit:
            pieces.append(piece)
    return b"".join(pieces) if size <= limit else None
