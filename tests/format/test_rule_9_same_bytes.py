"""Rule 9: the same model gives the same bytes."""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
import zipfile
import zlib

import numpy as np
import pytest
import scipy.sparse
import skops.io
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from registry import Registry
from registry.digest import sha256
from registry.errors import IntegrityError
from registry.formats._canonical import canonical
from registry.formats.skops import dump, load
from registry.stores.memory import MemoryStore
from tests.fixtures.models import PETALS, SPECIES
from tests.format.archives import archive, json_node, list_node, node, pack, type_node, unpack
from tests.format.scenarios import publish
from tests.format.training import TRAININGS


def test_the_same_training_in_two_processes_gives_the_same_digests() -> None:
    """Training again from the same data and seed gives the same digest, and anyone can check it."""
    command = [sys.executable, "-W", "error", "-m", "tests.format.training"]
    running = [
        subprocess.Popen(
            command,
            env={**os.environ, "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("1", "2")
    ]
    first, second = [json.loads(process.communicate(timeout=50)[0]) for process in running]
    assert first == second
    assert list(first) == list(TRAININGS)
    assert len(set(first.values())) == len(TRAININGS)


def test_publishing_the_same_training_again_gives_the_same_digest() -> None:
    """In another registry, at another time, under another label."""
    first, second = publish(MemoryStore(), "1.0.0", 1.0), publish(MemoryStore(), "2.0.0", 1.0)
    assert first.sha256 == second.sha256
    assert first.url.rpartition("/")[2] == second.url.rpartition("/")[2]


def test_anyone_can_check_the_digest_from_what_stock_skops_writes() -> None:
    """Two dumps of one model differ; their canonical forms are equal, and are what is published."""
    estimator = make_pipeline(StandardScaler(), LogisticRegression()).fit(PETALS, SPECIES)
    one, other = skops.io.dumps(estimator), skops.io.dumps(estimator, compression=zipfile.ZIP_DEFLATED)
    assert one != other
    assert canonical(one) == canonical(other) == dump(estimator)
    published = Registry(MemoryStore()).publish("flowers", estimator, inputs=PETALS)
    assert published.sha256 == sha256(canonical(one))


def test_stock_skops_opens_the_canonical_form() -> None:
    """The result opens with stock skops.io.load and get_untrusted_types."""
    estimator = RandomForestClassifier(3, random_state=0).fit(PETALS, SPECIES)
    data = dump(estimator)
    assert skops.io.get_untrusted_types(data=data) == ["sklearn.tree._tree.Tree"]
    loaded = skops.io.load(io.BytesIO(data), trusted=["sklearn.tree._tree.Tree"])
    assert loaded.predict_proba(PETALS).tolist() == estimator.predict_proba(PETALS).tolist()


@pytest.mark.parametrize("name", TRAININGS)
def test_the_canonical_form_is_its_own(name: str) -> None:
    """Putting it into canonical form again changes nothing, and neither does loading and dumping it."""
    data = dump(TRAININGS[name](np.repeat(PETALS, 2, axis=1)[[0, 1, 2, 3, 4, 5] * 8], np.tile(SPECIES, 8)))
    assert canonical(data) == data
    if name not in ("set", "categorical boosting"):  # see the two tests below
        again = load(data, trusted=frozenset(), n_columns=4).estimator
        assert dump(again) == data


def test_loading_makes_one_value_of_a_partial_visible() -> None:
    """A loaded partial has an empty namespace, where there was none: a dump says so, and stays as it is then."""
    data = dump(TRAININGS["categorical boosting"](np.repeat(PETALS, 2, axis=1), SPECIES))
    again = dump(load(data, trusted=frozenset(), n_columns=4).estimator)
    twice = dump(load(again, trusted=frozenset(), n_columns=4).estimator)
    assert again == twice


def test_references_to_one_array_stay_references_to_one_array() -> None:
    """Two references to one array remain two references to one array, and equal arrays remain two."""
    shared, equal = np.arange(3.0), np.arange(3.0)
    data = canonical(skops.io.dumps({"a": shared, "b": shared, "c": equal}))
    loaded = skops.io.loads(data)
    assert loaded["a"] is loaded["b"]
    assert loaded["a"] is not loaded["c"]
    assert sorted(unpack(data)[1]) == ["1.npy", "2.npy"]


def test_text_and_numbers_are_shared_by_value() -> None:
    """Whether Python kept one object or two for equal constants is an accident, and not part of the content."""
    one = "a constant that is kept once"
    other = one[:10] + one[10:]
    assert one is not other
    assert canonical(skops.io.dumps([one, one])) == canonical(skops.io.dumps([one, other]))


def test_the_order_of_sets_does_not_count() -> None:
    """Also of sets of what has files of its own, whose names are random."""
    numbers = [np.float64(value) for value in (3.0, 1.0, 2.0)]
    one = canonical(skops.io.dumps({"set": set(numbers), "texts": {"a", "b", "c"}, "bytes": {b"x", b"y"}}))
    other = canonical(
        skops.io.dumps({"set": {*numbers[1:], numbers[0]}, "texts": {"c", "b", "a"}, "bytes": {b"y", b"x"}})
    )
    assert one == other
    loaded = skops.io.loads(one)
    assert (loaded["set"], loaded["texts"], loaded["bytes"]) == ({1.0, 2.0, 3.0}, {"a", "b", "c"}, {b"x", b"y"})


def test_the_order_of_dictionaries_counts() -> None:
    """A dictionary keeps its order, and scikit-learn makes use of it."""
    assert canonical(skops.io.dumps({"a": 1, "b": 2})) != canonical(skops.io.dumps({"b": 2, "a": 1}))


def test_bytes_between_fields_do_not_count() -> None:
    """Structured arrays of compiled code have gaps, in which lies whatever lay there."""
    kind = np.dtype({"names": ["a", "b"], "formats": ["i1", "f8"], "offsets": [0, 8], "itemsize": 16})
    clean = np.zeros(3, dtype=kind)
    clean["a"], clean["b"] = [1, 2, 3], [0.5, 1.5, 2.5]
    dirty = np.frombuffer(bytes([0xAA] * clean.nbytes), dtype=kind).copy()
    dirty["a"], dirty["b"] = clean["a"], clean["b"]
    assert dirty.tobytes() != clean.tobytes()
    assert canonical(skops.io.dumps(dirty)) == canonical(skops.io.dumps(clean))
    assert skops.io.loads(canonical(skops.io.dumps(dirty))).tolist() == clean.tolist()


def test_an_archive_in_the_archive_is_stored_as_well() -> None:
    """SciPy deflates sparse matrices; the output of a compressor depends on its version, so ours are stored."""
    matrix = scipy.sparse.csr_matrix(np.eye(50))
    data = canonical(skops.io.dumps(matrix))
    with zipfile.ZipFile(io.BytesIO(unpack(data)[1]["1.npz"])) as inner:
        assert {member.compress_type for member in inner.infolist()} == {zipfile.ZIP_STORED}
    loaded = skops.io.loads(data, trusted=["scipy.sparse._csr.csr_matrix"])
    assert loaded.toarray().tolist() == matrix.toarray().tolist()
    assert canonical(data) == data


def test_what_nothing_names_is_dropped() -> None:
    """A member that no node reads is not part of the content."""
    schema, members = unpack(skops.io.dumps(LinearRegression().fit(PETALS, SPECIES)))
    smuggled = archive(schema, {**members, "smuggled.bin": b"x"})
    assert canonical(smuggled) == canonical(archive(schema, members))


def stored(name: str, data: bytes, at: int) -> tuple[bytes, bytes]:
    """Return a stored member and its entry in the directory, written without zipfile, field by field (APPNOTE 4.3)."""
    crc, date, size = zlib.crc32(data), 0 << 9 | 1 << 5 | 1, len(data)
    common = struct.pack("<HHHHIIIHH", 0, 0, 0, date, crc, size, size, len(name), 0)
    local = b"PK\x03\x04" + struct.pack("<H", 20) + common + name.encode() + data
    rest = struct.pack("<HHHII", 0, 0, 0, 0o600 << 16, at)
    entry = b"PK\x01\x02" + struct.pack("<BBH", 20, 3, 20) + common + rest + name.encode()
    return local, entry


def zip_of(members: dict[str, bytes]) -> bytes:
    """Return a ZIP file as docs/FORMAT.md says it."""
    body, directory = b"", b""
    for name, data in members.items():
        local, entry = stored(name, data, len(body))
        body, directory = body + local, directory + entry
    end = struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(directory), len(body), 0)
    return body + directory + b"PK\x05\x06" + end


def test_the_golden_bytes() -> None:
    """A changed byte is a decision: a small archive by hand, and its canonical form, byte by byte."""
    array = b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }".ljust(127) + b"\n"
    array += struct.pack("<d", 1.5)
    text = {**json_node("ü"), "__id__": 140001}
    same = {**json_node("ü"), "__id__": 140002}
    first = node("NdArrayNode", "numpy.ndarray", type="numpy", file="139898967873584.npy", __id__=139898967873584)
    other = {**first}
    blob = node("BytesNode", "builtins.bytes", file="5f3a.bin", __id__=3)
    several = node("SetNode", "builtins.set", content=[{**json_node(2), "__id__": 8}, {**json_node(1), "__id__": 9}])
    schema = list_node(text, same, first, other, blob, several, {**type_node("builtins.str"), "__id__": 5}, __id__=1)
    members = {"5f3a.bin": b"\x00\x01", "139898967873584.npy": array}
    raw = archive(schema, members, compression=zipfile.ZIP_DEFLATED)

    expected_schema = (
        '{"__class__":"list","__module__":"builtins","__loader__":"ListNode","content":['
        '{"__class__":"str","__module__":"builtins","__loader__":"JsonNode","content":"\\"\\\\u00fc\\"","is_json":true,"__id__":1},'
        '{"__class__":"str","__module__":"builtins","__loader__":"JsonNode","content":"\\"\\\\u00fc\\"","is_json":true,"__id__":1},'
        '{"__class__":"ndarray","__module__":"numpy","__loader__":"NdArrayNode","type":"numpy","file":"1.npy","__id__":2},'
        '{"__class__":"ndarray","__module__":"numpy","__loader__":"NdArrayNode","type":"numpy","file":"1.npy","__id__":2},'
        '{"__class__":"bytes","__module__":"builtins","__loader__":"BytesNode","file":"2.bin","__id__":3},'
        '{"__class__":"set","__module__":"builtins","__loader__":"SetNode","content":['
        '{"__class__":"str","__module__":"builtins","__loader__":"JsonNode","content":"1","is_json":true,"__id__":4},'
        '{"__class__":"str","__module__":"builtins","__loader__":"JsonNode","content":"2","is_json":true,"__id__":5}]},'
        '{"__class__":"str","__module__":"builtins","__loader__":"TypeNode","__id__":6}],'
        '"__id__":7,"protocol":2,"_skops_version":"0.16.0"}'
    )
    expected = zip_of({"1.npy": array, "2.bin": b"\x00\x01", "schema.json": expected_schema.encode()})
    assert canonical(raw) == expected
    assert sha256(expected) == "13033bae6d68e677b97d679fb6bd649afee0d949d58d87889415f136ca6a82ac"


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"PK\x05\x06" + bytes(18),
        pack({"schema.json": "{"}),
        pack({"schema.json": "[]"}),
        archive(node("NdArrayNode", "numpy.ndarray", type="numpy", file="1.npy")),
        archive(node("NdArrayNode", "numpy.ndarray", file="1.npy"), {"1.npy": b"no array"}),
        archive(node("SetNode", "builtins.set")),
        archive(node("SetNode", "builtins.set", content=5)),
        archive({**list_node(), "__id__": []}),
        archive({**node("JsonNode", "builtins.str", content=[]), "__id__": 1}),
        archive(node("SparseMatrixNode", "x.y", file="1.npz"), {"1.npz": b"PK"}),
    ],
)
def test_what_is_no_archive_has_no_canonical_form(damage: bytes) -> None:
    """Untrusted bytes yield an IntegrityError, nothing else."""
    with pytest.raises(IntegrityError, match=r"^the artifact is not a skops archive: "):
        canonical(damage)
