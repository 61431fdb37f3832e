"""What ``gs://`` says when there are no credentials of Google: soon, and what to do."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def without_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment in which no credentials of Google can be found."""
    for name in ("STORAGE_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS", "GCE_METADATA_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))


def report(*, credentials_s: float = 15.0, **environment: str) -> tuple[str, float]:
    """Return what a new process says that reads from a bucket of Google's, and how long it took."""
    code = f"""
from registry.stores.gs import Bounds, GsStore
try:
    GsStore("acme-models", "team-a", bounds=Bounds(credentials_s={credentials_s})).read("iris/manifest.json")
except Exception as exc:
    print(type(exc).__name__, exc)
"""
    command = [sys.executable, "-W", "error", "-c", code]
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=True, timeout=20
    )
    return done.stdout.strip(), time.monotonic() - began


def test_missing_credentials_are_reported_in_time(without_credentials: None) -> None:
    """With what to do about them."""
    message, took_s = report(NO_GCE_CHECK="true")
    assert took_s < 10
    assert message.startswith("StoreError cannot reach gs://acme-models: no Google credentials were found (")
    assert message.endswith(
        "; set GOOGLE_APPLICATION_CREDENTIALS, run `gcloud auth application-default login`, or attach a service account"
    )


def test_a_key_file_that_is_not_there_is_named(without_credentials: None, tmp_path: Path) -> None:
    """The path that was set is in the sentence."""
    key = tmp_path / "key.json"
    message, took_s = report(NO_GCE_CHECK="true", GOOGLE_APPLICATION_CREDENTIALS=str(key))
    assert took_s < 10
    assert f"no Google credentials were found (File {key} was not found.)" in message


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that accepts connections and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(16)
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_a_metadata_server_that_says_nothing_is_given_up(without_credentials: None, silent: str) -> None:
    """The search for credentials is bounded, although Google's library would wait longer."""
    message, took_s = report(credentials_s=2.0, NO_GCE_CHECK="false", GCE_METADATA_IP=silent)
    assert took_s < 10
    assert message == "StoreError cannot reach gs://acme-models/team-a: no Google credentials were found within 2 s"
