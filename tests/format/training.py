"""Train the same models again, and print the digest of each: ``python -m tests.format.training``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
)
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, StandardScaler
from sklearn.svm import SVC

from registry.digest import sha256
from registry.formats.skops import dump


def _categorical(rows: Any, classes: Any) -> Any:
    whole = np.column_stack([rows[:, :3], rows[:, 3].round()])
    return HistGradientBoostingClassifier(max_iter=3, categorical_features=[3], random_state=0).fit(whole, classes)


TRAININGS: dict[str, Callable[[Any, Any], Any]] = {
    "logistic": lambda rows, classes: make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(
        rows, classes
    ),
    "forest": lambda rows, classes: RandomForestClassifier(10, random_state=0).fit(rows, classes),
    "parallel forest": lambda rows, classes: RandomForestClassifier(10, random_state=0, n_jobs=2).fit(rows, classes),
    "boosting": lambda rows, classes: GradientBoostingClassifier(n_estimators=3, random_state=0).fit(rows, classes),
    "histogram boosting": lambda rows, classes: HistGradientBoostingClassifier(max_iter=3, random_state=0).fit(
        rows, classes
    ),
    "categorical boosting": _categorical,
    "perceptron": lambda rows, classes: MLPClassifier((5,), max_iter=300, tol=0.1, random_state=0).fit(rows, classes),
    "vectors": lambda rows, classes: SVC(random_state=0).fit(rows, classes),
    "descent": lambda rows, classes: SGDClassifier(random_state=0).fit(rows, classes),
    "neighbours": lambda rows, classes: KNeighborsClassifier().fit(rows, classes),
    "bins": lambda rows, classes: make_pipeline(
        KBinsDiscretizer(quantile_method="averaged_inverted_cdf"), LogisticRegression()
    ).fit(rows, classes),
    "names": lambda rows, classes: GaussianNB().fit(rows, np.array(["setosa", "versicolor", "virginica"])[classes]),
    "stack": lambda rows, classes: StackingClassifier(
        [("a", GaussianNB()), ("b", LogisticRegression(max_iter=1000))]
    ).fit(rows, classes),
    "set": lambda rows, classes: _with_a_set(LogisticRegression(max_iter=1000).fit(rows, classes)),
}


def _with_a_set(estimator: Any) -> Any:
    estimator.metadata_ = {"plain": set("abcdefghij"), "pairs": {(letter, 1) for letter in "abcdefghij"}}
    return estimator


def main() -> None:
    rows, classes = load_iris(return_X_y=True)
    print(json.dumps({name: sha256(dump(train(rows, classes))) for name, train in TRAININGS.items()}))


if __name__ == "__main__":
    main()
