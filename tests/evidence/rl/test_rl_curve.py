"""Interquartile means and their intervals, against brute force."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from graftwork.evidence.rl.curve import (
    gain_interval,
    iqm,
    iqm_interval,
    lead_interval,
    learning_curve,
    mean_interval,
    share_interval,
)
from graftwork.evidence.rl.scored import Scored, SeedRun


def scored(step: int, returns: list[float], successes: list[bool] | None = None) -> Scored:
    told = None if successes is None else tuple(successes)
    return Scored(step, step / 100, step / 200, tuple(returns), tuple(10 for _ in returns), told)


def brute_force(returns: list[list[float]], statistic, draws: int, seed: int) -> np.ndarray:
    """Seeds, then of each its episodes, one draw at a time."""
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        taken = [returns[at] for at in generator.integers(len(returns), size=len(returns))]
        found.append(statistic(np.concatenate([generator.choice(of, size=len(of)) for of in taken])))
    return np.array(found)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 20, 33])
def test_the_interquartile_mean_is_scipys_trimmed_mean(count: int) -> None:
    values = np.random.default_rng(count).normal(size=count)
    assert iqm(values) == pytest.approx(scipy.stats.trim_mean(values, 0.25))


def test_one_lucky_episode_does_not_move_it() -> None:
    assert iqm(np.array([1.0] * 19 + [1e9])) == 1.0


@pytest.mark.parametrize("lengths", [(20, 20, 20, 20, 20), (12, 20, 5), (30,)])
def test_intervals_are_those_of_a_bootstrap_made_one_draw_at_a_time(lengths: tuple[int, ...]) -> None:
    """Seeds of different means, some of them ended early."""
    draw = np.random.default_rng(1)
    returns = [(10 * at + draw.gumbel(size=count)).tolist() for at, count in enumerate(lengths)]
    for interval, statistic in ((iqm_interval, iqm), (mean_interval, np.mean)):
        found = interval(returns, resamples=20_000)
        drawn = brute_force(returns, statistic, 20_000, seed=7)
        assert found.value == pytest.approx(statistic(np.concatenate(returns)))
        low, high = np.quantile(drawn, [0.025, 0.975])
        spread = drawn.std()
        assert found.low == pytest.approx(low, abs=0.1 * spread)
        assert found.high == pytest.approx(high, abs=0.1 * spread)


def test_seeds_that_differ_widen_the_interval_more_than_their_episodes_do() -> None:
    draw = np.random.default_rng(0)
    alike = [draw.normal(size=50).tolist() for _ in range(5)]
    apart = [[one + 10 * at for one in of] for at, of in enumerate(alike)]
    narrow, wide = mean_interval(alike), mean_interval(apart)
    assert wide.high - wide.low > 10 * (narrow.high - narrow.low)


def test_the_interval_holds_the_mean_of_all_seeds_about_as_often_as_it_says() -> None:
    """Ten seeds, whose means vary: in 95 of 100 repeats, less what ten are too few for."""
    draw, held = np.random.default_rng(3), 0
    for at in range(200):
        means = draw.normal(size=10)
        found = mean_interval([(mean + draw.normal(size=10)).tolist() for mean in means], seed=at, resamples=400)
        held += found.low <= 0 <= found.high
    assert 176 <= held <= 198


def test_the_same_call_gives_the_same_interval_and_holds_its_value() -> None:
    returns = [[1.0, 2.0, 30.0], [2.0, 2.0, 2.0]]
    found = iqm_interval(returns)
    assert found == iqm_interval(returns)
    assert found.low <= found.value <= found.high


def test_shares_that_are_all_or_none_get_wilsons_bound() -> None:
    all_of = share_interval([[True] * 10, [True] * 10])
    assert (all_of.value, all_of.high) == (1.0, 1.0)
    z = 1.959964
    assert all_of.low == pytest.approx(20 / (20 + z * z), abs=1e-4)
    none = share_interval([[False] * 20])
    assert (none.low, none.high) == (0.0, pytest.approx(1 - all_of.low))
    some = share_interval([[True, False] * 10, [True] * 20])
    assert some.value == 0.75
    assert 0 < some.low < 0.75 < some.high <= 1


def test_a_seed_that_is_evaluated_at_other_steps_counts_with_its_newest_evaluation() -> None:
    runs = [
        SeedRun(0, (scored(100, [1.0]), scored(200, [3.0]), scored(300, [5.0]))),
        SeedRun(1, (scored(150, [10.0]), scored(250, [20.0]))),
        SeedRun(2, ()),
    ]
    points = learning_curve(runs, resamples=50)
    assert [(one.step, one.iqm.value, one.seeds) for one in points] == [
        (100, 1.0, 1),
        (150, 5.5, 2),
        (200, 6.5, 2),
        (250, 11.5, 2),
        (300, 5.0, 1),  # the other one ended at 250
    ]


def test_growth_is_paired_by_seed() -> None:
    """Two seeds far apart that grow alike: what they differ by is not in the interval of the growth."""
    draw = np.random.default_rng(0)
    before = [(level + draw.normal(size=40)).tolist() for level in (0, 2, 4, 6, 8)]
    after = [[one + 3 for one in of] for of in before]
    grown, unpaired = gain_interval(after, before), lead_interval(after, before)
    assert grown.value == unpaired.value == pytest.approx(3)
    assert grown.low > 0
    assert grown.high - grown.low < 0.7 * (unpaired.high - unpaired.low)


def test_without_an_episode_there_is_no_mean() -> None:
    with pytest.raises(ValueError, match="no episode"):
        iqm_interval([])


def test_what_was_scored_comes_back_from_json() -> None:
    one = scored(5, [1.0, 2.0], [True, False])
    assert Scored.from_json(one.to_json()) == one
    assert Scored.from_json(scored(5, [1.5]).to_json()).successes is None
