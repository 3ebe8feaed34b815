"""graftwork.evidence.sure.class_thresholds: weights on probabilities, against brute force and scikit-learn's F1."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.metrics import f1_score

from graftwork.evidence.sure.class_thresholds import class_weights, weighted_choices
from graftwork.tasks.metrics.registry import METRICS

MACRO_F1 = METRICS["macro_f1"]


def rows(count: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that know something of the truth, in which the first class is common."""
    draw = np.random.default_rng(seed)
    shares = np.array([4.0] + [1.0] * (classes - 1))
    truth = draw.choice(classes, count, p=shares / shares.sum())
    logits = draw.normal(size=(count, classes)) + 1.2 * np.eye(classes)[truth] + np.log(shares)
    odds = np.exp(logits)
    return odds / odds.sum(axis=1, keepdims=True), truth


def f1(truth: np.ndarray, choices: np.ndarray) -> float:
    return float(f1_score(truth, choices, average="macro", labels=np.unique(truth), zero_division=0.0))


@pytest.mark.parametrize("seed", range(5))
def test_of_two_classes_it_is_the_best_threshold(seed: int) -> None:
    probabilities, truth = rows(40, 2, seed)
    weights = class_weights(probabilities, truth, MACRO_F1)
    every = [f1(truth, (probabilities[:, 1] > at).astype(int)) for at in [0.0, *np.sort(probabilities[:, 1]) - 1e-9]]
    assert f1(truth, weighted_choices(probabilities, weights)) == pytest.approx(max(every))


@pytest.mark.parametrize("seed", range(5))
def test_of_three_classes_it_is_nearly_the_best_of_all_weights(seed: int) -> None:
    probabilities, truth = rows(24, 3, seed)
    found = f1(truth, weighted_choices(probabilities, class_weights(probabilities, truth, MACRO_F1)))
    grid = np.geomspace(1 / 30, 30, 30)
    best = max(
        f1(truth, weighted_choices(probabilities, np.array([1.0, *pair]))) for pair in itertools.product(grid, grid)
    )
    plain = f1(truth, probabilities.argmax(axis=1))
    assert plain <= found <= best + 0.05
    assert found >= plain + 0.6 * (best - plain)  # a search by classes may end in a place that is only nearly best


def test_no_weight_of_one_class_would_do_better() -> None:
    probabilities, truth = rows(60, 4, 0)
    weights = class_weights(probabilities, truth, MACRO_F1)
    found = f1(truth, weighted_choices(probabilities, weights))
    for label, factor in itertools.product(range(4), np.geomspace(0.05, 20, 40)):
        changed = weights.copy()
        changed[label] *= factor
        assert f1(truth, weighted_choices(probabilities, changed)) <= found + 0.02  # of many weights, 48 are tried


def test_more_rows_than_are_tried_and_a_score_of_which_less_is_better() -> None:
    from graftwork.tasks.costs import CostMatrix, mean_cost
    from graftwork.tasks.metrics.cost_metrics import mean_cost_metric

    probabilities, truth = rows(5000, 3, 1)
    costs = CostMatrix(("a", "b", "c"), np.array([[0.0, 1, 1], [9, 0, 1], [1, 1, 0]]))
    weights = class_weights(probabilities, truth, mean_cost_metric(costs))
    assert weights.max() == 1.0
    assert weights.min() > 0.0
    plain = mean_cost(truth, probabilities.argmax(axis=1), costs)
    assert mean_cost(truth, weighted_choices(probabilities, weights), costs) < plain


def test_where_nothing_is_better_all_weigh_alike() -> None:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8]])
    assert class_weights(probabilities, np.array([0, 1]), MACRO_F1).tolist() == [1.0, 1.0]
