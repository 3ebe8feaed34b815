"""The rule by which a trial is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from evidence.tune.made_trials import answers, drawn, judged, redone, trial
from graftwork.evidence.tune.rule import Kept, keep
from graftwork.evidence.tune.superior import ERROR
from graftwork.evidence.tune.trials import Trial

SMALL, LARGE = 11_000_000, 33_000_000


def kept(trials: Sequence[Trial], error: float) -> tuple[int, str, tuple[int, ...]]:
    """The number of the kept one, why, and of what it is the plainest, where all differences have this error."""
    scores: Mapping[int, float] = {one.number: one.score or 0.0 for one in trials}
    found = drawn(scores, error)
    at: Kept = keep(trials, found.values, found.bounds)
    return trials[at.place].number, at.why, tuple(trials[place].number for place in at.among)


def test_the_default_stands_unless_another_is_better_by_more_than_chance() -> None:
    trials = [trial(0, 0.80), trial(1, 0.83, origin="default"), trial(2, 0.85, techniques=("ema",))]
    assert kept(trials, 0.03)[:2] == (1, "default")
    assert kept(trials, 0.005)[:2] == (2, "best")


def test_a_dearer_default_stands_too() -> None:
    """Neither its parameters nor its techniques make the default give way to what scores less."""
    trials = [trial(0, 0.83, techniques=("a", "b"), parameters=LARGE), trial(1, 0.82, parameters=SMALL)]
    assert kept(trials, 0.03)[:2] == (0, "best")


def test_a_smaller_model_that_scores_as_well_takes_its_place() -> None:
    trials = [trial(0, 0.83), trial(1, 0.835, parameters=SMALL), trial(2, 0.84), trial(3, 0.838, techniques=("a",))]
    assert kept(trials, 0.02)[:2] == (1, "smaller")
    assert kept([*trials, trial(4, 0.88)], 0.04)[:2] == (0, "default"), "it is more than one error below the best"


def test_of_those_that_are_better_the_plainest_is_kept() -> None:
    trials = [
        trial(0, 0.70),
        trial(1, 0.885, parameters=LARGE),
        trial(2, 0.884, techniques=("a",)),
        trial(3, 0.886, techniques=("a", "b")),
        trial(4, 0.60, parameters=SMALL),
    ]
    assert kept(trials, 0.01) == (2, "plainest", (2, 3, 1))


def test_one_that_is_no_better_than_the_default_by_itself_is_none_of_those() -> None:
    """It is plainer, and chance can't tell it from the best, but it can't be told from the default either."""
    trials = [trial(0, 0.80, techniques=("a",)), trial(1, 0.835), trial(2, 0.87, techniques=("a", "b"))]
    assert kept(trials, 0.022)[:2] == (2, "best")


def test_of_those_that_are_as_plain_the_best_score_is_kept_on_the_base_that_was_tried_first() -> None:
    same = {"techniques": ("a",)}
    trials = [
        trial(0, 0.70, base="minilm"),
        trial(1, 0.84, base="minilm:layers=2", **same),
        trial(2, 0.85, base="minilm:layers=4,dropout=0.1", **same),
        trial(3, 0.855, base="copy", **same),
    ]
    assert kept(trials, 0.02) == (2, "plainest", (2, 1, 3))


def test_without_a_default_it_is_the_plainest_within_one_standard_error() -> None:
    trials = [trial(1, 0.84), trial(2, 0.85, techniques=("a",)), trial(3, 0.80)]
    assert kept(trials, 0.02)[:2] == (1, "near")
    assert kept(trials, 0.005)[:2] == (2, "best")


@pytest.mark.parametrize(("share", "worth"), [(0.15, 0.0), (0.15, -0.05)])
def test_useless_techniques_and_a_noisy_copy_of_the_base_seldom_win(share: float, worth: float) -> None:
    """40 tunes of 20 that are useless, half of them on a copy of the base: 16 % may keep one, 3 standard errors allowed
    for. worth: how much less often the copy is right on the rows that it answers anew."""
    random, wrong, tunes = np.random.default_rng(0), 0, 40
    for tune in range(tunes):
        plain = answers(0.85, 300, random)
        given = {0: plain, 1: redone(plain, share, 0.85, random)}
        given |= {at: redone(plain, share, 0.85 + worth * (at % 2), random) for at in range(2, 22)}
        found = judged(given, draws=200, seed=tune)
        trials = [
            trial(
                number,
                float(value),
                origin="default" if number < 2 else "searched",
                techniques=("planted",) if number > 1 else (),
                base="copy" if number > 1 and number % 2 else "minilm",
            )
            for number, value in zip(found.numbers, found.values, strict=True)
        ]
        wrong += keep(trials, found.values, found.bounds).place > 1
    assert wrong <= tunes * ERROR + 3 * (tunes * ERROR * (1 - ERROR)) ** 0.5


def test_what_is_better_by_far_is_found() -> None:
    random = np.random.default_rng(3)
    plain = answers(0.7, 300, random)
    given = {0: plain} | {at: redone(plain, 0.1, 0.7, random) for at in range(1, 20)}
    given[20] = np.where(random.random(300) < 0.5, 1, plain)
    found = judged(given)
    trials = [trial(number, float(value)) for number, value in zip(found.numbers, found.values, strict=True)]
    assert keep(trials, found.values, found.bounds).place == 20
