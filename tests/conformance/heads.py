"""The table of heads that drives `test_every_head.py`. A new head is one new row here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier

L2 = 0.5
"""The strength of the penalty at which solutions are compared."""
Reference = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(features (N, F) of mean 0, variance 1 and mean squared length 1, encoded targets) -> what `task.in_units` gives of
them, or of a task with units of its own the plain predictions: computed by another library, with the penalty `L2`."""


@dataclass(frozen=True, eq=False)
class Row:
    """spec: the head at tiny settings. solved: by the name of a task, what its closed form must give, where it has
    one; for other tasks that it fits, being solved must lower the loss."""

    spec: str
    solved: Mapping[str, Reference] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.spec.partition(":")[0]


def softmax_regression(features: np.ndarray, targets: np.ndarray) -> np.ndarray:
    return np.asarray(
        LogisticRegression(C=1 / L2, tol=1e-8, max_iter=2000).fit(features, targets).predict_proba(features)
    )


def logistic_of_each(features: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The task's loss is a mean over the classes, so the same penalty weighs as many times as much."""
    each = LogisticRegression(C=1 / (L2 * targets.shape[1]), tol=1e-8, max_iter=2000)
    return np.asarray(OneVsRestClassifier(each).fit(features, targets).predict_proba(features))


def ridge(features: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Half of it, since the task's loss is the square itself."""
    return np.asarray(Ridge(alpha=L2 / 2).fit(features, targets).predict(features))[:, None]


ALL = (
    Row(
        "linear",
        {
            "classification": softmax_regression,
            "few-shot": softmax_regression,
            "multilabel": logistic_of_each,
            "regression": ridge,
        },
    ),
    Row("linear:dropout=0.3"),
    Row("mlp:width=8"),
    Row("mlp:width=8,dropout=0"),
    Row("kernel"),
    Row("kernel:gamma=0.3,landmarks=20"),
    Row("boosting:rounds=12,leaves=4,seeds=1"),
    Row("cosine:scale=4"),
    Row("towers"),
    Row("towers:hidden=6,dropout=0.2"),
    Row("hidden-tokens"),
    Row("hidden-tokens:warmup=0.2"),
    Row("hidden-pixels"),
    Row("hidden-frames"),
    Row("projection"),
    Row("projection:width=12"),
    Row("token-linear"),
    Row("token-linear:dropout=0"),
)
