"""An image that was built keeps what docs/DEPLOY.md promises.

Needs an image, named by ``MODEL_BUCKET_IMAGE``, and a container engine, whose command is ``MODEL_BUCKET_ENGINE`` or
``docker``. Containers use this machine's network and listen on 127.0.0.1 only.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from registry.stores import open_store
from tests.deploy.conftest import VERSIONS
from tests.deploy.servers import START_S, Server, free_port
from tests.fake_gcs import FakeGcs

IMAGE = os.environ.get("MODEL_BUCKET_IMAGE", "")
ENGINE = shlex.split(os.environ.get("MODEL_BUCKET_ENGINE", "docker"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.skipif(not IMAGE, reason="MODEL_BUCKET_IMAGE names no image"),
]

HARDENED = ("--read-only", "--cap-drop=all", "--security-opt=no-new-privileges", "--network=host")


def engine(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*ENGINE, *words], capture_output=True, text=True, check=check, timeout=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container that was started."""

    id: str
    server: Server

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a program in it."""
        return engine("exec", self.id, *words, check=False)

    def state(self) -> dict[str, object]:
        """Return what the engine says of it."""
        (found,) = json.loads(engine("inspect", self.id).stdout)
        return dict(found["State"])

    def wait_until_ready(self) -> None:
        """Return when it is ready to predict."""
        end_s = time.monotonic() + START_S
        while not self.server.is_ready():
            assert time.monotonic() < end_s, engine("logs", self.id).stderr
            time.sleep(0.05)


@contextmanager
def container(registry_url: str, *options: str, **environ: str) -> Iterator[Container]:
    """Start a container that reads the registry and can write nothing, and remove it at the end."""
    port = free_port()
    settings = {"HOST": "127.0.0.1", "PORT": str(port), "MODEL_REGISTRY": "file:///registry", "MODEL_NAME": "iris"}
    volume = f"--volume={urlsplit(registry_url).path}:/registry:ro"
    command = ["run", "--detach", *HARDENED, volume, *options, *_flags({**settings, **environ}), IMAGE]
    id_ = engine(*command).stdout.split()[-1]
    try:
        yield Container(id=id_, server=Server(url=f"http://127.0.0.1:{port}"))
    finally:
        engine("rm", "--force", id_)


def _flags(environ: Mapping[str, str]) -> list[str]:
    return [f"--env={name}={value}" for name, value in environ.items()]


@pytest.fixture(scope="module")
def running(registry_url: str) -> Iterator[Container]:
    """One container for the tests that change nothing."""
    Path(urlsplit(registry_url).path).parent.chmod(0o755)  # pytest's folders are their owner's alone
    with container(registry_url) as started:
        started.wait_until_ready()
        yield started


def test_it_predicts_with_every_kind_of_estimator(running: Container) -> None:
    """What the Dockerfile trims away is missed by nothing."""
    assert [running.server.predict(version)["prediction"] for version in VERSIONS] == [0, 0, 0]
    assert [running.server.get(path)[0] for path in ("/docs", "/openapi.json", "/metrics")] == [200, 200, 200]


def test_it_reads_from_a_bucket(registry_url: str, gcs: FakeGcs, running: Container) -> None:
    """The client of Cloud Storage is in the image, and needs nothing that the image does not have."""
    gcs.buckets.create_bucket("models", {})
    source, target = open_store(registry_url), open_store("gs://models/prod")
    for entry in source.list("iris"):
        target.create(entry.path, source.read(entry.path).data)
    bucket = {"MODEL_REGISTRY": "gs://models/prod", "STORAGE_EMULATOR_HOST": gcs.endpoint}
    with container(registry_url, **bucket) as started:
        started.wait_until_ready()
        assert started.server.predict("1.1.0")["prediction"] == 0


def test_it_runs_as_nobody_in_particular(running: Container) -> None:
    """A numeric user that is not root, without capabilities, as the first process."""
    assert running.run("id", "-u").stdout.strip() == "65532"
    status = Path("/proc/1/status")
    assert "CapEff:\t0000000000000000" in running.run("cat", str(status)).stdout
    assert running.run("cat", "/proc/1/cmdline").stdout.split("\0")[:3] == ["python", "-m", "serving"]


def test_it_can_write_nothing_and_compiles_nothing(running: Container) -> None:
    """The root is read-only, and every module that was imported came with its bytecode."""
    assert running.run("touch", "/opt/model-bucket/x").returncode != 0
    code = (
        "import pathlib, sys, serving.__main__, sklearn.ensemble, google.cloud.storage\n"
        "specs = [vars(module).get('__spec__') for module in list(sys.modules.values())]\n"
        "files = [(spec.origin, spec.cached) for spec in specs if spec and spec.has_location and spec.cached]\n"
        "print([origin for origin, cached in files if not pathlib.Path(cached).exists()])"
    )
    assert running.run("python", "-c", code).stdout.strip() == "[]"


def test_it_holds_no_tool_to_install_anything(running: Container) -> None:
    """The environment that serves has neither pip nor a build backend."""
    code = "import importlib.util as u; print([n for n in ('pip', 'setuptools', 'hatchling') if u.find_spec(n)])"
    assert running.run("python", "-c", code).stdout.strip() == "[]"


def test_it_says_that_it_is_healthy(running: Container) -> None:
    """The image's own health check, run in the container."""
    (found,) = json.loads(engine("inspect", IMAGE).stdout)
    check = found["Config"].get("Healthcheck") or found["Healthcheck"]
    kind, *command = check["Test"]
    assert kind == "CMD"
    assert running.run(*command).returncode == 0


def test_it_works_as_another_user_and_without_a_temporary_folder(registry_url: str, running: Container) -> None:
    """Kubernetes and the readers of credentials choose their own user; nothing is written anywhere."""
    no_tmpfs = ["--read-only-tmpfs=false"] if "podman" in " ".join(ENGINE) else []
    with container(registry_url, "--user=4711:4711", *no_tmpfs) as other:
        other.wait_until_ready()
        assert other.server.predict("1.1.0")["prediction"] == 0


def test_sigterm_ends_it_with_0(registry_url: str, running: Container) -> None:
    """It is the first process, gets the signal, and ends within a second or two."""
    with container(registry_url) as stopped:
        stopped.wait_until_ready()
        start_s = time.monotonic()
        engine("stop", "--time=10", stopped.id)
        assert time.monotonic() - start_s < 5
        assert stopped.state()["ExitCode"] == 0


def test_sigterm_ends_a_start_at_once(registry_url: str, running: Container) -> None:
    """A start that is no longer wanted does not wait to be killed."""
    with container(registry_url) as stopped:
        time.sleep(0.3)  # Python itself has started; the libraries are being imported
        start_s = time.monotonic()
        engine("stop", "--time=10", stopped.id)
        assert time.monotonic() - start_s < 5
        assert stopped.state()["ExitCode"] == 0


@pytest.mark.parametrize(
    ("environ", "code", "sentence"),
    [
        ({"MODEL_REGISTRY": ""}, 2, "MODEL_REGISTRY is not set"),
        ({"MODEL_NAME": "irs"}, 2, "has no model 'irs'"),
        ({"MODEL_VERSION": "9.9.9"}, 2, "has no version or alias '9.9.9'"),
    ],
)
def test_a_start_that_fails_says_why(environ: dict[str, str], code: int, sentence: str, registry_url: str) -> None:
    """It ends with the documented code and one sentence."""
    with container(registry_url, **environ) as failed:
        engine("wait", failed.id)
        assert failed.state()["ExitCode"] == code
        logs = engine("logs", failed.id)
        assert sentence in logs.stdout + logs.stderr
        assert "Traceback" not in logs.stdout + logs.stderr
