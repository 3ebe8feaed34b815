"""Shapley values of players, from the scores of coalitions: exact for few, by antithetic passes for more.

The Shapley value of a player (Shapley 1953) is what it adds to those before it, on average over all orders in which the
players could come. A **pass** goes through one order: it adds one player at a time. An order and its reverse are an
antithetic pair (Mitchell et al. 2022): their mean is exact where players act on each other at most in pairs, since of
two players each comes first once. Values always sum to what all players bring together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from math import comb, factorial

import numpy as np

MOST_EXACT = 4
"""Players up to which all coalitions are run: 16 arms."""
PAIRS = 2
"""Antithetic pairs beyond that: the second one checks the first."""
_ESTIMABLE = 1e-8

Coalition = frozenset[str]
Values = Mapping[Coalition, float]
"""The score of each coalition that was run."""


def coalitions(players: Sequence[str]) -> tuple[Coalition, ...]:
    """All 2^k of them, the smallest first.

    >>> [sorted(one) for one in coalitions(("a", "b"))]
    [[], ['a'], ['b'], ['a', 'b']]
    """
    return tuple(frozenset(some) for size in range(len(players) + 1) for some in combinations(players, size))


def passes(players: Sequence[str], pairs: int = PAIRS, seed: int = 0) -> tuple[tuple[str, ...], ...]:
    """So many antithetic pairs of different orders, each order before its reverse; fewer where no more are there.

    >>> first, reverse = passes(("a", "b", "c"), 1)
    >>> first == reverse[::-1]
    True
    """
    draws = np.random.default_rng(seed)
    found = list[tuple[str, ...]]()
    most = max(1, factorial(len(players)) // 2)
    while len(found) < 2 * min(pairs, most):
        order = tuple(players[place] for place in draws.permutation(len(players)))
        if order not in found:
            found += [order, order[::-1]]
    return tuple(found)


def coalitions_of(orders: Iterable[Sequence[str]]) -> tuple[Coalition, ...]:
    """What passes through these orders have to run: each order's beginnings, none twice, the smallest first."""
    found = dict.fromkeys(frozenset(order[:size]) for order in orders for size in range(len(order) + 1))
    return tuple(sorted(found, key=len))


def exact(players: Sequence[str], values: Values) -> dict[str, float]:
    """The Shapley value of each player. values: of all 2^k coalitions."""
    found = dict.fromkeys(players, 0.0)
    for player in players:
        others = [one for one in players if one != player]
        for some in coalitions(others):
            weight = 1 / (len(players) * comb(len(others), len(some)))
            found[player] += weight * (values[some | {player}] - values[some])
    return found


def by_passes(orders: Sequence[Sequence[str]], values: Values) -> dict[str, float]:
    """The mean over the orders of what each player added to those before it."""
    found = dict.fromkeys(orders[0], 0.0)
    for order in orders:
        for place, player in enumerate(order):
            before = frozenset(order[:place])
            found[player] += (values[before | {player}] - values[before]) / len(orders)
    return found


def interactions(players: Sequence[str], values: Values) -> dict[tuple[str, str], float]:
    """The Shapley interaction index of each pair (Grabisch and Roubens 1999): what both bring beyond what each brings.

    Above 0 they help each other, below 0 one does what the other does too. values: of all 2^k coalitions.
    """
    found = {}
    for one, other in combinations(players, 2):
        rest = [player for player in players if player not in (one, other)]
        found[one, other] = sum(
            (values[some | {one, other}] - values[some | {one}] - values[some | {other}] + values[some])
            / ((len(players) - 1) * comb(len(rest), len(some)))
            for some in coalitions(rest)
        )
    return found


def pairwise_fit(players: Sequence[str], values: Values) -> dict[tuple[str, str], float]:
    """The interactions of those pairs that the coalitions at hand tell apart, as if players acted on each other in
    pairs at most: least squares of a sum of players and pairs. Of all 2^k coalitions of such a game it is exact."""
    pairs = list(combinations(players, 2))
    rows = [[1.0, *(float(p in some) for p in players), *(float(some.issuperset(p)) for p in pairs)] for some in values]
    design = np.array(rows)
    inverse = np.linalg.pinv(design)
    known = np.abs(np.diag(inverse @ design) - 1) < _ESTIMABLE  # the parameters that the coalitions fix
    solved = inverse @ np.array(list(values.values()))
    first = 1 + len(players)
    return {pair: float(solved[first + at]) for at, pair in enumerate(pairs) if known[first + at]}
