"""Rule 6: what may be constructed is the server's decision; what is no archive of our form is refused as a whole."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from registry.errors import IntegrityError
from registry.formats import skops
from registry.formats._audit import audit
from tests.format.archives import (
    archive,
    array_node,
    injected,
    json_node,
    list_node,
    node,
    object_node,
    pack,
    unpack,
)
from tests.format.scenarios import line

SENTINEL = "sentinel_of_the_tests"
NONE: frozenset[str] = frozenset()


def refusal(data: bytes, trusted: frozenset[str] = NONE) -> IntegrityError:
    """Return the error of an archive that must not load."""
    with pytest.raises(IntegrityError) as caught:
        skops.load(data, trusted=trusted, n_columns=2)
    return caught.value


def encrypted(data: bytes) -> bytes:
    """Mark every member as encrypted, in both places."""
    return data.replace(b"PK\x03\x04\x14\x00\x00\x00", b"PK\x03\x04\x14\x00\x01\x00").replace(
        b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00"
    )


def bomb(name: str) -> bytes:
    """Return an archive of twenty kilobytes with a member of twenty megabytes."""
    schema, members = unpack(injected(line(1.0), array_node(name)))
    return archive(schema, {**members, name: bytes(20_000_000)}, compression=zipfile.ZIP_DEFLATED)


def nested_bomb() -> bytes:
    """Return an archive with an archive in it that unpacks to twenty megabytes."""
    inner = io.BytesIO()
    np.savez_compressed(inner, data=np.zeros(2_500_000))
    evil = node("SparseMatrixNode", "scipy.sparse._csr.csr_matrix", type="scipy", file="1.npz")
    schema, members = unpack(injected(line(1.0), evil))
    return archive(schema, {**members, "1.npz": inner.getvalue()})


def doubled_member() -> bytes:
    """Return an archive with two schemas."""
    buffer = io.BytesIO(archive(json_node(1)))
    with zipfile.ZipFile(buffer, "a") as target, pytest.warns(UserWarning, match="Duplicate name"):
        target.writestr("schema.json", json.dumps(object_node("os.system")))
    return buffer.getvalue()


@cache
def good() -> bytes:
    """Return an artifact that loads."""
    return skops.dump(line(1.0))


BROKEN: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "the artifact is not a skops archive: File is not a zip file"),
    "a pickle": (lambda: b"\x80\x04N.", "the artifact is not a skops archive: File is not a zip file"),
    "half of it": (lambda: good()[: len(good()) // 2], "the artifact is not a skops archive: File is not a zip file"),
    "no schema": (
        lambda: pack({"1.npy": b""}),
        "the artifact is not a skops archive: \"There is no item named 'schema.json' in the archive\"",
    ),
    "a schema that is no object": (
        lambda: archive([1]),
        "the artifact is not a skops archive: its schema is no object",
    ),
    "a schema that is no JSON": (lambda: archive(b"{"), "the artifact is not a skops archive: "),
    "a schema that is not UTF-8": (lambda: archive(b'{"a": "\xff"}'), "the artifact is not a skops archive: "),
    "a schema nested deeply": (lambda: archive(b"[" * 100_000), "the artifact is not a skops archive: "),
    "a schema of objects nested deeply": (lambda: archive(b'{"a":' * 100_000), "the artifact is not a skops archive: "),
    "lists nested deeply": (
        lambda: archive(b'{"protocol":2,"a":' + b"[" * 5000 + b"]" * 5000 + b"}"),
        "the artifact is not a skops archive: ",
    ),
    "an old protocol": (
        lambda: archive(json_node(1), protocol=1),
        "the artifact has skops protocol 1; 2 or later is read",
    ),
    "no protocol": (lambda: archive(b"{}"), "the artifact has skops protocol None; 2 or later is read"),
    "a true protocol": (
        lambda: archive(json_node(1), protocol=True),
        "the artifact has skops protocol True; 2 or later is read",
    ),
    "a protocol in words": (
        lambda: archive(json_node(1), protocol="2"),
        "the artifact has skops protocol '2'; 2 or later is read",
    ),
    "a protocol of the future": (lambda: archive(json_node(1), protocol=99), "the artifact cannot be constructed: "),
    "two schemas": (doubled_member, "the artifact is not a skops archive: two members have the same name"),
    "a member in a folder": (
        lambda: archive(json_node(1), {"../../etc/1.npy": b""}),
        "the artifact is not a skops archive: unexpected member '../../etc/1.npy'",
    ),
    "a member of another kind": (
        lambda: archive(json_node(1), {"model.pkl": b""}),
        "the artifact is not a skops archive: unexpected member 'model.pkl'",
    ),
    "encrypted members": (
        lambda: encrypted(good()),
        "the artifact is not a skops archive: '1.npy' is neither stored nor deflated",
    ),
    "another compression": (
        lambda: archive(json_node(1), {"1.npy": b"0" * 100}, compression=zipfile.ZIP_BZIP2),
        "the artifact is not a skops archive: '1.npy' is neither stored nor deflated",
    ),
    "a member that grows": (lambda: bomb("1.npy"), "the artifact unpacks to "),
    "an archive in it that grows": (nested_bomb, "the artifact unpacks to "),
    "a node without a class": (
        lambda: injected(line(1.0), {"__loader__": "ListNode", "content": []}),
        "the artifact is not a skops archive: a node without a loader, a module or a class",
    ),
    "a node without content": (
        lambda: injected(line(1.0), node("ListNode", "builtins.list")),
        "the artifact cannot be constructed: KeyError: 'content'",
    ),
    "a file that is not there": (
        lambda: injected(line(1.0), array_node("9.npy")),
        "the artifact cannot be constructed: KeyError: ",
    ),
    "a file of another kind": (
        lambda: injected(line(1.0), array_node("1.npz")),
        "the artifact is not a skops archive: NdArrayNode reads '1.npz'",
    ),
    "a list": (lambda: archive(list_node()), "the artifact holds a list, which cannot predict"),
    "a number": (lambda: archive(json_node(1)), "the artifact holds a int, which cannot predict"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_skops_archive_of_our_form_is_refused(name: str) -> None:
    """Damaged, foreign, encrypted, growing, from another time: an IntegrityError with its reason."""
    build, expected = BROKEN[name]
    assert refusal(build()).message.startswith(expected)


def test_a_file_with_other_bytes_before_it_is_judged_by_what_zipfile_reads() -> None:
    """The audit and skops read the same archive: what the audit saw is what is built."""
    evil = injected(line(1.0), object_node(f"{SENTINEL}.Evil"))
    for data in (good() + evil, evil + good()):
        try:
            named = audit(data, trusted=NONE)
        except IntegrityError:
            continue
        assert f"{SENTINEL}.Evil" not in named
        assert isinstance(skops.load(data, trusted=NONE, n_columns=2).estimator, LinearRegression)


def test_a_name_that_is_cut_elsewhere_leads_nowhere_else() -> None:
    """Module and class are compared joined; cut at another dot they name the same thing or nothing."""
    schema, members = unpack(good())
    schema.update(__module__="sklearn.linear_model", __class__="_base.LinearRegression")
    assert refusal(archive(schema, members)).message.startswith("the artifact cannot be constructed: AttributeError")
