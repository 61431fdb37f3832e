"""Rule 2: nothing published is ever replaced."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from registry import Registry
from registry.errors import ConflictError
from registry.stores import Store
from registry.stores.memory import MemoryStore
from tests.format.scenarios import MODEL, SCENARIOS, STEPS, chain, line, problems, publish
from tests.format.stores import Recording, Wrapped


def contents(store: Store) -> dict[str, tuple[int, bytes]]:
    """Return every object with its generation and bytes."""
    return {entry.path: (entry.generation, store.read(entry.path).data) for entry in store.list()}


@pytest.mark.parametrize("version", ["1.0.0", None])
def test_publishing_the_same_again_changes_nothing(store: Store, version: str | None) -> None:
    """Publishing the same content to the same version again is a no-op."""
    first = publish(store, "1.0.0", 1.0, metrics={"r2": 1.0})
    before = contents(store)
    again = publish(store, version, 1.0, metrics={"r2": 1.0})
    assert (first.created, again.created) == (True, False)
    assert (again.version, again.sha256, again.record) == ("1.0.0", first.sha256, first.record)
    assert contents(store) == before


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"metrics": {"r2": 0.5}}, "metrics.r2: 1.0 -> 0.5"),
        ({"seed": 8}, "seed: 7 -> 8"),
        ({"card": "# Other"}, "card: '' -> '# Other'"),
        ({"columns": ["a", "c"]}, "signature.columns:"),
    ],
)
def test_other_content_is_a_conflict_that_says_what_differs(change: dict[str, object], difference: str) -> None:
    """Different content is a ConflictError that says what differs, and nothing is written."""
    store, about = MemoryStore(), {"metrics": {"r2": 1.0}, "seed": 7, "columns": ["a", "b"]}
    publish(store, "1.0.0", 1.0, **about)
    before = contents(store)
    with pytest.raises(ConflictError) as caught:
        publish(store, "1.0.0", 1.0, **{**about, **change})
    assert caught.value.details["differences"][0].startswith(difference)
    assert contents(store) == before


def test_another_model_under_a_published_version_is_a_conflict(store: Store) -> None:
    """The whole sentence names the version, both digests and what to do."""
    first = publish(store, "1.0.0", 1.0)
    before = contents(store)
    other = publish(MemoryStore(), "1.0.0", 2.0)
    with pytest.raises(ConflictError) as caught:
        publish(store, "1.0.0", 2.0)
    assert caught.value.message == (
        f"version '1.0.0' of model 'line' is published with other content "
        f"(artifacts.skops: {first.sha256!r} -> {other.sha256!r}). "
        "A published version never changes: choose another label"
    )
    assert contents(store) == before


def test_without_a_label_other_facts_about_the_same_bytes_are_a_conflict() -> None:
    """A publisher who names no version gets the one that has these bytes, so other facts about it are a conflict."""
    store = MemoryStore()
    publish(store, "1.0.0", 1.0, metrics={"r2": 1.0})
    with pytest.raises(ConflictError, match=r"^version '1\.0\.0' .* \(metrics\.r2: 1\.0 -> 0\.5\)"):
        publish(store, None, 1.0, metrics={"r2": 0.5})


@pytest.mark.parametrize("name", SCENARIOS)
def test_only_the_manifest_is_ever_replaced(name: str, store: Store) -> None:
    """manifest.json is the only object that is ever replaced, and no verb but gc deletes."""
    SCENARIOS[name].prepare(store)
    before = contents(store)
    recording = Recording(store)
    SCENARIOS[name].act(recording)
    assert {path for call, path in recording.calls if call == "replace"} <= {f"{MODEL}/manifest.json"}
    assert not [path for call, path in recording.calls if call == "delete"]
    after = contents(store)
    manifest = f"{MODEL}/manifest.json"
    assert {path: found for path, found in after.items() if path in before and path != manifest} == {
        path: found for path, found in before.items() if path != manifest
    }


def test_the_first_of_two_writers_of_one_version_keeps_it(store: Store) -> None:
    """When somebody publishes other content under the label between our look and our swap, theirs stays."""

    class Beaten(Wrapped):
        beaten = False

        def create(self, path: str, data: object) -> int:
            if not self.beaten:
                self.beaten = True
                publish(self.inner, "1.0.0", 2.0)
            return super().create(path, data)  # type: ignore[arg-type]  # passed on as it came

    with pytest.raises(ConflictError, match=r"^version '1\.0\.0' of model 'line' is published with other content"):
        publish(Beaten(store), "1.0.0", 1.0)
    assert problems(store) == []
    assert len(chain(store)) == 1
    found = Registry(store).manifest(MODEL).versions["1.0.0"].artifacts["skops"].sha256
    assert found == publish(MemoryStore(), "1.0.0", 2.0).sha256


def test_pulling_cannot_replace_a_version_either() -> None:
    """A registry that has other content under the label keeps it."""
    source, target = MemoryStore(), MemoryStore()
    publish(source, "1.0.0", 1.0)
    publish(target, "1.0.0", 2.0)
    before = contents(target)
    with pytest.raises(ConflictError):
        Registry(source).pull(MODEL, "1.0.0", target)
    after = contents(target)
    assert {path: after[path] for path in before} == before


def test_what_cannot_be_recorded_is_refused_before_anything_is_written() -> None:
    """A metric that JSON has no number for would make a record that no server can read."""
    from registry.errors import InputError

    store = MemoryStore()
    for metrics, message in [
        ({"r2": float("nan")}, "this cannot be recorded: metrics.r2: Input should be a finite number"),
        (
            {"r2": "good"},
            "this cannot be recorded: metrics.r2: Input should be a valid number, unable to parse string as a number",
        ),
    ]:
        with pytest.raises(InputError) as caught:
            Registry(store).publish(MODEL, line(1.0), inputs=STEPS, metrics=metrics)
        assert caught.value.message == message
    assert list(store.list()) == []


def test_an_estimator_without_exact_arithmetic_is_proved_on_its_inputs() -> None:
    """What is published predicts what the estimator predicts, bit by bit."""
    noisy = np.random.default_rng(0).normal(size=(50, 2))
    estimator = LinearRegression().fit(noisy, noisy @ np.array([0.3, 0.7]))
    published = Registry(MemoryStore()).publish(MODEL, estimator, inputs=noisy)
    assert published.created
