"""What is read off an estimator, and what a publisher gets wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from registry import Registry
from registry.describe import describe_estimator, describe_signature, example_rows
from registry.errors import InputError, UntrustedTypeError
from registry.signature import Column
from registry.stores.memory import MemoryStore
from tests.fixtures.models import PETALS, SPECIES

CLASSIFIER = LogisticRegression().fit(PETALS, SPECIES)
VALUES = PETALS.sum(axis=1)


def test_a_signature_is_read_off_the_estimator_and_its_inputs() -> None:
    """Ordered columns with what training saw, the task, the classes and their labels as text."""
    signature = describe_signature(CLASSIFIER, PETALS, columns=["length", Column(name="width", minimum=0.0)])
    assert signature.columns == (
        Column(name="length", observed_minimum=1.0, observed_maximum=6.5),
        Column(name="width", minimum=0.0, observed_minimum=0.2, observed_maximum=2.4),
    )
    assert (signature.task, signature.classes, signature.class_names) == ("classification", (0, 1, 2), ("0", "1", "2"))
    assert describe_signature(LinearRegression().fit(PETALS, VALUES), PETALS).task == "regression"


@pytest.mark.parametrize(
    ("classes", "given", "names"),
    [
        ([0, 1, 2], ["a", "b", "c"], ("a", "b", "c")),
        ([0, 1, 2], {0: "a", 2: "c"}, ("a", "1", "c")),
        (["x", "y", "z"], None, ("x", "y", "z")),
        ([False, True, True], None, ("False", "True")),
    ],
)
def test_classes_get_their_labels(classes: list[Any], given: Any, names: tuple[str, ...]) -> None:
    """In order, by class, or as text."""
    estimator = DecisionTreeClassifier().fit(PETALS, np.array(classes)[SPECIES])
    signature = describe_signature(estimator, PETALS, class_names=given)
    assert signature.class_names == names
    assert list(signature.classes) == sorted(set(classes))


REFUSED: list[tuple[Any, dict[str, Any], str]] = [
    (CLASSIFIER, {"inputs": [["a", "b"]]}, "the inputs are not a table of numbers: "),
    (CLASSIFIER, {"inputs": PETALS[0]}, "expected inputs of shape (n_rows, n_columns), not (2,)"),
    (CLASSIFIER, {"inputs": PETALS[:0]}, "expected inputs of shape (n_rows, n_columns), not (0, 2)"),
    (CLASSIFIER, {"columns": ["a"]}, "1 columns were named, and the inputs have 2"),
    (CLASSIFIER, {"columns": ["a", "a"]}, "column names must be there and differ, not ['a', 'a']"),
    (CLASSIFIER, {"columns": ["a", ""]}, "column names must be there and differ, not ['a', '']"),
    (CLASSIFIER, {"columns": ["features", "b"]}, "no column can be called 'features': it has a meaning of its own"),
    (
        CLASSIFIER,
        {"columns": [Column(name="a", maximum=float("inf")), "b"]},
        "the limits of column 'a' must be finite numbers",
    ),
    (CLASSIFIER, {"class_names": ["a", "b"]}, "expected one label for each of the classes (0, 1, 2), not ('a', 'b')"),
    (CLASSIFIER, {"class_names": ["a", "b", "b"]}, "expected one label for each of the classes (0, 1, 2), not"),
    (
        CLASSIFIER,
        {"inputs": PETALS[:, :1]},
        "LogisticRegression was fitted on 2 columns, and the inputs have 1",
    ),
    (CLASSIFIER, {"version": "latest"}, "'latest' cannot name a version: "),
    (CLASSIFIER, {"version": "a", "promote": "a"}, "'a' cannot name a version and an alias of it"),
    (CLASSIFIER, {"promote": "1.0"}, "'1.0' cannot be an alias: "),
    (LogisticRegression(), {}, "LogisticRegression is not fitted"),
    (make_pipeline(StandardScaler(), Ridge()), {}, "Pipeline is not fitted"),
    ({"a": 1}, {}, "dict has no predict"),
    (StandardScaler().fit(PETALS), {}, "StandardScaler has no predict"),
    (
        RandomForestClassifier(2).fit(PETALS, np.column_stack([SPECIES, SPECIES])),
        {},
        "RandomForestClassifier has several outputs; a model has one",
    ),
    (
        LinearRegression().fit(PETALS, np.column_stack([VALUES, VALUES])),
        {},
        "a model answers one value a row, not an array of shape (2,) a row",
    ),
    (
        make_pipeline(FunctionTransformer(lambda rows: rows), Ridge()).fit(PETALS, VALUES),
        {},
        "the artifact ",
    ),
]


@pytest.mark.parametrize(("estimator", "arguments", "message"), REFUSED)
def test_what_cannot_be_published_is_refused_before_anything_is_written(
    estimator: Any, arguments: dict[str, Any], message: str
) -> None:
    """The caller is told what is wrong, and the registry stays as it was."""
    store = MemoryStore()
    with pytest.raises((InputError, UntrustedTypeError)) as caught:
        Registry(store).publish("m", estimator, **{"inputs": PETALS, **arguments})
    assert caught.value.message.startswith(message)
    assert list(store.list()) == []


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (KMeans(3, random_state=0, n_init=1).fit(PETALS), "sklearn.cluster._kmeans.KMeans"),
        (
            make_pipeline(CountVectorizer(), LogisticRegression()).fit(["a bc", "de fg"], [0, 1]),
            "sklearn.feature_extraction.text.CountVectorizer",
        ),
    ],
)
def test_what_no_server_would_load_is_not_published(estimator: Any, name: str) -> None:
    """The same audit as on the server, before anything is written."""
    store = MemoryStore()
    with pytest.raises(UntrustedTypeError) as caught:
        Registry(store).publish("m", estimator, inputs=PETALS)
    assert name in caught.value.details["untrusted"]
    assert list(store.list()) == []


def test_rounding_is_no_difference() -> None:
    """An estimator that keeps the very rows it is asked about adds them up in another order than its copy does."""
    rows = np.random.default_rng(0).normal(size=(100, 8))
    estimator = KernelRidge().fit(rows, rows.sum(axis=1))
    assert Registry(MemoryStore()).publish("m", estimator, inputs=rows).created


def test_parameters_are_json() -> None:
    """Of a pipeline, all steps; what is not JSON, as text."""
    name, parameters = describe_estimator(make_pipeline(StandardScaler(), LogisticRegression(class_weight={0: 2.0})))
    assert name == "sklearn.linear_model._logistic.LogisticRegression"
    assert parameters["standardscaler__with_mean"] is True
    assert parameters["standardscaler"] == "StandardScaler"
    assert parameters["logisticregression__class_weight"] == "{0: 2.0}"
    assert describe_estimator(Ridge(alpha=np.float64(0.5)))[1]["alpha"] == 0.5
    assert describe_estimator(Ridge(alpha=float("inf")))[1]["alpha"] == "inf"


def test_examples_are_finite_rows_from_all_over() -> None:
    """They warm a server, and nothing that was missing in training can do that."""
    rows = np.array([[np.nan, 1.0], *[[float(number), 0.0] for number in range(9)], [np.inf, 1.0]])
    assert example_rows(rows) == [[0.0, 0.0], [2.0, 0.0], [4.0, 0.0], [6.0, 0.0], [8.0, 0.0]]
    assert example_rows(rows[:1]) == []
