"""What ``gs://`` promises beyond the contract: how little it asks for, and what it writes."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from registry.errors import InputError, ObjectNotFoundError, StoreError
from registry.stores import CHUNK_SIZE, open_store
from registry.stores.gs import GsStore
from tests.fake_gcs import FakeGcs

ROOT = Path(__file__).parents[2]

Asked = Callable[[], list[tuple[str, int]]]


@pytest.fixture
def bucket(gcs: FakeGcs) -> str:
    """The name of a new and empty bucket."""
    return gcs.buckets.create_bucket(f"test-{uuid4()}", {}).name


@pytest.fixture
def store(gcs: FakeGcs, bucket: str) -> GsStore:
    return GsStore(bucket, endpoint=gcs.endpoint)


@pytest.fixture
def asked(gcs: FakeGcs, bucket: str) -> Asked:
    """Return what the bucket was asked since the last time: methods and statuses."""

    def ask() -> list[tuple[str, int]]:
        seen = [(request.method, request.status) for request in gcs.seen if bucket in request.path]
        gcs.seen.clear()
        return seen

    return ask


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("gs://acme-models", "gs://acme-models"),
        ("gs://acme-models/", "gs://acme-models"),
        ("gs://acme.example.com/team a/50%/", "gs://acme.example.com/team a/50%"),
    ],
)
def test_a_url_is_a_bucket_and_a_prefix(url: str, normal: str) -> None:
    """The prefix is taken as it is written, without an encoding."""
    assert open_store(url).url == normal


@pytest.mark.parametrize(
    "url", ["gs://", "gs:///models", "gs://Acme", "gs://a", "gs://acme//x", "gs://acme/../x", "gs://a b/c"]
)
def test_a_url_that_names_no_bucket_is_refused(url: str) -> None:
    """The sentence shows the right form."""
    with pytest.raises(InputError) as caught:
        open_store(url)
    assert caught.value.message == f"cannot open the registry {url!r}: name a bucket, as in gs://acme-models/team-a"


def test_opening_reaches_for_nothing(gcs: FakeGcs) -> None:
    """Neither for a server nor for Google's libraries, which take longer to import than all the rest."""
    code = """
import sys
from registry.stores import open_store
open_store("gs://acme-models/team-a")
print(sorted({"google.auth", "google.cloud.storage", "requests"} & set(sys.modules)))
"""
    command = [sys.executable, "-W", "error", "-c", code]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=20).stdout
    assert output == "[]\n"
    assert not [request for request in gcs.seen if "acme-models" in request.path]


def test_a_missing_library_is_named() -> None:
    """Without google-cloud-storage, a ``gs://`` URL says what to install."""
    code = """
from registry.stores import open_store
try:
    open_store("gs://acme-models")
except Exception as exc:
    print(type(exc).__name__, exc)
"""
    command = [sys.executable, "-S", "-c", code]  # -S: no installed packages
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=20).stdout
    sentence = "cannot open the registry 'gs://acme-models': install google-cloud-storage, or model-bucket[gcs]"
    assert output == f"StoreError {sentence}\n"


def test_an_emulator_may_be_named_without_a_scheme(gcs: FakeGcs, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """STORAGE_EMULATOR_HOST is a URL or a host with a port."""
    for host in (gcs.endpoint, gcs.endpoint + "/", gcs.endpoint.removeprefix("http://")):
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", host)
        assert list(open_store(f"gs://{bucket}").list()) == []


def test_a_read_is_one_request(gcs: FakeGcs, store: GsStore, asked: Asked) -> None:
    """Whole or in part; only a range without bytes needs a second one to tell the size."""
    generation = store.create("a", b"content")
    store.create("empty", b"")
    asked()
    store.read("a")
    store.read("a", generation=generation)
    store.read("a", start=2, end=4)
    store.read("a", start=2)
    store.read("empty")
    assert asked() == [("GET", 200), ("GET", 200), ("GET", 206), ("GET", 206), ("GET", 200)]
    store.read("a", start=3, end=3)
    assert asked() == [("GET", 200)]
    store.read("a", start=7)
    assert asked() == [("GET", 416), ("GET", 200)]


def test_a_stream_is_one_request_a_piece(gcs: FakeGcs, store: GsStore, asked: Asked) -> None:
    """All of the generation of the first."""
    store.create("a", b"x" * 250)
    asked()
    assert len(list(store.stream("a", chunk_size=100))) == 3
    assert asked() == [("GET", 206)] * 3


def test_a_stream_may_be_left(store: GsStore) -> None:
    """A caller that has seen enough does not wait for the rest."""
    store.create("a", b"x" * 250)
    for piece in store.stream("a", chunk_size=100):
        assert len(piece.data) == 100
        break


def test_a_small_write_is_one_request_and_a_large_one_is_sent_in_pieces(
    gcs: FakeGcs, store: GsStore, asked: Asked
) -> None:
    """So that a large upload that breaks goes on where it was."""
    store.create("small", b"x")
    assert asked() == [("POST", 200)]
    store.create("large", b"x" * (2 * CHUNK_SIZE + 1))
    assert asked() == [("POST", 200), ("PUT", 308), ("PUT", 308), ("PUT", 200)]


def test_a_listing_goes_over_all_pages(gcs: FakeGcs, store: GsStore, bucket: str, asked: Asked) -> None:
    """A thousand objects a request, in order."""
    names = [f"m/{number:05}" for number in range(2300)]
    for name in reversed(names):
        gcs.buckets.put(bucket, name, b"", {})
    assert [entry.path for entry in store.list("m/")] == names
    assert asked() == [("GET", 200)] * 3


def test_names_cost_what_they_are_and_not_what_lies_below(
    gcs: FakeGcs, store: GsStore, bucket: str, asked: Asked
) -> None:
    """The server groups them, so two models with thousands of objects are one request."""
    for number in range(1500):
        gcs.buckets.put(bucket, f"iris/versions/{number}", b"", {})
        gcs.buckets.put(bucket, f"wine/versions/{number}", b"", {})
    assert list(store.list_names()) == ["iris", "wine"]
    assert asked() == [("GET", 200)]
    assert len(list(store.list_names("iris/versions/"))) == 1500
    assert asked() == [("GET", 200)] * 2


def test_a_prefix_is_a_store_of_its_own(gcs: FakeGcs, bucket: str) -> None:
    """Neighbours in the same bucket, even those with a similar prefix, are out of reach."""
    store = GsStore(bucket, "team-a", endpoint=gcs.endpoint)
    for name in ("team-a/iris/x", "team-ab/wine/x", "team-a-b/y", "team-a", "other"):
        gcs.buckets.put(bucket, name, b"", {})
    assert [entry.path for entry in store.list()] == ["iris/x"]
    assert list(store.list_names()) == ["iris"]
    store.create("new", b"")
    assert gcs.buckets.get(bucket, "team-a/new").data == b""
    with pytest.raises(ObjectNotFoundError):
        store.read("other")


def test_folders_of_the_console_are_no_objects(gcs: FakeGcs, store: GsStore, bucket: str) -> None:
    """Empty objects whose names end with a slash are made by Google's console, and are left out."""
    for name in ("iris/", "iris/manifest.json", "iris/versions/", "odd//name"):
        gcs.buckets.put(bucket, name, b"", {})
    assert [entry.path for entry in store.list()] == ["iris/manifest.json"]
    assert list(store.list_names("iris/")) == ["manifest.json", "versions"]


def test_what_is_written_is_never_cached(gcs: FakeGcs, store: GsStore, bucket: str) -> None:
    """A public bucket would serve a manifest that is an hour old; and a browser should show it as JSON."""
    generation = store.create("iris/manifest.json", b"{}")
    store.replace("iris/manifest.json", b"{ }", generation=generation)
    store.create("iris/x.skops", b"x")
    fields = [gcs.buckets.get(bucket, name).fields for name in ("iris/manifest.json", "iris/x.skops")]
    assert [(field["cacheControl"], field["contentType"]) for field in fields] == [
        ("no-store", "application/json"),
        ("no-store", "application/octet-stream"),
    ]


def test_an_object_that_was_stored_compressed_is_refused(
    gcs: FakeGcs, store: GsStore, bucket: str, asked: Asked
) -> None:
    """Its sizes and ranges are not those of its content; the sentence says what to do."""
    packed = gzip.compress(b"{}" * 100)
    gcs.buckets.put(bucket, "iris/manifest.json", packed, {"contentEncoding": "gzip"})
    with pytest.raises(StoreError, match="is stored in gzip form: upload it again without Content-Encoding"):
        store.read("iris/manifest.json")
    assert asked() == [("GET", 200)]
