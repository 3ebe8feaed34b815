"""graftwork.evidence.sure.thresholds: the best of all that there are, by brute force; which metrics can choose."""

from __future__ import annotations

import numpy as np
import pytest
from fixed import classes, label_sets, numbers, set_rows

from graftwork.errors import UsageError
from graftwork.evidence.sure.calibration import Calibration
from graftwork.evidence.sure.thresholds import (
    best_decisions,
    best_threshold,
    decision,
    metrics_asked,
    score_at,
    with_threshold,
)
from graftwork.tasks.metrics.registry import metric_for


def rare(rows: int, seed: int = 0) -> Calibration:
    """One row in ten is of the second class, and the model is too shy to say so."""
    draw = np.random.default_rng(seed)
    truth = (draw.random(rows) < 0.1).astype(np.int64)
    p = 1 / (1 + np.exp(-(draw.normal(size=rows) + 2.5 * truth - 3)))
    return Calibration(np.stack([1 - p, p], axis=1).astype(np.float32), truth)


@pytest.mark.parametrize("metric", ["macro_f1", "accuracy", "balanced_accuracy", "mcc"])
def test_it_is_the_best_of_all(metric: str) -> None:
    task, rows = classes(2), rare(150)
    found = best_threshold(task, rows, metric)
    bound = metric_for(metric, task)
    every = [bound(rows.truth, (rows.kept[:, 1] >= at).astype(int)) for at in np.linspace(0.001, 0.999, 2000)]
    assert score_at(task, rows, bound, found) >= max(every) - 1e-12
    assert score_at(task, rows, bound, found) == bound(rows.truth, with_threshold(task, found).predicted(rows.kept))


def test_it_is_worth_something_on_other_rows() -> None:
    task = classes(2)
    task = with_threshold(task, best_threshold(task, rare(800), "macro_f1"))
    told = decision(task, rare(2000, 1), "macro_f1")
    assert told.threshold < 0.4
    assert told.score > told.usual + 0.05
    assert "from 0.5 on" in told.sentence()


def test_label_sets_have_one_for_all_labels() -> None:
    task, rows = label_sets(4), set_rows(np.random.default_rng(1), 400, 4)
    shy = Calibration(rows.kept**2, rows.truth)
    found = best_threshold(task, shy, "micro_f1")
    assert found < 0.5
    assert np.array_equal(with_threshold(task, found).predicted(shy.kept), (shy.kept >= found).astype(np.uint8))


def test_where_nothing_is_better_it_stays_at_one_half() -> None:
    rows = Calibration(np.array([[0.9, 0.1], [0.2, 0.8]] * 10, np.float32), np.array([0, 1] * 10))
    assert best_threshold(classes(2), rows, "accuracy") == 0.5


def test_several_classes_have_weights() -> None:
    """The class that the model is too shy to say is said more often, and other rows are the better for it."""

    def shy(rows: int, seed: int) -> Calibration:
        draw = np.random.default_rng(seed)
        truth = draw.choice(3, rows, p=[0.8, 0.1, 0.1])
        odds = np.exp(draw.normal(size=(rows, 3)) + 2 * np.eye(3)[truth] - np.array([0.0, 3.0, 2.0]))
        return Calibration((odds / odds.sum(axis=1, keepdims=True)).astype(np.float32), truth)

    task = best_decisions(classes(3), shy(800, 0), "macro_f1")
    told = decision(task, shy(2000, 1), "macro_f1")
    assert told.score > told.usual + 0.1
    assert max(told.weights, key=lambda name: told.weights[name]) == "c001"
    assert "1 for 'c001'" in told.sentence()
    again = classes(3).with_state(task.state())
    rows = shy(500, 2)
    assert np.array_equal(again.predicted(rows.kept), (rows.kept * list(told.weights.values())).argmax(axis=1))
    assert again == task
    assert classes(3).state().keys() == {"classes", "type"}
    for wrong in ([1.0], [1.0, 0.0, 1.0], [1.0, float("nan"), 1.0]):
        with pytest.raises(ValueError, match="weights"):
            classes(3).with_state({**task.state(), "weights": wrong})


def test_a_task_keeps_its_threshold_and_predicts_by_it() -> None:
    task = with_threshold(classes(2), 0.2)
    again = classes(2).with_state(task.state())
    kept = np.array([[0.7, 0.3], [0.9, 0.1]], np.float32)
    assert again.predicted(kept).tolist() == [1, 0]
    assert again.decode(kept) == ["c001", "c000"]
    assert classes(2).state().keys() == {"classes", "type"}
    with pytest.raises(ValueError, match="threshold"):
        classes(2).with_state({**task.state(), "threshold": 1.5})


def test_wrong_use_is_refused() -> None:
    with pytest.raises(UsageError, match=r"log_loss reads probabilities.*Expected one of .*macro_f1"):
        metrics_asked({"a": classes(2)}, "log_loss")
    with pytest.raises(UsageError, match="'a' is a regression"):
        metrics_asked({"a": numbers(np.arange(9.0))}, "macro_f1")
    with pytest.raises(UsageError, match="'b' is no target"):
        metrics_asked({"a": classes(2)}, {"b": "macro_f1"})
    with pytest.raises(UsageError, match="Unknown metric"):
        metrics_asked({"a": classes(2)}, "fame")
    several = {"a": classes(2), "b": numbers(np.arange(9.0)), "c": classes(3)}
    assert metrics_asked(several, "macro_f1") == {"a": "macro_f1", "c": "macro_f1"}
