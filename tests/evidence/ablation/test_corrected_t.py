"""The corrected t test against scipy, Holm against the definition, and looks against what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from graftwork.evidence.ablation.corrected_t import Sample, corrected_error, further_repeats, holm, weigh

stats = pytest.importorskip("scipy.stats")


def sample(n: int, mean: float = 0.0, seed: int = 0, share: float = 0.25) -> Sample:
    return Sample(tuple(np.random.default_rng(seed).normal(mean, 1.0, n)), share)


def test_without_overlap_it_is_the_paired_t_test() -> None:
    given = sample(8, 0.5, share=0.0)
    found = weigh({"a": given})["a"]
    expected = stats.ttest_1samp(given.differences, 0.0)
    low, high = expected.confidence_interval(0.95)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert (found.low, found.high) == (pytest.approx(low, rel=1e-9), pytest.approx(high, rel=1e-9))


def test_overlap_widens_it_as_nadeau_and_bengio_say() -> None:
    given = sample(10, 1.0)
    found = weigh({"a": given})["a"]
    error = np.std(given.differences, ddof=1) * math.sqrt(1 / 10 + 0.25)
    assert corrected_error(given.differences, 0.25) == pytest.approx(error)
    mean = np.mean(given.differences)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(mean) / error, 9), rel=1e-9)
    assert found.high == pytest.approx(mean + stats.t.ppf(0.975, 9) * error, rel=1e-9)


def test_holm_is_the_definition() -> None:
    values = dict(enumerate(np.random.default_rng(0).uniform(0, 0.2, 12)))
    found = holm(values)
    ordered = sorted(values, key=values.__getitem__)
    for place, name in enumerate(ordered):
        steps = [min(1.0, (len(ordered) - before) * values[ordered[before]]) for before in range(place + 1)]
        assert found[name] == max(steps)


def test_nothing_is_said_of_fewer_than_five_repeats() -> None:
    for n in range(5):
        found = weigh({"a": sample(n, 50.0)})["a"]
        assert (found.low, found.high, found.p, found.holm, found.side) == (None, None, None, None, 0)
        assert found.settles == 5 - n
    assert weigh({"a": sample(5, 50.0)})["a"].side == 1


def test_the_same_difference_each_time_is_no_proof_by_itself() -> None:
    """Scores are counted in rows: two repeats that differ by one row each can hide that they vary."""
    none = weigh({"a": Sample((0.0,) * 20, 0.25)})["a"]
    assert (none.p, none.side, none.low, none.high, none.settles) == (1.0, 0, 0.0, 0.0, None)
    few = weigh({"a": Sample((0.02,) * 5, 0.25)} | {str(at): sample(5, seed=at) for at in range(3)})["a"]
    many = weigh({"a": Sample((0.02,) * 10, 0.25)} | {str(at): sample(10, seed=at) for at in range(3)})["a"]
    assert few.side == 0
    assert many.side == 1
    assert many.low is not None
    assert 0 < many.low < 0.02


def test_a_look_between_two_planned_ones_changes_nothing() -> None:
    given = sample(17, 0.3)
    looks = (5, 10, 20)
    at_ten = weigh({"a": Sample(given.differences[:10], 0.25)}, looks)["a"]
    assert weigh({"a": given}, looks)["a"] == at_ten
    assert at_ten.repeats == 10


def test_alpha_is_shared_over_the_looks() -> None:
    given = sample(5, 1.5)
    alone, looked = weigh({"a": given})["a"], weigh({"a": given}, (5, 10, 20, 40))["a"]
    assert looked.p == pytest.approx(min(1.0, 4 * alone.p))  # type: ignore[operator]
    assert looked.high > alone.high  # type: ignore[operator]


def test_what_a_look_has_told_stays_told() -> None:
    clear = [1.0, 1.1, 0.9, 1.05, 0.95]
    later = Sample((*clear, 0.5, -0.1, 0.3, 2.0, 0.2), 0.25)
    found = weigh({"a": later}, (5, 10))["a"]
    assert found.side == 1
    assert found.p == pytest.approx(2 * weigh({"a": Sample(tuple(clear), 0.25)})["a"].p, rel=1e-9)  # type: ignore[operator]


def test_looks_that_contradict_each_other_tell_nothing() -> None:
    turned = Sample((1.0, 1.1, 0.9, 1.05, 0.95, *([-4.0] * 4), -4.1), 0.25)
    assert weigh({"a": turned}, (5, 10))["a"].side == 0


def test_further_repeats_are_enough_and_no_more() -> None:
    given = Sample((1.6, -0.4, 2.1, 0.3, 2.4), 0.25)
    more = further_repeats(given, (), 0.05)
    assert more is not None
    mean, spread = np.mean(given.differences), np.std(given.differences, ddof=1)

    def told(count: int) -> bool:
        return bool(mean > stats.t.ppf(0.975, count - 1) * spread * math.sqrt(1 / count + 0.25))

    assert told(5 + more)
    assert not told(5 + more - 1)
    assert further_repeats(Sample((1.0, -1.0, 0.5, -0.5, 0.1), 0.25), (), 0.05) is None
    assert further_repeats(given, (5,), 0.05) is None  # no look is left
