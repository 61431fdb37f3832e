"""Starting: by both commands, and failing within seconds with one sentence that names the phase."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from registry.stores import Store
from tests.fixtures.models import artifact_path, edit_manifest, forge, record_path, replace_object
from tests.fixtures.processes import SERVING, UVICORN, Host, environment, fails, is_like, running

AN_ARCHIVE = b"PK\x05\x06" + bytes(18)


def spoil_byte(store: Store, path: str) -> None:
    """Flip a bit in the middle of an object."""
    data = store.read(path).data
    place = len(data) // 2
    replace_object(store, path, data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])


def nothing(_: Store) -> None:
    """Leave the registry as it is."""


FAILURES: dict[str, tuple[Callable[[Store], None], dict[str, str], int, str]] = {
    "no registry": (
        nothing,
        {"MODEL_REGISTRY": ""},
        2,
        "start failed: MODEL_REGISTRY is not set: expected the registry's URL, such as gs://bucket/prefix",
    ),
    "no such scheme": (
        nothing,
        {"MODEL_REGISTRY": "ftp://acme"},
        2,
        "start failed in phase store: cannot open the registry 'ftp://acme': expected a URL of the form …",
    ),
    "wrong model": (
        nothing,
        {"MODEL_NAME": "flower"},
        2,
        "start failed in phase manifest: … has no model 'flower' (known: flowers, kinds, line)",
    ),
    "a manifest that is no JSON": (
        lambda store: replace_object(store, "flowers/manifest.json", b"{,}"),
        {},
        1,
        "start failed in phase manifest: …/flowers/manifest.json.line 1 column 2: not JSON: …",
    ),
    "an alias to nowhere": (
        lambda store: edit_manifest(store, {"aliases": {"stable": "1.9.0"}}),
        {},
        1,
        "start failed in phase manifest: …/flowers/manifest.json.aliases.stable: no version '1.9.0' (known: …",
    ),
    "an unknown pin": (
        nothing,
        {"MODEL_VERSION": "9.9"},
        2,
        "start failed in phase resolve: model 'flowers' has no version or alias '9.9' (versions: 0.9.0, 1.0.0, …",
    ),
    "a flipped bit in the record": (
        lambda store: spoil_byte(store, record_path(store, "1.0.0")),
        {},
        1,
        "start failed in phase record: …/flowers/versions/1.0.0/….json: SHA-256 is …",
    ),
    "a flipped bit in the artifact": (
        lambda store: spoil_byte(store, artifact_path(store, "1.0.0")),
        {},
        1,
        "start failed in phase verify: …/flowers/versions/1.0.0/….skops: SHA-256 is …",
    ),
    "an archive of nothing": (
        lambda store: forge(store, AN_ARCHIVE),
        {},
        1,
        "start failed in phase deserialise: …/flowers/versions/1.0.0/….skops: …",
    ),
    "no such bucket": (
        nothing,
        {"MODEL_REGISTRY": "gs://no-such-bucket-here"},
        4,
        "start failed in phase manifest: …no-such-bucket-here…",
    ),
    "no credentials": (
        nothing,
        {
            "MODEL_REGISTRY": "gs://acme-models",
            "STORAGE_EMULATOR_HOST": "",
            "GOOGLE_APPLICATION_CREDENTIALS": "/no/such/file",
        },
        4,
        "start failed in phase manifest: cannot reach gs://acme-models: no Google credentials were found (…",
    ),
}


@pytest.mark.parametrize(("spoil", "variables", "code", "sentence"), FAILURES.values(), ids=FAILURES)
def test_a_start_that_fails_says_in_one_sentence_why(
    own_folder: Store,
    gcs: object,
    spoil: Callable[[Store], None],
    variables: dict[str, str],
    code: int,
    sentence: str,
) -> None:
    """The phase and the reason, and the exit code that says whose fault it is; no traceback."""
    spoil(own_folder)
    found_code, text = fails(SERVING, environment(own_folder.url, **variables))
    lines = text.splitlines()
    assert len(lines) == 1, text
    assert is_like(lines[0], sentence), lines[0]
    assert found_code == code


def test_uvicorn_says_it_too(published: Store) -> None:
    """`uvicorn serving.app:app` ends with the same sentence, among uvicorn's own lines."""
    code, text = fails(UVICORN, environment(published.url, MODEL_VERSION="9.9"))
    assert code != 0
    assert text.count("start failed") == 1
    assert "Traceback" not in text


def test_a_port_that_is_taken_is_told(published: Store, serving_host: Host) -> None:
    """A second server on the same port ends by itself."""
    code, text = fails(SERVING, environment(published.url, PORT=str(serving_host.port)))
    assert code == 3
    assert "address already in use" in text
    assert "Traceback" not in text


def test_uvicorn_serves_the_application(published: Store, tmp_path: Path) -> None:
    """The other documented command answers the same."""
    with running(UVICORN, environment(published.url), tmp_path / "log") as host:
        assert json.loads(host.ask("POST", "/predict", b'{"features": [1.2, 0.25]}').body)["prediction"] == 0
        assert host.ask("GET", "/docs").headers["content-type"] == "text/html; charset=utf-8"
        assert b"static-offline-docs/redoc.standalone.js" in host.ask("GET", "/redoc").body
        assert host.ask("GET", "/static-offline-docs/swagger-ui.css").status == 200
