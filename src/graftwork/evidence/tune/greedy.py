"""Which finished candidates an ensemble is made of: greedy selection (Caruana et al. 2004).

"Ensemble Selection from Libraries of Models": begin with the best few candidates, and add again and again the one with
which the mean of all that were added scores best. One that is added twice counts double, which gives the weights.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from graftwork.tasks.averaging import weighted_mean

Predictions = Mapping[str, np.ndarray]
"""By target, what is averaged: calibrated probabilities, or numbers in the units of the column (N, outputs)."""

MOST, ROUNDS = 8, 25
"""Different members at most, and members in all, where those that count double are counted as often."""
LEAST_GAIN = 1e-9
"""By which a score has to be better: less is the rounding of means."""


def greedy_ensemble(
    predictions: Sequence[Predictions],
    score: Callable[[Predictions], float],
    most: int = MOST,
    *,
    rounds: int = ROUNDS,
    allowed: Callable[[Collection[int]], bool] | None = None,
) -> dict[int, float]:
    """The weights of the members, by the candidate's position in `predictions`, heaviest first; they sum to 1.

    predictions: of the same rows in the same order, from which no candidate has learned. score: of averaged
    predictions; more is better. most: different members at most. rounds: members in all, at most. allowed: whether
    candidates may be members of one ensemble, such as for what they need together; None where any may.

    It never scores less on these rows than the best candidate that is allowed by itself, and is that candidate alone
    where nothing is better. Of equal ones the first, and the fewer members, are taken, so that the same candidates
    always give the same weights. Empty where no candidate is allowed, or `most` is 0.

    The rows choose the members, so that its score on them is too good: judge it on others, or correct for it.
    """
    may = allowed or (lambda _: True)

    def scored(members: Sequence[int]) -> float:
        value = score(averaged(predictions, _shares(members)))
        return -math.inf if math.isnan(value) else value

    alone = {at: scored([at]) for at in range(len(predictions)) if may((at,))}
    order = sorted((at for at in alone if alone[at] > -math.inf), key=lambda at: (-alone[at], at))
    if not order or most < 1:
        return {}
    best, kept = alone[order[0]], order[:1]
    for count in range(2, min(most, rounds, len(order)) + 1):
        if not may(order[:count]):
            break
        value = scored(order[:count])
        if value > best + LEAST_GAIN:
            best, kept = value, order[:count]
    members = kept
    while len(members) < rounds:
        more = [at for at in order if at in members or (len(set(members)) < most and may(sorted({*members, at})))]
        values = [scored([*members, at]) for at in more]
        members = [*members, more[values.index(max(values))]]
        if max(values) > best + LEAST_GAIN:
            best, kept = max(values), members
    shares = _shares(kept)
    return {at: shares[at] for at in sorted(shares, key=lambda at: (-shares[at], order.index(at)))}


def averaged(predictions: Sequence[Predictions], weights: Mapping[int, float]) -> dict[str, np.ndarray]:
    """The mean of predictions, by target. weights: by position, which sum to 1."""
    names = predictions[next(iter(weights))]
    shares = list(weights.values())
    return {name: weighted_mean([predictions[at][name] for at in weights], shares) for name in names}


def _shares(members: Sequence[int]) -> dict[int, float]:
    """The share of each in a list that names some twice."""
    return {at: count / len(members) for at, count in Counter(members).items()}
