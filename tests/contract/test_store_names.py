"""What `registry.stores` promises about paths and listings, asked of every backend that is found."""

from __future__ import annotations

import time

import pytest

from registry.errors import InputError
from registry.stores import Store

ODD_NAMES = [
    "ü",
    "模型/数据.json",
    "emoji 🌲/x",
    "with space/and+plus&amp;",
    "percent%20twenty%2Fslash",
    "what?#fragment",
    "a=b&c=d;e",
    "quote'double\"back\\slash",
    "star*[a-z]{1,2}?",
    ".hidden/..two-dots/three...",
    "trailing-dot./x",
    "~tilde/$var/`tick`|pipe<>",
    "e\u0301 decomposed",
    "nbsp\u00a0here",
    "s" * 200,
    "/".join(["deep"] * 40),
]

BAD_PATHS = [
    "",
    "/",
    "/absolute",
    "trailing/",
    "double//slash",
    ".",
    "..",
    "../escape",
    "a/../b",
    "a/..",
    "./a",
    "nul\0byte",
    "new\nline",
    "delete\x7f",
    "lone\ud800surrogate",
    "x" * 1025,
]


def test_a_listing_is_ordered_by_path(store: Store) -> None:
    """Folders have no order of their own: ``a-b`` comes before ``a/b``."""
    paths = ["a-b", "a/b", "a/b-c", "a/c/d", "a0", "b/x", "A", "z", "é", "🌲"]
    for path in paths:
        store.create(path, path.encode())
    entries = list(store.list())
    assert [entry.path for entry in entries] == sorted(paths)
    assert [entry.size for entry in entries] == [len(path.encode()) for path in sorted(paths)]
    assert [entry.generation for entry in entries] == [store.read(path).generation for path in sorted(paths)]
    assert all(abs(entry.updated_s - time.time()) < 60 for entry in entries)


def test_a_listing_is_of_what_begins_with_the_prefix(store: Store) -> None:
    """The prefix may end anywhere in a path; it is no pattern."""
    for path in ("iris/manifest.json", "iris/versions/1.0/a", "iris/versions/1.1/b", "irises/x", "wine/x", "w*/x"):
        store.create(path, b"")
    expected = {
        "iris": ["iris/manifest.json", "iris/versions/1.0/a", "iris/versions/1.1/b", "irises/x"],
        "iris/": ["iris/manifest.json", "iris/versions/1.0/a", "iris/versions/1.1/b"],
        "iris/versions/1.": ["iris/versions/1.0/a", "iris/versions/1.1/b"],
        "iris/versions/1.1/b": ["iris/versions/1.1/b"],
        "w*": ["w*/x"],
        "iris/nothing": [],
        "nothing/at/all/": [],
        "iris/manifest.json/": [],
        "/": [],
        "../": [],
        "iris/../": [],
        "./": [],
    }
    assert {prefix: [entry.path for entry in store.list(prefix)] for prefix in expected} == expected


def test_names_are_the_first_segments(store: Store) -> None:
    """Each once, ordered, whether an object or only longer paths stand behind it."""
    for path in ("iris/manifest.json", "iris/versions/1/a", "iris/versions/2/b", "iris-2/x", "wine", "a/b/c/d"):
        store.create(path, b"")
    assert list(store.list_names()) == ["a", "iris", "iris-2", "wine"]
    assert list(store.list_names("iris/")) == ["manifest.json", "versions"]
    assert list(store.list_names("iris/versions/")) == ["1", "2"]
    assert list(store.list_names("nothing/")) == []
    assert list(store.list_names("wine/")) == []
    assert list(store.list_names("/")) == []
    assert list(store.list_names("../")) == []
    with pytest.raises(InputError):
        list(store.list_names("ir"))


def test_names_of_what_is_deleted_are_gone(store: Store) -> None:
    """No trace is left of a model whose last object was deleted."""
    generation = store.create("iris/versions/1/a", b"")
    store.create("wine/x", b"")
    store.delete("iris/versions/1/a", generation=generation)
    assert list(store.list_names()) == ["wine"]
    store.create("iris/versions", b"an object where a folder was")
    assert list(store.list_names("iris/")) == ["versions"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_name_is_taken_as_it_is(store: Store, name: str) -> None:
    """No character of a path has a meaning but the slash."""
    generation = store.create(name, b"1")
    assert store.read(name).data == b"1"
    generation = store.replace(name, b"2", generation=generation)
    assert [entry.path for entry in store.list()] == [name]
    assert [entry.path for entry in store.list(name[:-1])] == [name]
    assert list(store.list_names()) == [name.partition("/")[0]]
    store.delete(name, generation=generation)
    assert list(store.list()) == []


@pytest.mark.parametrize("path", BAD_PATHS)
def test_a_path_that_no_object_can_have_is_refused(store: Store, path: str) -> None:
    """By every call, before anything is done."""
    for attempt in (
        lambda: store.read(path),
        lambda: store.create(path, b""),
        lambda: store.replace(path, b"", generation=1),
        lambda: store.delete(path, generation=1),
        lambda: next(store.stream(path)),
    ):
        with pytest.raises(InputError, match="cannot be the path of an object"):
            attempt()
    assert list(store.list()) == []
