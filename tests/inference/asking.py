"""A service in this process, and what it answers."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from registry.errors import RegistryError
from registry.inference.boot import boot
from registry.inference.protocols import Request, Response
from registry.inference.service import Service
from registry.inference.settings import Settings
from registry.stores import Store
from tests.fixtures.models import settings


def service(store: Store, model: str = "flowers", **changes: Any) -> Service:
    """Return a service of a model."""
    told = settings(model, **changes)
    return Service(boot(told, store=store), told)


def post(service: Service, document: Any, **headers: str) -> Response:
    """Return the answer to a prediction request."""
    body = document if isinstance(document, bytes) else orjson.dumps(document)
    named = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return service.respond(Request(method="POST", path="/predict", headers=named, body=body))


def get(service: Service, path: str, query: str = "", **headers: str) -> Response:
    """Return the answer to a GET request."""
    return service.respond(Request(method="GET", path=path, query=query, headers=headers))


def read(answer: Response) -> Any:
    """Return the JSON value of an answer."""
    return orjson.loads(answer.body)


def failure(store: Store | None, told: Settings) -> RegistryError:
    """Return the error of a start that must fail."""
    with pytest.raises(RegistryError) as caught:
        boot(told, store=store)
    return caught.value
