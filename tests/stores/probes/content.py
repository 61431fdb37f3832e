"""What is written and read back: bytes, ranges, checksums, metadata."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import io
import os
import tempfile
from base64 import b64encode
from pathlib import Path
from urllib.parse import urlsplit

import google_crc32c
import pytest
import requests
from google.api_core.exceptions import BadRequest, PreconditionFailed
from google.cloud.storage import transfer_manager

from tests.stores.probes import Ground, Probe

DATA = os.urandom(300_000)


def checksums(ground: Ground) -> None:
    blob = ground.put("a", DATA)
    assert blob.crc32c == b64encode(google_crc32c.value(DATA).to_bytes(4, "big")).decode()
    assert blob.md5_hash == b64encode(hashlib.md5(DATA).digest()).decode()


def stated_checksums(ground: Ground) -> None:
    for kind in ("crc32c", "md5"):
        ground.bucket.blob(kind).upload_from_string(DATA, checksum=kind)
        assert ground.content(kind) == DATA


def wrong_checksum(ground: Ground) -> None:
    blob = ground.bucket.blob("a")
    blob.crc32c = "AAAAAA=="
    with pytest.raises(BadRequest):
        blob.upload_from_string(b"hello", checksum=None, retry=None)
    assert ground.bucket.get_blob("a") is None


def resumable(ground: Ground) -> None:
    data = os.urandom(1_000_003)
    ground.bucket.blob("a", chunk_size=256 * 1024).upload_from_file(io.BytesIO(data), if_generation_match=0)
    assert ground.content("a") == data


def resumable_says_how_far_it_is(ground: Ground) -> None:
    quantum = 256 * 1024
    session = ground.bucket.blob("a").create_resumable_upload_session(size=quantum + 5)
    status = {"Content-Range": f"bytes */{quantum + 5}"}
    assert requests.put(session, headers=status, timeout=10).status_code == 308
    first = {"Content-Range": f"bytes 0-{quantum - 1}/{quantum + 5}"}
    for _ in range(2):  # what was persisted already is ignored
        answer = requests.put(session, data=b"x" * quantum, headers=first, timeout=10)
        assert (answer.status_code, answer.headers["Range"]) == (308, f"bytes=0-{quantum - 1}")
    last = {"Content-Range": f"bytes {quantum}-{quantum + 4}/{quantum + 5}"}
    for _ in range(2):  # a session that is complete goes on answering with its object
        assert requests.put(session, data=b"tails", headers=last, timeout=10).json()["size"] == str(quantum + 5)
    assert ground.content("a") == b"x" * quantum + b"tails"


def every_byte(ground: Ground) -> None:
    odd = [b"\r\n", b"a\r", b"\n\n\n", b"--===\r\n--\r\n", bytes(range(256)) * 50, b"x" * 10 + b"\r\n", b"\r\n--", b""]
    for number, data in enumerate(odd):
        ground.put(f"a/{number}", data)
    assert [ground.content(f"a/{number}") for number in range(len(odd))] == odd


def metadata(ground: Ground) -> None:
    blob = ground.bucket.blob("a")
    blob.metadata, blob.cache_control = {"sha256": "ab" * 32, "k": "v"}, "no-store"
    blob.upload_from_string(b"{}", content_type="application/json", if_generation_match=0)
    found = ground.bucket.get_blob("a")
    assert found.metadata == {"sha256": "ab" * 32, "k": "v"}
    assert (found.content_type, found.cache_control, found.size) == ("application/json", "no-store", 2)


def storage_class(ground: Ground) -> None:
    blob = ground.bucket.blob("a")
    blob.storage_class = "NEARLINE"
    blob.upload_from_string(b"x")
    assert ground.bucket.get_blob("a").storage_class == "NEARLINE"


def ranged_download(ground: Ground) -> None:
    ground.put("a", DATA)
    assert ground.bucket.blob("a").download_as_bytes(start=1000, end=1999) == DATA[1000:2000]


def ranged_answer(ground: Ground) -> None:
    ground.put("a", DATA)
    answer = ground.get_media("a", Range="bytes=0-9")
    assert (answer.status_code, answer.content) == (206, DATA[:10])
    assert answer.headers["Content-Range"] == f"bytes 0-9/{len(DATA)}"


def range_of_the_end(ground: Ground) -> None:
    ground.put("a", DATA)
    answer = ground.get_media("a", Range="bytes=-10")
    assert (answer.status_code, answer.content) == (206, DATA[-10:])


def range_beyond_the_end(ground: Ground) -> None:
    ground.put("a", DATA)
    ground.put("empty", b"")
    for name, header in (("a", "bytes=999999999-"), ("a", f"bytes={len(DATA)}-"), ("empty", "bytes=0-9")):
        answer = ground.get_media(name, Range=header)
        size = len(DATA) if name == "a" else 0
        assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{size}")


def media_headers(ground: Ground) -> None:
    blob = ground.put("a", DATA)
    headers = ground.get_media("a").headers
    assert headers["x-goog-generation"] == str(blob.generation)
    assert headers["x-goog-metageneration"] == "1"
    assert headers["x-goog-hash"] == f"crc32c={blob.crc32c}, md5={blob.md5_hash}"
    assert headers["ETag"] == blob.etag


def media_of_the_resource(ground: Ground) -> None:
    ground.put("a", DATA)
    url = f"{ground.endpoint}/storage/v1/b/{ground.bucket.name}/o/a"
    assert requests.get(url, params={"alt": "media"}, timeout=10).content == DATA


def packed(ground: Ground) -> None:
    archive = gzip.compress(b"hello" * 1000)
    blob = ground.bucket.blob("a")
    blob.content_encoding = "gzip"
    blob.upload_from_string(archive, content_type="text/plain")
    assert ground.bucket.blob("a").download_as_bytes(raw_download=True) == archive
    assert ground.content("a") == b"hello" * 1000
    plain = ground.get_media("a", **{"Accept-Encoding": "identity", "Range": "bytes=0-9"})
    assert (plain.status_code, plain.content) == (200, b"hello" * 1000)


def downloads_in_slices(ground: Ground) -> None:
    data = os.urandom(4_000_000)
    ground.put("a", data)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "a"
        transfer_manager.download_chunks_concurrently(
            ground.bucket.blob("a"), str(target), chunk_size=1024 * 1024, worker_type="thread", max_workers=4
        )
        assert target.read_bytes() == data


def uploads_in_parts(ground: Ground) -> None:
    data = os.urandom(12_000_000)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "a"
        source.write_bytes(data)
        transfer_manager.upload_chunks_concurrently(
            str(source), ground.bucket.blob("a"), chunk_size=5 * 1024 * 1024, worker_type="thread", max_workers=2
        )
    assert ground.content("a") == data


def composition(ground: Ground) -> None:
    ground.put("1", b"A")
    ground.put("2", b"B")
    parts = [ground.bucket.blob("1"), ground.bucket.blob("2")]
    ground.bucket.blob("12").compose(parts, if_generation_match=0)
    found = ground.bucket.get_blob("12")
    assert (ground.content("12"), found.component_count, found.md5_hash) == (b"AB", 2, None)
    with pytest.raises(PreconditionFailed):
        ground.bucket.blob("12").compose(parts[:1], if_generation_match=0, retry=None)


def copy(ground: Ground) -> None:
    source = ground.put("a", DATA)
    ground.bucket.copy_blob(source, ground.bucket, "b", if_generation_match=0)
    assert ground.content("b") == DATA
    with pytest.raises(PreconditionFailed):
        ground.bucket.copy_blob(source, ground.bucket, "b", if_generation_match=0, retry=None)


def connections_are_kept(ground: Ground) -> None:
    ground.put("a")
    where = urlsplit(ground.endpoint)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
    try:
        for _ in range(2):
            connection.request("GET", f"/storage/v1/b/{ground.bucket.name}")
            answer = connection.getresponse()
            answer.read()
            assert (answer.version, answer.will_close) == (11, False)
    finally:
        connection.close()


PROBES: list[tuple[str, Probe]] = [
    ("an upload is answered with its CRC32C and MD5", checksums),
    ("an upload may state its CRC32C or MD5", stated_checksums),
    ("an upload that states a wrong checksum makes nothing", wrong_checksum),
    ("a resumable upload arrives in pieces", resumable),
    ("a resumable upload tells how far it is, and takes a piece twice", resumable_says_how_far_it_is),
    ("no byte is changed on the way", every_byte),
    ("metadata set with an upload are kept", metadata),
    ("the storage class set with an upload is kept", storage_class),
    ("a range is downloaded", ranged_download),
    ("a range is answered with 206 and its place", ranged_answer),
    ("the last bytes are a range", range_of_the_end),
    ("a range beyond the end is answered with 416 and the size", range_beyond_the_end),
    ("a download tells generation, checksums and ETag", media_headers),
    ("a resource with alt=media is its content", media_of_the_resource),
    ("a packed object is unpacked for those who cannot, and then has no ranges", packed),
    ("an object is downloaded in slices at once", downloads_in_slices),
    ("an object is uploaded in parts at once", uploads_in_parts),
    ("objects are composed, on a condition", composition),
    ("an object is copied, on a condition", copy),
    ("connections are kept open", connections_are_kept),
]
