"""Greedy ensembles: held against a naive reading of the paper, and against what must hold of any."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from itertools import combinations_with_replacement

import numpy as np
import pytest

from graftwork.evidence.tune.greedy import averaged, greedy_ensemble


def _library(seed: int, candidates: int, rows: int = 60, classes: int = 3) -> tuple[np.ndarray, list[np.ndarray]]:
    """The truth (N,), and what some candidates of different quality say of it (N, C)."""
    drawn = np.random.default_rng(seed)
    truth = drawn.integers(classes, size=rows)
    found = []
    for at in range(candidates):
        logits = drawn.normal(size=(rows, classes)) * 1.5 + (0.4 + 0.2 * at) * np.eye(classes)[truth]
        found.append(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))
    return truth, found


def _log_score(truth: np.ndarray, given: np.ndarray) -> float:
    return float(np.log(given[np.arange(len(truth)), truth]).mean())


def _naive(truth: np.ndarray, library: list[np.ndarray], most: int, rounds: int) -> dict[int, float]:
    """The paper, step by step, without a thought for speed or form."""
    alone = [_log_score(truth, one) for one in library]
    order = sorted(range(len(library)), key=lambda at: -alone[at])
    bag, best = [order[0]], alone[order[0]]
    for count in range(2, min(most, len(order)) + 1):
        value = _log_score(truth, np.mean([library[at] for at in order[:count]], axis=0))
        if value > best:
            bag, best = order[:count], value
    winner, trying = list(bag), list(bag)
    while len(trying) < rounds:
        options = [at for at in order if at in trying or len(set(trying)) < most]
        values = [_log_score(truth, np.mean([library[m] for m in [*trying, at]], axis=0)) for at in options]
        trying = [*trying, options[int(np.argmax(values))]]
        if max(values) > best:
            winner, best = list(trying), max(values)
    return {at: winner.count(at) / len(winner) for at in set(winner)}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("most", [1, 2, 3, 8])
def test_greedy_does_what_the_paper_says(seed: int, most: int) -> None:
    truth, library = _library(seed, 6)
    found = greedy_ensemble(
        [{"y": one} for one in library], lambda given: _log_score(truth, given["y"]), most, rounds=12
    )
    assert found == pytest.approx(_naive(truth, library, most, 12))


@pytest.mark.parametrize("seed", range(6))
def test_it_is_never_worse_than_the_best_alone_and_near_the_best_there_is(seed: int) -> None:
    truth, library = _library(seed, 4)

    def score(given: Mapping[str, np.ndarray]) -> float:
        return _log_score(truth, given["y"])

    given = [{"y": one} for one in library]
    weights = greedy_ensemble(given, score, rounds=6)
    reached = score(averaged(given, weights))
    assert math.isclose(sum(weights.values()), 1.0)
    assert list(weights.values()) == sorted(weights.values(), reverse=True)
    assert reached >= max(map(score, given))
    best = max(
        _log_score(truth, np.mean([library[at] for at in bag], axis=0))
        for count in range(1, 7)
        for bag in combinations_with_replacement(range(4), count)
    )
    single = max(map(score, given))
    assert reached - single >= 0.9 * (best - single)


def test_two_that_are_wrong_on_other_rows_are_taken_together_and_a_useless_one_is_not() -> None:
    truth = np.array([0, 0, 1, 1])
    first = np.array([[0.9, 0.1], [0.45, 0.55], [0.1, 0.9], [0.1, 0.9]])
    second = np.array([[0.45, 0.55], [0.9, 0.1], [0.1, 0.9], [0.1, 0.9]])
    useless = np.array([[0.1, 0.9], [0.1, 0.9], [0.9, 0.1], [0.9, 0.1]])
    found = greedy_ensemble(
        [{"y": one} for one in (useless, first, second)],
        lambda given: float((given["y"].argmax(axis=1) == truth).mean()),
    )
    assert found == {1: 0.5, 2: 0.5}


def test_where_nothing_is_better_the_best_stands_alone() -> None:
    truth, library = _library(0, 3)
    right = np.eye(3)[truth] * 0.97 + 0.01
    given = [{"y": one} for one in (*library, right, right)]
    assert greedy_ensemble(given, lambda found: _log_score(truth, found["y"])) == {3: 1.0}


def test_what_is_not_allowed_together_is_not_taken_together() -> None:
    truth, library = _library(1, 5)
    given, sizes = [{"y": one} for one in library], [1, 1, 1, 9, 2]

    def fits(members: Collection[int]) -> bool:
        return sum(sizes[at] for at in members) <= 3

    found = greedy_ensemble(given, lambda one: _log_score(truth, one["y"]), allowed=fits)
    assert found
    assert 3 not in found
    assert fits(found)
    assert greedy_ensemble(given, lambda one: _log_score(truth, one["y"]), allowed=lambda _: False) == {}


def test_candidates_without_a_score_are_left_out() -> None:
    truth, library = _library(2, 2)
    broken = np.full_like(library[0], np.nan)
    given = [{"y": one} for one in (broken, *library)]
    assert 0 not in greedy_ensemble(given, lambda one: _log_score(truth, one["y"]))
    assert greedy_ensemble([given[0]], lambda one: _log_score(truth, one["y"])) == {}
    assert greedy_ensemble([], lambda _: 0.0) == {}


def test_the_mean_is_by_weight_and_by_target() -> None:
    given = [
        {"a": np.array([[1.0, 0.0]]), "b": np.array([[10.0]])},
        {"a": np.array([[0.0, 1.0]]), "b": np.array([[2.0]])},
    ]
    found = averaged(given, {1: 0.75, 0: 0.25})
    np.testing.assert_allclose(found["a"], [[0.25, 0.75]])
    np.testing.assert_allclose(found["b"], [[4.0]])
