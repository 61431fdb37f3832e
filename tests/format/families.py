"""Estimators of scikit-learn, one small example of each family and of common pipelines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import loguniform
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_transformer
from sklearn.decomposition import NMF, PCA, FactorAnalysis, FastICA, IncrementalPCA, KernelPCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    BaggingClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - without it the imputer cannot be imported
from sklearn.feature_selection import (
    RFE,
    RFECV,
    SelectFromModel,
    SelectKBest,
    SelectPercentile,
    SequentialFeatureSelector,
    VarianceThreshold,
    chi2,
    mutual_info_classif,
)
from sklearn.frozen import FrozenEstimator
from sklearn.impute import IterativeImputer, KNNImputer, MissingIndicator, SimpleImputer
from sklearn.kernel_approximation import Nystroem, RBFSampler
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    Ridge,
    SGDClassifier,
    SGDRegressor,
    TweedieRegressor,
)
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, StratifiedKFold
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, RadiusNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.random_projection import GaussianRandomProjection, SparseRandomProjection
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.svm import SVC, LinearSVC, NuSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import all_estimators

Make = Callable[[], Any]

LOGISTIC = LogisticRegression(max_iter=200)

ARGUMENTS: dict[str, dict[str, Any]] = {
    "CCA": {"n_components": 1},
    "FixedThresholdClassifier": {"estimator": LOGISTIC},
    "OneVsOneClassifier": {"estimator": LinearSVC()},
    "OneVsRestClassifier": {"estimator": LinearSVC()},
    "OutputCodeClassifier": {"estimator": LOGISTIC},
    "PLSCanonical": {"n_components": 1},
    "RadiusNeighborsClassifier": {"radius": 9.0},
    "RadiusNeighborsRegressor": {"radius": 9.0},
    "SelfTrainingClassifier": {"estimator": LOGISTIC},
    "StackingClassifier": {"estimators": [("a", GaussianNB()), ("b", DecisionTreeClassifier())]},
    "StackingRegressor": {"estimators": [("a", Ridge()), ("b", DecisionTreeRegressor(max_depth=2))]},
    "TunedThresholdClassifierCV": {"estimator": LOGISTIC},
    "VotingClassifier": {"estimators": [("a", GaussianNB()), ("b", DecisionTreeClassifier())]},
    "VotingRegressor": {"estimators": [("a", Ridge()), ("b", DecisionTreeRegressor(max_depth=2))]},
    **{name: {"n_estimators": 5} for name in ("AdaBoostClassifier", "AdaBoostRegressor")},
    **{name: {"n_estimators": 5} for name in ("BaggingClassifier", "BaggingRegressor")},
    **{name: {"n_estimators": 5} for name in ("ExtraTreesClassifier", "ExtraTreesRegressor")},
    **{name: {"n_estimators": 5} for name in ("GradientBoostingClassifier", "GradientBoostingRegressor")},
    **{name: {"n_estimators": 5} for name in ("RandomForestClassifier", "RandomForestRegressor")},
    **{name: {"max_iter": 5} for name in ("HistGradientBoostingClassifier", "HistGradientBoostingRegressor")},
    **{name: {"max_iter": 20} for name in ("MLPClassifier", "MLPRegressor")},
}
"""What an estimator needs to be made, or to be fitted quickly."""

SEVERAL_OUTPUTS = {
    "ClassifierChain",
    "MultiOutputClassifier",
    "MultiOutputRegressor",
    "MultiTaskElasticNet",
    "MultiTaskElasticNetCV",
    "MultiTaskLasso",
    "MultiTaskLassoCV",
    "RegressorChain",
}
"""Estimators that answer several values a row. A model answers one."""

KERNELS = "its kernel is an arbitrary object"
GRAPH = "its graph of all training rows is rebuilt by code that was not looked at"

REFUSED = {
    "GaussianProcessClassifier": KERNELS,
    "GaussianProcessRegressor": KERNELS,
    "LabelPropagation": GRAPH,
    "LabelSpreading": GRAPH,
}
"""Classifiers and regressors that are not on the list, and why."""


def classifiers() -> dict[str, Make]:
    """Return every classifier of scikit-learn that answers one value a row."""
    return _all("classifier")


def regressors() -> dict[str, Make]:
    """Return every regressor of scikit-learn that answers one value a row."""
    return _all("regressor")


def _all(kind: str) -> dict[str, Make]:
    found = {name: kind for name, kind in all_estimators(type_filter=kind) if name not in SEVERAL_OUTPUTS}
    return {name: lambda name=name: found[name](**ARGUMENTS.get(name, {})) for name in found}  # type: ignore[misc]


def then(*steps: Any) -> Make:
    """Return what makes a pipeline that ends in a logistic regression."""
    return lambda: make_pipeline(*steps, LogisticRegression(max_iter=200))


PIPELINES: dict[str, Make] = {
    "standard": then(StandardScaler()),
    "min max": then(MinMaxScaler()),
    "robust": then(RobustScaler()),
    "max abs": then(MaxAbsScaler()),
    "normalizer": then(Normalizer()),
    "binarizer": then(Binarizer()),
    "power": then(PowerTransformer()),
    "quantiles": then(QuantileTransformer(n_quantiles=10)),
    "polynomial": then(PolynomialFeatures()),
    "bins": then(KBinsDiscretizer()),
    "ordinal bins": then(KBinsDiscretizer(encode="ordinal")),
    "one hot": then(OneHotEncoder(handle_unknown="ignore")),
    "one hot, infrequent": then(OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5)),
    "ordinal": then(OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)),
    "target": then(TargetEncoder(random_state=0)),
    "imputer": then(SimpleImputer(add_indicator=True)),
    "imputer of neighbours": then(KNNImputer()),
    "iterative imputer": then(IterativeImputer(max_iter=2, random_state=0)),
    "missing": then(make_union(SimpleImputer(), MissingIndicator(features="all"))),
    "components": then(PCA(2)),
    "singular values": then(TruncatedSVD(2)),
    "independent components": then(FastICA(2, random_state=0)),
    "factors": then(FactorAnalysis(2)),
    "kernel components": then(KernelPCA(2, kernel="rbf")),
    "incremental components": then(IncrementalPCA(2)),
    "non-negative": then(NMF(2, max_iter=2000, random_state=0)),
    "discriminants": then(LinearDiscriminantAnalysis()),
    "best": then(SelectKBest(k=2)),
    "best by chi2": then(SelectKBest(chi2, k=2)),
    "best by information": then(SelectKBest(mutual_info_classif, k=2)),
    "best share": then(SelectPercentile()),
    "important": then(SelectFromModel(RandomForestClassifier(5, random_state=0))),
    "eliminated": then(RFE(LOGISTIC)),
    "eliminated, validated": then(RFECV(LOGISTIC, cv=2)),
    "in turn": then(SequentialFeatureSelector(GaussianNB(), n_features_to_select=2)),
    "varying": then(VarianceThreshold()),
    "kernel rows": then(Nystroem(n_components=5, random_state=0)),
    "kernel waves": then(RBFSampler(random_state=0)),
    "projection": then(GaussianRandomProjection(2, random_state=0)),
    "sparse projection": then(SparseRandomProjection(2, random_state=0)),
    "function": then(FunctionTransformer(np.log1p, inverse_func=np.expm1)),
    "no function": then(FunctionTransformer()),
    "union": then(make_union(StandardScaler(), PCA(1))),
    "columns": then(
        ColumnTransformer(
            [
                ("scaled", StandardScaler(), [0, 1]),
                ("hot", OneHotEncoder(handle_unknown="ignore"), [2]),
                ("as it is", "passthrough", [3]),
            ]
        )
    ),
    "columns by slice": then(make_column_transformer((StandardScaler(), slice(0, 2)), remainder="passthrough")),
    "columns by mask": then(make_column_transformer((StandardScaler(), [True, False, True, False]), remainder="drop")),
    "grid": lambda: GridSearchCV(LOGISTIC, {"C": [0.1, 1.0]}, cv=2),
    "grid with a score": lambda: GridSearchCV(
        make_pipeline(StandardScaler(), SVC()), {"svc__C": [1, 2]}, scoring="f1_macro", cv=StratifiedKFold(2)
    ),
    "grid with scores": lambda: GridSearchCV(
        GaussianNB(), {"var_smoothing": [1e-9, 1e-8]}, scoring=["accuracy", "neg_log_loss"], refit="accuracy", cv=2
    ),
    "random search": lambda: RandomizedSearchCV(LOGISTIC, {"C": [0.1, 1.0]}, n_iter=2, cv=2, random_state=0),
    "stack": lambda: StackingClassifier([("a", LOGISTIC), ("b", RandomForestClassifier(3, random_state=0))]),
    "vote": lambda: VotingClassifier([("a", LOGISTIC), ("b", GaussianNB())], voting="soft"),
    "bag of forests": lambda: BaggingClassifier(RandomForestClassifier(3), n_estimators=2, random_state=0),
    "calibrated": lambda: CalibratedClassifierCV(LinearSVC()),
    "calibrated, isotonic": lambda: CalibratedClassifierCV(GaussianNB(), method="isotonic", cv=2),
    "calibrated, temperature": lambda: CalibratedClassifierCV(LOGISTIC, method="temperature"),
    "calibrated vectors": lambda: CalibratedClassifierCV(SVC(), ensemble=False),
    "frozen": lambda: CalibratedClassifierCV(FrozenEstimator(GaussianNB().fit(np.eye(4)[[0, 1, 2]], [0, 1, 2]))),
    "one against the rest": lambda: OneVsRestClassifier(GradientBoostingClassifier(n_estimators=2)),
    "one against one": lambda: OneVsOneClassifier(LOGISTIC),
    "codes": lambda: OutputCodeClassifier(GaussianNB(), random_state=0),
    "neighbours by distance": lambda: KNeighborsClassifier(weights="distance"),
    "neighbours by blocks": lambda: KNeighborsClassifier(p=1),
    "neighbours, brute": lambda: KNeighborsClassifier(algorithm="brute"),
    "neighbours within": lambda: RadiusNeighborsClassifier(2.0, algorithm="brute"),
    "vectors": lambda: SVC(kernel="poly"),
    "nu vectors": lambda: NuSVC(kernel="sigmoid", nu=0.1),
    "boosting from nothing": lambda: GradientBoostingClassifier(n_estimators=2, init="zero"),
    "boosting from a model": lambda: GradientBoostingClassifier(n_estimators=2, init=LOGISTIC),
    "categorical boosting": lambda: HistGradientBoostingClassifier(max_iter=3, categorical_features=[3]),
    "early boosting": lambda: HistGradientBoostingClassifier(max_iter=3, early_stopping=True),
    "perceptron by sgd": lambda: MLPClassifier(max_iter=5, solver="sgd"),
    "perceptron by lbfgs": lambda: MLPClassifier(max_iter=5, solver="lbfgs"),
    "descent of logs": lambda: SGDClassifier("log_loss"),
    "descent of a modified Huber": lambda: SGDClassifier("modified_huber"),
    "self-training": lambda: SelfTrainingClassifier(LOGISTIC),
}
"""Classifiers of iris flowers."""

REGRESSIONS: dict[str, Make] = {
    "transformed target": lambda: TransformedTargetRegressor(LinearRegression(), func=np.log1p, inverse_func=np.expm1),
    "transformed by quantiles": lambda: TransformedTargetRegressor(
        Ridge(), transformer=QuantileTransformer(n_quantiles=10)
    ),
    "stack": lambda: StackingRegressor([("a", Ridge()), ("b", RandomForestRegressor(3))]),
    "vote": lambda: VotingRegressor([("a", Ridge()), ("b", DecisionTreeRegressor())]),
    "Huber boosting": lambda: GradientBoostingRegressor(loss="huber", n_estimators=3),
    "quantile boosting": lambda: GradientBoostingRegressor(loss="quantile", n_estimators=3),
    "boosting from a model": lambda: GradientBoostingRegressor(init=Ridge(), n_estimators=3),
    "histogram boosting, Poisson": lambda: HistGradientBoostingRegressor(loss="poisson", max_iter=3),
    "histogram boosting, gamma": lambda: HistGradientBoostingRegressor(loss="gamma", max_iter=3),
    "histogram boosting, quantile": lambda: HistGradientBoostingRegressor(loss="quantile", quantile=0.5, max_iter=3),
    "histogram boosting, absolute": lambda: HistGradientBoostingRegressor(loss="absolute_error", max_iter=3),
    "Tweedie 1.5": lambda: TweedieRegressor(power=1.5, max_iter=500),
    "Tweedie 3": lambda: TweedieRegressor(power=3, max_iter=500),
    "descent of Huber": lambda: SGDRegressor("huber"),
    "insensitive descent": lambda: SGDRegressor("epsilon_insensitive"),
    "Poisson forest": lambda: RandomForestRegressor(3, criterion="poisson"),
    "neighbours": lambda: KNeighborsRegressor(weights="distance"),
}
"""Regressions of diabetes."""

UNREADABLE: dict[str, tuple[Make, str]] = {
    "splines": (then(SplineTransformer()), "SciPy checks the tables of a spline only when it is made"),
    "a ball tree": (
        lambda: KNeighborsClassifier(algorithm="ball_tree"),
        "its nodes are not checked; a k-d tree's and a brute search's are",
    ),
    "a distribution": (
        lambda: RandomizedSearchCV(LOGISTIC, {"C": loguniform(0.1, 10)}, n_iter=2, cv=2),
        "a distribution is an arbitrary object; publish best_estimator_",
    ),
}
"""Common estimators that are refused, and why."""
