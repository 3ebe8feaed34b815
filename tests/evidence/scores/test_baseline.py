"""Baselines: scikit-learn's dummies on the same rows; a model that knows nothing does not beat them."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics as reference
from sklearn.dummy import DummyClassifier, DummyRegressor

from evidence.samples import classification, single_label
from graftwork.evidence.evaluate import evaluate
from graftwork.evidence.scores.baseline import baseline_of
from graftwork.evidence.scores.intervals import Interval
from graftwork.tasks.embedding.few_shot import FewShot
from graftwork.tasks.embedding.identity import Identity
from graftwork.tasks.embedding.retrieval import Retrieval
from graftwork.tasks.multilabel import Multilabel
from graftwork.tasks.regression import Regression
from graftwork.tasks.task import Task

TRAIN = np.repeat([0, 1, 2, 3], [10, 60, 20, 10])


def found(task: Task, metric: str, targets: np.ndarray, values: np.ndarray, train: np.ndarray):
    scored = evaluate(task, targets, values, np.arange(len(targets))).scores[metric]
    return baseline_of(task, metric, targets, values, train, scored)


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "balanced_accuracy", "mcc"])
def test_the_commonest_class_of_the_training_rows(metric: str) -> None:
    targets, probabilities = single_label()
    one = found(classification(), metric, targets, probabilities, TRAIN)
    dummy = DummyClassifier(strategy="most_frequent").fit(np.zeros((100, 1)), TRAIN).predict(np.zeros((300, 1)))
    scores = {
        "accuracy": reference.accuracy_score,
        "macro_f1": lambda truth, chosen: reference.f1_score(truth, chosen, average="macro"),
        "balanced_accuracy": reference.balanced_accuracy_score,
        "mcc": reference.matthews_corrcoef,
    }
    assert one is not None
    assert one.score == pytest.approx(scores[metric](targets, dummy))
    assert one.name == "the commonest class, 'class number 1'"
    assert one.beaten
    assert one.interval.low > 0.5
    assert one.sentence().startswith("Better than the commonest class")


def test_shares_are_the_baseline_of_probabilities() -> None:
    targets, probabilities = single_label()
    one = found(classification(), "log_loss", targets, probabilities, TRAIN)
    shares = np.tile([0.1, 0.6, 0.2, 0.1], (300, 1))
    assert one is not None
    assert one.score == pytest.approx(reference.log_loss(targets, shares), rel=1e-6)
    assert one.beaten
    assert one.interval.value == pytest.approx(one.score - reference.log_loss(targets, probabilities), rel=1e-6)
    assert found(classification(), "calibration_error", targets, probabilities, TRAIN) is None


@pytest.mark.parametrize(("metric", "strategy"), [("mae", "median"), ("rmse", "mean"), ("r2", "mean")])
def test_a_constant_is_the_baseline_of_numbers(metric: str, strategy: str) -> None:
    rng, task = np.random.default_rng(0), Regression().with_state({"mean": 5.0, "std": 2.0})
    train, targets = (rng.gamma(1.0, size=size).astype(np.float32) for size in (400, 200))
    given = task.truth(targets)[:, None] + 0.2 * rng.normal(size=(200, 1))
    one = found(task, metric, targets, given, train)
    dummy = DummyRegressor(strategy=strategy).fit(np.zeros((400, 1)), task.truth(train)).predict(np.zeros((200, 1)))
    expected = {
        "mae": reference.mean_absolute_error,
        "rmse": reference.root_mean_squared_error,
        "r2": reference.r2_score,
    }[metric](task.truth(targets), dummy)
    assert one is not None
    assert one.score == pytest.approx(expected, abs=1e-6)
    assert (one.beaten, one.name.split()[1]) == (True, strategy)
    same = found(task, metric, targets, np.full((200, 1), task.truth(train).mean()), train)
    assert same is not None
    assert not same.beaten


def test_a_model_that_answers_at_random_does_not_beat_it() -> None:
    rng, (targets, _) = np.random.default_rng(1), single_label()
    one = found(classification(), "accuracy", targets, rng.dirichlet(np.ones(4), 300), TRAIN)
    assert one is not None
    assert not one.beaten
    assert "learned nothing that can be relied on" in one.sentence()
    worse = found(classification(), "accuracy", np.ones(300, int), rng.dirichlet(np.ones(4), 300), TRAIN)
    assert worse is not None
    assert worse.sentence().startswith("Worse than")


def test_several_labels() -> None:
    rng = np.random.default_rng(0)
    task = Multilabel().with_state({"classes": ["a", "b", "c"], "type": "string", "lists": True})
    targets = (rng.random((200, 3)) < [0.8, 0.3, 0.1]).astype(np.uint8)
    sharp = np.clip(0.8 * targets + 0.1, 0, 1)
    one = found(task, "micro_f1", targets, sharp, targets)
    always = np.tile(np.array([1, 0, 0]), (200, 1))
    assert one is not None
    assert one.score == pytest.approx(reference.f1_score(targets, always, average="micro"))
    assert (one.beaten, one.name) == (True, "the commonest labels, 'a'")
    loss = found(task, "log_loss", targets, sharp, targets)
    assert loss is not None
    assert loss.beaten


@pytest.mark.slow
def test_pairs_are_compared_with_chance() -> None:
    rng, task, who = np.random.default_rng(0), Identity(), np.repeat(np.arange(20), 5)
    noise = rng.normal(size=(100, 16)).astype(np.float32)
    known = (noise + 6 * rng.normal(size=(20, 16))[who]).astype(np.float32)
    for metric, chance in {"eer": 0.5, "tar_at_far_0.01": 0.01, "rank1": 4 / 99}.items():
        one, blind = (found(task, metric, who, values, who) for values in (known, noise))
        assert one is not None
        assert blind is not None
        assert (one.score, one.beaten) == (pytest.approx(chance), True)
        assert one.interval.low <= one.interval.value <= one.interval.high
        assert abs(blind.interval.value) < 0.15


def test_partners_and_episodes_are_compared_with_chance() -> None:
    rng, task = np.random.default_rng(0), Retrieval(width=8)
    targets = np.stack([np.arange(100), 100 + np.arange(100)], axis=1)
    side = rng.normal(size=(100, 8)).astype(np.float32)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    one = found(task, "recall_at_10", targets, np.concatenate([side, side], axis=1), targets)
    assert one is not None
    assert (one.score, one.beaten) == (pytest.approx(0.1), True)
    episodes = baseline_of(FewShot(way=5), "episode_accuracy", targets, side, targets, Interval(0.21, 0.19, 0.23))
    assert episodes is not None
    assert (episodes.score, episodes.beaten) == (0.2, False)
