from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from graftwork import techniques as t
from graftwork.data.rollouts import NONE, Rollouts
from graftwork.errors import RefusedError, UsageError
from graftwork.techniques.reward.advantage_weighted import advantage_weights
from graftwork.techniques.reward.value_baseline import FOLDS, PENALTIES, expected_returns
from tinyrun import Fixture, make_worlds


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Fixture:
    return make_worlds(tmp_path_factory.mktemp("fixtures"))("cnn", "classes")


def log(rollouts: int = 12, steps: int = 7) -> tuple[np.ndarray, Rollouts]:
    """Features, of which the first one says what comes at once."""
    draw = np.random.default_rng(1)
    count = rollouts * steps
    features = draw.normal(3.0, 2.0, size=(count, 4))
    reward = features[:, 0] + 0.1 * draw.normal(size=count)
    return features, Rollouts(np.repeat(np.arange(rollouts), steps), np.tile(np.arange(steps), rollouts), reward)


def test_the_baseline_is_that_of_scikit_learn_on_the_other_rollouts() -> None:
    features, known = log()
    returns = known.returns(0.5)
    late = known.place[:, None].astype(float)
    inputs = np.concatenate([features, late, late**2], axis=1)
    inputs = (inputs - inputs.mean(axis=0)) / inputs.std(axis=0)
    tried = []
    for penalty in PENALTIES:
        found = np.zeros(len(returns))
        for fold in range(FOLDS):
            held = known.rollout % FOLDS == fold
            fitted = Ridge(alpha=penalty * (~held).sum(), fit_intercept=False)
            # The mean is fitted with the others, and is not shrunk: on inputs less their means over the fit's own rows.
            shift, mean = inputs[~held].mean(axis=0), returns[~held].mean()
            fitted.fit(inputs[~held] - shift, returns[~held] - mean)
            found[held] = fitted.predict(inputs[held] - shift) + mean
        tried.append(found)
    best = min(tried, key=lambda found: float(np.square(found - returns).mean()))
    np.testing.assert_allclose(expected_returns(features, known, returns), best, rtol=1e-6)


def test_the_baseline_never_sees_the_rollout_that_it_is_for() -> None:
    features, known = log()
    returns = known.returns(0.5)
    own = known.rollout == 3
    changed = np.where(own, returns + 0.1, returns)
    before, after = (expected_returns(features, known, each) for each in (returns, changed))
    same = known.rollout % FOLDS == 3
    np.testing.assert_allclose(before[same], after[same])
    assert np.abs(before - after)[~same].max() > 1e-3


def test_one_rollout_and_rows_of_none_have_the_mean() -> None:
    features, known = log(rollouts=1)
    returns = known.returns()
    np.testing.assert_allclose(expected_returns(features, known, returns), returns.mean())
    none = Rollouts(np.full(len(known), NONE), known.place, known.reward)
    assert expected_returns(features, none, returns).tolist() == [0.0] * len(known)


def test_weights_are_the_formula_of_the_paper_cut_off_and_one_on_average() -> None:
    advantages, known = np.array([-1.0, 0.0, 1.0, 50.0, 3.0]), np.array([True, True, True, True, False])
    standard = (advantages[:4] - advantages[:4].mean()) / advantages[:4].std()
    expected = np.minimum(np.exp(standard / 0.2), 20.0)
    found = advantage_weights(advantages, known, 0.2, 20.0)
    np.testing.assert_allclose(found[:4], expected / expected.mean())
    assert found[4] == 1.0


def test_actions_that_brought_more_count_for_more_in_a_run(tiny: Fixture) -> None:
    run = tiny.run([t.AdvantageWeighted()])
    weights = run.importance
    assert weights is not None
    known = tiny.rollouts.rollout != NONE
    assert weights[~known].tolist() == [1.0] * int((~known).sum())
    assert np.corrcoef(weights[known], tiny.rollouts.returns(0.99)[known])[0, 1] > 0.3


def test_without_rollouts_it_is_refused(tiny: Fixture) -> None:
    from graftwork.core.plan import base_facts, check

    with pytest.raises(RefusedError, match="--role rollout=COLUMN"):
        check((t.AdvantageWeighted(),), base_facts(tiny.network, tiny.tasks))


def test_returns_that_are_all_alike_are_refused(tiny: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    known = tiny.rollouts
    flat = Rollouts(known.rollout, known.place, np.zeros(len(known)))
    monkeypatch.setattr(Fixture, "rollouts", flat)
    with pytest.raises(RefusedError, match="what came after each of the 36 rows is the same, 0"):
        tiny.run([t.AdvantageWeighted()])


@pytest.mark.parametrize("settings", [{"temperature": 0.0}, {"clip": 0.5}, {"discount": 1.1}])
def test_settings_out_of_range_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="advantage-weighted: "):
        t.AdvantageWeighted(**settings)
