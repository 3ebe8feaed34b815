"""graftwork.evidence.transferability: LogME against the evidence itself, maximised by brute force."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

from graftwork.errors import UsageError
from graftwork.evidence.transferability import log_me


def brute_force(features: np.ndarray, numbers: np.ndarray) -> float:
    """The greatest log-density a row of numbers that are normal with the covariance F F' / alpha + I / beta."""
    gram, rows = features @ features.T, len(features)

    def lost(logs: np.ndarray) -> float:
        alpha, beta = np.exp(np.clip(logs, -20, 20))
        covariance = gram / alpha + np.eye(rows) / beta
        return -float(multivariate_normal(np.zeros(rows), covariance).logpdf(numbers)) / rows

    starts = [(0.0, 0.0), (3.0, 0.0), (-3.0, 3.0)]
    found = [minimize(lost, start, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-13}) for start in starts]
    return max(-float(one.fun) for one in found)


@pytest.mark.parametrize(("rows", "width"), [(40, 5), (12, 20), (15, 15)])
def test_it_is_the_greatest_evidence(rows: int, width: int) -> None:
    draw = np.random.default_rng(rows)
    features = draw.normal(size=(rows, width))
    numbers = features[:, :3] @ np.array([1.0, -2.0, 0.5]) + draw.normal(size=rows)
    assert log_me(features, numbers) == pytest.approx(brute_force(features, numbers), abs=1e-5)


def test_of_classes_it_is_the_mean_over_each_against_the_rest() -> None:
    draw = np.random.default_rng(1)
    classes = np.arange(30) % 3
    features = draw.normal(size=(30, 4)) + classes[:, None]
    each = [brute_force(features, (classes == one).astype(float)) for one in range(3)]
    assert log_me(features, classes) == pytest.approx(np.mean(each), abs=1e-5)
    assert log_me(features, np.eye(3)[classes]) == pytest.approx(log_me(features, classes))


def test_features_that_hold_the_classes_score_higher_and_noise_does_not_help() -> None:
    draw = np.random.default_rng(2)
    classes = np.arange(200) % 4
    good = np.eye(4)[classes] + 0.3 * draw.normal(size=(200, 4))
    poor = np.eye(4)[classes] + 2.0 * draw.normal(size=(200, 4))
    scores = [log_me(one, classes) for one in (good, np.hstack([good, draw.normal(size=(200, 60))]), poor)]
    assert scores == sorted(scores, reverse=True)


def test_features_that_say_nothing_and_those_that_say_all_have_a_score() -> None:
    classes = np.arange(20) % 2
    scores = [log_me(one, classes) for one in (np.eye(2)[classes], np.ones((20, 3)), np.zeros((20, 3)))]
    assert np.isfinite(scores).all()
    assert scores[0] > scores[1] >= scores[2]


def test_it_says_what_it_can_not_read() -> None:
    with pytest.raises(UsageError, match="features of 3 rows and labels of 2"):
        log_me(np.ones((3, 2)), np.array([0, 1]))
    with pytest.raises(UsageError, match="not finite"):
        log_me(np.array([[1.0], [np.nan]]), np.array([0, 1]))
