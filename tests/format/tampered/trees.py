"""Trees, forests and boosting that lead where nothing is."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.tree._tree import Tree

from registry.formats.skops import dump
from tests.format.archives import archive, dict_node, json_node, unpack
from tests.format.tampered.parts import CLASSES, FAR, N_COLUMNS, ROWS, TWO, UNSAFE, VALUES, Case


def with_nodes(tree: Any, n_features: int | None = None, place: int = 0, **columns: Any) -> Any:
    """Return a tree with other numbers in one of its nodes."""
    state = tree.__getstate__()
    state["nodes"] = state["nodes"].copy()
    for name, value in columns.items():
        state["nodes"][name][place] = value
    made = Tree(n_features or tree.n_features, np.full(1, tree.max_n_classes, dtype=np.intp), 1)
    made.__setstate__(state)
    return made


def decision_tree(**changes: Any) -> Any:
    """Return a decision tree with other numbers in one of its nodes."""
    estimator = DecisionTreeClassifier(max_depth=3, random_state=0).fit(ROWS, CLASSES)
    estimator.tree_ = with_nodes(estimator.tree_, **changes)
    return estimator


def wide_tree(kind: Any = DecisionTreeClassifier, target: Any = CLASSES) -> Any:
    """Return a tree over more columns than the estimator around it takes."""
    estimator = kind(max_depth=2, random_state=0).fit(ROWS, target)
    estimator.tree_ = with_nodes(estimator.tree_, n_features=FAR, feature=FAR - 1)
    return estimator


def written_tree(**state: Any) -> bytes:
    """Return the archive of a decision tree whose state says something else; None leaves nothing of it."""
    schema, members = unpack(dump(decision_tree()))
    tree = schema["content"]["content"]["tree_"]
    for name, value in state.items():
        tree["content"]["content"][name] = json_node(value)
    if not state:
        tree["content"] = dict_node({})
    return archive(schema, members)


def forest() -> Any:
    return RandomForestClassifier(3, max_depth=2, random_state=0).fit(ROWS, CLASSES)


def forest_of_the_wide() -> Any:
    """Return a forest with a member that was fitted on more columns: members get rows unchecked."""
    estimator = forest()
    member = DecisionTreeClassifier(max_depth=2, random_state=3).fit(np.hstack([ROWS] * 100), CLASSES)
    member.tree_ = with_nodes(member.tree_, feature=399)
    estimator.estimators_[1] = member
    return estimator


def forest_of_others() -> Any:
    estimator = forest()
    estimator.estimators_[1] = LogisticRegression().fit(ROWS, CLASSES)
    return estimator


def forest_that_checks_nothing() -> Any:
    """Return a forest whose own check of its rows is hidden by a function that lets everything through."""
    estimator = forest()
    estimator._validate_X_predict = np.abs
    return estimator


def far_below(inner: Any) -> Any:
    """Return an estimator that holds another one somewhere."""
    outer = AdaBoostClassifier(n_estimators=2, random_state=0).fit(ROWS, CLASSES)
    outer.extra = {"deep": [np.array([None, (inner,)], dtype=object)]}
    return outer


def boosting(**attributes: Any) -> Any:
    """Return a boosting of three classes with other attributes."""
    estimator = GradientBoostingClassifier(n_estimators=2, max_depth=2, random_state=0).fit(ROWS, CLASSES)
    for name, value in attributes.items():
        setattr(estimator, name, value)
    return estimator


def boosting_with_too_many_trees() -> Any:
    """Return a boosting of two classes with three trees a stage: it would write beyond its values."""
    estimator = GradientBoostingClassifier(n_estimators=2, max_depth=2, random_state=0).fit(ROWS, TWO)
    estimator.estimators_ = boosting().estimators_
    return estimator


def boosting_of_classifiers() -> Any:
    """Return a boosting whose trees have three values a leaf, where it reads one."""
    tree = DecisionTreeClassifier(max_depth=2, random_state=0).fit(ROWS, CLASSES)
    return boosting(estimators_=np.full((2, 3), tree, dtype=object))


def boosting_with_a_wide_tree() -> Any:
    estimator = GradientBoostingRegressor(n_estimators=2, max_depth=2, random_state=0).fit(ROWS, VALUES)
    estimator.estimators_[1, 0] = wide_tree(DecisionTreeRegressor, VALUES)
    return estimator


def hist(**arguments: Any) -> Any:
    arguments = {"max_iter": 2, "max_depth": 3, "random_state": 0, **arguments}
    return HistGradientBoostingClassifier(**arguments).fit(ROWS, TWO)


def hist_with(*, categorical: bool = False, **columns: Any) -> Any:
    """Return a histogram boosting with other numbers in the root node of a tree."""
    estimator = hist(categorical_features=[3] if categorical else None)
    predictor = estimator._predictors[0][0]
    predictor.nodes = predictor.nodes.copy()
    for name, value in columns.items():
        predictor.nodes[name][0] = value
    return estimator


def hist_without_nodes() -> Any:
    estimator = hist()
    estimator._predictors[0][0].nodes = estimator._predictors[0][0].nodes[:0]
    return estimator


def hist_with_narrow_bits() -> Any:
    estimator = hist_with(categorical=True, is_categorical=1, feature_idx=0)
    for (predictor,) in estimator._predictors:
        predictor.raw_left_cat_bitsets = predictor.binned_left_cat_bitsets = np.zeros((1, 4), dtype=np.uint32)
    return estimator


def hist_that_drops_columns() -> Any:
    """Return a histogram boosting whose preprocessor gives fewer columns than its nodes test."""
    estimator = hist(categorical_features=[3])
    name, transformer, _ = estimator._preprocessor.transformers_[1]
    step = (name, transformer, np.array([True, False, False, False]))
    estimator._preprocessor.transformers_[1] = estimator._preprocessor.transformers[1] = step
    return estimator


NO_CHILD = UNSAFE + "a tree's node has a child outside its table (node 0)"
NO_COLUMN = UNSAFE + "a tree's node tests a column that is not there (node 0)"
NO_TABLE = UNSAFE + "a tree's node has no category table (node 0)"
NO_STAGES = UNSAFE + "a boosting's trees are not a table of stages and classes"

TAMPERED: dict[str, Case] = {
    "a left child beyond the end": (lambda: decision_tree(left_child=FAR), NO_CHILD),
    "a right child beyond the end": (lambda: decision_tree(right_child=FAR), NO_CHILD),
    "a child before the beginning": (lambda: decision_tree(left_child=-2), NO_CHILD),
    "a right child that is none": (lambda: decision_tree(right_child=-1), NO_CHILD),
    "a node that is its own child": (lambda: decision_tree(left_child=0, right_child=0), NO_CHILD),
    "a tree that goes round": (
        lambda: decision_tree(place=1, left_child=1, right_child=0),
        UNSAFE + "a tree's node has a child outside its table (node 1)",
    ),
    "a column beyond the last": (lambda: decision_tree(feature=N_COLUMNS), NO_COLUMN),
    "a column before the first": (lambda: decision_tree(feature=-3), NO_COLUMN),
    "a tree without nodes": (lambda: written_tree(node_count=0), UNSAFE + "a tree of 15 nodes claims 0"),
    "a tree of less than no nodes": (lambda: written_tree(node_count=-1), UNSAFE + "a tree of 15 nodes claims -1"),
    "a tree that was never filled": (written_tree, UNSAFE + "a tree of 0 nodes claims 0"),
    "a tree over more columns": (wide_tree, UNSAFE + f"a tree tests {FAR} columns, and its rows have 4"),
    "a tree far below": (lambda: far_below(decision_tree(left_child=FAR)), NO_CHILD),
    "a forest with a wider member": (forest_of_the_wide, UNSAFE + "a tree tests 400 columns, and its rows have 4"),
    "a forest of something else": (forest_of_others, UNSAFE + "a tree tests None columns, and its rows have 4"),
    "a forest that checks nothing": (
        forest_that_checks_nothing,
        UNSAFE + "a value hides RandomForestClassifier._validate_X_predict",
    ),
    "a boosting with too many trees": (
        boosting_with_too_many_trees,
        UNSAFE + "a boosting begins with values of shape (1, 1), not (1, 3)",
    ),
    "a boosting of classifiers": (boosting_of_classifiers, UNSAFE + "a boosting's tree has more than one value a leaf"),
    "a boosting from a narrow guess": (
        lambda: boosting(init_=DummyClassifier(strategy="prior").fit(ROWS, TWO)),
        UNSAFE + "a boosting begins with values of shape (1, 2), not (1, 3)",
    ),
    "a boosting without stages": (lambda: boosting(estimators_=np.empty((0, 3), dtype=object)), NO_STAGES),
    "a boosting with a list": (
        lambda: boosting(estimators_=[[DecisionTreeRegressor().fit(ROWS, VALUES)]]),
        NO_STAGES,
    ),
    "a boosting with a wide tree": (
        boosting_with_a_wide_tree,
        UNSAFE + f"a tree tests {FAR} columns, and its rows have 4",
    ),
    "a histogram child beyond the end": (lambda: hist_with(left=FAR), NO_CHILD),
    "a histogram node that is its own child": (lambda: hist_with(left=0, right=0), NO_CHILD),
    "a histogram column beyond the last": (lambda: hist_with(feature_idx=N_COLUMNS), NO_COLUMN),
    "a histogram column before the first": (lambda: hist_with(feature_idx=-1), NO_COLUMN),
    "a histogram without nodes": (hist_without_nodes, UNSAFE + "a boosting's tree has no nodes"),
    "a histogram over dropped columns": (
        hist_that_drops_columns,
        UNSAFE + "a boosting maps columns of shape (4,), and its rows have shape (1, 2)",
    ),
    "categories of a number": (
        lambda: hist_with(is_categorical=1),
        UNSAFE + "a tree's node tests the categories of a column that has none",
    ),
    "categories beyond the table": (
        lambda: hist_with(categorical=True, is_categorical=1, feature_idx=0, bitset_idx=FAR),
        NO_TABLE,
    ),
    "categories in a narrow table": (hist_with_narrow_bits, NO_TABLE),
}
