"""Rule 5: nothing is deserialised before its SHA-256 and its size match the manifest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from registry import Registry
from registry.errors import ContentError, IntegrityError, ManifestError, RegistryError
from registry.fetch import Unverified, fetch_object, fetch_record
from registry.inference.boot import boot
from registry.layout import manifest_path
from registry.manifest import Manifest, ObjectRef
from registry.stores import Blob, Store
from registry.stores.memory import MemoryStore
from tests.fixtures.models import copy, edit_manifest, replace_object, settings
from tests.format.scenarios import MODEL, publish
from tests.format.stores import Recording, Wrapped

BEFORE_DESERIALISING = ("manifest", "resolve", "record", "fetch", "verify")
"""The phases of a start in which nothing of the artifact has been looked at."""


@pytest.fixture(scope="module")
def two_models() -> Store:
    """A registry with 1.0.0 (stable) and 1.1.0. Nobody writes to it."""
    store = MemoryStore()
    publish(store, "1.0.0", 1.0, promote="stable")
    publish(store, "1.1.0", 2.0)
    return store


@pytest.fixture
def own(two_models: Store, store: Store) -> Store:
    """A copy of it to write to, in each backend."""
    copy(two_models, store)
    return store


def refs(store: Store, version: str = "1.0.0") -> dict[str, ObjectRef]:
    """Return the objects of a version: its record and its artifact."""
    found = Registry(store).manifest(MODEL).versions[version]
    return {"record": found.record, "artifact": found.artifacts["skops"]}


def path_of(ref: ObjectRef) -> str:
    return f"{MODEL}/{ref.path}"


def refusal(store: Store) -> RegistryError:
    """Return the error of a start that must fail."""
    with pytest.raises(RegistryError) as caught:
        boot(settings(MODEL), store=store)
    return caught.value


def damaged(data: bytes, step: int = 1) -> Iterator[bytes]:
    """Yield the bytes with one bit flipped, at every place or every so many, then truncated and extended."""
    for place in range(0, len(data), step):
        yield data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]
    for size in {0, 1, len(data) // 2, len(data) - 1}:
        yield data[:size]
    yield data + b"\0"
    yield data + data
    yield data[::-1]


@pytest.mark.parametrize("kind", ["record", "artifact"])
def test_a_flipped_bit_anywhere_is_refused(kind: str, two_models: Store) -> None:
    """Every byte counts: whichever bit is flipped, wherever the object is cut or grown, it is refused by name."""
    ref = refs(two_models)[kind]
    data = two_models.read(path_of(ref)).data
    store = MemoryStore()
    generation = store.create(path_of(ref), data)
    for wrong in damaged(data):
        generation = store.replace(path_of(ref), wrong, generation=generation)
        with pytest.raises(IntegrityError, match=f"^memory:///{path_of(ref)}: ".replace(".", r"\.")):
            fetch_object(store, MODEL, ref)


@pytest.mark.parametrize("kind", ["record", "artifact"])
def test_a_server_does_not_start_from_damaged_bytes(kind: str, own: Store) -> None:
    """The process names the phase and the object, and serves nothing."""
    ref = refs(own)[kind]
    path = path_of(ref)
    data = own.read(path).data
    for wrong in damaged(data, step=len(data) // 8):
        replace_object(own, path, wrong)
        error = refusal(own)
        assert isinstance(error, IntegrityError)
        assert error.details["phase"] in (("record",) if kind == "record" else ("fetch", "verify"))
        assert error.message.startswith(f"{own.url}/{path}: ")


def test_the_sentences_say_what_differs(two_models: Store) -> None:
    """Wrong digest, fewer bytes, more bytes, nothing there."""
    ref = refs(two_models)["artifact"]
    path = path_of(ref)
    data = two_models.read(path).data
    what, store = f"memory:///{path}", MemoryStore()
    with pytest.raises(IntegrityError) as caught:
        fetch_object(store, MODEL, ref)
    assert caught.value.message == f"{what}: the manifest names it, and it is not there"
    store.create(path, data[:-1])
    with pytest.raises(IntegrityError) as caught:
        fetch_object(store, MODEL, ref)
    assert caught.value.message == f"{what}: {ref.size - 1} bytes, and the manifest states {ref.size}"
    replace_object(store, path, bytes(ref.size + 1))
    with pytest.raises(IntegrityError) as caught:
        fetch_object(store, MODEL, ref)
    assert caught.value.message == f"{what}: {ref.size + 1} bytes, and the manifest states {ref.size}"
    replace_object(store, path, bytes(ref.size))
    with pytest.raises(IntegrityError) as caught:
        fetch_object(store, MODEL, ref)
    assert caught.value.message.startswith(f"{what}: SHA-256 is ")
    assert caught.value.message.endswith(f", and the manifest states {ref.sha256}")


def test_a_damaged_manifest_never_serves_other_bytes(two_models: Store) -> None:
    """Whichever bit of the manifest is flipped, the start fails with our error, or the very same bytes are served."""
    data = two_models.read(manifest_path(MODEL)).data
    known = {ref.sha256 for version in ("1.0.0", "1.1.0") for ref in refs(two_models, version).values()}
    store = MemoryStore()
    copy(two_models, store)
    phases, served = [], set()
    for wrong in damaged(data, step=7):
        replace_object(store, manifest_path(MODEL), wrong)
        try:
            served.add(boot(settings(MODEL), store=store).serving.loaded.sha256)
        except RegistryError as error:
            phases.append(error.details["phase"])
    assert len(phases) > 50
    assert set(phases) <= set(BEFORE_DESERIALISING)
    assert served <= known


def swap_bytes(store: Store) -> None:
    """Exchange the bytes of two versions' artifacts; the manifest is left alone."""
    first, second = (path_of(refs(store, version)["artifact"]) for version in ("1.0.0", "1.1.0"))
    one, other = store.read(first).data, store.read(second).data
    replace_object(store, first, other)
    replace_object(store, second, one)


def point_at_the_other(store: Store) -> None:
    """Edit the manifest: 1.0.0 names the artifact of 1.1.0 where it lies."""
    edit(store, lambda versions: versions["1.0.0"].update(artifacts=versions["1.1.0"]["artifacts"]))


def bring_the_other_along(store: Store) -> None:
    """Copy the artifact of 1.1.0 into the folder of 1.0.0 and edit the manifest truly; the record is left alone."""
    ref = refs(store, "1.1.0")["artifact"]
    path = ref.path.replace("1.1.0", "1.0.0")
    store.create(f"{MODEL}/{path}", store.read(path_of(ref)).data)
    entry = {"skops": {"path": path, "sha256": ref.sha256, "size": ref.size}}
    edit(store, lambda versions: versions["1.0.0"].update(artifacts=entry))


def bring_the_others_record_along(store: Store) -> None:
    """The same with the record as well."""
    bring_the_other_along(store)
    ref = refs(store, "1.1.0")["record"]
    path = ref.path.replace("1.1.0", "1.0.0")
    store.create(f"{MODEL}/{path}", store.read(path_of(ref)).data)
    entry = {"path": path, "sha256": ref.sha256, "size": ref.size}
    edit(store, lambda versions: versions["1.0.0"].update(record=entry))


def replace_by_a_valid_file(store: Store) -> None:
    """Put another skops file, made by ourselves, under the name; digest and size are left alone."""
    other = MemoryStore()
    publish(other, "1.0.0", 3.0)
    path = path_of(refs(store)["artifact"])
    replace_object(store, path, other.read(path_of(refs(other)["artifact"])).data)


def edit(store: Store, change: Callable[[dict[str, dict[str, object]]], None]) -> None:
    """Change the versions of the manifest in the bucket."""
    versions = json.loads(store.read(manifest_path(MODEL)).data)["versions"]
    change(versions)
    edit_manifest(store, {"versions": versions}, model=MODEL)


@pytest.mark.parametrize(
    ("tamper", "kind", "phase", "words"),
    [
        (swap_bytes, IntegrityError, "verify", "SHA-256 is"),
        (replace_by_a_valid_file, IntegrityError, "verify", "SHA-256 is"),
        (
            point_at_the_other,
            ManifestError,
            "manifest",
            "versions.1.0.0.artifacts.skops.path: belongs to version '1.1.0'",
        ),
        (bring_the_other_along, IntegrityError, "verify", "not the artifact that the record of '1.0.0' describes"),
        (
            bring_the_others_record_along,
            IntegrityError,
            "record",
            "the record of line 1.1.0, expected that of line 1.0.0",
        ),
    ],
)
def test_another_versions_bytes_are_refused(
    tamper: Callable[[Store], None], kind: type[ContentError], phase: str, words: str, own: Store
) -> None:
    """Swapped, moved or replaced by another valid file, with and without an edited manifest: refused, by name."""
    tamper(own)
    error = refusal(own)
    assert (type(error), error.details["phase"]) == (kind, phase)
    assert error.message.startswith(own.url)
    assert words in error.message
    problems = [finding.problem for finding in Registry(own).verify(MODEL) if finding.problem]
    assert problems, "verify saw nothing"


def test_bytes_that_were_not_verified_can_only_be_verified() -> None:
    """No fallback, no flag to turn it off: what was downloaded has one method."""
    assert [name for name in vars(Unverified) if not name.startswith("_")] == ["verify"]


def test_damage_is_not_retried(two_models: Store) -> None:
    """No retry that ends in "load it anyway": each object is read once."""
    store = MemoryStore()
    copy(two_models, store)
    path = path_of(refs(store)["artifact"])
    replace_object(store, path, store.read(path).data[::-1])
    recording = Recording(store)
    refusal(recording)
    assert recording.calls.count(("read", path)) == 1


def test_an_object_that_is_replaced_while_it_is_read_is_refused(two_models: Store) -> None:
    """Pieces of two objects are never put together."""

    class Replaced(Wrapped):
        def stream(self, path: str, *, chunk_size: int = 0) -> Iterator[Blob]:
            for piece in self.inner.stream(path, chunk_size=512):
                yield piece
                replace_object(self.inner, path, self.inner.read(path).data)

    store = MemoryStore()
    copy(two_models, store)
    ref = refs(store)["artifact"]
    with pytest.raises(IntegrityError) as caught:
        fetch_object(Replaced(store), MODEL, ref)
    assert caught.value.message == f"memory:///{path_of(ref)}: it was replaced while it was being read"


def test_a_record_is_checked_like_an_artifact(two_models: Store) -> None:
    """A record decides how rows are checked, so its digest counts as well."""
    store = MemoryStore()
    copy(two_models, store)
    path = path_of(refs(store)["record"])
    replace_object(store, path, store.read(path).data.replace(b'"regression"', b'"regressioN"'))
    manifest = Manifest.from_bytes(store.read(manifest_path(MODEL)).data)
    with pytest.raises(IntegrityError, match="SHA-256 is"):
        fetch_record(store, manifest, "1.0.0")
