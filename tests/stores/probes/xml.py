"""The XML API, through obstore: a client that shares no code with Google's."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Unpack

import obstore
import pytest
from obstore.exceptions import AlreadyExistsError, PreconditionError
from obstore.store import GCSStore

from tests.stores.probes import Ground, Probe, at_once

if TYPE_CHECKING:
    from obstore import GetOptions

DATA = os.urandom(1_000_000)


def connect(ground: Ground) -> GCSStore:
    return GCSStore(
        ground.bucket.name,
        config={"base_url": ground.endpoint, "bearer_token": "any"},
        client_options={"allow_http": True},
        retry_config={"max_retries": 0},
    )


def get(store: GCSStore, path: str, **options: Unpack[GetOptions]) -> bytes:
    return bytes(obstore.get(store, path, options=options).bytes())


def put_is_seen_by_both(ground: Ground) -> None:
    store = connect(ground)
    result = obstore.put(store, "a/one", DATA)
    assert ground.content("a/one") == DATA
    assert result["version"] == str(ground.bucket.get_blob("a/one").generation)
    assert result["e_tag"]


def get_tells_all(ground: Ground) -> None:
    generation = ground.put("a", DATA).generation
    found = obstore.get(connect(ground), "a")
    meta = found.meta
    assert (meta["path"], meta["size"], meta["version"]) == ("a", len(DATA), str(generation))
    assert bytes(found.bytes()) == DATA


def head(ground: Ground) -> None:
    ground.put("a", DATA)
    store = connect(ground)
    assert obstore.head(store, "a") == obstore.get(store, "a").meta


def one_range(ground: Ground) -> None:
    ground.put("a", DATA)
    assert bytes(obstore.get_range(connect(ground), "a", start=10, end=20)) == DATA[10:20]


def many_ranges(ground: Ground) -> None:
    ground.put("a", DATA)
    starts, ends = [0, 100_000, 500_000, 900_000], [10, 100_010, 500_010, 1_000_000]
    found = obstore.get_ranges(connect(ground), "a", starts=starts, ends=ends)
    assert [bytes(part) for part in found] == [DATA[start:end] for start, end in zip(starts, ends, strict=True)]


def create(ground: Ground) -> None:
    store = connect(ground)
    obstore.put(store, "a", b"1", mode="create")
    with pytest.raises(AlreadyExistsError):
        obstore.put(store, "a", b"2", mode="create")
    assert get(store, "a") == b"1"


def update(ground: Ground) -> None:
    store = connect(ground)
    first = obstore.put(store, "a", b"1")
    obstore.put(store, "a", b"2", mode={"version": first["version"], "e_tag": first["e_tag"]})
    with pytest.raises(PreconditionError):
        obstore.put(store, "a", b"3", mode={"version": first["version"], "e_tag": first["e_tag"]})
    assert ground.content("a") == b"2"


def update_of_the_other_apis_generation(ground: Ground) -> None:
    generation = ground.put("a", b"1").generation
    obstore.put(connect(ground), "a", b"2", mode={"version": str(generation)})
    assert ground.content("a") == b"2"


def one_creator_wins(ground: Ground) -> None:
    store = connect(ground)

    def try_once(thread: int) -> int | None:
        try:
            obstore.put(store, "race", str(thread).encode(), mode="create")
        except AlreadyExistsError:
            return None
        return thread

    winners = [thread for thread in at_once(8, try_once) if thread is not None]
    assert [get(store, "race")] == [str(thread).encode() for thread in winners]


def listing(ground: Ground) -> None:
    for name in ("a/one", "a/two/x", "b"):
        ground.put(name)
    store = connect(ground)
    assert [meta["path"] for page in obstore.list(store, prefix="a/") for meta in page] == ["a/one", "a/two/x"]


def grouped_listing(ground: Ground) -> None:
    for name in ("a/one", "a/two/x", "b"):
        ground.put(name)
    store = connect(ground)
    found = obstore.list_with_delimiter(store)
    assert (list(found["common_prefixes"]), [meta["path"] for meta in found["objects"]]) == (["a"], ["b"])


def multipart(ground: Ground) -> None:
    data = os.urandom(11_000_000)
    store = connect(ground)
    obstore.put(store, "a", data, use_multipart=True, chunk_size=5 * 1024 * 1024)
    assert get(store, "a") == data


def copy(ground: Ground) -> None:
    ground.put("a", DATA)
    store = connect(ground)
    obstore.copy(store, "a", "b")
    assert ground.content("b") == DATA
    with pytest.raises(AlreadyExistsError):
        obstore.copy(store, "a", "b", overwrite=False)


def delete(ground: Ground) -> None:
    ground.put("a")
    obstore.delete(connect(ground), "a")
    assert ground.bucket.get_blob("a") is None


def missing(ground: Ground) -> None:
    with pytest.raises(FileNotFoundError):
        obstore.get(connect(ground), "a")


def another_etag(ground: Ground) -> None:
    ground.put("a")
    store = connect(ground)
    etag = obstore.head(store, "a")["e_tag"]
    assert get(store, "a", if_match=etag) == b"x"
    with pytest.raises(PreconditionError):
        get(store, "a", if_match="zzz")


def one_version(ground: Ground) -> None:
    generation = ground.put("a", b"1").generation
    assert get(connect(ground), "a", version=str(generation)) == b"1"


def attributes(ground: Ground) -> None:
    obstore.put(connect(ground), "a", b"{}", attributes={"Content-Type": "application/json", "k": "v"})
    found = ground.bucket.get_blob("a")
    assert (found.content_type, found.metadata) == ("application/json", {"k": "v"})


PROBES: list[tuple[str, Probe]] = [
    ("XML: what is put is seen by the JSON API", put_is_seen_by_both),
    ("XML: a get tells size, time, ETag and version", get_tells_all),
    ("XML: a head tells what a get tells", head),
    ("XML: a range is read", one_range),
    ("XML: ranges are read at once", many_ranges),
    ("XML: a put that creates does not overwrite", create),
    ("XML: a put that updates replaces its version only", update),
    ("XML: a put that updates takes the generation of the JSON API", update_of_the_other_apis_generation),
    ("XML: of eight creators at once, one wins", one_creator_wins),
    ("XML: a prefix is listed", listing),
    ("XML: a listing groups at a delimiter", grouped_listing),
    ("XML: an object is put in parts", multipart),
    ("XML: an object is copied, on a condition", copy),
    ("XML: a deleted object is gone", delete),
    ("XML: an object that is not there is not found", missing),
    ("XML: another ETag is refused", another_etag),
    ("XML: a version is read", one_version),
    ("XML: content type and metadata set with a put are kept", attributes),
]
