"""Temperature scaling finds the scale that was put in, and never makes its own rows worse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax

from graftwork.tasks.classification import Classification
from graftwork.tasks.multilabel import Multilabel
from graftwork.tasks.regression import Regression
from graftwork.tasks.temperature import fit_temperature


def drawn(scale: float, rows: int = 4000, classes: int = 5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Predictions that are `scale` times too certain, and targets drawn from the true probabilities."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(rows, classes)) * 2
    targets = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    return (logits * scale).astype(np.float32), targets


def nll(logits: np.ndarray, targets: np.ndarray) -> float:
    return float(-log_softmax(logits.astype(float), axis=1)[np.arange(len(targets)), targets].mean())


@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
def test_the_scale_that_was_put_in_is_found(scale: float) -> None:
    predictions, targets = drawn(scale)
    assert fit_temperature(predictions, targets, Classification()) == pytest.approx(scale, rel=0.06)


def test_it_is_close_to_the_minimum_that_scipy_finds() -> None:
    predictions, targets = drawn(2.5, rows=1500)
    best = minimize_scalar(lambda t: nll(predictions / t, targets), bounds=(0.1, 10), method="bounded").x
    assert fit_temperature(predictions, targets, Classification()) == pytest.approx(best, rel=0.02)


def test_several_labels_a_row() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(3000, 4)) * 2
    targets = (rng.random(logits.shape) < expit(logits)).astype(np.uint8)
    assert fit_temperature(logits * 3, targets, Multilabel()) == pytest.approx(3, rel=0.06)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12), st.floats(0.1, 10))
def test_never_worse_than_one_on_its_rows(seed: int, rows: int, scale: float) -> None:
    predictions, targets = drawn(scale, rows=rows, seed=seed)
    temperature = fit_temperature(predictions, targets, Classification())
    assert nll(predictions / temperature, targets) <= nll(predictions, targets) + 1e-12


def test_few_rows_that_are_all_right_do_not_give_certainty() -> None:
    predictions = np.array([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0], [0.0, 2.0]])
    temperature = fit_temperature(predictions, np.array([0, 1, 0, 1]), Classification())
    assert expit(2.0 / temperature) < 0.9


def test_missing_targets_and_tasks_without_classes() -> None:
    predictions, targets = drawn(2.0, rows=500)
    expected = fit_temperature(predictions, targets, Classification())
    more = np.concatenate([predictions, 100 * predictions]), np.concatenate([targets, np.full(500, -1)])
    assert fit_temperature(*more, Classification()) == expected
    assert fit_temperature(predictions, np.full(500, -1), Classification()) == 1.0
    assert fit_temperature(np.zeros((3, 1)), np.zeros(3), Regression()) == 1.0
