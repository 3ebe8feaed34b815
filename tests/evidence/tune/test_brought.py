"""What a technique brought, from the trials that a tune has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from evidence.tune.made_trials import answers, judged, redone, trial
from graftwork.evidence.tune.brought import brought
from graftwork.evidence.tune.trials import Trial


def made(
    number: int, score: float | None, *techniques: str, lr: float = 1e-3, base: str = "minilm", **more: Any
) -> Trial:
    recipe = {"base": base, "head": "linear", "techniques": list(techniques), "training": {"lr": lr}}
    return trial(number, score, base=base, techniques=techniques, recipe=recipe, **more)


def test_pairs_differ_in_it_alone_and_their_interval_is_that_of_their_rows() -> None:
    random = np.random.default_rng(0)
    given = {at: answers(0.7, 200, random) for at in (0, 2)}
    given |= {at + 1: redone(given[at], 0.3, 0.95, random) for at in (0, 2)}
    found = judged(given, draws=2000)
    score = dict(zip(found.numbers, map(float, found.values), strict=True))
    trials = [
        made(0, score[0]),
        made(1, score[1], "mixup"),
        made(2, score[2], "lora:rank=4", base="gru"),
        made(3, score[3], "mixup:alpha=2", "lora:rank=4", base="gru"),
    ]
    mixup = next(one for one in brought(trials, found) if one.name == "mixup")
    assert (mixup.basis, mixup.pairs, mixup.trials, mixup.helped) == ("pairs", 2, 2, 2)
    assert mixup.gain == pytest.approx((score[1] - score[0] + score[3] - score[2]) / 2)
    picked = np.random.default_rng(7).integers(200, size=(2000, 200))
    by_hand = ((given[1] - given[0] + given[3] - given[2]) / 2)[picked].mean(axis=1)
    assert mixup.interval is not None
    assert (mixup.interval.low, mixup.interval.high) == pytest.approx(np.quantile(by_hand, [0.025, 0.975]), abs=0.01)


def test_where_other_settings_differ_too_it_says_so_and_has_no_interval() -> None:
    trials = [made(0, 0.7, lr=1e-3), made(1, 0.8, "mixup", lr=1e-4), made(2, 0.6, lr=1e-2)]
    found = brought(trials)
    assert [(one.name, one.basis, one.pairs, one.interval) for one in found] == [("mixup", "settings differ", 2, None)]
    assert found[0].gain == pytest.approx(0.15)


def test_another_base_is_no_other_setting() -> None:
    found = brought([made(0, 0.7), made(1, 0.8, "mixup", base="gru")])
    assert [(one.basis, one.gain) for one in found] == [("never apart", None)]


def test_what_every_trial_has_is_not_told_and_unfinished_ones_tell_nothing() -> None:
    trials = [made(0, 0.7, "ema"), made(1, 0.9, "ema", "mixup", state="paused"), made(2, None, "ema", state="failed")]
    assert [(one.name, one.basis, one.trials) for one in brought(trials)] == [("mixup", "never apart", 1)]
    assert brought([]) == ()


def test_combined_trials_are_no_pair() -> None:
    trials = [made(0, 0.7), made(1, 0.9, "mixup", origin="combined")]
    assert brought(trials) == ()


def test_the_most_gain_is_first_and_what_is_not_known_last() -> None:
    trials = [made(0, 0.7), made(1, 0.6, "mixup"), made(2, 0.8, "ema"), made(3, 0.9, "sam", base="gru")]
    assert [one.name for one in brought(trials)] == ["ema", "mixup", "sam"]


def test_else_first_scores_of_searched_trials_are_compared_whether_or_not_they_were_gone_on_with() -> None:
    def begun(number: int, first: float, *techniques: str, **more: Any) -> Trial:
        one = made(number, None, *techniques, base=f"base {number}", steps=90, state="paused", **more)
        return replace(one, rungs=((10, first),))

    gone_on = replace(begun(4, 0.6, "mixup"), rungs=((10, 0.6), (90, 0.9)), state="finished")
    trials = [made(0, 0.99), begun(1, 0.5), begun(2, 0.3), begun(3, 0.4, "mixup"), gone_on, begun(5, 0.1, "ema")]
    mixup, ema = brought(trials)
    assert (mixup.name, mixup.basis, mixup.interval) == ("mixup", "all differs", None)
    assert mixup.gain == pytest.approx((0.4 + 0.6) / 2 - (0.5 + 0.3 + 0.1) / 3)
    assert (ema.name, ema.basis, ema.gain) == ("ema", "never apart", None)
