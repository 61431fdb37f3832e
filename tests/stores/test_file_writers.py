"""What ``file://`` promises to many writers, and when one of them is killed, blocked, or out of space."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from registry.errors import StoreError
from registry.stores._posix import Temporary
from registry.stores.file import HIDDEN, FileStore
from tests.stores.test_file import leftovers

ROOT = Path(__file__).parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of a store that does not exist yet."""
    return tmp_path / "registry"


@pytest.fixture
def store(root: Path) -> FileStore:
    return FileStore(root)


def start(code: str, root: Path, *, stdout: int | None = None) -> subprocess.Popen[str]:
    """Start a process that runs the code with ``store`` open."""
    prelude = "import sys, resource\nfrom registry.stores import open_store\nstore = open_store(sys.argv[1])\n"
    command = [sys.executable, "-W", "error", "-c", prelude + code, root.as_uri()]
    return subprocess.Popen(command, cwd=ROOT, stdout=stdout, text=True)


def test_a_full_disk_leaves_nothing(store: FileStore, root: Path) -> None:
    """A write that cannot be finished is an error of the store, and the old object stays."""
    generation = store.create("a", b"old")
    code = f"""
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
large = b"x" * 200_000
for attempt in (lambda: store.create("b", large), lambda: store.replace("a", large, generation={generation})):
    try:
        attempt()
    except Exception as exc:
        print(type(exc).__name__, exc)
"""
    output = start(code, root, stdout=subprocess.PIPE).communicate(timeout=20)[0]
    assert output.splitlines() == [
        f"StoreError cannot read or write {store.url}/{path}: [Errno 27] File too large" for path in ("b", "a")
    ]
    assert [(entry.path, entry.generation) for entry in store.list()] == [("a", generation)]
    assert leftovers(root) == []


def test_writers_wait_for_one_another_but_not_for_ever(root: Path) -> None:
    """A lock that another process does not give back is an error within the bound; readers do not mind it."""
    store = FileStore(root, lock_timeout_s=0.3)
    generation = store.create("a", b"content")
    code = f"""
import time
from pathlib import Path
from registry.stores._posix import locked
with locked(Path({str(root / HIDDEN / "lock")!r}), timeout_s=1):
    print("held", flush=True)
    time.sleep(30)
"""
    holder = start(code, root, stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        began = time.monotonic()
        with pytest.raises(StoreError, match=r"other writers have held .*/lock for 0.3 s"):
            store.replace("a", b"new", generation=generation)
        assert time.monotonic() - began < 5
        assert store.read("a").data == b"content"
    finally:
        holder.kill()
        holder.communicate()
    store.replace("a", b"new", generation=generation)
    assert leftovers(root) == []


def test_a_killed_writers_file_is_removed_and_a_living_ones_is_not(store: FileStore, root: Path) -> None:
    """The next writer tidies up, and disturbs nobody who is still writing."""
    store.create("a", b"")
    (root / HIDDEN / "0123456789abcdef.tmp").write_bytes(b"left by a writer that is gone")
    living = Temporary(root / HIDDEN)
    store.create("b", b"")
    assert leftovers(root) == [living.path.name]
    living.remove()
    assert leftovers(root) == []


def test_sixteen_processes_lose_nothing(store: FileStore, root: Path) -> None:
    """All add to one counter and to one series; every addition is there once."""
    store.create("counter", b"0")
    code = """
from tests.contract.writer import add_up, create
add_up(store, 4)
print(*create(store, 10))
"""
    running = [start(code, root, stdout=subprocess.PIPE) for _ in range(16)]
    outputs = [process.communicate(timeout=50)[0] for process in running]
    assert [process.returncode for process in running] == [0] * 16
    assert store.read("counter").data == b"64"
    assert sorted(int(number) for output in outputs for number in output.split()) == list(range(10))
    assert leftovers(root) == []


def test_a_killed_writer_leaves_the_old_object_or_the_new(store: FileStore, root: Path) -> None:
    """Whenever a writer is killed, every object is whole, and the next writer goes on."""
    store.create("replaced", b"0" * 1_000_000)
    code = """
for number in range(10_000):
    digit = str(number % 10).encode()
    blob = store.read("replaced", end=0)
    store.replace("replaced", digit * 1_000_000, generation=blob.generation)
    print(number, flush=True)
    store.create(f"created/{store.read('replaced', end=0).generation}", digit * 100_000)
"""
    chance = random.Random(0)
    for _ in range(12):
        writer = start(code, root, stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(chance.uniform(0, 0.03))
        writer.kill()
        writer.communicate()
        entries = list(store.list())
        contents = [store.read(entry.path).data for entry in entries]
        assert [len(content) for content in contents] == [100_000] * (len(entries) - 1) + [1_000_000]
        assert all(len(set(content)) == 1 for content in contents)
        generation = store.read("replaced", end=0).generation
        store.replace("replaced", b"9" * 1_000_000, generation=generation)
        assert leftovers(root) == []
