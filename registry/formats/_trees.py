"""Checks of trees, and of what hands rows to them: forests and boosting.

A tree's walk follows child numbers and reads columns without looking. The checks promise that every child of a node
lies behind it and inside the table (so each walk ends), that every tested column is one that the rows have, and that
what compiled code writes to is as wide as what it writes. Estimators that are not fitted have nothing to check.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from registry.formats._require import at_node, require

_LEAF = -1
_WORDS = 8
"""Words of a bitset, which holds 256 categories."""


def check_tree(tree: Any) -> None:
    """Check a ``Tree``: its nodes, and the shape of its values."""
    count = tree.node_count
    require(0 < count <= tree.capacity, f"a tree of {tree.capacity} nodes claims {count}")
    left, right, feature = tree.children_left, tree.children_right, tree.feature
    inner = left != _LEAF
    _check_children(inner, left, right)
    known = (feature >= 0) & (feature < tree.n_features)
    require(known[inner].all(), at_node("a tree's node tests a column that is not there", inner & ~known))
    shape = (count, tree.n_outputs, tree.max_n_classes)
    require(tree.value.shape == shape, f"a tree has values of shape {tree.value.shape}, expected {shape}")


def check_decision_tree(estimator: Any) -> None:
    """Check that an estimator passes rows to its tree that are as wide as the tree thinks."""
    if hasattr(estimator, "tree_"):
        _require_columns(estimator, estimator.n_features_in_)


def check_forest(forest: Any) -> None:
    """Check that the members of a forest, which get its rows unchecked, are trees over its columns."""
    for member in getattr(forest, "estimators_", ()):
        _require_columns(member, forest.n_features_in_)


def check_gradient_boosting(boosting: Any) -> None:
    """Check that the trees of a boosting add to columns that its first guess has."""
    trees = getattr(boosting, "estimators_", None)
    if trees is None:
        return
    require(
        isinstance(trees, np.ndarray) and trees.ndim == 2 and trees.size,
        "a boosting's trees are not a table of stages and classes",
    )
    for member in trees.flat:
        _require_columns(member, boosting.n_features_in_)
        require(member.tree_.value.shape[1:] == (1, 1), "a boosting's tree has more than one value a leaf")
    guess = _quietly(boosting._raw_predict_init, np.zeros((1, boosting.n_features_in_), dtype=np.float32))
    expected = (1, trees.shape[1])
    require(np.shape(guess) == expected, f"a boosting begins with values of shape {np.shape(guess)}, not {expected}")


def check_hist_boosting(boosting: Any) -> None:
    """Check the nodes of a histogram boosting against the columns that its preprocessor gives."""
    predictors = getattr(boosting, "_predictors", None)
    if predictors is None:
        return
    categorical = boosting._bin_mapper.is_categorical_
    mapped = np.shape(categorical)
    rows = _quietly(boosting._preprocess_X, np.zeros((1, boosting.n_features_in_)), reset=False)
    require(
        isinstance(rows, np.ndarray) and np.shape(rows)[1:] == mapped,
        f"a boosting maps columns of shape {mapped}, and its rows have shape {np.shape(rows)}",
    )
    for stage in predictors:
        for predictor in stage:
            _check_hist_nodes(predictor, np.asarray(categorical, dtype=bool))


def _check_hist_nodes(predictor: Any, categorical: np.ndarray[Any, Any]) -> None:
    nodes = predictor.nodes
    require(isinstance(nodes, np.ndarray) and nodes.ndim == 1 and nodes.size, "a boosting's tree has no nodes")
    inner = nodes["is_leaf"] == 0
    left, right, column = (nodes[name].astype(np.int64) for name in ("left", "right", "feature_idx"))
    _check_children(inner, left, right)
    known = (column >= 0) & (column < categorical.size)
    require(known[inner].all(), at_node("a tree's node tests a column that is not there", inner & ~known))
    split = inner & (nodes["is_categorical"] != 0)
    require(categorical[column[split]].all(), "a tree's node tests the categories of a column that has none")
    for bits in (predictor.binned_left_cat_bitsets, predictor.raw_left_cat_bitsets):
        fits = np.ndim(bits) == 2 and np.shape(bits)[1] == _WORDS and (nodes["bitset_idx"][split] < len(bits)).all()
        require(fits, at_node("a tree's node has no category table", split))


def _check_children(inner: np.ndarray[Any, Any], left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> None:
    places, count = np.arange(inner.size), inner.size
    inside = (left > places) & (left < count) & (right > places) & (right < count)
    require(inside[inner].all(), at_node("a tree's node has a child outside its table", inner & ~inside))


def _require_columns(member: Any, n_columns: int) -> None:
    """Require that a member is one of scikit-learn's decision trees, over so many columns."""
    is_tree = type(member).__module__ == "sklearn.tree._classes" and type(member.tree_).__name__ == "Tree"
    found = member.tree_.n_features if is_tree else None
    require(found == n_columns, f"a tree tests {found} columns, and its rows have {n_columns}")


def _quietly(call: Any, *arguments: Any, **named: Any) -> Any:
    """Call scikit-learn on a row of zeros, whatever it has to say about that row."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return call(*arguments, **named)
