"""Evaluations: scores as scikit-learn's, details by hand, rows by their own number."""

from __future__ import annotations

import json

import numpy as np
import pytest
import sklearn.metrics as reference

from evidence.samples import classification, multilabel_evaluation, regression_evaluation, single_label
from graftwork.errors import DataError
from graftwork.evidence.details import LabelDetails
from graftwork.evidence.evaluate import evaluate
from graftwork.evidence.scores.examples import Example
from graftwork.tasks.multilabel import Multilabel


def test_scores_and_json() -> None:
    targets, probabilities = single_label()
    found = evaluate(classification(), targets, probabilities, np.arange(300))
    chosen = probabilities.argmax(axis=1)
    data = json.loads(json.dumps(found.to_json()))
    assert data["accuracy"].keys() == {"value", "low", "high"}
    assert data["accuracy"]["value"] == pytest.approx(reference.accuracy_score(targets, chosen))
    assert data["macro_f1"]["value"] == pytest.approx(reference.f1_score(targets, chosen, average="macro"))
    assert data["log_loss"]["value"] == pytest.approx(reference.log_loss(targets, probabilities))
    assert "top5_accuracy" not in data  # of four classes
    assert found.details.commonest == np.bincount(targets).max() / 300
    assert found.scores["accuracy"].text.startswith("93.0 % (")


def test_per_class_pairs_and_matrix_agree_with_scikit_learn() -> None:
    targets, probabilities = single_label(classes=6)
    found = evaluate(classification(6), targets, probabilities, np.arange(300))
    chosen = probabilities.argmax(axis=1)
    precision, recall, f1, support = reference.precision_recall_fscore_support(targets, chosen)
    for at, each in enumerate(found.details.per_class):
        assert (each.precision, each.recall, each.f1) == pytest.approx((precision[at], recall[at], f1[at]))
        assert each.rows == support[at]
    matrix = reference.confusion_matrix(targets, chosen)
    names = found.classes
    assert {(pair.truth, pair.predicted): pair.rows for pair in found.details.pairs} == {
        (names[i], names[j]): matrix[i, j] for i in range(6) for j in range(6) if i != j and matrix[i, j]
    }
    assert [pair.rows for pair in found.details.pairs] == sorted(
        (pair.rows for pair in found.details.pairs), reverse=True
    )


def test_classes_that_never_occur_have_no_scores() -> None:
    found = evaluate(classification(3), np.array([0, 0]), np.array([[0.9, 0.1, 0], [0.2, 0.8, 0]]), np.arange(2))
    assert [(each.precision, each.recall, each.f1) for each in found.details.per_class] == [
        (1.0, 0.5, pytest.approx(2 / 3)),
        (0.0, None, 0.0),
        (None, None, None),
    ]


def test_reliability_bins_by_hand() -> None:
    probabilities = np.array([[0.95, 0.05], [0.97, 0.03], [0.55, 0.45]])
    low, high = evaluate(classification(2), np.array([0, 1, 0]), probabilities, np.arange(3)).details.reliability
    assert (low.rows, low.confidence, low.accuracy) == (1, pytest.approx(0.55), 1.0)
    assert (high.rows, high.confidence, high.accuracy) == (2, pytest.approx(0.96), 0.5)
    assert low.low < 0.55 <= low.high


def test_rows_without_target_are_left_out_and_row_numbers_kept() -> None:
    targets = np.array([0, -1, 1, 0])
    probabilities = np.array([[0.1, 0.9], [0.5, 0.5], [0.3, 0.7], [0.4, 0.6]])
    found = evaluate(
        classification(2),
        targets,
        probabilities,
        np.array([11, 12, 13, 14]),
        labelled=targets >= 0,
        texts=["a", "b", "c", "d"],
        lengths=np.array([5, 99, 7, 6]),
    )
    assert (found.rows, found.unlabelled) == (3, 1)
    first, second = found.classes
    assert found.most_wrong == (
        Example(11, "a", first, second, 0.9, tokens=5),
        Example(14, "d", first, second, 0.6, tokens=6),
    )
    assert [example.row for example in found.slowest] == [13, 14, 11]


def test_slowest_are_the_rows_with_the_most_tokens() -> None:
    targets, probabilities = single_label(rows=30)
    found = evaluate(classification(), targets, probabilities, np.arange(30), lengths=np.arange(30) * 2)
    assert [(example.row, example.tokens) for example in found.slowest] == [(row, 2 * row) for row in range(29, 19, -1)]


def test_no_mistake_no_most_wrong_row() -> None:
    found = evaluate(classification(2), np.array([0, 1]), np.eye(2), np.arange(2))
    assert (found.most_wrong, found.details.pairs, found.slowest) == ((), (), ())


def test_nothing_labelled_is_an_error() -> None:
    with pytest.raises(DataError, match="None of 2 rows has a target"):
        evaluate(classification(), np.array([-1, -1]), np.ones((2, 4)) / 4, np.arange(2), labelled=np.zeros(2, bool))


def test_multilabel() -> None:
    found = multilabel_evaluation()
    assert set(found.scores) == set(Multilabel.metric_names)
    assert type(found.details) is LabelDetails
    assert sum(each.rows for each in found.details.reliability) == 200 * 3
    assert found.most_wrong[0].probability is None
    task = Multilabel().with_state({"classes": ["a", "b"], "type": "string", "lists": True})
    few = evaluate(task, np.array([[1, 1], [0, 0]], np.uint8), np.array([[0.9, 0.2], [0.1, 0.6]]), np.arange(2))
    assert [(example.truth, example.predicted) for example in few.most_wrong] == [("a, b", "a"), ("(none)", "b")]


def test_regression_is_scored_in_units() -> None:
    found = regression_evaluation()
    assert found.scores["rmse"].value == pytest.approx(3, rel=0.2)
    assert (found.classes, found.uncovered) == ((), ())
    errors = [abs(float(example.truth) - float(example.predicted)) for example in found.most_wrong]
    assert errors == sorted(errors, reverse=True)
    assert len(found.details.points) == 200
    assert len(regression_evaluation(3000).details.points) == 1000
