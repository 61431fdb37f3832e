"""What the recipes publish: the same bytes everywhere, measured honestly, and described for a person."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from registry import Registry
from registry.digest import is_sha256
from registry.errors import InputError
from registry.formats.skops import load
from registry.layout import object_path
from registry.record import Record
from tests.trainer.conftest import Demo
from trainer.recipes import SEED, known_recipes, open_recipe
from trainer.training import HELD_OUT, fingerprint, train

RECIPES = known_recipes()


def published(folder: Path, recipe: str) -> Record:
    wanted = open_recipe(recipe)
    return Registry(folder.as_uri()).record(wanted.model, wanted.version)


def test_there_are_four_recipes() -> None:
    """Each publishes a version of its own."""
    assert RECIPES == ["digits-forest", "iris-forest", "iris-logistic", "linear3"]
    assert len({(open_recipe(name).model, open_recipe(name).version) for name in RECIPES}) == len(RECIPES)


def test_an_unknown_recipe_is_answered_with_the_known_ones() -> None:
    """Nothing outside the package of recipes can be imported through a name."""
    for name in ("nope", "_private", "iris_forest", "../training", ""):
        with pytest.raises(InputError, match="there is no recipe"):
            open_recipe(name)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_gives_the_same_bytes_in_every_process(demo: Demo, name: str) -> None:
    """Neither the hash seed nor the number of jobs nor the registry makes a difference to artifact and description."""
    recipe = open_recipe(name)
    first, second = (Registry(folder.as_uri()).manifest(recipe.model) for folder in (demo.first, demo.second))
    assert first.versions[recipe.version].artifacts == second.versions[recipe.version].artifacts
    assert published(demo.first, name).content() == published(demo.second, name).content()


def test_the_digest_that_is_printed_is_the_one_that_is_published(demo: Demo) -> None:
    """Anyone can train a recipe again and compare."""
    manifest = Registry(demo.first.as_uri()).manifest("iris")
    assert train("iris-logistic").digest() == manifest.versions["1.0.0"].artifacts["skops"].sha256
    assert train("iris-forest", jobs=3).digest() == manifest.versions["1.1.0"].artifacts["skops"].sha256


def test_publishing_the_same_training_again_changes_nothing() -> None:
    """The second publication finds the first one, card and metrics included."""
    registry = Registry("memory://")
    first = train("iris-forest").publish(registry)
    again = train("iris-forest", jobs=2).publish(registry)
    assert (first.created, again.created) == (True, False)
    assert (first.sha256, first.revision) == (again.sha256, again.revision)


@pytest.mark.parametrize(
    ("name", "metric", "least"),
    [
        ("digits-forest", "accuracy", 0.95),
        ("iris-forest", "accuracy", 0.9),
        ("iris-logistic", "accuracy", 0.9),
        ("linear3", "r2", 0.999),
    ],
)
def test_metrics_are_those_of_rows_that_the_model_never_saw(demo: Demo, name: str, metric: str, least: float) -> None:
    """Good, and not too good: the published model was fitted on the training rows only."""
    record = published(demo.first, name)
    n_rows = len(open_recipe(name).load().inputs)
    assert record.data is not None
    assert record.data.n_rows == n_rows - int(np.ceil(n_rows * HELD_OUT))
    assert least <= record.metrics[metric] < 1


@pytest.mark.parametrize("name", RECIPES)
def test_the_record_says_how_the_version_came_about(demo: Demo, name: str) -> None:
    """Data, seed and training time stand in it; the code revision is a commit, where there is one."""
    record = published(demo.first, name)
    assert record.data is not None
    assert is_sha256(record.data.sha256)
    assert record.seed == SEED
    assert record.run.training_s is not None
    assert record.run.training_s >= 0
    assert record.run.code_revision is None or len(record.run.code_revision.removesuffix("-dirty")) == 40


@pytest.mark.parametrize("name", RECIPES)
def test_the_card_says_what_a_person_should_know(demo: Demo, name: str) -> None:
    """What it is, from which data, how good, what for, and what not for."""
    record = published(demo.first, name)
    assert record.data is not None
    headings = [line for line in record.card.splitlines() if line.startswith("#")]
    assert headings == [
        f"# {name}",
        "## Data",
        "## Model",
        "## Metrics",
        "## Intended use",
        "## Limits",
        "## Reproduce",
    ]
    assert record.data.sha256 in record.card
    for metric, value in record.metrics.items():
        assert f"| {metric} | {value:g} |" in record.card


def test_iris_logistic_answers_integers_with_labels(demo: Demo) -> None:
    """The estimator itself returns 0, 1 or 2."""
    signature = published(demo.first, "iris-logistic").signature
    assert signature.classes == (0, 1, 2)
    assert signature.class_names == ("setosa", "versicolor", "virginica")
    assert signature.feature_names == ["sepal_length", "sepal_width", "petal_length", "petal_width"]


def test_iris_forest_answers_names_and_wants_positive_lengths(demo: Demo) -> None:
    """The estimator itself returns a name, and every column has a declared limit."""
    record = published(demo.first, "iris-forest")
    assert record.signature.classes == ("setosa", "versicolor", "virginica")
    assert {column.exclusive_minimum for column in record.signature.columns} == {0.0}
    assert record.parameters["n_estimators"] == 100
    assert record.parameters.get("n_jobs") is None


def test_linear3_answers_about_ten_to_one_two_three(demo: Demo) -> None:
    """The sum that can be done in the head."""
    registry = Registry(demo.first.as_uri())
    ref = registry.manifest("linear3").versions["1.0"].artifacts["skops"]
    runtime = load(registry.store.read(object_path("linear3", ref.path)).data, trusted=frozenset(), n_columns=3)
    assert runtime.predict(np.array([[1.0, 2.0, 3.0]])).values == pytest.approx([10.0], abs=0.01)


def test_digits_has_a_column_for_each_pixel(demo: Demo) -> None:
    """Row by row, each from paper to ink."""
    record = published(demo.first, "digits-forest")
    columns = record.signature.columns
    assert [column.name for column in columns][:9:8] == ["pixel_0_0", "pixel_1_0"]
    assert (len(columns), columns[-1].name) == (64, "pixel_7_7")
    assert {(column.minimum, column.maximum) for column in columns} == {(0.0, 16.0)}
    assert record.parameters["n_estimators"] == 300


def test_the_fingerprint_depends_on_values_and_shape_alone() -> None:
    """Not on the order in memory, nor on the byte order of the machine."""
    array = np.arange(6, dtype=np.float64).reshape(2, 3)
    assert fingerprint(array) == fingerprint(np.asfortranarray(array)) == fingerprint(array.astype(">f8"))
    assert fingerprint(np.array([1, 2], dtype=np.int32)) == fingerprint(np.array([1, 2], dtype=np.uint8))
    others = [array.reshape(3, 2), array + 1e-12, array.astype(np.int64), array[:1]]
    assert fingerprint(array) not in {fingerprint(other) for other in others}
    assert fingerprint(np.array(["a", "bc"])) != fingerprint(np.array(["ab", "c"]))


def test_the_fingerprint_is_golden() -> None:
    """It stands in published records, so a changed byte is a decision."""
    assert fingerprint(np.array([[1.0, 2.0]]), np.array(["setosa"])) == (
        "91e66d66bca9565c3e96dd2f8e6e09a119e3d2f40a0ddc95de36f937c40ed6a1"
    )
