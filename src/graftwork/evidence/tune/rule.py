"""The rule by which a trial is kept: chance moves nobody away from the default, and buys no dearer model.

A search compares many trials on the same rows, so that its best score is partly luck. The best of what `fit` would try
(the default) stands unless another is better by more than chance among so many (Hansen 2005); then the plainest is kept
of those that are so themselves and that chance can't tell from the best. While the default stands, a smaller model that
scores as well takes its place, if it is within one standard error of the best (Breiman et al. 1984).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from graftwork.evidence.tune.base_name import base_name
from graftwork.evidence.tune.superior import Bounds, alike
from graftwork.evidence.tune.trials import Trial

Why = Literal["best", "default", "smaller", "plainest", "near"]
"""best: it has the best score. default: nothing is better than the default by more than chance. smaller: so it is, and
this one has fewer parameters, scores as well as the default, and is within one standard error of the best. plainest: it
is better than the default by more than chance, and the plainest of those that chance can't tell from the best. near:
there is no default, and it is the plainest within one standard error of the best."""


class Kept(NamedTuple):
    """place: of the kept trial. why: see there. among (K,): places of those that it is the plainest of."""

    place: int
    why: Why
    among: tuple[int, ...]


def keep(trials: Sequence[Trial], scores: np.ndarray, found: Bounds) -> Kept:
    """trials: those that may be kept (T). scores (T,): more is better, in their order. found: of these trials."""
    best, default = best_place(trials, scores), default_place(trials, scores)
    near = scores[best] - scores <= found.errors[best] + 1e-12
    if default is None:
        return _plainest(trials, scores, near, best, "near")
    same = alike(scores, found)
    if same[default]:
        small = np.array([one.plainness[0] < trials[default].plainness[0] for one in trials])
        smaller = near & small & (scores >= scores[default])
        why: Why = "smaller" if smaller.any() else "default"
        smaller[default] = True
        return _plainest(trials, scores, smaller, best, why)
    ahead = scores - scores[default] > found.critical[default] * found.errors[default]
    pool = same & ahead
    pool[best] |= not pool.any()
    return _plainest(trials, scores, pool, best, "plainest")


def best_place(trials: Sequence[Trial], scores: np.ndarray) -> int:
    """Of the best score; of those with the same score the plainest."""
    return min(range(len(trials)), key=lambda at: (-scores[at], trials[at].plainness))


def default_place(trials: Sequence[Trial], scores: np.ndarray) -> int | None:
    """Of the best score among the candidates that `fit` would try; None without any."""
    own = [at for at, one in enumerate(trials) if one.origin == "default"]
    return min(own, key=lambda at: (-scores[at], trials[at].plainness)) if own else None


def _plainest(trials: Sequence[Trial], scores: np.ndarray, pool: np.ndarray, best: int, why: Why) -> Kept:
    """The fewest parameters, then the fewest techniques, then the base that was tried first; of those that are the same
    in all of these the best score. pool (T,): which ones."""
    first: dict[str, int] = {}
    for one in sorted(trials, key=lambda one: one.number):
        first.setdefault(base_name(one.base), one.number)

    def plainness(at: int) -> tuple[float, ...]:
        one = trials[at]
        return (*one.plainness[:2], first[base_name(one.base)], -scores[at], one.number)

    order = tuple(sorted(map(int, np.flatnonzero(pool)), key=plainness))
    return Kept(order[0], "best" if order[0] == best else why, order)
