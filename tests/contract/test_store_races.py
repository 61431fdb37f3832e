"""What `registry.stores` promises to many writers and readers at once, asked of every backend that is found."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from registry.errors import GenerationError, ObjectExistsError
from registry.stores import Store, open_store
from tests.contract.writer import add_up

ROOT = Path(__file__).parents[2]
THREADS = 8
PROCESSES = 4

T = TypeVar("T")


def at_once(work: Callable[[int], T], count: int = THREADS) -> list[T]:
    """Run the work in threads that begin at the same moment, and return what each returned."""
    barrier = threading.Barrier(count)

    def run(number: int) -> T:
        barrier.wait(10)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def run_writers(url: str, task: str, count: int) -> list[str]:
    """Run writers in processes of their own, all at once, and return what each printed."""
    command = [sys.executable, "-W", "error", "-m", "tests.contract.writer", url, task, str(count)]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)]
    outputs = [process.communicate(timeout=50)[0] for process in running]
    assert [process.returncode for process in running] == [0] * PROCESSES
    return outputs


def test_one_of_many_threads_creates(store: Store) -> None:
    """Of eight threads that create one object, one succeeds, and the content is its own."""
    for number in range(10):

        def try_once(thread: int, path: str = f"race/{number}") -> int | None:
            try:
                store.create(path, str(thread).encode() * 10_000)
            except ObjectExistsError:
                return None
            return thread

        winners = [thread for thread in at_once(try_once) if thread is not None]
        assert len(winners) == 1
        assert store.read(f"race/{number}").data == str(winners[0]).encode() * 10_000


def test_one_of_many_processes_creates(shared_url: str) -> None:
    """Of several processes that create the same objects, each object has one that succeeded."""
    won = [int(number) for output in run_writers(shared_url, "create", 30) for number in output.split()]
    assert sorted(won) == list(range(30))
    store = open_store(shared_url)
    contents = [store.read(f"race/{number}").data for number in range(30)]
    assert contents == [content[:8] * 1000 for content in contents]


def test_threads_lose_no_swap(store: Store) -> None:
    """Eight threads that add to one number by compare-and-swap add up."""
    store.create("counter", b"0")
    at_once(lambda _: add_up(store, 5))
    assert store.read("counter").data == b"40"


def test_processes_lose_no_swap(shared_url: str) -> None:
    """Several processes that add to one number by compare-and-swap add up."""
    store = open_store(shared_url)
    store.create("counter", b"0")
    run_writers(shared_url, "count", 10)
    assert store.read("counter").data == str(10 * PROCESSES).encode()


def test_a_generation_is_spent_once(store: Store) -> None:
    """Of threads that replace or delete one generation, either one replaces it, or it is deleted."""
    for number in range(10):
        path = f"spent/{number}"
        generation = store.create(path, b"old")

        def spend(thread: int, path: str = path, generation: int = generation) -> str:
            try:
                if thread % 2:
                    store.delete(path, generation=generation)
                else:
                    store.replace(path, str(thread).encode(), generation=generation)
            except GenerationError:
                return ""
            return "deleted" if thread % 2 else str(thread)

        outcomes = {outcome for outcome in at_once(spend) if outcome}
        assert len(outcomes) == 1
        left = [store.read(entry.path).data.decode() for entry in store.list(path)]
        assert left == [outcome for outcome in outcomes if outcome != "deleted"]


def test_no_reader_sees_a_part_of_a_write(store: Store) -> None:
    """While an object is replaced again and again, every read is one of its contents, whole, and so is every stream."""
    contents = [bytes([letter]) * 200_000 for letter in b"abcd"]
    generation = store.create("torn", contents[0])
    done = threading.Event()

    def read(_: int) -> int:
        count = 0
        while not done.is_set():
            blob = store.read("torn")
            assert blob.data in contents
            assert blob.size == len(blob.data)
            count += 1
        return count

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read, number) for number in range(3)]
        try:
            for number in range(30):
                generation = store.replace("torn", contents[number % 4], generation=generation)
        finally:
            done.set()
        assert all(reader.result(10) > 0 for reader in readers)


def test_an_object_is_not_seen_before_it_is_whole(store: Store) -> None:
    """A reader that waits for a new object gets all of it, from the first listing that shows it."""
    content = b"x" * 3_000_000
    seen = []

    def wait_for(path: str) -> None:
        while not (entries := list(store.list(path))):
            continue
        seen.append((entries[0].size, store.read(path).data == content))

    for number in range(3):
        reader = threading.Thread(target=wait_for, args=(f"new/{number}",))
        reader.start()
        store.create(f"new/{number}", content)
        reader.join(20)
    assert seen == [(len(content), True)] * 3


def test_a_writer_and_its_rivals_make_one_history(store: Store) -> None:
    """Creating the next object of a series, as an archive does, neither skips nor doubles one."""

    def append(thread: int) -> int:
        added = 0
        for _ in range(5):
            number = len(list(store.list("history/"))) + 1
            while True:
                try:
                    store.create(f"history/{number:03}", str(thread).encode())
                except ObjectExistsError:
                    number += 1
                    continue
                break
            added += 1
        return added

    added = sum(at_once(append, 4))
    assert [entry.path for entry in store.list("history/")] == [
        f"history/{number:03}" for number in range(1, added + 1)
    ]
