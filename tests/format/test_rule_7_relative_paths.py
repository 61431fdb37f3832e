"""Rule 7: paths are relative."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from registry import Registry
from registry.errors import ManifestError
from registry.inference.boot import boot
from registry.layout import history_revision, path_problem
from registry.manifest import Manifest
from registry.stores import Store, open_store
from registry.stores.memory import MemoryStore
from tests.fixtures.models import copy, settings
from tests.format.scenarios import MODEL, chain, problems, publish

DIGEST = "0123456789abcdef" * 4
SHORT = DIGEST[:16]


def used(store: Store) -> None:
    """Publish, promote and roll back, so that there is a history."""
    publish(store, "1.0.0", 1.0, promote="stable")
    publish(store, "1.1.0", 2.0)
    registry = Registry(store)
    registry.promote(MODEL, "1.1.0")
    registry.rollback(MODEL)


def serves(store: Store) -> str:
    return boot(settings(MODEL), store=store).serving.loaded.record.version


def test_a_copied_registry_works(store_url: str, store: Store) -> None:
    """A registry can be copied to another prefix, with any tool, and still works, its history included."""
    used(store)
    deeper = open_store(f"{store_url}-copy" if store_url.startswith("memory://") else f"{store_url}/copied/elsewhere")
    for entry in list(store.list()):
        deeper.create(entry.path, store.read(entry.path).data)
    for place in (store, deeper):
        assert problems(place) == []
        assert serves(place) == "1.0.0"
    assert len(chain(deeper)) == 4
    Registry(deeper).promote(MODEL, "1.1.0")
    assert (serves(deeper), serves(store)) == ("1.1.0", "1.0.0")


def test_a_registry_can_move_from_one_backend_to_another(shared_url: str, tmp_path: Path) -> None:
    """What a copy tool makes of a bucket in a folder, or of a folder in a bucket, is a registry."""
    source = open_store(shared_url)
    used(source)
    folder = Registry((tmp_path / "moved").as_uri()).store
    copy(source, folder)
    shutil.copytree(tmp_path / "moved", tmp_path / "moved again")
    again = open_store((tmp_path / "moved again").as_uri())
    assert problems(again) == []
    assert serves(again) == "1.0.0"
    assert len(chain(again)) == 4


def test_nothing_in_the_bucket_says_where_the_bucket_is(shared_url: str) -> None:
    """Neither the manifest nor the record carries the registry's address."""
    store = open_store(shared_url)
    used(store)
    address = shared_url.partition("://")[2].encode()
    assert not [entry.path for entry in store.list() if address in store.read(entry.path).data]


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        (f"versions/1.0.0/{SHORT}.skops", None),
        (f"versions/1.0.0/{SHORT}.onnx", None),
        (f"/versions/1.0.0/{SHORT}.skops", "must be relative to the model's folder, not {path}"),
        (f"gs://other/versions/1.0.0/{SHORT}.skops", "must be relative to the model's folder, not {path}"),
        ("https://example.org/model.skops", "must be relative to the model's folder, not {path}"),
        (f"../wine/versions/1.0.0/{SHORT}.skops", "must not leave the model's folder: {path}"),
        (f"versions/../versions/1.0.0/{SHORT}.skops", "must not leave the model's folder: {path}"),
        (f"versions\\1.0.0\\{SHORT}.skops", "must not leave the model's folder: {path}"),
        (f"versions/1.0.0/..\\{SHORT}.skops", "must not leave the model's folder: {path}"),
        (f"versions/1.0.0/../{SHORT}.skops", "must not leave the model's folder: {path}"),
        (f"./versions/1.0.0/{SHORT}.skops", "expected versions/1.0.0/{short}.<suffix>, not {path}"),
        (f"versions//1.0.0/{SHORT}.skops", "expected versions/1.0.0/{short}.<suffix>, not {path}"),
        (f"versions/1.0.0/{SHORT}.skops\n", "expected versions/1.0.0/{short}.<suffix>, not {path}"),
        (f"versions/1.0.0/{SHORT}.SKOPS", "expected versions/1.0.0/{short}.<suffix>, not {path}"),
        (f"versions/1.0.0/{SHORT.upper()}.skops", "expected versions/1.0.0/{short}.<suffix>, not {path}"),
        (f"versions/1.0.0/{DIGEST}.skops", "expected versions/1.0.0/{short}.<suffix>, not {path}"),
        (f"versions/%2e%2e/{SHORT}.skops", "belongs to version '%2e%2e', not to '1.0.0': {path}"),
        ("manifest.json", "expected versions/1.0.0/{short}.<suffix>, not {path}"),
        (f"versions/1.1.0/{SHORT}.skops", "belongs to version '1.1.0', not to '1.0.0': {path}"),
        (f"versions/1.0.0/{SHORT[::-1]}.skops", "its name does not carry the stated digest {short}…: {path}"),
        (f"versions/1.0.0/{SHORT}\0.skops", "expected versions/1.0.0/{short}.<suffix>, not {path}"),
    ],
)
def test_a_path_stays_in_its_versions_folder_under_its_digest(path: str, problem: str | None) -> None:
    """`..`, absolute paths and foreign schemes are refused, and so is another version's object."""
    expected = problem.format(path=repr(path), short=SHORT) if problem else None
    assert path_problem(path, version="1.0.0", sha256=DIGEST) == expected
    ref = {"path": path, "sha256": DIGEST, "size": 1}
    record = {"path": f"versions/1.0.0/{SHORT}.json", "sha256": DIGEST, "size": 1}
    version = {"created_at": "2026-11-20T10:00:00Z", "record": record, "artifacts": {"skops": ref}}
    document = {
        "format": 1,
        "model": "iris",
        "revision": 1,
        "updated_at": "2026-11-20T10:00:00Z",
        "default": "stable",
        "aliases": {},
        "versions": {"1.0.0": version},
    }
    data = json.dumps(document).encode()
    if expected is None:
        assert Manifest.from_bytes(data).versions["1.0.0"].artifacts["skops"].path == path
    else:
        with pytest.raises(ManifestError) as caught:
            Manifest.from_bytes(data)
        assert caught.value.message == f"versions.1.0.0.artifacts.skops.path: {expected}"


@pytest.mark.parametrize(
    ("path", "revision"),
    [
        ("iris/history/1.json", 1),
        ("iris/history/12.json", 12),
        ("iris/history/01.json", None),
        ("iris/history/-1.json", None),
        ("iris/history/one.json", None),
        ("iris/history/²3.json", None),
        ("iris/history/1.json.bak", None),
        ("iris/history/1", None),
        ("iris/history/.json", None),
        ("iris/history/old/1.json", None),
        ("wine/history/1.json", None),
    ],
)
def test_only_numbers_count_in_the_history(path: str, revision: int | None) -> None:
    """What else lies in the folder, an editor's backup for example, is not taken for an archive."""
    assert history_revision("iris", path) == revision


def test_stray_objects_do_no_harm() -> None:
    """Files that a person leaves beside ours change nothing, and gc takes only what lies under versions/."""
    store = MemoryStore()
    used(store)
    strays = ["README.md", "line/notes.txt", "line/history/2.json~", "line/manifest.json.bak", "Line/manifest.json"]
    for path in strays:
        store.create(path, b"{")
    assert Registry(store).models() == [MODEL]
    assert problems(store) == []
    assert [entry.path for entry in Registry(store).gc(MODEL, delete=True, min_age_s=-1)] == []
    assert serves(store) == "1.0.0"
