"""`deploy/cloudrun.yaml` is a service that Cloud Run takes, and that the host understands."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
import yaml

from registry.inference.settings import Settings
from tests.deploy.documented import NAMES, ROOT, Call
from tests.deploy.servers import Server

_CHECK = """\
import sys
sys.path[:0] = [f"{sys.argv[1]}/lib", f"{sys.argv[1]}/lib/third_party"]
from googlecloudsdk.api_lib.util import messages
from googlecloudsdk.core import yaml
from googlecloudsdk.generated_clients.apis.run.v1 import run_v1_messages
messages.DictToMessageWithErrorCheck(yaml.load(sys.stdin.read()), run_v1_messages.Service)
"""
"""Read a service as gcloud does before it sends it: fields it does not know and values of another type are errors."""


@pytest.fixture
def text(deploy_calls: list[Call]) -> str:
    """The service as the documented command gives it to gcloud, with the reader's names filled in."""
    (replaced,) = [call for call in deploy_calls if call.words[1:4] == ("run", "services", "replace")]
    return replaced.stdin


@pytest.fixture
def container(text: str) -> dict[str, Any]:
    (found,) = yaml.safe_load(text)["spec"]["template"]["spec"]["containers"]
    return dict(found)


def check(gcloud: str, text: str) -> subprocess.CompletedProcess[str]:
    keys = "value[separator='\n'](basic.python_location, installation.sdk_root)"
    info = subprocess.run([gcloud, "info", f"--format={keys}"], capture_output=True, text=True, check=True)
    python, sdk = info.stdout.split("\n")[:2]
    return subprocess.run([python, "-c", _CHECK, sdk], input=text, capture_output=True, text=True, check=False)


def test_cloud_run_takes_the_service(gcloud: str, text: str) -> None:
    """The message classes of gcloud read it: every field exists and has the right type."""
    assert check(gcloud, text).stderr == ""


def test_a_wrong_field_is_noticed(gcloud: str, text: str) -> None:
    """The test above can fail."""
    assert "containerConcurency" in check(gcloud, text.replace("containerConcurrency", "containerConcurency")).stderr


def test_the_documented_command_fills_in_every_name(text: str) -> None:
    """What a reader has to replace is replaced."""
    service = yaml.safe_load(text)["spec"]["template"]["spec"]
    image = "europe-west1-docker.pkg.dev/acme/model-bucket/serving:0.1.0"
    assert service["containers"][0]["image"] == image
    assert service["serviceAccountName"] == f"model-server@{NAMES['PROJECT']}.iam.gserviceaccount.com"


def test_the_host_understands_its_environment(container: dict[str, Any]) -> None:
    """The service sets nothing that a host does not read, and no value that it would refuse."""
    environ = {each["name"]: each["value"] for each in container["env"]}
    assert all(f"``{name}``" in (Settings.__doc__ or "") for name in environ)
    settings = Settings.from_environ(environ)
    assert (settings.registry, settings.model, str(settings.pin)) == ("gs://acme-models", "iris", "stable")


@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe"])
def test_a_probe_asks_for_what_a_warm_host_answers(
    probe: str, container: dict[str, Any], function_server: Server
) -> None:
    """Both hosts answer the paths that Cloud Run asks for with 200."""
    asked = container[probe]["httpGet"]
    assert asked["port"] == container["ports"][0]["containerPort"]
    assert function_server.get(asked["path"])[0] == 200


def test_the_startup_probe_keeps_to_the_limits_of_cloud_run(container: dict[str, Any]) -> None:
    """Cloud Run takes a time-out of at most a period, and waits for at most 240 s in all."""
    probe = container["startupProbe"]
    assert probe["timeoutSeconds"] <= probe["periodSeconds"]
    assert probe["failureThreshold"] * probe["periodSeconds"] <= 240


def test_the_image_is_the_version_of_the_project(container: dict[str, Any]) -> None:
    """The tag that the spec and the documentation name is the version in pyproject.toml."""
    tag = container["image"].rpartition(":")[2]
    assert f'version = "{tag}"' in (ROOT / "pyproject.toml").read_text()
