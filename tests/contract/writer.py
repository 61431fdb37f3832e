"""A writer in a process of its own: ``python -m tests.contract.writer URL create|count N``.

``create`` tries to create ``race/0`` to ``race/N-1`` and prints the numbers it won. ``count`` adds one to the object
``counter`` N times.
"""

from __future__ import annotations

import os
import sys

from registry.errors import GenerationError, ObjectExistsError
from registry.stores import Store, open_store


def create(store: Store, count: int) -> list[int]:
    """Try to create the objects, and return the numbers of those that were won."""
    won = []
    for number in range(count):
        try:
            store.create(f"race/{number}", f"{os.getpid():8}".encode() * 1000)
        except ObjectExistsError:
            continue
        won.append(number)
    return won


def add_up(store: Store, count: int) -> None:
    """Add one to the counter, `count` times, each time by compare-and-swap until it succeeds."""
    for _ in range(count):
        while True:
            blob = store.read("counter")
            try:
                store.replace("counter", str(int(blob.data) + 1).encode(), generation=blob.generation)
            except GenerationError:
                continue
            break


def main(url: str, task: str, count: str) -> None:
    """Do what the command line asks for."""
    store = open_store(url)
    if task == "create":
        print(*create(store, int(count)))
    else:
        add_up(store, int(count))


if __name__ == "__main__":
    main(*sys.argv[1:])
