"""Models of a log: against ridge and logistic regression of scikit-learn, and never by a row itself."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from graftwork.techniques.reward.cross_fit import (
    PENALTIES,
    choice_propensities,
    dealt,
    expected_rewards,
    ridge,
    scaled,
)


def log(rows: int = 300, width: int = 6, actions: int = 3, seed: int = 0):
    draw = np.random.default_rng(seed)
    features = scaled(draw.normal(size=(rows, width)).astype(np.float32), np.ones(rows, bool))
    weights = 3 * draw.normal(size=(actions, width))
    chance = np.exp(2 * features @ draw.normal(size=(width, actions)))
    chance /= chance.sum(axis=1, keepdims=True)
    action = (chance.cumsum(axis=1) > draw.random((rows, 1))).argmax(axis=1)
    means = features @ weights.T + np.arange(actions)
    return features, action, means[np.arange(rows), action] + 0.1 * draw.normal(size=rows), means, chance


@pytest.mark.parametrize("rows", [4, 50])
def test_ridge_is_scikit_learns(rows: int):
    draw = np.random.default_rng(1)
    features, targets = draw.normal(size=(rows, 8)), draw.normal(size=rows)
    for penalty, found in zip(PENALTIES, ridge(features, targets), strict=True):
        expected = Ridge(alpha=penalty, fit_intercept=False).fit(features, targets).coef_
        np.testing.assert_allclose(found, expected, atol=1e-8)


def test_rewards_of_all_actions_are_expected():
    features, action, reward, means, _ = log(1500)
    found = expected_rewards(features, action, reward, 3, dealt(1500, 5, 0))
    assert np.abs(found - means).mean() < 0.1
    assert np.abs(np.tile(reward.mean(), means.shape) - means).mean() > 1.0


def test_nothing_is_said_of_a_row_by_itself():
    features, action, reward, _, _ = log()
    fold = dealt(300, 5, 0)
    before = expected_rewards(features, action, reward, 3, fold)
    changed = reward.copy()
    changed[fold == 2] += np.random.default_rng(1).normal(size=int((fold == 2).sum())) / 100
    after = expected_rewards(features, action, changed, 3, fold)
    np.testing.assert_array_equal(before[fold == 2], after[fold == 2])
    assert (before[fold != 2] != after[fold != 2]).any()


def test_rows_without_an_action_teach_nothing_and_are_told():
    features, action, reward, _, _ = log()
    lacking = np.where(np.arange(300) % 4 == 0, -1, action)
    spoiled = np.where(lacking < 0, 1e6, reward)
    found = expected_rewards(features, lacking, spoiled, 3, dealt(300, 5, 0))
    assert np.abs(found).max() < 100


def test_an_action_that_was_never_logged_has_the_mean_of_all():
    features, action, reward, _, _ = log()
    fold = dealt(300, 5, 0)
    found = expected_rewards(features, action, reward, 4, fold)
    for held in range(5):
        np.testing.assert_allclose(found[fold == held, 3], reward[fold != held].mean(), rtol=1e-4)


def test_propensities_are_those_of_a_logistic_regression_of_the_other_folds():
    features, action, _, _, chance = log(2000)
    fold = dealt(2000, 5, 0)
    found = choice_propensities(features, action, 3, fold, 0)
    true = chance[np.arange(2000), action]
    assert np.corrcoef(found, true)[0, 1] > 0.9
    held = fold == 3
    other = LogisticRegression(C=1e6, max_iter=1000).fit(features[~held], action[~held])
    said = other.predict_proba(features[held])[np.arange(int(held.sum())), action[held]]
    assert np.abs(found[held] - said).max() < 0.1


def test_folds_are_even():
    assert np.bincount(dealt(103, 5, 0)).tolist() == [21, 21, 21, 20, 20]
    assert (dealt(50, 5, 0) != dealt(50, 5, 1)).any()
