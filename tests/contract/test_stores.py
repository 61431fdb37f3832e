"""What `registry.stores` promises, asked of every backend that is found. More is in the neighbours."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import BinaryIO

import pytest

from registry.errors import GenerationError, InputError, ObjectExistsError, ObjectNotFoundError, StoreError
from registry.stores import Blob, Store, open_store, schemes
from tests.fixtures.stores import BUILDERS


def read_all(store: Store, path: str) -> bytes:
    return store.read(path).data


def test_every_scheme_has_a_builder() -> None:
    """A backend without an entry in the builders would not be tested."""
    assert sorted(BUILDERS) == schemes()


def test_a_store_is_opened_again_by_its_url(store: Store, store_url: str) -> None:
    """The URL of a store leads to the same objects, with and without a slash at its end."""
    store.create("a", b"content")
    assert store.url == store_url
    assert read_all(open_store(store.url), "a") == b"content"
    assert read_all(open_store(store.url + "/"), "a") == b"content"


@pytest.mark.parametrize(
    "url", ["", "models", "/srv/models", "s3://bucket", "http://host/path", "_posix://x", "GS://b"]
)
def test_a_url_without_a_backend_is_refused(url: str) -> None:
    """The sentence names the forms that would have worked."""
    with pytest.raises(InputError) as caught:
        open_store(url)
    forms = ", ".join(f"{name}://…" for name in schemes())
    assert caught.value.message == f"cannot open the registry {url!r}: expected a URL of the form {forms}"
    assert caught.value.details == {"known": schemes()}


@pytest.mark.parametrize(
    "data", [b"", b"x", b"\r\n\0\xff" * 5, os.urandom(100_000)], ids=["empty", "one", "odd", "more"]
)
def test_what_was_created_is_read(store: Store, data: bytes) -> None:
    """A read gives the bytes, the generation that `create` returned, and the size."""
    generation = store.create("iris/manifest.json", data)
    assert store.read("iris/manifest.json") == Blob(data=data, generation=generation, size=len(data))


def test_a_file_is_written_from_where_it_stands(store: Store) -> None:
    """Only the rest of an open file becomes the object."""
    file: BinaryIO = io.BytesIO(b"header and content")
    file.seek(11)
    store.create("a", file)
    assert read_all(store, "a") == b"content"


def test_create_refuses_what_is_there(store: Store) -> None:
    """A second `create` fails, whatever its content, and changes nothing."""
    generation = store.create("a/b", b"first")
    for data in (b"second", b"first", io.BytesIO(b"third")):
        with pytest.raises(ObjectExistsError) as caught:
            store.create("a/b", data)
        assert caught.value.message == f"there is already an object at {store.url}/a/b"
    assert store.read("a/b") == Blob(data=b"first", generation=generation, size=5)


def test_reading_nothing_is_an_error(store: Store) -> None:
    """Of every kind of read, in a store that is empty, and where there are only neighbours."""

    def attempts() -> list[Callable[[], object]]:
        return [
            lambda: store.read("a/c"),
            lambda: store.read("a/c", start=1, end=2),
            lambda: store.read("a/c", start=2, end=2),
            lambda: store.read("a/c", generation=1),
            lambda: next(store.stream("a/c")),
            lambda: store.read("a"),
            lambda: store.read("a/b/c"),
        ]

    for neighbours in (0, 1):
        for attempt in attempts():
            with pytest.raises(ObjectNotFoundError, match=f"there is no object at {store.url}/a"):
                attempt()
        if not neighbours:
            store.create("a/b", b"content")


@pytest.mark.parametrize("size", [0, 1, 10])
@pytest.mark.parametrize("start", [0, 1, 9, 10, 11])
@pytest.mark.parametrize("end", [None, 0, 1, 5, 9, 10, 11, 100])
def test_a_range_is_cut_where_the_object_ends(store: Store, size: int, start: int, end: int | None) -> None:
    """A range reads like a slice, and always tells the size of the whole object."""
    data = bytes(range(size))
    generation = store.create("a", data)
    expected = Blob(data=data[start:end], generation=generation, size=size)
    assert store.read("a", start=start, end=end) == expected
    assert store.read("a", start=start, end=end, generation=generation) == expected


def test_a_read_of_another_generation_is_refused(store: Store) -> None:
    """Of the whole, of a range, and of an empty one; the generation in force is not touched."""
    old = store.create("a", b"old")
    new = store.replace("a", b"newer", generation=old)
    for start, end in ((0, None), (1, 3), (2, 2), (100, None)):
        with pytest.raises(GenerationError):
            store.read("a", start=start, end=end, generation=old)
    assert store.read("a", generation=new).data == b"newer"


def test_replace_swaps_the_generation_that_was_read(store: Store) -> None:
    """Every write gets a generation of its own, although the content is the same."""
    generations = [store.create("a", b"same")]
    for _ in range(5):
        generations.append(store.replace("a", b"same", generation=generations[-1]))
        assert store.read("a") == Blob(data=b"same", generation=generations[-1], size=4)
    assert len(set(generations)) == 6


def test_replace_refuses_another_generation(store: Store) -> None:
    """An old generation, an invented one, and one of an object that is gone change nothing."""
    old = store.create("a", b"1")
    new = store.replace("a", b"2", generation=old)
    for generation in (old, new + 1, 12345):
        with pytest.raises(GenerationError):
            store.replace("a", b"3", generation=generation)
    assert store.read("a") == Blob(data=b"2", generation=new, size=1)
    store.delete("a", generation=new)
    with pytest.raises(GenerationError):
        store.replace("a", b"4", generation=new)
    with pytest.raises(ObjectNotFoundError):
        store.read("a")


def test_replace_of_nothing_makes_nothing(store: Store) -> None:
    """Compare-and-swap is not a way to create an object."""
    with pytest.raises(GenerationError):
        store.replace("a/b", b"x", generation=12345)
    assert list(store.list()) == []


def test_delete_removes_that_generation_only(store: Store) -> None:
    """Another generation is an error; nothing there is none."""
    store.delete("a/b", generation=12345)
    old = store.create("a/b", b"1")
    new = store.replace("a/b", b"2", generation=old)
    with pytest.raises(GenerationError):
        store.delete("a/b", generation=old)
    assert read_all(store, "a/b") == b"2"
    store.delete("a/b", generation=new)
    store.delete("a/b", generation=new)
    assert list(store.list()) == []


def test_an_object_that_is_made_anew_is_not_the_old_one(store: Store) -> None:
    """No generation comes back after a deletion, so compare-and-swap cannot hit the wrong object."""
    seen = set()
    for _ in range(5):
        generation = store.create("a", b"same")
        seen.add(generation)
        store.delete("a", generation=generation)
    assert len(seen) == 5


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 250])
def test_a_stream_is_the_object_in_pieces(store: Store, size: int) -> None:
    """At least one piece, all of one generation, each telling the size of the whole."""
    data = os.urandom(size)
    generation = store.create("a", data)
    pieces = list(store.stream("a", chunk_size=100))
    assert [len(piece.data) for piece in pieces] == [min(100, size - at) for at in range(0, max(size, 1), 100)]
    assert b"".join(piece.data for piece in pieces) == data
    assert {(piece.generation, piece.size) for piece in pieces} == {(generation, size)}


def test_a_stream_ends_when_the_object_is_replaced(store: Store) -> None:
    """Pieces of two generations are never mixed."""
    generation = store.create("a", b"1" * 1000)
    pieces = store.stream("a", chunk_size=100)
    assert next(pieces).data == b"1" * 100
    store.replace("a", b"2" * 1000, generation=generation)
    rest = []
    with pytest.raises(GenerationError):
        rest += [piece.data for piece in pieces]
    assert set(rest) <= {b"1" * 100}


def test_a_stream_ends_when_the_object_is_deleted(store: Store) -> None:
    """With an error, not with an object that is too short."""
    generation = store.create("a", b"1" * 1000)
    pieces = store.stream("a", chunk_size=100)
    next(pieces)
    store.delete("a", generation=generation)
    with pytest.raises((ObjectNotFoundError, GenerationError)):
        list(pieces)


def test_a_large_object_survives_the_way_there_and_back(store: Store) -> None:
    """20 MB, from bytes and from a file, read whole and in pieces."""
    data = os.urandom(20_000_003)
    store.create("from/bytes", data)
    store.create("from/file", io.BytesIO(data))
    assert store.read("from/file").data == data
    assert b"".join(piece.data for piece in store.stream("from/bytes")) == data
    generation = store.read("from/file", end=0).generation
    store.replace("from/file", data[::-1], generation=generation)
    assert store.read("from/file", start=10_000_000, end=10_000_010).data == data[::-1][10_000_000:10_000_010]


def test_every_step_is_seen_at_once(store: Store, store_url: str) -> None:
    """Reads and listings through another handle see every write and deletion that returned before."""
    other = open_store(store_url)
    generation = 0
    for number in range(10):
        generation = store.create(f"a/{number}", b"1")
        assert read_all(other, f"a/{number}") == b"1"
        assert len(list(other.list("a/"))) == number + 1
    new = other.replace("a/9", b"2", generation=generation)
    assert read_all(store, "a/9") == b"2"
    store.delete("a/9", generation=new)
    assert len(list(other.list())) == 9


def test_an_error_of_the_callers_own_file_stays_the_callers(store: Store) -> None:
    """A source that cannot be read is not a store that cannot be reached, and leaves nothing behind."""

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError("the source is broken")

    with pytest.raises(OSError, match="the source is broken") as caught:
        store.create("a", Broken(b"x" * 100))
    assert not isinstance(caught.value, StoreError)
    assert list(store.list()) == []
