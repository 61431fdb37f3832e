"""Support vectors and neighbours whose tables do not fit together."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, RadiusNeighborsClassifier
from sklearn.svm import SVC, SVR

from tests.format.archives import archive, unpack
from tests.format.tampered.parts import CLASSES, FAR, ROWS, UNSAFE, VALUES, Case, artifact, changed


def machine(fitted: Any = None, **tables: Any) -> Any:
    """Return a support vector machine with other tables: values, or functions of what was there."""
    estimator = fitted or SVC(random_state=0).fit(ROWS, CLASSES)
    for name, value in tables.items():
        of_the_old = callable(value) and not isinstance(value, np.ufunc)
        setattr(estimator, name, value(getattr(estimator, name)) if of_the_old else value)
    return estimator


def regression_machine(**tables: Any) -> Any:
    return machine(SVR().fit(ROWS, VALUES), **tables)


def sparse_machine(**tables: Any) -> Any:
    return machine(SVC(kernel="linear", random_state=0).fit(scipy.sparse.csr_matrix(ROWS), CLASSES), **tables)


def sparse_machine_that_ends_nowhere() -> bytes:
    """Return a support vector machine whose sparse vectors end beyond their data."""
    schema, members = unpack(artifact(sparse_machine()))
    vectors = schema["content"]["content"]["support_vectors_"]["file"]
    sparse = scipy.sparse.load_npz(io.BytesIO(members[vectors]))
    sparse.indptr = changed(sparse.indptr, 1, -FAR)
    return archive(schema, {**members, vectors: _bytes(sparse)})


def neighbours(model: Any = None, **attributes: Callable[[Any], Any]) -> Any:
    """Return a model of neighbours with other attributes: functions of what was there."""
    estimator = (model or KNeighborsClassifier(algorithm="brute")).fit(ROWS, CLASSES)
    for name, change in attributes.items():
        setattr(estimator, name, change(getattr(estimator, name)))
    return estimator


def search_tree(place: int, change: Callable[[Any], Any]) -> Any:
    """Return neighbours whose k-d tree has another part."""
    estimator = KNeighborsClassifier(leaf_size=5, algorithm="kd_tree").fit(ROWS, CLASSES)
    parts = list(estimator._tree.__getstate__())
    parts[place] = change(parts[place])
    estimator._tree.__setstate__(tuple(parts))
    return estimator


def with_field(name: str, value: Any) -> Callable[[Any], Any]:
    """Return what sets a field of every node."""

    def change(nodes: Any) -> Any:
        copied = nodes.copy()
        copied[name] = value
        return copied

    return change


def _bytes(matrix: Any) -> bytes:
    buffer = io.BytesIO()
    scipy.sparse.save_npz(buffer, matrix)
    return buffer.getvalue()


NO_FIT = UNSAFE + "a support vector machine's tables do not fit together"
NO_WAY = UNSAFE + "a search tree leads to rows or nodes that are not there"
NO_CLASS = UNSAFE + "a neighbour has no class, or one that is not there"
NO_WIDTH = UNSAFE + "neighbours of 1 columns, and rows of 4"

TAMPERED: dict[str, Case] = {
    "vectors of more classes": (lambda: machine(_n_support=np.array([30] * 50, dtype=np.int32)), NO_FIT),
    "vectors of fewer than none": (
        lambda: machine(_n_support=lambda found: np.array([-FAR, FAR, found.sum()], dtype=np.int32)),
        NO_FIT,
    ),
    "vectors that are not there": (lambda: machine(_n_support=lambda found: found * 1000), NO_FIT),
    "too few vectors": (lambda: machine(support_vectors_=lambda found: found[:1]), NO_FIT),
    "too narrow vectors": (lambda: machine(support_vectors_=lambda found: found[:, :1].copy()), NO_FIT),
    "too few weights": (lambda: machine(_dual_coef_=lambda found: found[:, :1].copy()), NO_FIT),
    "too few intercepts": (lambda: machine(_intercept_=lambda found: found[:1]), NO_FIT),
    "too few probabilities": (lambda: machine(probability=True, _probA=np.ones(1), _probB=np.ones(1)), NO_FIT),
    "probabilities by halves": (lambda: machine(probability=True, _probA=np.ones(3), _probB=np.ones(1)), NO_FIT),
    "a kernel of the client's numbers": (
        lambda: machine(kernel="precomputed"),
        UNSAFE + "a support vector machine has the kernel 'precomputed'",
    ),
    "a kernel that is called": (
        lambda: machine(kernel=np.abs),
        UNSAFE + "a support vector machine has the kernel <ufunc 'absolute'>",
    ),
    "a regression of fifty classes": (
        lambda: regression_machine(_n_support=np.array([1] * 50, dtype=np.int32)),
        NO_FIT,
    ),
    "a regression that says it classifies": (
        lambda: regression_machine(_impl="c_svc", classes_=np.arange(2)),
        UNSAFE + "a value hides SVR._impl",
    ),
    "sparse weights that are not stored": (
        lambda: sparse_machine(_dual_coef_=lambda found: scipy.sparse.csr_matrix(found.shape)),
        NO_FIT,
    ),
    "sparse vectors that end nowhere": (
        sparse_machine_that_ends_nowhere,
        "the artifact's tables cannot be checked: ValueError: ",
    ),
    "neighbours of no class": (lambda: neighbours(_y=lambda found: changed(found, 0, FAR)), NO_CLASS),
    "neighbours of a class before the first": (lambda: neighbours(_y=lambda found: changed(found, 0, -FAR)), NO_CLASS),
    "neighbours without classes": (lambda: neighbours(_y=lambda found: found[:1]), NO_CLASS),
    "neighbours within a radius of no class": (
        lambda: neighbours(RadiusNeighborsClassifier(9.0, algorithm="brute"), _y=lambda found: changed(found, 0, FAR)),
        NO_CLASS,
    ),
    "narrow neighbours": (lambda: neighbours(_fit_X=lambda found: found[:, :1].copy()), NO_WIDTH),
    "narrow neighbours of a regression": (
        lambda: neighbours(KNeighborsRegressor(algorithm="brute"), _fit_X=lambda found: found[:, :1].copy()),
        NO_WIDTH,
    ),
    "more neighbours than rows": (
        lambda: neighbours(n_neighbors=lambda _: FAR),
        UNSAFE + "more neighbours are asked for than there are",
    ),
    "more rows than there are": (
        lambda: neighbours(n_samples_fit_=lambda _: FAR),
        UNSAFE + f"90 neighbours, and the model claims {FAR}",
    ),
    "a search tree to no row": (lambda: search_tree(1, lambda found: changed(found, 0, FAR)), NO_WAY),
    "a search tree to fewer rows": (lambda: search_tree(1, lambda found: found[:5]), NO_WAY),
    "a search tree with a leaf beyond its rows": (lambda: search_tree(2, with_field("idx_end", FAR)), NO_WAY),
    "a search tree with a leaf before its rows": (lambda: search_tree(2, with_field("idx_start", -FAR)), NO_WAY),
    "a search tree without leaves": (lambda: search_tree(2, with_field("is_leaf", 0)), NO_WAY),
    "a search tree with narrow bounds": (lambda: search_tree(3, lambda found: found[:, :1].copy()), NO_WAY),
}
