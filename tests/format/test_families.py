"""What may be published: every common estimator goes through the allow-list and predicts what it predicted."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris

from registry.errors import UntrustedTypeError
from registry.formats._allowlist import ESTIMATORS
from registry.formats._audit import audit
from registry.formats._canonical import canonical
from registry.formats.skops import dump, load
from tests.format.families import (
    PIPELINES,
    REFUSED,
    REGRESSIONS,
    UNREADABLE,
    classifiers,
    regressors,
)

pytestmark = pytest.mark.filterwarnings("ignore:Class PassiveAggressive:FutureWarning")

FLOWERS, SPECIES = load_iris(return_X_y=True)
BINARY = {"FixedThresholdClassifier", "TunedThresholdClassifierCV"}
ONE_COLUMN = {"IsotonicRegression"}


def fitted(make: Any, rows: Any, targets: Any) -> Any:
    """Make an estimator and fit it, whatever it has to say about so few rows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make().fit(rows, targets)


def flowers(name: str) -> tuple[Any, Any]:
    return (FLOWERS[:100], SPECIES[:100]) if name in BINARY else (FLOWERS, SPECIES)


def patients(name: str) -> tuple[Any, Any]:
    rows, targets = load_diabetes(return_X_y=True)
    return (rows[:150, :1] if name in ONE_COLUMN else rows[:150]), targets[:150]


def check_round_trip(estimator: Any, rows: Any) -> None:
    """Dump an estimator, load it with no extra trust, and compare what the two predict."""
    data = dump(estimator)
    assert canonical(data) == data
    loaded = load(data, trusted=frozenset(), n_columns=rows.shape[1])
    answers = loaded.predict(rows.copy())
    expected = estimator.predict(rows.copy())
    if expected.dtype.kind == "f":
        assert_rounded_alike(answers.values, expected)
    else:
        assert answers.values.tolist() == expected.tolist()
    if answers.probabilities is not None:
        assert_rounded_alike(answers.probabilities, estimator.predict_proba(rows.copy()))


def assert_rounded_alike(found: Any, expected: Any) -> None:
    """Compare up to the last bits: arrays that lie otherwise in memory are added up in another order."""
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12 * float(np.abs(expected).max()))


@pytest.mark.parametrize("name", sorted(classifiers().keys() - REFUSED.keys()))
def test_every_classifier_is_served_as_it_is(name: str) -> None:
    """Dumped, loaded with no extra trust, it predicts the same."""
    rows, targets = flowers(name)
    check_round_trip(fitted(classifiers()[name], rows, targets), rows)


@pytest.mark.parametrize("name", sorted(regressors().keys() - REFUSED.keys()))
def test_every_regressor_is_served_as_it_is(name: str) -> None:
    """Dumped, loaded with no extra trust, it predicts the same."""
    rows, targets = patients(name)
    check_round_trip(fitted(regressors()[name], rows, targets), rows)


@pytest.mark.parametrize("name", PIPELINES)
def test_common_pipelines_are_served_as_they_are(name: str) -> None:
    """Imputers, encoders, column transformers, searches, stacks, calibration: the same."""
    check_round_trip(fitted(PIPELINES[name], FLOWERS, SPECIES), FLOWERS)


@pytest.mark.parametrize("name", REGRESSIONS)
def test_common_regressions_are_served_as_they_are(name: str) -> None:
    """Losses and transformed targets: the same."""
    rows, targets = patients(name)
    check_round_trip(fitted(REGRESSIONS[name], rows, targets), rows)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_left_out_is_left_out_for_a_reason(name: str) -> None:
    """An estimator outside the list is refused by name; the table says why it is outside."""
    make = {**classifiers(), **regressors()}[name]
    with pytest.raises(UntrustedTypeError, match=rf"\b{name}\b"):
        audit(dump(fitted(make, FLOWERS, SPECIES)), trusted=frozenset())


@pytest.mark.parametrize("name", UNREADABLE)
def test_parts_that_are_left_out_are_refused(name: str) -> None:
    """A common estimator with a part outside the list is refused as a whole; the table says why."""
    make, _ = UNREADABLE[name]
    with pytest.raises(UntrustedTypeError, match=r"^the artifact names what this server does not allow: "):
        audit(dump(fitted(make, FLOWERS, SPECIES)), trusted=frozenset())


def test_an_operator_can_add_what_is_left_out() -> None:
    """With the names that the error lists, the same artifact loads."""
    from sklearn.semi_supervised import LabelPropagation

    data = dump(fitted(LabelPropagation, FLOWERS, SPECIES))
    with pytest.raises(UntrustedTypeError) as caught:
        load(data, trusted=frozenset(), n_columns=4)
    loaded = load(data, trusted=frozenset(caught.value.details["untrusted"]), n_columns=4)
    assert loaded.predict(FLOWERS).values.tolist() == SPECIES.tolist()


def test_every_name_on_the_list_is_there() -> None:
    """A name that scikit-learn does not have is a misspelt one, or one of another version."""
    import importlib

    missing = [
        f"{module}.{name}"
        for module, names in ESTIMATORS.items()
        for name in names
        if not hasattr(importlib.import_module(module), name)
    ]
    assert missing == []


def test_a_model_fitted_on_a_table_is_served_by_position() -> None:
    """Column names of a table are in the artifact, and rows by position are answered without a warning."""
    from sklearn.linear_model import LogisticRegression

    estimator = LogisticRegression(max_iter=500).fit(FLOWERS, SPECIES)
    expected = estimator.predict(FLOWERS).tolist()
    estimator.feature_names_in_ = np.array(["a", "b", "c", "d"], dtype=object)  # what fitting on a table leaves
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        estimator.predict(FLOWERS)
    loaded = load(dump(estimator), trusted=frozenset(), n_columns=4)
    assert loaded.estimator.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    assert loaded.predict(FLOWERS).values.tolist() == expected
