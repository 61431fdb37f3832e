"""The fake Cloud Storage behaves as the real one does, wherever our code, or a client that we trust, can tell.

`registry.stores.gs` is tested against the fake, so what the fake gets wrong would be wrong there and stay unseen.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
import requests

from tests.fake_gcs import FakeGcs
from tests.stores.probes import Ground, Probe, buckets, conditions, content, new_client, xml

ROOT = Path(__file__).parents[2]
PROBES = dict([*conditions.PROBES, *content.PROBES, *buckets.PROBES, *xml.PROBES])


@pytest.mark.parametrize("probe", PROBES.values(), ids=PROBES.keys())
def test_the_fake_behaves_like_cloud_storage(gcs: FakeGcs, probe: Probe) -> None:
    """In everything that the probes ask for, through google-cloud-storage, obstore and plain HTTP."""
    probe(Ground.make(gcs.endpoint, f"probe-{uuid4()}"))


def test_the_fake_runs_in_a_process_of_its_own() -> None:
    """It prints its endpoint, has the buckets that were asked for, and takes faults over HTTP."""
    command = [sys.executable, "-W", "error", "-m", "tests.fake_gcs", "--bucket", "models", "--write-interval", "60"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        endpoint = process.stdout.readline().strip()
        bucket = new_client(endpoint).bucket("models")
        bucket.blob("a").upload_from_string(b"1")
        fault = {"kind": "status", "status": 429, "retry_after": 7, "times": 2, "skip": 1, "path": "/o/a"}
        requests.post(f"{endpoint}/_faults", data=json.dumps(fault), timeout=10)
        url = f"{endpoint}/storage/v1/b/models/o/a"
        answers = [requests.get(url, timeout=10) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 429, 429, 200]
        assert answers[1].headers["Retry-After"] == "7"
        assert requests.get(f"{endpoint}/_faults", timeout=10).json() == []
        assert requests.post(f"{endpoint}/_faults", data=json.dumps(fault), timeout=10).json()[0]["times"] == 2
        assert requests.delete(f"{endpoint}/_faults", timeout=10).json() == []
        seen = requests.delete(f"{endpoint}/_requests", timeout=10).json()
        assert seen[-1] == {"method": "GET", "path": "/storage/v1/b/models/o/a", "status": 200}
        assert requests.delete(url, timeout=10).status_code == 429
    finally:
        process.terminate()
        process.communicate(timeout=10)
    assert process.returncode == 0
