"""Wire contracts over a predictor: one file a protocol.

A protocol turns a `Request` into a `Response` and knows neither the bucket nor a web framework. It offers
``routes(...)``; the hosts serve whatever the modules of this package offer, so a new protocol is one new file, and the
same request gets the same bytes from every host.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qsl

from registry.errors import RegistryError

if TYPE_CHECKING:
    from registry.inference.service import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as any host received it.

    Attributes:
        method: Such as ``POST``.
        path: Such as ``/predict``, decoded.
        query: The part after the question mark, not decoded.
        headers: Lower-case names to values.
        body: The whole body.
        may_wait: Whether the answer may wait for the bucket; `MustWait` is raised where it would have to and may not.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    may_wait: bool = True

    def parameter(self, name: str) -> str | None:
        """Return the last value of a query parameter."""
        return dict(parse_qsl(self.query, keep_blank_values=True)).get(name)

    def with_body(self, body: bytes) -> Request:
        """Return the request with its body."""
        return replace(self, body=body)

    def without_waiting(self) -> Request:
        """Return the request as one that must not wait for the bucket."""
        return replace(self, may_wait=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What a host is to send.

    Attributes:
        status: The HTTP status.
        body: The whole body.
        media_type: The body's type.
        headers: Further headers, lower-case names.
    """

    status: int
    body: bytes
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route of a protocol.

    Attributes:
        method: ``GET`` or ``POST``; ``HEAD`` follows from ``GET``.
        path: Exactly this path.
        handler: Answers it; raises `RegistryError` for what it cannot answer.
        error: Puts such an error into the protocol's form.
        probe: Whether it tells an orchestrator how the process is: answered at once, however busy the host is.
    """

    method: str
    path: str
    handler: Handler
    error: Callable[[RegistryError], Response]
    probe: bool = False


class WireProtocol(Protocol):
    """What the module of a protocol offers."""

    def routes(self, service: Service) -> list[Route]:
        """Return the protocol's routes over a service."""


def known_protocols() -> list[str]:
    """Return the names of the protocols, in alphabetical order."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def open_protocol(name: str) -> WireProtocol:
    """Return the protocol of that name, one of `known_protocols`."""
    return importlib.import_module(f"{__name__}.{name}")
