"""What ``file://`` promises beyond the contract: paths, people's editors, and read-only folders."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.errors import GenerationError, InputError, ObjectExistsError, ObjectNotFoundError, StoreError
from registry.stores import open_store
from registry.stores.file import HIDDEN, FileStore

NOBODY = 65534


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of a store that does not exist yet."""
    return tmp_path / "registry"


@pytest.fixture
def store(root: Path) -> FileStore:
    return FileStore(root)


def leftovers(root: Path) -> list[str]:
    return sorted(path.name for path in (root / HIDDEN).iterdir() if path.name != "lock")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///srv/models", "/srv/models"),
        ("file:///srv/models/", "/srv/models"),
        ("file:////srv//models", "/srv/models"),
        ("file:///srv/my%20models", "/srv/my models"),
        ("file:///srv/my models", "/srv/my models"),
        ("file:///srv/100%25/%C3%BC", "/srv/100%/ü"),
        ("file:///srv/a%2Fb%3F%23", "/srv/a/b?#"),
        ("file:///srv/a?b#c", "/srv/a?b#c"),
        ("file:///srv/%FF", "/srv/\udcff"),
    ],
)
def test_a_url_is_an_absolute_path_in_percent_encoding(url: str, path: str) -> None:
    """What needs no encoding may be written as it is, and the store's own URL leads to the same folder."""
    assert open_store(url).url == Path(path).as_uri()
    assert open_store(open_store(url).url).url == Path(path).as_uri()


@pytest.mark.parametrize(
    "url", ["file://relative/path", "file://", "file:///", "file://./a", "file://~/a", "file:///a%00"]
)
def test_a_url_that_is_not_absolute_is_refused(url: str) -> None:
    """The sentence shows the right form."""
    with pytest.raises(InputError) as caught:
        open_store(url)
    sentence = (
        f"cannot open the registry {url!r}: name an absolute folder after three slashes, as in file:///srv/models"
    )
    assert caught.value.message == sentence


def test_objects_are_plain_files(store: FileStore, root: Path) -> None:
    """A person finds an object at its path, with the content that was written."""
    generation = store.create("iris/manifest.json", b'{"format": 1}')
    store.replace("iris/manifest.json", b'{"format": 1, "model": "iris"}', generation=generation)
    assert (root / "iris/manifest.json").read_bytes() == b'{"format": 1, "model": "iris"}'
    assert sorted(path.name for path in root.iterdir()) == [HIDDEN, "iris"]
    assert [entry.path for entry in store.list()] == ["iris/manifest.json"]
    assert leftovers(root) == []


def test_looking_at_a_folder_that_is_not_there_makes_nothing(store: FileStore, root: Path) -> None:
    """Only a write makes the root."""
    with pytest.raises(ObjectNotFoundError):
        store.read("a")
    assert list(store.list()) == []
    assert list(store.list_names()) == []
    store.delete("a", generation=1)
    with pytest.raises(GenerationError):
        store.replace("a", b"", generation=1)
    assert not root.exists()
    store.create("a/b/c", b"")
    assert [entry.path for entry in store.list()] == ["a/b/c"]


def test_generations_grow(store: FileStore, root: Path) -> None:
    """Over all objects of a store, also when the clock of the machine was set back meanwhile."""
    generations = [store.create(f"a/{number}", b"") for number in range(20)]
    ahead_us = time.time_ns() // 1000 + 10**9
    (root / HIDDEN / "lock").write_text(str(ahead_us))
    generations += [store.create(f"b/{number}", b"") for number in range(3)]
    assert generations == sorted(set(generations))
    assert generations[-3:] == [(ahead_us + number) * 1000 for number in (1, 2, 3)]
    assert store.read("b/2").generation == generations[-1]


def test_an_object_from_the_future_can_be_replaced(store: FileStore, root: Path) -> None:
    """A file whose time lies ahead, as after a wrong clock, gets a generation that is later still."""
    store.create("a", b"1")
    ahead_ns = time.time_ns() + 10**15
    os.utime(root / "a", ns=(ahead_ns, ahead_ns))
    assert store.replace("a", b"2", generation=ahead_ns) > ahead_ns
    assert abs(store.create("b", b"1") - time.time_ns()) < 10**11


@pytest.mark.parametrize("in_place", [True, False], ids=["in place", "by rename"])
def test_an_editors_save_is_a_new_generation(store: FileStore, root: Path, *, in_place: bool) -> None:
    """A writer that read the object before the edit is refused, and the edit stays."""
    old = store.create("iris/manifest.json", b"{}")
    edited = root / "iris/manifest.json"
    if in_place:
        edited.write_bytes(b'{"edited": true}')
    else:
        (root / "iris/manifest.json~").write_bytes(b'{"edited": true}')
        (root / "iris/manifest.json~").replace(edited)
    with pytest.raises(GenerationError):
        store.replace("iris/manifest.json", b'{"lost": true}', generation=old)
    with pytest.raises(GenerationError):
        store.delete("iris/manifest.json", generation=old)
    blob = store.read("iris/manifest.json")
    assert blob.data == b'{"edited": true}'
    store.replace("iris/manifest.json", b'{"merged": true}', generation=blob.generation)
    assert edited.read_bytes() == b'{"merged": true}'


def test_a_file_that_a_person_made_is_an_object(store: FileStore, root: Path) -> None:
    """It is listed and read, and `create` does not overwrite it."""
    (root / "iris").mkdir(parents=True)
    (root / "iris/manifest.json").write_bytes(b"by hand")
    assert store.read("iris/manifest.json").data == b"by hand"
    assert list(store.list_names()) == ["iris"]
    with pytest.raises(ObjectExistsError):
        store.create("iris/manifest.json", b"by machine")


def test_a_file_that_is_being_written_in_place_is_not_read(store: FileStore, root: Path) -> None:
    """A read that a program overtakes is made again, and gives up rather than mix two states."""
    store.create("a", b"")
    os.truncate(root / "a", 50_000_000)
    done = threading.Event()

    def append() -> None:
        with (root / "a").open("ab", buffering=0) as file:
            while not done.is_set():
                file.write(b"x")

    def read_often() -> None:
        for _ in range(100):  # one that finds a gap is whole
            blob = store.read("a")
            assert len(blob.data) == blob.size

    writer = threading.Thread(target=append)
    writer.start()
    try:
        with pytest.raises(StoreError, match="is being written in place by another program"):
            read_often()
    finally:
        done.set()
        writer.join()
    assert store.read("a").size > 50_000_000


def test_a_folder_is_no_object(store: FileStore, root: Path) -> None:
    """A path cannot be both, and says so where it would have to be."""
    store.create("a/b", b"")
    with pytest.raises(ObjectNotFoundError):
        store.read("a")
    with pytest.raises(StoreError) as caught:
        store.create("a", b"")
    assert caught.value.message == f"{store.url}/a is a folder, so it cannot be an object as well"
    with pytest.raises(StoreError, match="Not a directory") as in_the_way:
        store.create("a/b/c", b"")
    assert type(in_the_way.value) is StoreError
    assert leftovers(root) == []


def test_empty_folders_hold_no_names(store: FileStore, root: Path) -> None:
    """Folders that a person made, and those that a deletion leaves, are not listed."""
    (root / "empty/deeper").mkdir(parents=True)
    generation = store.create("a/b/c", b"")
    assert list(store.list_names()) == ["a"]
    store.delete("a/b/c", generation=generation)
    assert list(store.list_names()) == []
    assert sorted(path.name for path in root.iterdir()) == [HIDDEN, "empty"]


def test_the_hidden_folder_is_out_of_reach(store: FileStore) -> None:
    """Neither listed nor read nor written; only at the root is the name taken."""
    store.create("a", b"")
    assert [list(store.list(HIDDEN)), list(store.list(f"{HIDDEN}/"))] == [[], []]
    assert list(store.list_names(f"{HIDDEN}/")) == []
    for path in (f"{HIDDEN}/lock", HIDDEN):
        with pytest.raises(InputError, match="is where the store keeps its lock"):
            store.read(path)
        with pytest.raises(InputError, match="is where the store keeps its lock"):
            store.create(path, b"")
    store.create(f"b/{HIDDEN}/x", b"")
    assert [entry.path for entry in store.list()] == ["a", f"b/{HIDDEN}/x"]


def test_no_symbolic_link_is_followed(store: FileStore, root: Path, tmp_path: Path) -> None:
    """A link below the root is neither listed nor read nor written through, wherever it leads."""
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "file").write_bytes(b"secret")
    store.create("a", b"inside")
    for name, target in (
        ("folder", secret),
        ("file", secret / "file"),
        ("inside", root / "a"),
        ("loop", root / "loop"),
    ):
        (root / name).symlink_to(target)
    assert [entry.path for entry in store.list()] == ["a"]
    assert list(store.list_names()) == ["a"]
    for path in ("folder/file", "file", "inside", "loop", "loop/x"):
        with pytest.raises(StoreError, match="is a symbolic link"):
            store.read(path)
        with pytest.raises(StoreError, match="is a symbolic link"):
            store.create(path, b"")
    with pytest.raises(StoreError, match="is a symbolic link"):
        list(store.list("folder/"))
    assert [path.name for path in secret.iterdir()] == ["file"]


def test_the_root_may_be_a_symbolic_link(store: FileStore, root: Path, tmp_path: Path) -> None:
    """Where a registry lies is the operator's choice."""
    store.create("a/b", b"content")
    (tmp_path / "link").symlink_to(root)
    other = FileStore(tmp_path / "link")
    assert other.read("a/b").data == b"content"
    other.create("a/c", b"")
    assert [entry.path for entry in store.list()] == ["a/b", "a/c"]


def test_a_root_that_is_a_file_is_not_an_empty_store(root: Path) -> None:
    """Reading it is an error of the store, not an object that is not there."""
    root.write_bytes(b"")
    store = FileStore(root)
    for attempt in (lambda: store.read("a"), lambda: list(store.list()), lambda: store.create("a", b"")):
        with pytest.raises(StoreError) as caught:
            attempt()
        assert type(caught.value) is StoreError


@pytest.fixture
def as_nobody() -> Iterator[None]:
    """Run as an account without rights; the permissions of files mean nothing to root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def read_only() -> Iterator[Path]:
    """A registry in a folder that may only be read."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "registry"
        FileStore(root).create("iris/manifest.json", b"content")
        folders = [Path(folder), root, root / "iris"]
        for path in (*folders, root / HIDDEN):
            path.chmod(0o555)
        yield root
        for path in (*folders, root / HIDDEN):
            path.chmod(0o755)


def test_reading_needs_no_right_to_write(read_only: Path, as_nobody: None) -> None:
    """Reads, streams and listings work in a read-only folder; writes say why they do not."""
    store = FileStore(read_only)
    blob = store.read("iris/manifest.json")
    assert blob.data == b"content"
    assert [piece.data for piece in store.stream("iris/manifest.json")] == [b"content"]
    assert [entry.path for entry in store.list()] == ["iris/manifest.json"]
    assert list(store.list_names()) == ["iris"]
    for attempt in (
        lambda: store.create("iris/new", b""),
        lambda: store.replace("iris/manifest.json", b"", generation=blob.generation),
        lambda: store.delete("iris/manifest.json", generation=blob.generation),
    ):
        with pytest.raises(StoreError, match="Permission denied"):
            attempt()
    assert store.read("iris/manifest.json") == blob


def test_an_object_that_may_not_be_read_is_not_missing(read_only: Path, as_nobody: None) -> None:
    """A lack of permission is an error of the store, and names the object."""
    store = FileStore(read_only)
    target = read_only / "iris/manifest.json"
    owner = os.geteuid()
    os.seteuid(os.getuid())
    target.chmod(0o000)
    os.seteuid(owner)
    with pytest.raises(StoreError) as caught:
        store.read("iris/manifest.json")
    reason = f"[Errno 13] Permission denied: '{target}'"
    assert caught.value.message == f"cannot read or write {store.url}/iris/manifest.json: {reason}"
    assert type(caught.value) is StoreError
