"""The metrics equal scikit-learn's, plain and weighted, and a metric that does not fit the task is refused."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import sklearn.metrics as reference
from hypothesis import given as draws
from hypothesis import settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from graftwork.errors import UsageError
from graftwork.tasks.classification import Classification
from graftwork.tasks.metrics.registry import METRICS, metric_for, score
from graftwork.tasks.multilabel import Multilabel
from graftwork.tasks.registry import TASKS
from graftwork.tasks.regression import Regression


def single_label(seed: int, rows: int = 60, classes: int = 6) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(classes, size=rows)
    probabilities = rng.dirichlet(np.ones(classes), size=rows)
    probabilities[np.arange(rows), truth] += rng.random()
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    weights = rng.integers(0, 4, size=(3, rows)).astype(float)
    return truth, probabilities, weights


def multi_label(seed: int, rows: int = 50, classes: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = (rng.random((rows, classes)) < 0.3).astype(np.uint8)
    # Rounded, so that there are ties.
    probabilities = np.round(np.clip(0.5 * truth + rng.random((rows, classes)) * 0.6, 0.01, 0.99), 1)
    return truth, probabilities, rng.integers(0, 4, size=(3, rows)).astype(float)


SINGLE = {
    "accuracy": lambda t, g, w: reference.accuracy_score(t, g, sample_weight=w),
    "macro_f1": lambda t, g, w: reference.f1_score(t[w > 0], g[w > 0], average="macro", sample_weight=w[w > 0]),
    "log_loss": lambda t, g, w: reference.log_loss(t, g, sample_weight=w, labels=np.arange(g.shape[1])),
    "balanced_accuracy": lambda t, g, w: reference.balanced_accuracy_score(t[w > 0], g[w > 0], sample_weight=w[w > 0]),
    "mcc": lambda t, g, w: reference.matthews_corrcoef(t, g, sample_weight=w),
    "top5_accuracy": lambda t, g, w: reference.top_k_accuracy_score(
        t, g, k=5, sample_weight=w, labels=np.arange(g.shape[1])
    ),
}
MULTI = {
    "micro_f1": lambda t, g, w: reference.f1_score(t, g, average="micro", sample_weight=w, zero_division=0),
    "macro_f1": lambda t, g, w: reference.f1_score(t, g, average="macro", sample_weight=w, zero_division=0),
    "subset_accuracy": lambda t, g, w: reference.accuracy_score(t, g, sample_weight=w),
    "log_loss": lambda t, g, w: np.mean(
        [reference.log_loss(t[:, k], g[:, k], sample_weight=w, labels=[0, 1]) for k in range(t.shape[1])]
    ),
    "average_precision": lambda t, g, w: reference.average_precision_score(t, g, average="macro", sample_weight=w),
}
NUMBERS = {
    "rmse": reference.root_mean_squared_error,
    "mae": reference.mean_absolute_error,
    "r2": reference.r2_score,
}


@pytest.mark.parametrize("name", SINGLE)
@pytest.mark.parametrize("seed", range(4))
def test_single_label_metrics_equal_scikit_learn(name: str, seed: int) -> None:
    truth, probabilities, weights = single_label(seed)
    chosen = probabilities.argmax(axis=1)
    metric = METRICS[name]
    given = chosen if metric.reads == "choices" else probabilities
    found = metric.scorer(truth, given)(weights)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "y_pred contains classes not in y_true")
        expected = [SINGLE[name](truth, given, w) for w in weights]
        plain = SINGLE[name](truth, given, np.ones(len(truth)))
    assert found == pytest.approx(expected, abs=1e-12)
    assert metric(truth, given) == pytest.approx(plain, abs=1e-12)


@pytest.mark.parametrize("name", MULTI)
@pytest.mark.parametrize("seed", range(4))
def test_multilabel_metrics_equal_scikit_learn(name: str, seed: int) -> None:
    truth, probabilities, weights = multi_label(seed)
    chosen = (probabilities >= 0.5).astype(np.uint8)
    metric = METRICS[name]
    given = chosen if metric.reads == "choices" else probabilities
    found = metric.scorer(truth, given)(weights)
    assert found == pytest.approx([MULTI[name](truth, given, w) for w in weights], abs=1e-12)


@pytest.mark.parametrize("name", NUMBERS)
def test_number_metrics_equal_scikit_learn(name: str) -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(1000, 3, size=40)
    predicted = truth + rng.normal(size=40)
    weights = rng.integers(0, 4, size=(5, 40)).astype(float)
    expected = [NUMBERS[name](truth, predicted, sample_weight=w) for w in weights]
    assert METRICS[name].scorer(truth, predicted)(weights) == pytest.approx(expected, rel=1e-9)


@settings(max_examples=30, deadline=None)
@draws(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(1, 3)), min_size=4, max_size=30))
def test_spearman_of_weights_is_that_of_repeated_rows(rows: list[tuple[int, int, int]]) -> None:
    truth, predicted, times = (np.array(values, dtype=float) for values in zip(*rows, strict=True))
    a, b = (np.repeat(values, times.astype(int)) for values in (truth, predicted))
    found = METRICS["spearman"].scorer(truth, predicted)(times[None])[0]
    if len(set(a)) == 1 or len(set(b)) == 1:
        assert found == 0
    else:
        assert found == pytest.approx(spearmanr(a, b).statistic, abs=1e-9)


def test_average_precision_of_a_class_without_rows_is_left_out() -> None:
    truth = np.array([[1, 0], [0, 0]])
    assert METRICS["average_precision"](truth, np.array([[0.9, 0.1], [0.2, 0.3]])) == 1.0


def test_calibration_error_by_the_formula() -> None:
    truth = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.9, 0.1], [0.91, 0.09], [0.6, 0.4], [0.3, 0.7]])
    # Bins of width 1/15: {0.9} and {0.91} are both right, 0.6 is wrong, 0.7 is right.
    expected = (abs(1 - 0.9) + abs(1 - 0.91) + abs(0 - 0.6) + abs(1 - 0.7)) / 4
    assert METRICS["calibration_error"](truth, probabilities) == pytest.approx(expected)


def test_calibration_error_within_a_bin_cancels() -> None:
    truth = np.array([0, 1])
    probabilities = np.array([[0.52, 0.48], [0.52, 0.48]])
    assert METRICS["calibration_error"](truth, probabilities) == pytest.approx(0.02)


def test_log_loss_of_certainty_is_finite_in_single_precision() -> None:
    probabilities = np.array([[0.0, 1.0], [1.0, 0.0]], dtype=np.float32)
    assert np.isfinite(METRICS["log_loss"](np.array([0, 0]), probabilities))


@pytest.mark.parametrize("task", TASKS.values())
def test_every_metric_of_a_task_exists_and_knows_its_name(task: type) -> None:
    for name in task.metric_names:
        assert task().metrics()[name].name == name


def test_constant_answers_and_targets_have_scores() -> None:
    constant = np.ones(4)
    assert METRICS["r2"](constant, constant) == 1.0
    assert METRICS["r2"](constant, constant + 1) == 0.0
    assert METRICS["spearman"](constant, np.arange(4.0)) == 0.0
    assert METRICS["mcc"](np.array([0, 1, 1]), np.array([1, 1, 1])) == 0.0


def test_unknown_and_unfit_metrics_are_refused() -> None:
    with pytest.raises(UsageError, match="Did you mean 'accuracy'"):
        metric_for("acuracy", Classification())
    with pytest.raises(UsageError, match="'rmse' does not fit the task classification"):
        metric_for("rmse", Classification())
    with pytest.raises(UsageError, match="does not fit the task regression"):
        metric_for("accuracy", Regression())


def test_score_reads_choices_with_the_threshold_of_the_task() -> None:
    truth, probabilities = np.array([[1, 0]]), np.array([[0.3, 0.1]])
    assert score(Multilabel(threshold=0.2), "subset_accuracy", truth, probabilities) == 1.0
    assert score(Multilabel(), "subset_accuracy", truth, probabilities) == 0.0
