"""The predictor: which version answers, loaded once, and how another one takes over."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from registry import Registry
from registry.errors import (
    IntegrityError,
    RegistryError,
    StoreError,
    UnknownVersionError,
    WithdrawnVersionError,
)
from registry.inference import predictor as predictor_module
from registry.inference.boot import boot
from registry.inference.once import MustWait
from registry.inference.predictor import Predictor
from registry.names import parse_pin
from tests.fixtures.models import SETOSA, artifact_path, edit_manifest, replace_object, settings
from tests.fixtures.watched import Watched

ROWS = np.array([SETOSA])
SOON_S = 0.02
"""How old a look may be in tests that want another one."""


def version_of(predictor: Predictor, pin: str | None = None) -> str:
    """Return the version that answers a request, after having it answer one."""
    chosen = predictor.choose(None if pin is None else parse_pin(pin))
    loaded = predictor.load(chosen)
    loaded.predict(ROWS)
    return loaded.record.version


def eventually(claim: Callable[[], bool], *, within_s: float = 10.0) -> bool:
    """Tell whether something comes to hold."""
    until_s = time.monotonic() + within_s
    while not claim():
        if time.monotonic() > until_s:
            return False
        time.sleep(0.01)
    return True


def test_a_request_without_a_version_gets_the_pinned_one(watched: Watched) -> None:
    """The pin is resolved once, at the start."""
    predictor = boot(settings(), store=watched)
    assert version_of(predictor) == "1.0.0"
    assert predictor.serving.resolved.steps == ("default", "stable", "1.0.0")


@pytest.mark.parametrize(
    ("pin", "version"), [("1.2.0", "1.2.0"), ("canary", "1.1.0"), ("latest", "1.2.0"), ("stable", "1.0.0")]
)
def test_a_request_may_name_a_version_or_an_alias(watched: Watched, pin: str, version: str) -> None:
    """Whatever a server can be pinned to, a request can ask for."""
    assert version_of(boot(settings(), store=watched), pin) == version


def test_a_version_is_loaded_once_however_many_ask(watched: Watched) -> None:
    """Sixty-four requests at the same moment cause one read of the record and one of the artifact."""
    predictor = boot(settings(), store=watched)
    together = threading.Barrier(64)

    def ask() -> Any:
        together.wait()
        return predictor.load(predictor.choose(parse_pin("1.1.0")))

    with ThreadPoolExecutor(64) as pool:
        loaded = {id(future.result()) for future in [pool.submit(ask) for _ in range(64)]}
    assert len(loaded) == 1
    assert (watched.count(artifact_path(watched, "1.1.0")), watched.count("versions/1.1.0/")) == (1, 2)


def test_a_slow_load_blocks_nobody_else(watched: Watched) -> None:
    """While one version is being fetched, the pinned one and other ones answer."""
    predictor = boot(settings(), store=watched)
    door = watched.shut(artifact_path(watched.inner, "1.1.0"))
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(version_of, predictor, "1.1.0")
        watched.wait_at_door()
        assert version_of(predictor) == "1.0.0"
        assert version_of(predictor, "1.2.0") == "1.2.0"
        assert not slow.done()
        door.set()
        assert slow.result() == "1.1.0"


def test_a_failing_load_can_be_tried_again(watched: Watched) -> None:
    """A request that comes when the bucket is back is answered."""
    predictor = boot(settings(), store=watched)
    watched.unreachable = True
    with pytest.raises(StoreError) as caught:
        version_of(predictor, "1.1.0")
    assert str(caught.value) == "cannot reach memory://"
    watched.unreachable = False
    assert version_of(predictor, "1.1.0") == "1.1.0"


def test_a_load_that_fails_names_its_phase(watched: Watched) -> None:
    """What a client of another version is told says where loading failed, and of what."""
    predictor = boot(settings(), store=watched)
    path = artifact_path(watched, "1.1.0")
    replace_object(watched, path, b"x" * len(watched.read(path).data))
    with pytest.raises(IntegrityError) as caught:
        version_of(predictor, "1.1.0")
    assert caught.value.details["phase"] == "verify"
    assert path in caught.value.message
    assert version_of(predictor) == "1.0.0"


def test_without_waiting_only_what_is_loaded_answers(watched: Watched) -> None:
    """A request that must not wait gets its answer or `MustWait`, and nothing is read for it."""
    predictor = boot(settings(), store=watched)
    version_of(predictor, "1.2.0")
    before = watched.reads.total()
    for pin in (None, "stable", "1.2.0"):
        chosen = predictor.choose(None if pin is None else parse_pin(pin), wait=False)
        assert predictor.load(chosen, wait=False) in predictor.loaded
    with pytest.raises(MustWait):
        predictor.choose(parse_pin("1.1.0"), wait=False)
    assert watched.reads.total() == before
    chosen = predictor.choose(parse_pin("1.1.0"))
    with pytest.raises(MustWait):
        predictor.load(chosen, wait=False)


def test_a_moved_alias_takes_over_only_when_it_is_loaded(watched: Watched) -> None:
    """The old version answers while the new one is fetched, and the new one from then on."""
    predictor = boot(settings(refresh_s=SOON_S), store=watched)
    door = watched.shut(artifact_path(watched.inner, "1.2.0"))
    Registry(watched.inner).promote("flowers", "1.2.0")
    assert eventually(lambda: version_of(predictor) == "1.0.0" and watched.count("versions/1.2.0") == 2)
    assert [version_of(predictor) for _ in range(100)] == ["1.0.0"] * 100
    door.set()
    assert eventually(lambda: version_of(predictor) == "1.2.0")
    revision = Registry(watched.inner).manifest("flowers").revision
    assert (predictor.serving.manifest.revision, predictor.problem) == (revision, "")


def test_a_request_that_was_chosen_before_the_take_over_is_answered_by_what_it_chose(watched: Watched) -> None:
    """Between choosing and loading, the served version may change; nothing is fetched again for that."""
    predictor = boot(settings(refresh_s=SOON_S), store=watched)
    chosen = predictor.choose(None)
    Registry(watched.inner).promote("flowers", "1.2.0")
    assert eventually(lambda: version_of(predictor) == "1.2.0")
    assert predictor.load(chosen).record.version == "1.0.0"
    assert watched.count(artifact_path(watched, "1.0.0")) == 1


def test_after_take_overs_only_what_is_served_is_held(watched: Watched) -> None:
    """A version that was served and is not any more is let go, and so is one that was withdrawn."""
    registry = Registry(watched.inner)
    predictor = boot(settings(refresh_s=SOON_S), store=watched)
    version_of(predictor, "canary")
    registry.promote("flowers", "1.2.0")
    assert eventually(lambda: version_of(predictor) == "1.2.0")
    assert [loaded.record.version for loaded in predictor.loaded] == ["1.2.0", "1.1.0"]
    registry.promote("flowers", "1.0.0")
    assert eventually(lambda: version_of(predictor) == "1.0.0")
    assert [loaded.record.version for loaded in predictor.loaded] == ["1.0.0", "1.1.0"]
    registry.promote("flowers", "1.2.0", alias="canary")
    registry.withdraw("flowers", "1.1.0")
    assert eventually(lambda: version_of(predictor) == "1.0.0" and len(predictor.loaded) == 1)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda store: replace_object(store, artifact_path(store, "1.2.0"), b"not what was published"),
        lambda store: edit_manifest(store, {"default": "no-such-alias"}),
        lambda store: edit_manifest(store, {"aliases": {"stable": "9.9.9"}}),
        lambda store: replace_object(store, "flowers/manifest.json", b'{"format": 1, }'),
        lambda store: replace_object(store, "flowers/manifest.json", b"\xff"),
        lambda store: setattr(store, "unreachable", True),
    ],
    ids=["artifact", "default", "alias", "comma", "bytes", "unreachable"],
)
def test_what_cannot_take_over_leaves_the_old_version_answering(
    watched: Watched, spoil: Callable[[Watched], None]
) -> None:
    """Whatever goes wrong with the new one, the old pair of manifest and version stays, and the problem is told."""
    predictor = boot(settings(refresh_s=SOON_S), store=watched)
    revision = predictor.serving.manifest.revision
    Registry(watched.inner).promote("flowers", "1.2.0")
    spoil(watched)
    assert eventually(lambda: version_of(predictor) == "1.0.0" and predictor.problem != "")
    assert (version_of(predictor), predictor.serving.manifest.revision) == ("1.0.0", revision)


def test_a_problem_is_over_when_a_look_succeeds(watched: Watched) -> None:
    """What is told about the bucket is about the last look at it."""
    predictor = boot(settings(refresh_s=SOON_S), store=watched)
    watched.unreachable = True
    assert eventually(lambda: version_of(predictor) == "1.0.0" and predictor.problem == "cannot reach memory://")
    watched.unreachable = False
    assert eventually(lambda: version_of(predictor) == "1.0.0" and predictor.problem == "")


def test_an_exact_pin_does_not_move(watched: Watched) -> None:
    """A server that is pinned to a version follows the manifest and stays on the version."""
    predictor = boot(settings(pin=parse_pin("1.0.0"), refresh_s=SOON_S), store=watched)
    Registry(watched.inner).promote("flowers", "1.2.0")
    revision = Registry(watched.inner).manifest("flowers").revision
    assert eventually(lambda: version_of(predictor) == "1.0.0" and predictor.serving.manifest.revision == revision)
    assert version_of(predictor, "stable") == "1.2.0"
    assert version_of(predictor) == "1.0.0"


def test_latest_moves_with_a_new_version(watched: Watched) -> None:
    """A server that is pinned to `latest` follows the highest active version."""
    predictor = boot(settings(pin=parse_pin("latest"), refresh_s=SOON_S), store=watched)
    assert version_of(predictor) == "1.2.0"
    Registry(watched.inner).withdraw("flowers", "1.2.0")
    assert eventually(lambda: version_of(predictor) == "1.1.0")


def test_zero_never_looks_again(watched: Watched) -> None:
    """With no refreshing, nothing that requests ask for reads the manifest again."""
    predictor = boot(settings(refresh_s=0.0), store=watched)
    Registry(watched.inner).promote("flowers", "1.2.0")
    time.sleep(predictor_module.LOOK_AGAIN_S)
    for _ in range(3):
        with pytest.raises(UnknownVersionError):
            predictor.choose(parse_pin("7.7.7"))
    assert (version_of(predictor), watched.count("manifest.json")) == ("1.0.0", 1)


def test_a_manifest_that_went_back_is_refused(watched: Watched) -> None:
    """An older manifest that somebody puts in place does not bring an older version back."""
    old = watched.read("flowers/manifest.json").data
    Registry(watched.inner).promote("flowers", "1.2.0")
    predictor = boot(settings(refresh_s=SOON_S), store=watched)
    replace_object(watched, "flowers/manifest.json", old)
    assert eventually(lambda: version_of(predictor) == "1.2.0" and predictor.problem != "")
    revision = predictor.serving.manifest.revision
    assert predictor.problem == f"the manifest went back from revision {revision} to {revision - 1}"


def test_many_requests_cause_one_look_at_a_time(watched: Watched) -> None:
    """While somebody looks, requests go on with what is there and nobody else looks."""
    predictor = boot(settings(refresh_s=SOON_S), store=watched)
    door = watched.shut("manifest.json")
    assert eventually(lambda: version_of(predictor) == "1.0.0" and watched.count("manifest.json") == 2)
    assert [version_of(predictor) for _ in range(200)] == ["1.0.0"] * 200
    assert watched.count("manifest.json") == 2
    door.set()


def test_a_version_that_was_just_published_is_found(watched: Watched) -> None:
    """A request for an unknown version has the manifest read again, at most once a second, however many there are."""
    predictor = boot(settings(refresh_s=1000.0), store=watched)
    with pytest.raises(UnknownVersionError):
        predictor.choose(parse_pin("7.7.7"))
    assert watched.count("manifest.json") == 1, "it has just looked"
    time.sleep(predictor_module.LOOK_AGAIN_S)
    door = watched.shut("manifest.json")
    with ThreadPoolExecutor(16) as pool:
        asking = [pool.submit(version_of, predictor, "7.7.7") for _ in range(64)]
        watched.wait_at_door()
        time.sleep(0.2)  # the other threads come to wait for the one that looks
        door.set()
        errors = [future.exception() for future in asking]
    assert {type(error) for error in errors} == {UnknownVersionError}
    assert watched.count("manifest.json") == 2
    Registry(watched.inner).promote("flowers", "1.2.0", alias="new")
    time.sleep(predictor_module.LOOK_AGAIN_S)
    with pytest.raises(MustWait):
        predictor.choose(parse_pin("new"), wait=False)
    assert version_of(predictor, "new") == "1.2.0"
    assert watched.count("manifest.json") == 3


def test_an_unknown_version_lists_the_known_ones(watched: Watched) -> None:
    """Whoever asks for what is not there learns what is."""
    predictor = boot(settings(), store=watched)
    with pytest.raises(UnknownVersionError) as caught:
        predictor.choose(parse_pin("7.7.7"))
    assert caught.value.details == {
        "known": ["0.9.0", "1.0.0", "1.1.0", "1.2.0"],
        "aliases": {"stable": "1.0.0", "canary": "1.1.0"},
    }


def test_a_withdrawn_version_is_not_served(watched: Watched) -> None:
    """Neither from the beginning nor, once the manifest says so, when it was loaded before."""
    predictor = boot(settings(refresh_s=SOON_S), store=watched)
    with pytest.raises(WithdrawnVersionError) as caught:
        predictor.choose(parse_pin("0.9.0"))
    assert caught.value.details == {"known": ["1.0.0", "1.1.0", "1.2.0"]}
    assert version_of(predictor, "1.2.0") == "1.2.0"
    Registry(watched.inner).withdraw("flowers", "1.2.0")

    def refused() -> bool:
        try:
            version_of(predictor, "1.2.0")
        except WithdrawnVersionError:
            return True
        return False

    assert eventually(refused)


def test_a_digest_that_a_version_does_not_have_is_an_unknown_version(watched: Watched) -> None:
    """A client that states a wrong digest made a mistake; the bucket is not at fault."""
    predictor = boot(settings(), store=watched)
    digest = Registry(watched).manifest("flowers").versions["1.2.0"].artifacts["skops"].sha256
    assert version_of(predictor, f"1.2.0@sha256:{digest}") == "1.2.0"
    with pytest.raises(UnknownVersionError) as caught:
        predictor.choose(parse_pin(f"1.2.0@sha256:{'0' * 64}"))
    assert caught.value.details == {"known": [f"1.2.0@sha256:{digest}"]}


def test_the_same_artifact_is_not_loaded_twice_for_two_ways_to_ask_for_it(watched: Watched) -> None:
    """A label, an alias and a digest that mean the same bytes share one loaded version."""
    predictor = boot(settings(), store=watched)
    digest = Registry(watched).manifest("flowers").versions["1.1.0"].artifacts["skops"].sha256
    for pin in ("1.1.0", "canary", f"1.1.0@sha256:{digest}"):
        version_of(predictor, pin)
    assert watched.count(artifact_path(watched, "1.1.0")) == 1


def test_promoting_and_asking_at_once_never_mixes_versions(watched: Watched) -> None:
    """While the alias moves to and fro, every request is answered by one version, with its own digest."""
    registry = Registry(watched.inner)
    predictor = boot(settings(refresh_s=SOON_S), store=watched)
    digests = {
        label: version.artifacts["skops"].sha256 for label, version in registry.manifest("flowers").versions.items()
    }
    stop = threading.Event()
    mixed: list[Any] = []

    def ask() -> None:
        while not stop.is_set():
            chosen = predictor.choose(None)
            loaded = predictor.load(chosen)
            seen = (chosen.resolved.version, chosen.record.version, loaded.record.version, loaded.sha256)
            if seen != (seen[0], seen[0], seen[0], digests[seen[0]]) or chosen.manifest.aliases["stable"] != seen[0]:
                mixed.append(seen)

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        for version in ("1.2.0", "1.0.0", "1.1.0", "1.0.0"):
            registry.promote("flowers", version)
            assert eventually(lambda version=version: predictor.serving.resolved.version == version)  # type: ignore[misc]
        stop.set()
        for future in asking:
            future.result()
    assert mixed == []


def test_a_bug_while_looking_is_logged_and_the_next_look_works(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    """What is no error of ours ends that look only."""
    predictor = boot(settings(refresh_s=SOON_S), store=watched)
    inner, watched.inner = watched.inner, None  # type: ignore[assignment]
    assert eventually(lambda: version_of(predictor) == "1.0.0" and "a bug" in caplog.text)
    watched.inner = inner
    Registry(inner).promote("flowers", "1.2.0")
    assert eventually(lambda: version_of(predictor) == "1.2.0")


def test_errors_of_choosing_are_ours(watched: Watched) -> None:
    """Whatever a request names, choosing gives a version or one of our errors."""
    predictor = boot(settings(), store=watched)
    for name in ("x", "1", "1.0.0.0", "STABLE", "a" * 64):
        with pytest.raises(RegistryError):
            predictor.choose(parse_pin(name))
