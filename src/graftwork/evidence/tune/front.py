"""The Pareto front of trials: those to which none is better in one thing and as good in all others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from graftwork.evidence.tune.trials import Trial

Objective = Literal["score", "latency", "size"]
OBJECTIVES: tuple[Objective, ...] = ("score", "latency", "size")
"""More is better of the score, less of the others."""
QUALITY = OBJECTIVES[:1]


def front(trials: Sequence[Trial], objectives: Sequence[Objective] = OBJECTIVES) -> tuple[int, ...]:
    """The numbers of the finished trials on the front, the best score first.

    Latencies count to two digits, which is as well as they are measured. Of trials that are the same in all objectives
    the plainest stands. A trial of which an objective was not measured is on no front of it.
    """
    there = [one for one in trials if one.state == "finished" and all(map(math.isfinite, _values(one, objectives)))]
    there.sort(key=lambda one: one.plainness)
    values = values_of(there, objectives)
    _, first = np.unique(values, axis=0, return_index=True) if len(there) else (None, np.zeros(0, np.intp))
    places = [at for at in undominated(values) if at in set(first.tolist())]
    return tuple(there[at].number for at in sorted(places, key=lambda at: (-(there[at].score or 0.0), at)))


def values_of(trials: Sequence[Trial], objectives: Sequence[Objective]) -> np.ndarray:
    """(N, M), more is better in each column; NaN where one was not measured."""
    return np.array([_values(one, objectives) for one in trials]).reshape(len(trials), len(objectives))


def undominated(values: np.ndarray) -> list[int]:
    """values (N, M), more is better in each column: the rows that no other row is at least as good as in all columns
    and better than in one. Rows that are the same do not exclude each other."""
    found = []
    for at, own in enumerate(values):
        above = (values >= own).all(axis=1) & (values > own).any(axis=1)
        if not above.any():
            found.append(at)
    return found


def _values(one: Trial, objectives: Sequence[Objective]) -> list[float]:
    """NaN where one was not measured."""
    known = {
        "score": math.nan if one.score is None else one.score,
        "latency": -float(f"{one.latency:.2g}") if one.latency > 0 else math.nan,
        "size": -float(one.size) if one.size > 0 else math.nan,
    }
    return [known[name] for name in objectives]
