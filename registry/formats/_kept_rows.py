"""Checks of models that keep rows of their training: support vectors and neighbours.

Compiled code takes their sizes from one array and indexes another by them. The checks promise that those sizes agree.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from registry.formats._require import require

_KERNELS = ("linear", "poly", "rbf", "sigmoid")
_CLASSIFIERS = ("c_svc", "nu_svc")


def check_libsvm(machine: Any) -> None:
    """Check that the tables of a support vector machine fit together, as libsvm takes for granted."""
    per_class = getattr(machine, "_n_support", None)
    if per_class is None:
        return
    require(machine.kernel in _KERNELS, f"a support vector machine has the kernel {machine.kernel!r}")
    classifies = machine._impl in _CLASSIFIERS
    n_classes = len(machine.classes_) if classifies else 2  # libsvm counts a regression as two classes
    n_vectors, n_pairs = len(machine.support_), n_classes * (n_classes - 1) // 2
    vectors, weights = machine.support_vectors_, machine._dual_coef_
    # Sparse tables are read as the list of what they store: it must be all that their shape promises.
    stored = weights.data.size if machine._sparse else np.size(weights)
    fits = (
        vectors.shape == (n_vectors, machine.n_features_in_)
        and weights.shape == (n_classes - 1, n_vectors)
        and stored == (n_classes - 1) * n_vectors
        and np.shape(per_class) == (n_classes,)
        and np.min(per_class) >= 0
        and (np.sum(per_class) == n_vectors or not classifies)
        and np.size(machine._intercept_) == n_pairs
        and np.size(machine._probA) == np.size(machine._probB)
        and np.size(machine._probA) in (0, n_pairs)
    )
    require(fits, "a support vector machine's tables do not fit together")


def check_neighbours(model: Any) -> None:
    """Check that a model of neighbours compares rows of one width, and knows the class of every row that it kept."""
    kept = getattr(model, "_fit_X", None)
    if kept is None:
        return
    n_rows, n_columns = kept.shape
    require(n_columns == model.n_features_in_, f"neighbours of {n_columns} columns, and rows of {model.n_features_in_}")
    require(model.n_samples_fit_ == n_rows, f"{n_rows} neighbours, and the model claims {model.n_samples_fit_}")
    if hasattr(model, "classes_") and not model.outputs_2d_:
        known = (model._y >= 0) & (model._y < len(model.classes_))
        require(model._y.shape == (n_rows,) and known.all(), "a neighbour has no class, or one that is not there")
        require(_count(model, "n_neighbors") <= n_rows, "more neighbours are asked for than there are")


def check_search_tree(tree: Any) -> None:
    """Check that the nodes of a k-d tree lead to rows that it has."""
    data, order, nodes, bounds = (
        np.asarray(part) for part in (tree.data, tree.idx_array, tree.node_data, tree.node_bounds)
    )
    n_rows, n_nodes = len(data), len(nodes)
    first, last, inner = nodes["idx_start"], nodes["idx_end"], nodes["is_leaf"] == 0
    fits = (
        order.shape == (n_rows,)
        and ((order >= 0) & (order < n_rows)).all()
        and ((first >= 0) & (first <= last) & (last <= n_rows)).all()
        and (2 * np.flatnonzero(inner) + 2 < n_nodes).all()
        and bounds.shape == (2, n_nodes, data.shape[1])
    )
    require(fits, "a search tree leads to rows or nodes that are not there")


def _count(model: Any, name: str) -> Any:
    return getattr(model, name, None) or 0
