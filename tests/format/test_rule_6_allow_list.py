"""Rule 6: what may be constructed is the server's decision."""

from __future__ import annotations

import io
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.semi_supervised import LabelPropagation

from registry import Registry
from registry.digest import sha256
from registry.errors import IntegrityError, UntrustedTypeError
from registry.formats import skops
from registry.inference.boot import boot
from registry.record import Record
from registry.stores.memory import MemoryStore
from tests.fixtures.models import PETALS, SPECIES, edit_manifest, put_version, settings
from tests.format.archives import (
    Node,
    archive,
    array_node,
    dict_node,
    function,
    hidden,
    injected,
    json_node,
    list_node,
    node,
    object_node,
    partial_node,
    tuple_node,
    type_node,
    unpack,
)
from tests.format.scenarios import line

SENTINEL = "sentinel_of_the_tests"
NONE: frozenset[str] = frozenset()


@pytest.fixture
def sentinel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module that leaves a mark when it is imported, and the mark that it would leave."""
    mark = tmp_path / "mark"
    code = f"open({str(mark)!r}, 'w').close()\nclass Evil:\n    def __init__(self, *_): pass\ndef evil(*_): pass\n"
    (tmp_path / f"{SENTINEL}.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    return mark


def refusal(data: bytes, trusted: frozenset[str] = NONE) -> IntegrityError:
    """Return the error of an archive that must not load."""
    with pytest.raises(IntegrityError) as caught:
        skops.load(data, trusted=trusted, n_columns=2)
    return caught.value


def command(mark: Path) -> Node:
    return json_node(f"touch {mark}")


EVIL: dict[str, tuple[Callable[[Path], Node], str]] = {
    "an object": (lambda _: object_node(f"{SENTINEL}.Evil"), f"{SENTINEL}.Evil"),
    "a function": (lambda _: function(f"{SENTINEL}.evil"), f"{SENTINEL}.evil"),
    "a type": (lambda _: type_node(f"{SENTINEL}.Evil"), f"{SENTINEL}.Evil"),
    "a list": (lambda _: node("ListNode", f"{SENTINEL}.Evil", content=[]), f"{SENTINEL}.Evil"),
    "a dict": (
        lambda _: node("DictNode", f"{SENTINEL}.Evil", content={}, key_types=list_node()),
        f"{SENTINEL}.Evil",
    ),
    "a set": (lambda _: node("SetNode", f"{SENTINEL}.Evil", content=[]), f"{SENTINEL}.Evil"),
    "a named tuple": (lambda _: node("TupleNode", f"{SENTINEL}.Evil", content=[]), f"{SENTINEL}.Evil"),
    "a number's type": (
        lambda _: node("NdArrayNode", f"{SENTINEL}.Evil", type="numpy", file="1.npy"),
        f"{SENTINEL}.Evil",
    ),
    "a random state": (lambda _: node("RandomStateNode", f"{SENTINEL}.Evil", content=json_node(0)), f"{SENTINEL}.Evil"),
    "text": (lambda _: node("JsonNode", f"{SENTINEL}.Evil", content="0"), f"{SENTINEL}.Evil"),
    "a loss": (
        lambda _: node("LossNode", f"{SENTINEL}.Evil", content=dict_node({}), __reduce__={"args": tuple_node()}),
        f"{SENTINEL}.Evil",
    ),
    "a tree": (
        lambda _: node("TreeNode", f"{SENTINEL}.Evil", content=dict_node({}), __reduce__={"args": tuple_node()}),
        f"{SENTINEL}.Evil",
    ),
    "a constructor": (
        lambda _: node("ConstructorFromReduceNode", f"{SENTINEL}.Evil", content=tuple_node()),
        f"{SENTINEL}.Evil (through ConstructorFromReduceNode)",
    ),
    "a constructor of what is allowed": (
        lambda mark: node("ConstructorFromReduceNode", "builtins.list", content=tuple_node(command(mark))),
        "builtins.list (through ConstructorFromReduceNode)",
    ),
    "os.system": (lambda _: function("os.system"), "os.system"),
    "posix.system": (lambda _: function("posix.system"), "posix.system"),
    "eval": (lambda _: function("builtins.eval"), "builtins.eval"),
    "eval as a type": (lambda _: type_node("builtins.eval"), "builtins.eval"),
    "a partial of os.system": (lambda mark: partial_node(function("os.system"), command(mark)), "os.system"),
    "operator.methodcaller": (
        lambda _: node("OperatorFuncNode", "operator.methodcaller", attrs=tuple_node(json_node("fit"))),
        "operator.methodcaller (through OperatorFuncNode)",
    ),
    "a bound method": (
        lambda _: node(
            "MethodNode",
            "sklearn.linear_model._base.LinearRegression",
            content={"func": "fit", "obj": object_node("sklearn.linear_model._base.LinearRegression")},
        ),
        "sklearn.linear_model._base.LinearRegression (through MethodNode)",
    ),
    "a data set from the internet": (
        lambda _: function("sklearn.datasets._openml.fetch_openml"),
        "sklearn.datasets._openml.fetch_openml",
    ),
    "files of the server": (
        lambda _: function("sklearn.datasets._base.load_files"),
        "sklearn.datasets._base.load_files",
    ),
    "a vectorizer that opens files": (
        lambda _: object_node("sklearn.feature_extraction.text.CountVectorizer"),
        "sklearn.feature_extraction.text.CountVectorizer",
    ),
    "numpy.load": (lambda _: function("numpy.load"), "numpy.load"),
    "joblib.load": (lambda _: function("joblib.numpy_pickle.load"), "joblib.numpy_pickle.load"),
    "bytes that can change": (
        lambda _: node("BytearrayNode", "builtins.bytearray", file="1.bin"),
        "builtins.bytearray (through BytearrayNode)",
    ),
    "a reference": (
        lambda _: node("CachedNode", "builtins.list", __id__=1),
        "builtins.list (through CachedNode)",
    ),
    "a loader that is not there": (lambda _: node("EvilNode", "builtins.list"), "builtins.list (through EvilNode)"),
}


@pytest.mark.parametrize("place", [injected, hidden], ids=["reachable", "unreachable"])
@pytest.mark.parametrize("name", EVIL)
def test_what_is_not_listed_is_refused_before_anything_is_built(
    name: str, place: Callable[[Any, Node], bytes], sentinel: Path
) -> None:
    """A file that names something outside the list is refused with the name, wherever in the file it stands."""
    build, expected = EVIL[name]
    error = refusal(place(line(1.0), build(sentinel)))
    assert type(error) is UntrustedTypeError
    assert error.details == {"untrusted": [expected]}
    assert error.message == (
        f"the artifact names what this server does not allow: {expected}. "
        "An operator who trusts it can add types with MODEL_TRUSTED_TYPES"
    )
    assert SENTINEL not in sys.modules
    assert not sentinel.exists()


def test_the_sentinel_would_have_told(sentinel: Path) -> None:
    """Stock skops that is told to trust the module imports it and leaves the mark, so the tests above would see it."""
    import skops.io

    data = injected(line(1.0), object_node(f"{SENTINEL}.Evil"))
    skops.io.loads(data, trusted=[f"{SENTINEL}.Evil"])
    assert sentinel.exists()
    del sys.modules[SENTINEL]


@pytest.mark.parametrize(
    ("evil", "loader"),
    [
        (partial_node(object_node("sklearn._loss.loss.HalfSquaredError")), "PartialNode"),
        (dict_node({"a": json_node(1)}, list_node(partial_node(function("numpy.exp")))), "DictNode"),
        (
            node(
                "DefaultDictNode",
                "collections.defaultdict",
                content={"main": dict_node({}), "default_factory": partial_node(function("numpy.exp"))},
            ),
            "DefaultDictNode",
        ),
    ],
)
def test_what_is_called_while_loading_is_a_listed_function(evil: Node, loader: str) -> None:
    """A partial, the keys of a dictionary and a default call something: never an object that came with the file."""
    error = refusal(injected(line(1.0), evil))
    assert (type(error), error.message) == (
        UntrustedTypeError,
        f"the artifact holds a {loader} that would call an object",
    )


def test_an_id_cannot_make_one_node_stand_for_another() -> None:
    """A loader takes the first node of an id for all of them, so they must be alike."""
    loss = {**object_node("sklearn._loss.loss.HalfSquaredError"), "__id__": 7}
    stub = {**function("numpy.exp"), "__id__": 7}
    error = refusal(injected(line(1.0), list_node(loss, partial_node(stub))))
    assert error.message == "the artifact is not a skops archive: different nodes have the id 7"


def test_a_small_file_cannot_keep_a_reader_busy() -> None:
    """Forty lists that each hold the one before twice, by its id, would be visited a million million times."""
    doubled: Node = list_node(__id__=1)
    for number in range(2, 42):
        doubled = list_node(doubled, list_node(__id__=number - 1), __id__=number)
    begin_s = time.monotonic()
    error = refusal(injected(line(1.0), doubled))
    assert error.message.startswith("the artifact is not a skops archive: different nodes have the id ")
    assert time.monotonic() - begin_s < 5


def test_a_node_that_contains_itself_is_refused() -> None:
    """By its id, a list could hold itself for ever."""
    error = refusal(injected(line(1.0), list_node(list_node(__id__=1), __id__=1)))
    assert error.message == "the artifact is not a skops archive: different nodes have the id 1"


@pytest.mark.parametrize("number", [True, 1.0, "1", [1], {}])
def test_an_id_is_a_whole_number(number: Any) -> None:
    """Anything else could equal another id without looking like it."""
    error = refusal(injected(line(1.0), list_node(__id__=number)))
    assert error.message == "the artifact is not a skops archive: an id that is no whole number"


def claims(data: bytes) -> bytes:
    """Add to an archive what it would like a server to trust."""
    schema, members = unpack(data)
    return archive({"trusted": [f"{SENTINEL}.Evil"], **schema, "MODEL_TRUSTED_TYPES": f"{SENTINEL}.Evil"}, members)


def test_what_an_artifact_claims_about_itself_adds_nothing(sentinel: Path) -> None:
    """The list is never read from the artifact."""
    error = refusal(claims(injected(line(1.0), object_node(f"{SENTINEL}.Evil"))))
    assert error.details == {"untrusted": [f"{SENTINEL}.Evil"]}
    assert not sentinel.exists()


def test_what_a_record_or_a_manifest_claims_adds_nothing(published: Any) -> None:
    """The list is never read from the manifest or the record; the operator's settings are the only other source."""
    store = MemoryStore()
    for entry in published.list("flowers/"):
        store.create(entry.path, published.read(entry.path).data)
    estimator = LabelPropagation().fit(PETALS, SPECIES)
    name = "sklearn.semi_supervised._label_propagation.LabelPropagation"
    artifact = skops.dump(estimator)
    record = json.loads(Registry(store).record("flowers", "1.0.0").to_bytes())
    claim = {"trusted": [name], "trusted_types": name, "MODEL_TRUSTED_TYPES": name}
    written = {**record, **claim, "artifacts": {"skops": sha256(artifact)}}
    put_version(store, "1.0.0", artifact=artifact, record=json.dumps(written).encode())
    edit_manifest(store, {**claim})
    with pytest.raises(UntrustedTypeError) as caught:
        boot(settings(), store=store)
    assert caught.value.details == {"untrusted": [name], "phase": "deserialise"}
    serving = boot(settings(trusted=frozenset({name})), store=store).serving
    assert serving.loaded.predict(PETALS).values.tolist() == SPECIES.tolist()
    assert Record.from_bytes(store.read(f"flowers/{serving.manifest.versions['1.0.0'].record.path}").data).model_extra


def test_an_operator_can_only_add_objects_and_functions(sentinel: Path) -> None:
    """Loaders that call stay refused, whatever the operator trusts."""
    trusted = frozenset({f"{SENTINEL}.Evil", "os.system"})
    evil = node("ConstructorFromReduceNode", f"{SENTINEL}.Evil", content=tuple_node())
    assert refusal(injected(line(1.0), evil), trusted).details == {
        "untrusted": [f"{SENTINEL}.Evil (through ConstructorFromReduceNode)"]
    }
    assert refusal(injected(line(1.0), type_node("os.system")), trusted).details == {"untrusted": ["os.system"]}
    assert not sentinel.exists()


class _Touches:
    """What a pickle is made of: a call."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.mark}",)


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_no_pickle_is_ever_read(suffix: str, tmp_path: Path) -> None:
    """No pickle, no joblib, ever: an array of objects in numpy's own form is a pickle, and is refused."""
    mark = tmp_path / "mark"
    buffer = io.BytesIO()
    objects = np.array([_Touches(mark)], dtype=object)
    if suffix == "npy":
        np.save(buffer, objects, allow_pickle=True)
        evil = array_node("evil.npy")
    else:
        np.savez(buffer, format=objects, data=objects, indices=objects, indptr=objects, shape=objects)
        evil = node("SparseMatrixNode", "scipy.sparse._csr.csr_matrix", type="scipy", file="evil.npz")
    schema, members = unpack(injected(line(1.0), evil))
    error = refusal(archive(schema, {**members, f"evil.{suffix}": buffer.getvalue()}))
    assert "allow_pickle=False" in error.message
    assert not mark.exists()
