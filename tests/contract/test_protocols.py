"""What every wire protocol promises. A new protocol is found by its file, and these tests run over it unedited."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import InputError, InvalidRowsError, RegistryError
from registry.inference.boot import boot
from registry.inference.protocols import Request, Route, known_protocols, open_protocol
from registry.inference.service import Service
from registry.stores import Store
from tests.fixtures.models import settings


@pytest.fixture(scope="module")
def service(published: Store) -> Service:
    """A service that offers every protocol."""
    told = settings(refresh_s=0.0)
    return Service(boot(told, store=published), told)


@pytest.fixture(scope="module", params=known_protocols())
def routes(request: pytest.FixtureRequest, service: Service) -> list[Route]:
    """The routes of each protocol in turn."""
    return open_protocol(request.param).routes(service)


def errors(kind: type[RegistryError] = RegistryError) -> Iterator[RegistryError]:
    """Yield one error of every kind in the tree, with a place and a phase as they happen."""
    if kind is InvalidRowsError:
        yield InvalidRowsError([{"loc": ["body", 0], "msg": "Field required", "type": "missing"}])
    else:
        yield kind("something is wrong", phase="fetch", known=["1.0.0"])
    for child in kind.__subclasses__():
        yield from errors(child)


def test_no_two_protocols_share_a_route(service: Service) -> None:
    """Whatever order they are found in, the same route always answers."""
    every = [route for name in known_protocols() for route in open_protocol(name).routes(service)]
    assert [place for place, count in Counter((route.method, route.path) for route in every).items() if count > 1] == []


def test_routes_are_exact_paths_with_a_method(routes: list[Route]) -> None:
    """A path begins with a slash and does not end with one; the host derives `HEAD` from `GET`."""
    assert routes
    for route in routes:
        assert route.method in {"GET", "POST"}
        assert route.path == "/" or (route.path.startswith("/") and not route.path.endswith("/"))
        assert route.method == "GET" or not route.probe


@pytest.mark.parametrize("error", list(errors()), ids=lambda error: type(error).__name__)
def test_every_error_has_a_form(routes: list[Route], error: RegistryError) -> None:
    """The caller's fault is a 4xx, everybody else's a 5xx, and a 503 says when to come again."""
    for form in {route.error for route in routes}:
        answer = form(error)
        assert answer.status // 100 == (4 if isinstance(error, InputError) else 5)
        assert (answer.status == 503) <= ("retry-after" in answer.headers)
        assert orjson.loads(answer.body)


@given(body=st.binary(max_size=40), headers=st.dictionaries(st.sampled_from(["content-type", "accept"]), st.text()))
def test_no_request_is_a_bug(service: Service, routes: list[Route], body: bytes, headers: dict[str, str]) -> None:
    """Whatever bytes come to whatever route, the answer is no 500."""
    for route in routes:
        answer = service.respond(
            Request(method=route.method, path=route.path, query=body.decode("latin-1"), headers=headers, body=body)
        )
        assert answer.status < 500
        assert all(name == name.lower() for name in answer.headers)


def test_probes_are_quick(routes: list[Route], service: Service) -> None:
    """A probe answers from what is in memory: it never has to wait for the bucket."""
    for route in routes:
        if route.probe:
            request = Request(method="GET", path=route.path).without_waiting()
            assert service.respond(request).status == 200
