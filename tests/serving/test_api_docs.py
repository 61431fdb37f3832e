"""docs/API.md says what is so: its commands are run, its tables are compared with the code."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import pytest

from registry import Registry
from registry.errors import RegistryError
from registry.inference.protocols import native
from registry.inference.service import Service
from registry.inference.settings import Settings
from registry.stores import Store
from serving.app import MAX_IN_FLIGHT
from tests.docs_check import ROOT, blocks
from tests.fixtures.processes import SERVING, Host, environment, is_like, running
from tests.inference.asking import service
from trainer.training import train

PAGE = (ROOT / "docs" / "API.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """Return the rows of the first table below a heading, without its head."""
    below = PAGE.split(f"## {heading}\n", 1)[1]
    lines = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)
    assert lines
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines[0].splitlines()[2:]]


def code_of(cell: str) -> str:
    """Return what stands between backquotes."""
    return cell.strip("`")


@pytest.fixture(scope="module")
def iris(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """The service on the model that the page speaks of."""
    folder = tmp_path_factory.mktemp("api")
    registry = Registry((folder / "registry").as_uri())
    train("iris-logistic").publish(registry, alias="stable")
    train("iris-forest").publish(registry)
    with running(SERVING, environment(registry.store.url, MODEL_NAME="iris"), folder / "log") as host:
        yield host


def test_every_command_does_what_it_shows(iris: Host) -> None:
    """The commands run as they stand there; an ellipsis in what they show stands for anything."""
    ran = 0
    for body in blocks(PAGE, "console"):
        for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            command = command.replace("127.0.0.1:8080", f"127.0.0.1:{iris.port}")
            done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=20, check=True)
            printed = done.stdout.replace("\r", "").strip()
            assert is_like(printed, shown.strip()), f"{command}\n{printed}"
            ran += 1
    assert ran == 7


@pytest.fixture(scope="module")
def flowers(published: Store) -> Service:
    """A service that nobody asks."""
    return service(published)


def test_every_route_is_there(flowers: Service) -> None:
    """The routes of the core, and the two pages of the service."""
    documented = {(method, path) for row in table("Routes") for method, path in re.findall(r"`(\w+) (/[^`]*)`", row[0])}
    served = {(route.method, route.path) for route in native.routes(flowers)}
    assert documented == served | {("GET", "/docs"), ("GET", "/redoc")}


def test_every_error_is_there() -> None:
    """Codes and statuses are those of the error tree, and of the routing around it."""

    def codes(kind: type[RegistryError]) -> Iterator[tuple[int, str]]:
        status = next((status for known, status in native.STATUS if issubclass(kind, known)), None)
        if status:
            yield status, kind.code
        for child in kind.__subclasses__():
            yield from codes(child)

    ours = set(codes(RegistryError)) | {(404, "not_found"), (405, "method_not_allowed"), (500, "internal_error")}
    assert {(int(row[0]), code_of(row[1])) for row in table("Errors")} == ours
    assert f"has {MAX_IN_FLIGHT:,} requests under way" in PAGE


def test_every_type_of_a_problem_is_there() -> None:
    """Whatever `type` the sources put into a 422 is listed, and nothing else."""
    sources = [ROOT / "registry" / "inference" / "rows.py", *(ROOT / "registry/inference/protocols").glob("native.py")]
    words = {word for path in sources for word in re.findall(r'"([a-z]+(?:_[a-z]+)+)"', path.read_text())}
    listed = re.findall(r"`(\w+)`", PAGE.split("`type` in a 422", 1)[1].split("\n\n", 1)[0])
    kinds = re.compile(r".*_(type|short|long|forbidden|invalid|error|number|prediction|than|equal|float)|missing")
    assert set(listed) - {"missing"} == {word for word in words if kinds.fullmatch(word)}


def test_every_setting_is_there() -> None:
    """Names and defaults are those that are read."""
    documented = {code_of(row[0]): row[1] for row in table("Settings")}
    assert set(documented) == set(re.findall(r"``([A-Z_]+)``", Settings.__doc__ or ""))
    needed = {"MODEL_REGISTRY": "memory://", "MODEL_NAME": "iris"}
    stated = {name: code_of(cell) for name, cell in documented.items() if cell.startswith("`")}
    assert Settings.from_environ({**needed, **stated}) == Settings.from_environ(needed)


def test_every_metric_is_there(flowers: Service) -> None:
    """Names and labels."""
    documented = {code_of(row[0]): {code_of(label) for label in row[1].split(", ")} for row in table("Metrics")}
    found = {
        metric.name: set(metric._labelnames)  # the library offers no other way to them
        for metric in vars(flowers.metrics).values()
        if hasattr(metric, "_labelnames")
        for metric.name in [next(iter(metric.describe())).name]
    }
    assert {name.removesuffix("_total"): labels for name, labels in documented.items()} == found


def test_every_phase_is_there(flowers: Service) -> None:
    """In the order that a start goes through them."""
    text = PAGE.split("A start goes through the phases", 1)[1].split(".", 1)[0]
    assert re.findall(r"`(\w+)`", text) == [phase.name for phase in flowers.predictor.serving.loaded.phases]
