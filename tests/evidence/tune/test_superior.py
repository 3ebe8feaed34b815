"""How often chance passes for a better trial, among few and among many."""

from __future__ import annotations

import numpy as np
import pytest

from evidence.tune.made_trials import answers, judged, redone
from graftwork.evidence.tune.superior import ERROR, alike, bounds

ROWS, TUNES = 300, 150


def _kept_plain(others: int, share: float, seed: int) -> tuple[float, float]:
    """How often the plain trial is alike to the best of others that are worth the same, and how often one of those is
    more than one standard error better."""
    random, kept, above = np.random.default_rng(seed), 0, 0
    for tune in range(TUNES):
        plain = answers(0.85, ROWS, random)
        given = {0: plain} | {at: redone(plain, share, 0.85, random) for at in range(1, others + 1)}
        found = judged(given, draws=200, seed=tune)
        kept += bool(alike(found.values, found.bounds)[0])
        best = int(np.argmax(found.values))
        gap = found.compared(best, 0, 0.683)
        above += gap is not None and gap.low > 0
    return kept / TUNES, above / TUNES


def test_useless_trials_pass_for_better_no_more_often_than_is_said() -> None:
    """Three standard errors of 150 tunes are allowed for. A plain comparison with the best would be wrong mostly."""
    kept, above = _kept_plain(others=25, share=0.1, seed=0)
    assert 1 - kept <= ERROR + 3 * (ERROR * (1 - ERROR) / TUNES) ** 0.5
    assert above > 0.6


def test_of_two_it_is_the_rule_of_one_standard_error() -> None:
    """The one-sided bound is the 84 % quantile of chance, in standard errors."""
    random = np.random.default_rng(2)
    drawn = np.array([0.8, 0.8]) + random.normal(size=(4000, 2)) * 0.02
    found = bounds(np.array([0.8, 0.8]), drawn, 400)
    assert found.critical == pytest.approx([1.0, 1.0], abs=0.06)
    assert found.errors[0, 1] == pytest.approx(0.02 * 2**0.5, rel=0.05)


def test_what_is_better_by_far_is_told_apart_among_many() -> None:
    random = np.random.default_rng(3)
    plain = answers(0.7, ROWS, random)
    given = {0: plain} | {at: redone(plain, 0.1, 0.7, random) for at in range(1, 20)}
    given[20] = np.where(random.random(ROWS) < 0.5, 1, plain)
    found = judged(given)
    assert np.flatnonzero(alike(found.values, found.bounds)).tolist() == [20]


def test_trials_that_are_far_below_do_not_widen_the_bound() -> None:
    random = np.random.default_rng(4)
    plain = answers(0.8, ROWS, random)
    near = {0: plain, 1: redone(plain, 0.1, 0.8, random)}
    far = {at: answers(0.3, ROWS, random) for at in range(2, 40)}
    few, many = judged(near), judged({**near, **far})
    assert many.bounds.critical[0] == pytest.approx(few.bounds.critical[0], abs=0.1)


def test_trials_with_the_same_answers_are_alike() -> None:
    own = answers(0.8, 60, np.random.default_rng(0))
    found = judged({0: own, 1: own.copy(), 2: own.copy()})
    assert alike(found.values, found.bounds).all()
    assert found.bounds.critical.tolist() == [0.0, 0.0, 0.0]


def test_the_best_is_always_among_them() -> None:
    found = bounds(np.array([0.5, 0.9]), np.tile([0.5, 0.9], (100, 1)), 100)
    assert alike(np.array([0.5, 0.9]), found).tolist() == [False, True]
