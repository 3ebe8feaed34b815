"""Shapley values against the definition (all orders) and against shapiq, which others wrote."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from itertools import combinations, permutations

import numpy as np
import pytest

from graftwork.evidence.ablation.shapley import (
    Coalition,
    by_passes,
    coalitions,
    coalitions_of,
    exact,
    interactions,
    pairwise_fit,
    passes,
)

PLAYERS = ("lora", "mixup", "ema", "layerwise")


def any_game(players: tuple[str, ...], seed: int = 0) -> dict[Coalition, float]:
    draws = np.random.default_rng(seed)
    return {some: float(draws.normal()) for some in coalitions(players)}


def pairwise_game(
    players: tuple[str, ...], seed: int = 0
) -> tuple[dict[Coalition, float], dict[tuple[str, str], float]]:
    """A game in which players act on each other in pairs at most, and what the pairs bring."""
    draws = np.random.default_rng(seed)
    single = {one: float(draws.normal()) for one in players}
    pairs = {pair: float(draws.normal()) for pair in combinations(players, 2)}
    values = {
        some: 0.7 + sum(single[one] for one in some) + sum(value for pair, value in pairs.items() if some >= set(pair))
        for some in coalitions(players)
    }
    return values, pairs


def over_all_orders(players: tuple[str, ...], values: dict[Coalition, float]) -> dict[str, float]:
    orders = list(permutations(players))
    return {
        one: float(
            np.mean(
                [
                    values[frozenset(order[: order.index(one) + 1])] - values[frozenset(order[: order.index(one)])]
                    for order in orders
                ]
            )
        )
        for one in players
    }


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_exact_values_are_the_mean_over_all_orders(count: int) -> None:
    players = PLAYERS[:count]
    values = any_game(players, count)
    assert exact(players, values) == pytest.approx(over_all_orders(players, values), abs=1e-12)


@pytest.mark.parametrize("find", [exact, lambda players, values: by_passes(passes(players, 3, 1), values)])
def test_values_sum_to_what_all_bring_together(find: Callable[..., dict[str, float]]) -> None:
    values = any_game(PLAYERS)
    together = values[frozenset(PLAYERS)] - values[frozenset()]
    assert sum(find(PLAYERS, values).values()) == pytest.approx(together, abs=1e-12)


@pytest.mark.parametrize("count", [5, 7])
def test_one_antithetic_pair_is_exact_where_players_act_in_pairs(count: int) -> None:
    players = tuple("abcdefg"[:count])
    values, _ = pairwise_game(players)
    expected = exact(players, values)
    for seed in range(3):
        assert by_passes(passes(players, 1, seed), values) == pytest.approx(expected, abs=1e-12)


def test_two_pairs_of_passes_differ_where_three_act_together() -> None:
    players = tuple("abcde")
    values = {some: float(some >= {"a", "b", "c"}) for some in coalitions(players)}
    orders = passes(players, 2, 0)
    assert by_passes(orders[:2], values) != pytest.approx(by_passes(orders[2:], values), abs=1e-3)


def test_many_passes_come_near_the_exact_values() -> None:
    players = tuple("abcdef")
    values = any_game(players)
    found, expected = by_passes(passes(players, 300, 0), values), exact(players, values)
    assert max(abs(found[one] - expected[one]) for one in players) < 0.08


def test_passes_are_different_orders_in_pairs_of_a_seed() -> None:
    orders = passes(PLAYERS, 4, 7)
    assert len(set(orders)) == 8
    assert all(first == second[::-1] for first, second in zip(orders[::2], orders[1::2], strict=True))
    assert all(set(order) == set(PLAYERS) for order in orders)
    assert orders == passes(PLAYERS, 4, 7)
    assert len(passes(("a", "b"), 5)) == 2  # there are no more
    assert len(set(coalitions_of(orders))) == len(coalitions_of(orders))
    assert {frozenset(), frozenset(PLAYERS)} <= set(coalitions_of(orders))


def test_coalitions_that_passes_run_are_enough() -> None:
    orders = passes(tuple("abcdefg"), 2, 3)
    values = any_game(tuple("abcdefg"))
    run = {some: values[some] for some in coalitions_of(orders)}
    assert by_passes(orders, run) == by_passes(orders, values)


def test_interactions_of_pairs_are_found_by_index_and_by_fit() -> None:
    values, pairs = pairwise_game(PLAYERS)
    assert interactions(PLAYERS, values) == pytest.approx(pairs, abs=1e-12)
    assert pairwise_fit(PLAYERS, values) == pytest.approx(pairs, abs=1e-9)


def test_a_fit_tells_of_those_pairs_only_that_were_run() -> None:
    players = tuple("abcde")
    values, pairs = pairwise_game(players)
    orders = passes(players, 1, 0)
    found = pairwise_fit(players, {some: values[some] for some in coalitions_of(orders)})
    assert len(found) < len(pairs)
    assert all(found[pair] == pytest.approx(pairs[pair], abs=1e-9) for pair in found)
    more = passes(players, 4, 0)
    assert pairwise_fit(players, {some: values[some] for some in coalitions_of(more)}) == pytest.approx(pairs, abs=1e-9)


@pytest.mark.slow
def test_shapiq_finds_the_same() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shapiq = pytest.importorskip("shapiq")
    values = any_game(PLAYERS, 3)

    def game(rows: np.ndarray) -> np.ndarray:
        return np.array([values[frozenset(PLAYERS[at] for at in np.flatnonzero(row))] for row in rows])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        computer = shapiq.ExactComputer(game=game, n_players=len(PLAYERS))
        shapley, index = computer("SV", 1), computer("SII", 2)
    single, pairs = exact(PLAYERS, values), interactions(PLAYERS, values)
    assert [single[one] for one in PLAYERS] == pytest.approx([shapley[(at,)] for at in range(4)], abs=1e-9)
    for (one, other), value in pairs.items():
        assert value == pytest.approx(index[tuple(sorted((PLAYERS.index(one), PLAYERS.index(other))))], abs=1e-9)
