"""What the tests of deployment share: a registry, an interpreter with libraries only, and a running function."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.documented import ROOT, Call, calls
from tests.deploy.servers import Server, running

VERSIONS = ("1.0.0", "1.1.0", "1.2.0")
"""Logistic regression, a forest and histogram gradient boosting."""


@pytest.fixture(scope="session")
def registry_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A registry with one version of each kind of estimator; `stable` is on the first."""
    from sklearn.datasets import load_iris
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression

    from registry import Registry

    url = (tmp_path_factory.mktemp("deploy") / "registry").as_uri()
    inputs, targets = load_iris(return_X_y=True)
    estimators = (
        LogisticRegression(max_iter=1000),
        RandomForestClassifier(n_estimators=20, random_state=0),
        HistGradientBoostingClassifier(max_iter=10, random_state=0),
    )
    for version, estimator in zip(VERSIONS, estimators, strict=True):
        alias = "stable" if version == VERSIONS[0] else None
        Registry(url).publish("iris", estimator.fit(inputs, targets), inputs=inputs, version=version, promote=alias)
    return url


@pytest.fixture(scope="session")
def model_environ(registry_url: str) -> dict[str, str]:
    """What a host is told."""
    return {"MODEL_REGISTRY": registry_url, "MODEL_NAME": "iris", "MODEL_VERSION": "stable"}


@pytest.fixture(scope="session")
def libraries_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that finds the installed libraries, but not this project, however that was installed."""
    folder = tmp_path_factory.mktemp("libraries")
    venv.create(folder, with_pip=False, symlinks=True)
    bases = {"base": str(folder), "platbase": str(folder)}
    links = Path(sysconfig.get_path("purelib", "posix_prefix", bases)) / "libraries.pth"
    links.write_text("\n".join({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}))
    return folder / "bin" / "python"


@pytest.fixture(scope="session")
def function_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `deploy/function_source.py` lays out."""
    folder = tmp_path_factory.mktemp("function") / "source"
    subprocess.run([sys.executable, "deploy/function_source.py", folder], cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def function_server(
    function_folder: Path,
    libraries_python: Path,
    model_environ: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """The function, started in a copy of that folder as the platform starts it."""
    folder = tmp_path_factory.mktemp("function-server")
    source = shutil.copytree(function_folder, folder / "source")
    command = [libraries_python, Path(sysconfig.get_path("scripts")) / "functions-framework"]
    with running(command, cwd=source, environ={**PLATFORM, **model_environ}, log=folder / "log") as server:
        yield server


PLATFORM = {"FUNCTION_TARGET": "predict", "FUNCTION_SIGNATURE_TYPE": "http", "PYTHONUNBUFFERED": "TRUE"}
"""What the build of a function leaves in its environment."""


@pytest.fixture(scope="session")
def deploy_calls(tmp_path_factory: pytest.TempPathFactory) -> list[Call]:
    """What the commands of docs/DEPLOY.md call."""
    return calls("docs/DEPLOY.md", tmp_path_factory.mktemp("documented"))


@pytest.fixture
def gcloud() -> str:
    """The real gcloud."""
    found = shutil.which("gcloud")
    if found is None:
        pytest.skip("gcloud is not installed")
    return found
