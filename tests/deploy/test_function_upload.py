"""The Cloud Function starts from exactly what is uploaded, with nothing else of the project in reach."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.deploy.conftest import PLATFORM, VERSIONS
from tests.deploy.documented import ROOT, Call
from tests.deploy.google_api import REFUSAL, FunctionsApi
from tests.deploy.servers import Server

FRAMEWORK = Path(sysconfig.get_path("scripts")) / "functions-framework"


def lay_out(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "deploy/function_source.py", str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def start_and_fail(python: Path, *, cwd: Path, environ: dict[str, str]) -> str:
    """Return what the framework prints before it ends with an error."""
    environ = {"PATH": "/usr/bin:/bin", **PLATFORM, **environ}
    command = [python, FRAMEWORK]
    done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode != 0
    return done.stderr


def test_the_folder_holds_the_host_its_lock_and_the_library(tmp_path: Path) -> None:
    """What is uploaded is copied from the project, without leavings of the interpreter."""
    lay_out(tmp_path)
    library = {path: data for path, data in files_of(ROOT / "registry").items() if not path.endswith(".pyc")}
    assert files_of(tmp_path) == {
        "main.py": (ROOT / "function/main.py").read_bytes(),
        "requirements.txt": (ROOT / "requirements/function.txt").read_bytes(),
        **{f"registry/{path}": data for path, data in library.items()},
    }


def test_the_folder_is_made_anew(tmp_path: Path) -> None:
    """A module that is gone from the project is gone from the next upload."""
    lay_out(tmp_path / "source")
    before = files_of(tmp_path / "source")
    (tmp_path / "source/registry/gone.py").write_text("")
    done = lay_out(tmp_path / "source")
    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'source'}\n")
    assert files_of(tmp_path / "source") == before


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    """A slip of the finger removes nobody's work."""
    (tmp_path / "thesis.tex").write_text("years")
    done = lay_out(tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "thesis.tex" in done.stderr
    assert files_of(tmp_path) == {"thesis.tex": b"years"}


def test_the_build_need_not_add_a_framework(function_folder: Path) -> None:
    """The platform looks for a line that begins with functions-framework; without one it installs its own version."""
    assert re.search(r"(?m)^functions-framework==", (function_folder / "requirements.txt").read_text())


def test_the_upload_compiles(function_folder: Path, tmp_path: Path) -> None:
    """The platform compiles every file before it installs anything, and stops at the first that it cannot."""
    shutil.copytree(function_folder, tmp_path / "source")
    subprocess.run([sys.executable, "-m", "compileall", "-f", "-q", "."], cwd=tmp_path / "source", check=True)


def test_the_function_predicts_from_the_upload_alone(function_server: Server) -> None:
    """Started in the folder as the platform does, it loads the pinned version and answers for every other one."""
    answers = [function_server.predict(version) for version in VERSIONS]
    assert [(answer["prediction"], answer["model_version"]) for answer in answers] == [(0, v) for v in VERSIONS]
    assert function_server.get("/model/info")[0] == 200


def test_nothing_of_the_project_is_in_reach_but_the_upload(
    function_folder: Path, libraries_python: Path, model_environ: dict[str, str], tmp_path: Path
) -> None:
    """Without the library in the folder there is none: the test above proves what it says."""
    (tmp_path / "main.py").write_bytes((function_folder / "main.py").read_bytes())
    printed = start_and_fail(libraries_python, cwd=tmp_path, environ=model_environ)
    assert "No module named 'registry'" in printed


def test_a_source_in_a_folder_below_would_not_find_the_library(
    libraries_python: Path, model_environ: dict[str, str]
) -> None:
    """The framework adds the folder of its source file to the import path, not the one above."""
    environ = {**model_environ, "FUNCTION_SOURCE": "function/main.py"}
    assert "No module named 'registry'" in start_and_fail(libraries_python, cwd=ROOT, environ=environ)


def test_gcloud_uploads_the_folder_and_asks_for_the_function(
    gcloud: str, deploy_calls: list[Call], tmp_path: Path
) -> None:
    """The documented command, with the real gcloud: every file of the folder is uploaded, and no other."""
    (call,) = [call for call in deploy_calls if call.words[1:3] == ("functions", "deploy")]
    with FunctionsApi() as api:
        environ = {**os.environ, **api.environ(str(tmp_path / "config"))}
        command = [gcloud, *call.words[1:]]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=50, check=False)
    assert REFUSAL in done.stderr
    assert api.files == files_of(Path(call.words[call.words.index("--source") + 1]))
    build, service = api.function["buildConfig"], api.function["serviceConfig"]
    assert (build["entryPoint"], build["runtime"]) == ("predict", "python311")
    assert service["environmentVariables"] == {
        "MODEL_REGISTRY": "gs://acme-models",
        "MODEL_NAME": "iris",
        "MODEL_VERSION": "stable",
    }
    assert service["serviceAccountEmail"] == "model-server@acme.iam.gserviceaccount.com"
