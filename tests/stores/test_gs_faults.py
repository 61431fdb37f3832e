"""What ``gs://`` does when Cloud Storage, or the way there, fails: it recovers, or says why it cannot, in time."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from registry.errors import GenerationError, ObjectExistsError, StoreError
from registry.stores import CHUNK_SIZE
from registry.stores.gs import Bounds, GsStore
from tests.fake_gcs import FOREVER, FakeGcs, Fault, Kind

ROOT = Path(__file__).parents[2]
PATIENT = Bounds(wait_s=0.02)
HASTY = Bounds(read_s=1.0, write_s=1.0, connect_s=0.5, silence_s=0.5, wait_s=0.02)
SLACK_S = 3.0
TRANSIENT = [408, 429, 500, 502, 503, 504]

Arm = Callable[..., None]
Call = Callable[[GsStore, int], object]
CALLS: dict[str, Call] = {
    "read": lambda store, generation: store.read("a"),
    "range": lambda store, generation: store.read("a", start=1, end=3),
    "nothing": lambda store, generation: store.read("a", start=3, end=3),
    "stream": lambda store, generation: list(store.stream("a", chunk_size=2)),
    "create": lambda store, generation: store.create("b", b"new"),
    "replace": lambda store, generation: store.replace("a", b"new", generation=generation),
    "delete": lambda store, generation: store.delete("a", generation=generation),
    "list": lambda store, generation: list(store.list()),
    "names": lambda store, generation: list(store.list_names()),
}
CONTENT = b"content"


@pytest.fixture
def bucket(gcs: FakeGcs) -> str:
    """The name of a new bucket."""
    return gcs.buckets.create_bucket(f"test-{uuid4()}", {}).name


@pytest.fixture
def store(gcs: FakeGcs, bucket: str) -> GsStore:
    """A store that tries again soon, and for long."""
    return GsStore(bucket, endpoint=gcs.endpoint, bounds=PATIENT)


@pytest.fixture
def hasty(gcs: FakeGcs, bucket: str) -> GsStore:
    """A store that gives up soon."""
    return GsStore(bucket, endpoint=gcs.endpoint, bounds=HASTY)


@pytest.fixture
def generation(store: GsStore) -> int:
    """The generation of the object ``a``."""
    return store.create("a", CONTENT)


@pytest.fixture
def arm(gcs: FakeGcs, bucket: str) -> Arm:
    """Arm a fault with these fields, for requests to the bucket."""

    def arm_one(**fields: Any) -> None:
        gcs.faults.add(Fault(path=bucket, **fields))

    return arm_one


def fails(call: Callable[[], object]) -> str:
    """Return the sentence of the store's error with which the call ends, soon."""
    began = time.monotonic()
    with pytest.raises(StoreError) as caught:
        call()
    assert time.monotonic() - began < HASTY.read_s + SLACK_S
    assert type(caught.value) is StoreError
    return caught.value.message


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", TRANSIENT)
def test_a_refusal_that_passes_is_waited_out(
    gcs: FakeGcs, arm: Arm, store: GsStore, generation: int, call: str, status: int
) -> None:
    """Of every call, with every status that Google says to try again after."""
    arm(kind="status", status=status, times=2, retry_after=1)
    CALLS[call](store, generation)
    assert gcs.faults.armed() == []


@pytest.mark.parametrize("call", CALLS)
def test_a_connection_that_breaks_is_made_again(
    gcs: FakeGcs, arm: Arm, store: GsStore, generation: int, call: str
) -> None:
    """Before the request was served, for every call."""
    arm(kind="reset", times=2)
    CALLS[call](store, generation)
    assert gcs.faults.armed() == []


@pytest.mark.parametrize("call", CALLS)
def test_a_refusal_that_lasts_is_reported_in_time(arm: Arm, hasty: GsStore, generation: int, call: str) -> None:
    """The sentence says what Google said."""
    arm(kind="status", status=503, times=FOREVER, message="Backend is down.")
    message = fails(lambda: CALLS[call](hasty, generation))
    assert message.startswith(f"cannot reach {hasty.url}")
    assert "503" in message
    assert "Backend is down." in message


@pytest.mark.parametrize("call", ["read", "create", "delete", "list"])
def test_a_server_that_says_nothing_is_given_up(arm: Arm, hasty: GsStore, generation: int, call: str) -> None:
    """Although the connection stands, every call ends within its bound."""
    arm(kind="delay", times=FOREVER, seconds=10)
    fails(lambda: CALLS[call](hasty, generation))


def test_a_server_that_drips_is_given_up(arm: Arm, hasty: GsStore) -> None:
    """A byte now and then keeps a socket alive, but not a call."""
    hasty.create("long", b"x" * 1000)
    arm(kind="drip", times=FOREVER, seconds=0.1)
    assert fails(lambda: hasty.read("long")).startswith(f"cannot reach {hasty.url}/long: no answer within")


@pytest.mark.parametrize("call", ["read", "range", "stream"])
@pytest.mark.parametrize("kind", ["truncate", "stall"])
def test_a_body_that_ends_early_is_asked_for_again(
    gcs: FakeGcs, arm: Arm, store: GsStore, generation: int, call: str, kind: Kind
) -> None:
    """Nothing short is ever returned."""
    expected = CALLS[call](store, generation)
    alert = GsStore(store.url.removeprefix("gs://"), endpoint=gcs.endpoint, bounds=replace(PATIENT, silence_s=0.3))
    for at in (0, 1):
        arm(kind=kind, at=at, seconds=5)
        assert CALLS[call](alert, generation) == expected
        assert gcs.faults.armed() == []


@pytest.mark.parametrize("call", ["read", "range", "stream"])
def test_a_body_that_always_ends_early_is_an_error(arm: Arm, hasty: GsStore, generation: int, call: str) -> None:
    """It is reported in time."""
    arm(kind="truncate", at=1, times=FOREVER)
    fails(lambda: CALLS[call](hasty, generation))


def test_an_object_that_grows_under_a_read_is_asked_for_again(arm: Arm, store: GsStore, generation: int) -> None:
    """A range that was beyond the end a moment ago, and is not any more, is not answered with nothing."""
    arm(kind="status", status=416)
    assert store.read("a", start=3, end=5).data == CONTENT[3:5]


def test_a_damaged_object_is_asked_for_again(gcs: FakeGcs, arm: Arm, store: GsStore, generation: int) -> None:
    """The CRC32C of a whole object is checked, also when it came as a range."""
    for start, end in ((0, None), (0, 100)):
        arm(kind="corrupt", at=3)
        assert store.read("a", start=start, end=end).data == CONTENT
        assert gcs.faults.armed() == []


def test_an_object_that_is_always_damaged_is_an_error(arm: Arm, hasty: GsStore, generation: int) -> None:
    """It is never returned."""
    arm(kind="corrupt", at=3, times=FOREVER)
    assert "the answer was damaged on its way: its CRC32C is wrong" in fails(lambda: hasty.read("a"))


def test_a_lost_answer_to_create_is_a_conflict_with_oneself(arm: Arm, store: GsStore) -> None:
    """The object is there, with the caller's content, for the caller to compare."""
    arm(kind="lose", method="POST")
    with pytest.raises(ObjectExistsError) as caught:
        store.create("new", b"mine")
    assert caught.value.message == f"there is already an object at {store.url}/new"
    assert store.read("new").data == b"mine"


def test_a_lost_answer_to_replace_is_a_conflict_with_oneself(arm: Arm, store: GsStore, generation: int) -> None:
    """The object has the caller's content and a generation that the caller does not know."""
    arm(kind="lose", method="POST")
    with pytest.raises(GenerationError) as caught:
        store.replace("a", b"mine", generation=generation)
    assert caught.value.message == f"{store.url}/a is not of generation {generation} any more"
    assert store.read("a").data == b"mine"


def test_a_lost_answer_to_delete_is_no_error(arm: Arm, store: GsStore, generation: int) -> None:
    """The object is gone, which is what was asked for."""
    arm(kind="lose", method="DELETE")
    store.delete("a", generation=generation)
    assert list(store.list()) == []


@pytest.mark.parametrize("kind", ["reset", "lose", "status"])
@pytest.mark.parametrize("skip", [0, 1, 2])
def test_a_large_upload_goes_on_where_it_broke(gcs: FakeGcs, arm: Arm, store: GsStore, kind: Kind, skip: int) -> None:
    """Whichever piece breaks, before or after it was stored; even a lost answer to the last one is no conflict."""
    content = os.urandom(2 * CHUNK_SIZE + 1000)
    arm(kind=kind, method="PUT", skip=skip)
    generation = store.create("large", content)
    assert gcs.faults.armed() == []
    blob = store.read("large")
    assert (blob.data == content, blob.generation) == (True, generation)


def test_one_object_takes_one_write_a_second(bucket: str) -> None:
    """Writers that are too fast are slowed down by 429, and none of their writes is lost."""
    with FakeGcs(write_interval_s=0.2) as server:
        server.buckets.create_bucket(bucket, {})
        store = GsStore(bucket, endpoint=server.endpoint, bounds=PATIENT)
        generation = store.create("a", b"0")
        for number in range(3):
            generation = store.replace("a", str(number).encode(), generation=generation)
        assert store.read("a").data == b"2"
        assert 429 in {seen.status for seen in server.seen}


@pytest.mark.parametrize("call", CALLS)
def test_a_missing_bucket_is_not_a_missing_object(gcs: FakeGcs, call: str) -> None:
    """Every call names the bucket, so that a typing error does not look like an empty registry."""
    store = GsStore("no-such-bucket", "team-a", endpoint=gcs.endpoint, bounds=HASTY)
    problem = "bucket no-such-bucket does not exist, or the account in use may not know of it"
    assert fails(lambda: CALLS[call](store, 1)).endswith(f": {problem}")


@pytest.mark.parametrize("call", CALLS)
def test_a_missing_right_names_the_role_that_grants_it(
    gcs: FakeGcs, arm: Arm, hasty: GsStore, generation: int, call: str
) -> None:
    """Reading and writing need different roles; Google's own sentence is passed on."""
    sentence = "robot@acme.iam.gserviceaccount.com does not have storage.objects.x access to the object."
    arm(kind="status", status=403, message=sentence)
    role = "roles/storage.objectUser" if call in ("create", "replace", "delete") else "roles/storage.objectViewer"
    problem = f"the account in use needs {role} on bucket {hasty.url.removeprefix('gs://')}: 403 {sentence}"
    assert fails(lambda: CALLS[call](hasty, generation)).endswith(f": {problem}")


class _Portal(BaseHTTPRequestHandler):
    """What a hotel's network answers to everything."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "9")
        self.end_headers()
        self.wfile.write(b"<welcome>")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name http.server gives it
        """Stay silent."""


def test_a_server_that_is_not_cloud_storage_is_recognised() -> None:
    """A page of some proxy, with status 200, is not taken for an object."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Portal) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        store = GsStore("acme-models", endpoint=f"http://127.0.0.1:{server.server_address[1]}", bounds=HASTY)
        try:
            assert "the answer does not come from Cloud Storage" in fails(lambda: store.read("a"))
        finally:
            server.shutdown()
            thread.join()


def test_a_server_that_is_not_there_is_reported_in_time(bucket: str) -> None:
    """With the address that was tried."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        store = GsStore(bucket, endpoint=f"http://127.0.0.1:{port}", bounds=HASTY)
        assert f"port={port}" in fails(lambda: store.read("a"))
