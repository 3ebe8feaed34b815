"""The metrics: how well choices or probabilities agree with the truth, over rows that can be weighted.

A metric makes of (truth, given) a scorer, and the scorer makes of weights (R, N) the scores (R,): R weightings of the
N rows at once. Plain scores weigh each row 1; a bootstrap resample weighs each row by how often it was drawn. What does
not depend on the weights is done once, so that a thousand resamples are quick.
Only numpy is used: scikit-learn would be slow to import on the way of a prediction.

truth: class indices (N,), classes of each row (N, C), or numbers (N,). given: what `Metric.reads` says. Where rows are
found by each other, given are the ranks of their partners (N, 2), and truth is not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

from graftwork.discovery.registry import Registry
from graftwork.discovery.room import collected
from graftwork.errors import UsageError, nearest
from graftwork.tasks.metrics.functions import Answering, function_metric, known
from graftwork.tasks.metrics.metric import Metric as Metric

METRICS: Registry[Metric] = Registry(
    "metric",
    Metric,
    partial(collected, "graftwork.tasks.metrics", "METRICS"),
    group="graftwork.metrics",
)
"""Those in the tuples METRICS of the files beside this one; those of other packages are scored where they are named."""

ALIASES = {
    "acc": "accuracy", "f1_macro": "macro_f1", "f1_micro": "micro_f1", "f1_score": "macro_f1", "f1": "macro_f1",
    "cross_entropy": "log_loss", "neg_log_loss": "log_loss", "nll": "log_loss", "ece": "calibration_error",
    "matthews_corrcoef": "mcc", "balanced_acc": "balanced_accuracy", "map": "average_precision",
    "root_mean_squared_error": "rmse", "neg_root_mean_squared_error": "rmse", "mse": "rmse",
    "mean_squared_error": "rmse", "mean_absolute_error": "mae", "neg_mean_absolute_error": "mae", "r2_score": "r2",
    "r_squared": "r2", "equal_error_rate": "eer", "exact_match": "subset_accuracy",
}  # fmt: skip
"""What metrics are called elsewhere."""


class Measured(Answering, Protocol):
    """What is asked here of a task."""

    def metrics(self) -> Mapping[str, Metric]: ...

    def suits(self, metric: Metric) -> bool: ...

    def metric_inputs(self, targets: Any, kept: Any) -> tuple[Any, Any]: ...

    def predicted(self, kept: Any) -> Any: ...


def metric_for(name: str, task: Measured) -> Metric:
    """The metric with this name, bound to the settings of the task; or a UsageError that says which ones fit it."""
    function = function_metric(name, task)
    if function is not None:
        return function
    own = task.metrics()
    if name in own:
        return own[name]
    for metric in beside(task, name):
        return metric
    if name in METRICS:
        raise UsageError(f"Metric '{name}' does not fit the task {task.name}. Known: {', '.join(own)}.")
    meant = ALIASES.get(name.lower().replace("-", "_"), "")
    said = f"It is called '{meant}' here. Known: {', '.join(own)}." if meant in own else ""
    raise UsageError(f"Unknown metric '{name}' of the task {task.name}. {said or nearest(name, tuple(own))}")


def beside(task: Measured, name: str | None) -> list[Metric]:
    """The metric that a recipe names, where the task does not have it of itself: one of another package, or a Python
    function that this process knows."""
    if name is not None and known(name):
        return [metric_for(name, task)]
    if name is None or name in task.metrics() or name not in METRICS or not task.suits(METRICS[name]):
        return []
    return [METRICS[name]]


def score(task: Measured, name: str, targets: Any, kept: Any) -> float:
    """The metric `name` of labelled rows: targets as `task.encode_rows` gives them, and what `task.scored` gives."""
    metric = metric_for(name, task)
    truth, given = task.metric_inputs(targets, kept)
    return metric(truth, given_to(metric, task, given))


def given_to(metric: Metric, task: Measured, compared: Any) -> Any:
    """What is predicted, or what it was made from, as the metric reads it; compared: of `task.metric_inputs`."""
    return task.predicted(compared) if metric.reads == "choices" else compared
