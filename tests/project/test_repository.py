"""What must hold for every file of the repository, and for the environment that is built from its locks.

A string that must not stand in a tracked file does not stand here either: patterns break it with brackets, and examples
with a ``~`` that the test removes.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import registry
from registry.inference.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("registry", "serving", "function", "trainer")
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
MOST_LINES = 400

FORBIDDEN = {
    "the host of a package registry": re.compile(
        r"p[y]pi\.(org|io)|python[h]osted\.org|np[m]js\.(org|com)|(deb|ftp|security)[a-z.]*\.deb[i]an\.org"
    ),
    "a path of one machine": re.compile(r"(^|[^\w.-])/(r[o]ot|w[o]rk|U[s]ers/\w+|t[m]p/dev)/"),
    "a note left open": re.compile(r"\b(T[O]DO|FIX[M]E|X[X]X)\b"),
}


@cache
def tracked_files() -> tuple[Path, ...]:
    """Every file that git tracks or would add."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    command = [git, "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode()
    return tuple(path for name in sorted(set(filter(None, listing.split("\0")))) if (path := ROOT / name).is_file())


def text_of(path: Path) -> str:
    """The text of a file, or nothing when it is binary."""
    data = path.read_bytes()
    return "" if b"\0" in data else data.decode(errors="replace")


@cache
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(lock: Path) -> dict[str, str]:
    """The distributions of a lock, each with its version."""
    found = (re.match(r"([A-Za-z0-9._-]+)==([^\s;]+)", line) for line in lock.read_text().splitlines())
    return {canonicalize_name(match[1]): match[2] for match in found if match}


def requirements_of(extra: str) -> list[Requirement]:
    """What the project needs with an extra, extras of its own taken apart."""
    project = pyproject()["project"]
    requirements: list[Requirement] = []
    waiting = [Requirement(line) for line in [*project["dependencies"], *project["optional-dependencies"][extra]]]
    while waiting:
        requirement = waiting.pop()
        if requirement.name == project["name"]:
            waiting += [
                Requirement(line) for own in requirement.extras for line in project["optional-dependencies"][own]
            ]
        else:
            requirements.append(requirement)
    return requirements


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_tracked_file_holds(what: str) -> None:
    """The repository is public: it names no registry host, no path of one machine, and leaves nothing open."""
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in tracked_files()
        for number, line in enumerate(text_of(path).splitlines(), start=1)
        if FORBIDDEN[what].search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("the host of a package registry", "--index-url https://py~pi.org/simple"),
        ("the host of a package registry", "http://deb.deb~ian.org/debian"),
        ("a path of one machine", "open('/ro~ot/model.skops')"),
        ("a note left open", "# TO~DO: check"),
    ],
)
def test_forbidden_text_is_recognised(what: str, text: str) -> None:
    """Each pattern finds what it is there to find."""
    assert FORBIDDEN[what].search(text.replace("~", ""))


def test_modules_stay_short() -> None:
    """A module holds one idea, so none is longer than 400 lines."""
    lengths = {path: len(path.read_text().splitlines()) for path in tracked_files() if path.suffix == ".py"}
    assert {str(path.relative_to(ROOT)): lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_line_of_a_lock_is_pinned_by_hash(lock: Path) -> None:
    """A lock names exact versions with SHA-256 digests, and nothing else: no addresses, no options."""
    text = re.sub(r"(?m)^\s*#.*\n?", "", lock.read_text()).replace("\\\n", " ")
    entry = re.compile(r"[A-Za-z0-9._-]+==[^\s;]+( ; [^#@]+?)?( +--hash=sha256:[0-9a-f]{64})+ *")
    assert text
    assert [line for line in text.splitlines() if not entry.fullmatch(line)] == []


@pytest.mark.parametrize(("lock", "extra"), [("dev", "dev"), ("serving", "serving"), ("function", "function")])
def test_a_lock_satisfies_its_extra(lock: str, extra: str) -> None:
    """What pyproject.toml asks for is in the lock, in a version that it accepts; if not, `make lock` was forgotten."""
    locked = pins(ROOT / "requirements" / f"{lock}.txt")
    missing = [
        str(requirement)
        for requirement in requirements_of(extra)
        if not requirement.specifier.contains(locked.get(canonicalize_name(requirement.name), "0"))
    ]
    assert missing == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_locks_agree(lock: Path) -> None:
    """A version that a host runs with is the version that the tests ran with."""
    tested = pins(ROOT / "requirements" / "dev.txt")
    assert pins(lock).items() <= tested.items()


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_distribution_ships(package: str) -> None:
    """Our package names are common words: another installed distribution with the same one would shadow ours."""
    assert set(packages_distributions().get(package, ())) <= {pyproject()["project"]["name"]}


def test_version_is_stated_once() -> None:
    """The library says the version that the distribution has."""
    version = pyproject()["project"]["version"]
    assert getattr(registry, "__version__", version) == version


def test_env_example_shows_the_defaults() -> None:
    """`.env.example` names every variable that a server reads, and sets what is set when it is left out."""
    lines = [line for line in (ROOT / ".env.example").read_text().splitlines() if line and not line.startswith("#")]
    example = dict(line.split("=", 1) for line in lines)
    assert sorted(example) == sorted(re.findall(r"``([A-Z_]+)``", Settings.__doc__ or ""))
    assert Settings.from_environ(example) == Settings(registry="gs://acme-models", model="iris")
