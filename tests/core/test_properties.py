"""Untrusted bytes yield a value or one of our errors, nothing else."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from registry.decisions import Decisions
from registry.digest import Check, check, is_sha256, sha256
from registry.errors import InputError, IntegrityError, ManifestError, RegistryError
from registry.formats import skops
from registry.formats._audit import audit
from registry.formats._canonical import canonical
from registry.layout import path_problem
from registry.manifest import Manifest
from registry.names import LATEST, check_version, parse_pin
from registry.record import Record
from registry.strict_json import parse_json
from tests.core.documents import DECISIONS, MANIFEST, RECORD, SHA_A, data
from tests.core.strategies import damaged, edits, keepable, repeatable
from tests.format.archives import archive, unpack
from tests.format.scenarios import line

NONE: frozenset[str] = frozenset()
ARTIFACT = skops.dump(line(1.0))
SCHEMA, MEMBERS = unpack(ARTIFACT)


@repeatable
@given(st.one_of(st.binary(max_size=60), damaged(data(MANIFEST)), edits(MANIFEST)))
def test_any_bytes_are_a_manifest_or_a_manifest_error(text: bytes) -> None:
    """Bytes in, a `Manifest` or a `ManifestError` out; what was read can be written, read again and resolved."""
    try:
        manifest = Manifest.from_bytes(text)
    except ManifestError:
        return
    written = manifest.to_bytes()
    assert Manifest.from_bytes(written) == manifest
    assert Manifest.from_bytes(written).to_bytes() == written
    for pin in ("", "latest", "1.1.0"):
        try:
            assert manifest.resolve(parse_pin(pin)).version in manifest.versions
        except RegistryError:
            continue


@repeatable
@given(st.one_of(st.binary(max_size=60), damaged(data(DECISIONS)), edits(DECISIONS)))
def test_any_bytes_are_decisions_or_a_manifest_error(text: bytes) -> None:
    """Bytes in, `Decisions` or a `ManifestError` out; what was read can be written and read again."""
    try:
        decisions = Decisions.from_bytes(text)
    except ManifestError:
        return
    assert Decisions.from_bytes(json.dumps(decisions.to_dict()).encode()) == decisions


@repeatable
@given(st.one_of(st.binary(max_size=60), damaged(data(RECORD)), edits(RECORD)))
def test_any_bytes_are_a_record_or_a_manifest_error(text: bytes) -> None:
    """Bytes in, a `Record` or a `ManifestError` out; a server can rely on its signature."""
    try:
        record = Record.from_bytes(text)
    except ManifestError:
        return
    assert record.signature.check() is record.signature
    assert record.signature.columns


@repeatable
@given(st.one_of(st.binary(max_size=60), st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace"))))
@example(b'{"a":' * 2000)
@example(b'{"\\ud800": 1}')
def test_any_bytes_are_a_json_object_or_a_manifest_error(text: bytes) -> None:
    """Strict JSON: what we take, every JSON reader takes, and reads the same."""
    try:
        found = parse_json(text)
    except ManifestError:
        return
    assert found == json.loads(text.decode("utf-8", "strict"))


@repeatable
@given(st.text(max_size=100))
def test_any_text_is_a_pin_or_an_input_error(text: str) -> None:
    """Text is parsed once, at the edge."""
    try:
        pin = parse_pin(text)
    except InputError:
        return
    assert parse_pin(str(pin)) == pin
    assert pin.sha256 is None or (pin.name and is_sha256(pin.sha256))
    assert pin.name in ("", LATEST) or check_version(pin.name)


@st.composite
def schemas(draw: st.DrawFn) -> bytes:
    """Draw an archive whose schema was edited somewhere."""
    return archive(json.loads(draw(edits(SCHEMA))) if draw(st.booleans()) else draw(edits(SCHEMA)), MEMBERS)


untrusted = st.one_of(st.binary(max_size=60), damaged(ARTIFACT), schemas())


@repeatable
@given(untrusted)
def test_any_bytes_pass_the_audit_or_are_refused(text: bytes) -> None:
    """The audit returns names, or an `IntegrityError`."""
    try:
        named = audit(text, trusted=NONE)
    except IntegrityError:
        return
    assert all(isinstance(name, str) for name in named)


@repeatable
@given(untrusted)
def test_any_bytes_have_a_canonical_form_or_are_refused(text: bytes) -> None:
    """The canonical form of a canonical form is itself."""
    try:
        found = canonical(text)
    except IntegrityError:
        return
    assert canonical(found) == found


@repeatable
@given(untrusted)
def test_any_bytes_load_or_are_refused(text: bytes) -> None:
    """Loading gives something that predicts, or an `IntegrityError`."""
    try:
        loaded = skops.load(text, trusted=NONE, n_columns=2)
    except IntegrityError:
        return
    assert callable(loaded.estimator.predict)


@repeatable
@given(st.dictionaries(st.text(min_size=1, max_size=8).filter(lambda key: key not in MANIFEST), keepable, max_size=4))
def test_unknown_fields_survive_a_round_trip(extra: dict[str, Any]) -> None:
    """Fields we do not know survive a round trip, whatever they hold."""
    version = {**MANIFEST["versions"]["1.1.0"], **{f"x-{key}": value for key, value in extra.items()}}
    document = {**MANIFEST, **extra, "versions": {**MANIFEST["versions"], "1.1.0": version}}
    written = json.loads(Manifest.from_bytes(json.dumps(document).encode()).to_bytes())
    assert written == document


@repeatable
@given(st.text(max_size=60), st.sampled_from(["1.0.0", "a"]))
def test_a_path_that_is_accepted_lies_in_its_versions_folder(text: str, version: str) -> None:
    """Paths are relative; `..`, absolute paths and foreign schemes are refused."""
    for path in (text, f"versions/{version}/{text}", f"versions/{version}/{SHA_A[:16]}.{text}"):
        if path_problem(path, version=version, sha256=SHA_A) is None:
            prefix, _, suffix = path.rpartition(".")
            assert prefix == f"versions/{version}/{SHA_A[:16]}"
            assert suffix.isascii()
            assert suffix.isalnum()
            assert suffix == suffix.lower()


@repeatable
@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=4), st.integers(-2, 2))
def test_a_check_passes_exactly_what_it_expects(content: bytes, cuts: list[int], more: int) -> None:
    """Fed piece by piece, in whatever pieces: the bytes pass, and nothing else does."""
    edges = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
    checking = Check(sha256=sha256(content), size=len(content), what="x")
    for begin, end in pairwise(edges):
        checking.update(content[begin:end])
    checking.finish()
    other = content[:more] if more < 0 else content + bytes(more)
    if other != content:
        with pytest.raises(IntegrityError, match=r"^x: .*the manifest states"):
            check(other, sha256=sha256(content), size=len(content), what="x")
