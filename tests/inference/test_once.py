"""Making a value once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from registry.errors import StoreError
from registry.inference.once import MustWait, Once


def test_however_many_ask_it_is_made_once() -> None:
    """Sixteen threads that ask at the same moment get the one value that the first of them makes."""
    once: Once[str, object] = Once()
    together, made = threading.Barrier(16), []

    def make() -> object:
        made.append(object())
        return made[-1]

    def ask() -> object:
        together.wait()
        return once.get("a", make)

    with ThreadPoolExecutor(16) as pool:
        values = [future.result() for future in [pool.submit(ask) for _ in range(16)]]
    assert (len(set(values)), len(made)) == (1, 1)


def test_a_failure_is_raised_for_all_who_wait_and_forgotten() -> None:
    """Whoever waited gets the maker's error and makes nothing; the next one who asks makes the value anew."""
    once: Once[str, int] = Once()
    begun, go, asking = threading.Event(), threading.Event(), threading.Semaphore(0)

    def fail() -> int:
        begun.set()
        assert go.wait(10)
        raise StoreError("out of reach")

    def ask() -> int:
        asking.release()
        return once.get("a", lambda: 1)

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(once.get, "a", fail)
        assert begun.wait(10)
        others = [pool.submit(ask) for _ in range(3)]
        for _ in others:
            assert asking.acquire(timeout=10)
        time.sleep(0.2)  # from "about to ask" to "waits": nothing tells
        go.set()
        assert [str(future.exception()) for future in (first, *others)] == ["out of reach"] * 4
    assert once.get("a", lambda: 2) == 2


def test_who_must_not_wait_begins_nothing() -> None:
    """What is there is given at once; what is not there is neither made nor waited for."""
    once: Once[str, int] = Once()
    with pytest.raises(MustWait):
        once.get("a", lambda: 1, wait=False)
    assert once.values() == []
    begun, go = threading.Event(), threading.Event()

    def make() -> int:
        begun.set()
        assert go.wait(10)
        return 1

    with ThreadPoolExecutor(1) as pool:
        making = pool.submit(once.get, "a", make)
        assert begun.wait(10)
        with pytest.raises(MustWait):
            once.get("a", lambda: 2, wait=False)
        go.set()
        assert making.result() == 1
    assert once.get("a", lambda: 1) == once.get("a", lambda: 2, wait=False) == 1


def test_what_is_not_wanted_is_forgotten() -> None:
    """The values that are kept stay, the others are made anew when somebody asks."""
    once: Once[str, int] = Once()
    once.get("a", lambda: 1)
    once.get("b", lambda: 2)
    once.keep(lambda key: key == "b")
    assert once.values() == [2]
    assert once.get("a", lambda: 3) == 3
