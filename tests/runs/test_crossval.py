"""graftwork.runs.crossval: the honest score where no rows are held out, against scikit-learn's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import graftwork as gw
from graftwork.core.rows.examples import prepare
from graftwork.core.run import features_of
from graftwork.errors import RefusedError
from graftwork.networks.heads.rows import RowHead
from graftwork.runs.crossval import cross_validate
from graftwork.runs.job.folds import FOLDS, folds
from graftwork.runs.job.job import Job
from graftwork.runs.single.run import build_network
from jobs import job_of
from tiny import tiny_rows


@given(st.lists(st.integers(-1, 5), min_size=1, max_size=80), st.integers(0, 3))
def test_every_class_is_dealt_over_the_folds(classes: list[int], seed: int) -> None:
    labels = np.array(classes)
    fold = folds(labels, seed)
    assert np.array_equal(fold, folds(labels, seed))
    sizes = np.bincount(fold, minlength=FOLDS)
    assert len(sizes) == FOLDS
    assert sizes.max() - sizes.min() <= 1
    for name in set(classes):
        counts = np.bincount(fold[labels == name], minlength=FOLDS)
        assert counts.max() - counts.min() <= 1


def test_folds_are_drawn() -> None:
    labels = np.arange(60) % 3
    assert not np.array_equal(folds(labels, 0), folds(labels, 1))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=80), st.integers(0, 3))
def test_rows_of_a_group_are_in_one_fold(rows: list[tuple[int, int]], seed: int) -> None:
    labels, groups = np.array(rows).T
    fold = folds(labels, seed, together=groups)
    assert all(len(np.unique(fold[groups == one])) == 1 for one in np.unique(groups))
    sizes = np.bincount([fold[groups == one][0] for one in np.unique(groups)])
    assert len(sizes) == min(FOLDS, len(np.unique(groups)))
    assert sizes.max() - sizes.min() <= 1


def test_what_tells_a_group_says_nothing_of_its_rows(base: Path) -> None:
    people = [text for text, _ in tiny_rows(12) for _ in range(3)]
    labels = ["yes" if at // 3 % 2 else "no" for at in range(36)]
    table = pd.DataFrame({"text": people, "label": labels, "person": people})
    right = {}
    for roles in ({}, {"group": "person"}):
        recipe = gw.Recipe(base=str(base))
        job = job_of(table, recipe, target="label", inputs=["text"], roles=roles)
        truth = job.task.encode(job.train.column("label"), "", job.train.rows)[0]
        right[len(roles)] = float((cross_validate(job, recipe)["label"].argmax(1) == truth).mean())
    assert right[0] > 0.8
    assert right[1] < 0.6


def features(job: Job, recipe: gw.Recipe) -> np.ndarray:
    network = build_network(job, recipe)
    examples = prepare(job.train, network, job.tasks, recipe.text)
    return features_of(network, examples, {})


def cross_predict(estimator: Any, x: np.ndarray, truth: np.ndarray, fold: np.ndarray, method: str) -> np.ndarray:
    """scikit-learn's predictions with the same folds, on features of mean squared length 1."""
    from sklearn.model_selection import PredefinedSplit, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    probe = make_pipeline(StandardScaler(), FunctionTransformer(lambda v: v / np.sqrt(v.shape[1])), estimator)
    return np.asarray(cross_val_predict(probe, x, truth, cv=PredefinedSplit(fold), method=method))


def test_its_probabilities_are_those_of_scikit_learn(base: Path) -> None:
    from sklearn.linear_model import LogisticRegression

    table = pd.DataFrame(tiny_rows(50), columns=["text", "label"])
    table.loc[::4, "label"] = "food"  # otherwise every answer is right
    recipe = gw.Recipe(base=str(base), techniques=[gw.Partial(1)])
    job = job_of(table, recipe)
    assert job.valid is None
    found = cross_validate(job, recipe)["label"]
    truth = job.task.encode(job.train.column("label"), "", job.train.rows)[0]
    estimator = LogisticRegression(C=16, max_iter=5000, tol=1e-8)
    expected = cross_predict(estimator, features(job, recipe), truth, folds(truth, recipe.seed), "predict_proba")
    np.testing.assert_allclose(found, expected, atol=0.01)
    right = [float((values.argmax(1) == truth).mean()) for values in (found, expected)]
    assert right[0] == pytest.approx(right[1], abs=0.021)
    assert right[0] < 1


def test_its_numbers_are_those_of_scikit_learn(base: Path) -> None:
    from sklearn.linear_model import Ridge

    recipe = gw.Recipe(base=str(base), task="regression")
    texts = [text for text, _ in tiny_rows(30)]
    lengths = np.array([float(len(text)) for text in texts])
    job = job_of(pd.DataFrame({"text": texts, "label": lengths}), recipe)
    found = cross_validate(job, recipe)["label"]
    assert found.shape == (30, 1)
    ridge = Ridge(alpha=1 / 32)  # it does not halve squares, so its penalty counts twice
    fold = folds(np.zeros(30, np.int64), recipe.seed)
    expected = cross_predict(ridge, features(job, recipe), lengths, fold, "predict")
    np.testing.assert_allclose(found[:, 0], expected, atol=0.05)


def test_its_probabilities_of_several_labels_are_those_of_scikit_learn(base: Path) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    rows = tiny_rows(30)
    many = [topic + (";long" if len(text) > 20 else "") for text, topic in rows]
    recipe = gw.Recipe(base=str(base), task="multilabel")
    job = job_of(pd.DataFrame({"text": [text for text, _ in rows], "label": many}), recipe)
    found = cross_validate(job, recipe)["label"]
    truth = job.task.encode(job.train.column("label"), "", job.train.rows)[0]
    estimator = OneVsRestClassifier(LogisticRegression(C=16 / 4, max_iter=5000, tol=1e-8))  # its loss is a sum
    fold = folds(np.zeros(30, np.int64), recipe.seed)
    expected = cross_predict(estimator, features(job, recipe), truth, fold, "predict_proba")
    np.testing.assert_allclose(found, expected, atol=0.01)


def test_a_class_of_one_row_in_training(base: Path) -> None:
    """Two folds are scored by a probe that saw one row of the class."""
    rows = [*tiny_rows(30), ("the cat or the soup", "rare"), ("the soup or the cat", "rare")]
    recipe = gw.Recipe(base=str(base))
    job = job_of(pd.DataFrame(rows, columns=["text", "label"]), recipe)
    found = cross_validate(job, recipe)["label"]
    assert found.shape == (32, 4)
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-5)


def test_a_head_that_is_trained_in_steps_needs_rows_that_are_held_out(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RowHead, "can_be_solved", False)
    few = pd.DataFrame(tiny_rows(6), columns=["text", "topic"])
    recipe = gw.Recipe(base=str(base), techniques=[])
    with pytest.raises(RefusedError, match="no rows are held out"):
        gw.plan(few, target="topic", recipe=recipe)
    assert gw.plan(few, target="topic", valid=few, recipe=recipe)
