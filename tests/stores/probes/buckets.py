"""Buckets, names and listings."""

from __future__ import annotations

import pytest
from google.api_core.exceptions import Conflict, NotFound

from tests.stores.probes import Ground, Probe


def names(ground: Ground, **options: object) -> list[str]:
    return [blob.name for blob in ground.client.list_blobs(ground.bucket, **options)]


def made_once(ground: Ground) -> None:
    with pytest.raises(Conflict):
        ground.client.create_bucket(ground.bucket.name)


def missing(ground: Ground) -> None:
    with pytest.raises(NotFound):
        ground.client.get_bucket(f"no-{ground.bucket.name}")
    with pytest.raises(NotFound, match=r"The specified bucket does not exist\."):
        list(ground.client.list_blobs(f"no-{ground.bucket.name}"))


def settings(ground: Ground) -> None:
    ground.bucket.reload()
    ground.bucket.add_lifecycle_delete_rule(age=30)
    ground.bucket.labels = {"team": "a"}
    ground.bucket.patch()
    found = ground.client.get_bucket(ground.bucket.name)
    assert (list(found.lifecycle_rules), found.labels) == (
        [{"action": {"type": "Delete"}, "condition": {"age": 30}}],
        {"team": "a"},
    )


def versions(ground: Ground) -> None:
    bucket = ground.client.bucket(f"{ground.bucket.name}-v")
    bucket.versioning_enabled = True
    bucket = ground.client.create_bucket(bucket)
    generations = []
    for content in (b"1", b"2"):
        blob = bucket.blob("a")
        blob.upload_from_string(content)
        generations.append(blob.generation)
    found = [(blob.name, blob.generation) for blob in ground.client.list_blobs(bucket, versions=True)]
    assert found == [("a", generation) for generation in generations]
    assert bucket.blob("a", generation=generations[0]).download_as_bytes() == b"1"
    bucket.blob("a").delete()
    assert bucket.get_blob("a") is None
    assert bucket.blob("a", generation=generations[1]).download_as_bytes() == b"2"


def grouped(ground: Ground) -> None:
    for name in ("l/0/x", "l/1/x", "l/1/y", "l/top", "m"):
        ground.put(name)
    found = ground.client.list_blobs(ground.bucket, prefix="l/", delimiter="/")
    assert [blob.name for blob in found] == ["l/top"]
    assert found.prefixes == {"l/0/", "l/1/"}


def ordered(ground: Ground) -> None:
    for name in ("b", "a/c", "a-b", "é", "B", "a", "🌲", "\uffee"):
        ground.put(name)
    assert names(ground) == sorted(names(ground), key=str.encode)


def paged(ground: Ground) -> None:
    for number in range(6):
        ground.put(f"l/{number}/x")
    pages = ground.client.list_blobs(ground.bucket, prefix="l/", page_size=4).pages
    assert [len(list(page)) for page in pages] == [4, 2]
    groups = ground.client.list_blobs(ground.bucket, prefix="l/", delimiter="/", page_size=4)
    assert [page.prefixes for page in groups.pages] == [tuple(f"l/{n}/" for n in range(4)), ("l/4/", "l/5/")]


def limited(ground: Ground) -> None:
    for number in range(5):
        ground.put(f"l/{number}")
    assert names(ground, max_results=3) == ["l/0", "l/1", "l/2"]


def between(ground: Ground) -> None:
    for number in range(6):
        ground.put(f"l/{number}/x")
    assert names(ground, prefix="l/", start_offset="l/2", end_offset="l/4") == ["l/2/x", "l/3/x"]


def globbed(ground: Ground) -> None:
    for name in ("l/0/x", "l/1/x", "l/1/y", "l/1/z/x", "l/x"):
        ground.put(name)
    assert names(ground, match_glob="l/*/x") == ["l/0/x", "l/1/x"]
    assert names(ground, match_glob="l/**/x") == ["l/0/x", "l/1/x", "l/1/z/x", "l/x"]
    assert names(ground, match_glob="l/1/{x,y}") == ["l/1/x", "l/1/y"]


def odd_name(ground: Ground) -> None:
    name = "w/ü sp%20a?b#c+d&e=f"
    ground.put(name, b"u")
    assert ground.content(name) == b"u"
    assert names(ground, prefix="w/ü") == [name]


def nested_names(ground: Ground) -> None:
    for name in ("t/b", "t/b/c", "t//y"):
        ground.put(name, name.encode())
    assert {name: ground.content(name) for name in names(ground)} == {name: name.encode() for name in names(ground)}
    assert names(ground) == ["t//y", "t/b", "t/b/c"]


def batch(ground: Ground) -> None:
    for number in range(3):
        ground.put(f"b/{number}")
    with ground.client.batch():
        for number in range(3):
            ground.bucket.blob(f"b/{number}").delete()
    assert names(ground) == []


PROBES: list[tuple[str, Probe]] = [
    ("a bucket is made once", made_once),
    ("a bucket that is not there is not found", missing),
    ("lifecycle rules and labels of a bucket are kept", settings),
    ("a bucket with versioning keeps old generations", versions),
    ("a listing groups at a delimiter", grouped),
    ("a listing is ordered by the bytes of names", ordered),
    ("a listing comes in pages, groups included", paged),
    ("a listing ends at a limit", limited),
    ("a listing begins and ends at names", between),
    ("a listing is filtered by a glob", globbed),
    ("a name may have any character", odd_name),
    ("a name may begin with another name and a slash", nested_names),
    ("deletions are sent in a batch", batch),
]
