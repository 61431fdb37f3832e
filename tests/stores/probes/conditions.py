"""Preconditions, generations and races."""

from __future__ import annotations

import io
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from google.api_core.exceptions import NotFound, PreconditionFailed

from tests.stores.probes import Ground, Probe, at_once, new_client


def create_only(ground: Ground) -> None:
    blob = ground.bucket.blob("a")
    blob.upload_from_string(b"first", if_generation_match=0)
    assert (blob.generation > 0, blob.metageneration) == (True, 1)
    assert ground.content("a") == b"first"


def create_only_refuses(ground: Ground) -> None:
    ground.put("a", b"first")
    with pytest.raises(PreconditionFailed):
        ground.bucket.blob("a").upload_from_string(b"second", if_generation_match=0, retry=None)
    assert ground.content("a") == b"first"


def create_only_refuses_resumable(ground: Ground) -> None:
    ground.put("a", b"first")
    with pytest.raises(PreconditionFailed):
        ground.bucket.blob("a", chunk_size=256 * 1024).upload_from_file(
            io.BytesIO(os.urandom(300_000)), if_generation_match=0, retry=None
        )
    assert ground.content("a") == b"first"


def create_only_is_checked_at_the_end(ground: Ground) -> None:
    blob = ground.bucket.blob("a")
    session = blob.create_resumable_upload_session(size=3, if_generation_match=0)
    ground.put("a", b"rival")
    assert requests.put(session, data=b"own", timeout=10).status_code == 412
    assert ground.content("a") == b"rival"


def swap(ground: Ground) -> None:
    old = ground.put("a", b"1").generation
    blob = ground.bucket.blob("a")
    blob.upload_from_string(b"2", if_generation_match=old)
    assert blob.generation > old


def swap_refuses(ground: Ground) -> None:
    ground.put("a", b"1")
    with pytest.raises(PreconditionFailed):
        ground.bucket.blob("a").upload_from_string(b"2", if_generation_match=12345, retry=None)
    assert ground.content("a") == b"1"


def unchanged_is_304(ground: Ground) -> None:
    generation = ground.put("a").generation
    url = f"{ground.endpoint}/storage/v1/b/{ground.bucket.name}/o/a"
    answer = requests.get(url, params={"ifGenerationNotMatch": generation}, timeout=10)
    assert (answer.status_code, answer.content) == (304, b"")


def download_of_another_generation(ground: Ground) -> None:
    ground.put("a")
    with pytest.raises(PreconditionFailed):
        ground.bucket.blob("a").download_as_bytes(if_generation_match=12345, retry=None)


def download_of_no_generation(ground: Ground) -> None:
    ground.put("a")
    with pytest.raises(NotFound):
        ground.bucket.blob("a", generation=12345).download_as_bytes(retry=None)


def patch_counts(ground: Ground) -> None:
    blob = ground.put("a")
    generation = blob.generation
    blob.metadata = {"new": "1"}
    blob.patch(if_metageneration_match=1)
    assert (blob.generation, blob.metageneration) == (generation, 2)


def patch_refuses(ground: Ground) -> None:
    blob = ground.put("a")
    blob.metadata = {"new": "1"}
    with pytest.raises(PreconditionFailed):
        blob.patch(if_metageneration_match=99, retry=None)


def delete_refuses(ground: Ground) -> None:
    ground.put("a")
    with pytest.raises(PreconditionFailed):
        ground.bucket.blob("a").delete(if_generation_match=12345, retry=None)
    assert ground.content("a") == b"x"


def delete_once(ground: Ground) -> None:
    ground.put("a")
    ground.bucket.blob("a").delete()
    assert ground.bucket.get_blob("a") is None
    with pytest.raises(NotFound):
        ground.bucket.blob("a").delete()


def generations_are_new(ground: Ground) -> None:
    old = ground.put("a").generation
    ground.bucket.blob("a").delete()
    assert ground.put("a").generation > old


def one_creator_wins(ground: Ground) -> None:
    for number in range(5):

        def create(thread: int, name: str = f"race/{number}") -> int | None:
            blob = new_client(ground.endpoint).bucket(ground.bucket.name).blob(name)
            try:
                blob.upload_from_string(str(thread).encode(), if_generation_match=0, retry=None)
            except PreconditionFailed:
                return None
            return thread

        winners = [thread for thread in at_once(8, create) if thread is not None]
        assert [ground.content(f"race/{number}")] == [str(thread).encode() for thread in winners]


def no_swap_is_lost(ground: Ground) -> None:
    ground.put("counter", b"0")

    def add(_: int) -> None:
        bucket = new_client(ground.endpoint).bucket(ground.bucket.name)
        for _ in range(5):
            while True:
                blob = bucket.get_blob("counter")
                try:
                    number = int(blob.download_as_bytes(if_generation_match=blob.generation))
                    bucket.blob("counter").upload_from_string(
                        str(number + 1), if_generation_match=blob.generation, retry=None
                    )
                except (PreconditionFailed, NotFound):
                    continue
                break

    at_once(8, add)
    assert ground.content("counter") == b"40"


def nothing_is_torn(ground: Ground) -> None:
    contents = [bytes([letter]) * 200_000 for letter in b"abcd"]
    ground.put("torn", contents[0])
    done = threading.Event()

    def read(_: int) -> None:
        bucket = new_client(ground.endpoint).bucket(ground.bucket.name)
        while not done.is_set():
            assert bucket.blob("torn").download_as_bytes() in contents

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read, number) for number in range(4)]
        try:
            for number in range(20):
                ground.put("torn", contents[number % 4])
        finally:
            done.set()
        for reader in readers:
            reader.result(10)


PROBES: list[tuple[str, Probe]] = [
    ("generation 0 creates", create_only),
    ("generation 0 does not overwrite", create_only_refuses),
    ("generation 0 does not overwrite by a resumable upload", create_only_refuses_resumable),
    ("generation 0 is checked when a resumable upload ends", create_only_is_checked_at_the_end),
    ("the current generation is replaced by a greater one", swap),
    ("a stale generation is not replaced", swap_refuses),
    ("an unchanged generation is answered with 304", unchanged_is_304),
    ("a download of a stale generation is refused", download_of_another_generation),
    ("a generation that never was is not found", download_of_no_generation),
    ("a patch raises the metageneration only", patch_counts),
    ("a patch of a stale metageneration is refused", patch_refuses),
    ("a stale generation is not deleted", delete_refuses),
    ("a deleted object is not found", delete_once),
    ("generations grow over a deletion", generations_are_new),
    ("of eight creators at once, one wins", one_creator_wins),
    ("of eight counters at once, no step is lost", no_swap_is_lost),
    ("no reader sees a part of an overwrite", nothing_is_torn),
]
