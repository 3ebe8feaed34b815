"""Which rows of a pool to label: uncertain ones that are unlike each other, by one of two strategies.

badge: rows are drawn one after the other, each the likelier the farther its gradient is from those drawn (Ash et al.
2020). Uncertain rows have long gradients, so that both count. clusters: the most uncertain rows are gathered in as many
clusters as rows are wanted, where uncertain ones weigh more, and the row in the middle of each is taken (Zhdanov 2019).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

Strategy = Literal["badge", "clusters"]
PREFILTERED = 10
"""Of the most uncertain rows, how many times those that are wanted are gathered in clusters."""
ROUNDS = 10
Distance = Callable[[int], np.ndarray]
"""Of one row, the squared distance of every row to it (N,)."""


def chosen_rows(
    probabilities: Sequence[np.ndarray],
    features: np.ndarray,
    rows: int,
    seed: int = 0,
    strategy: Strategy = "clusters",
) -> np.ndarray:
    """Places of the rows to label, in the order in which they were chosen; all where no more are there.

    probabilities: by target, of each row (N, K) with sum 1; without any the rows are as unlike each other as can be.
    features (N, F): of the network that gave them. strategy: `benchmarks/labelling.py` measures both.
    """
    rows = min(rows, len(features))
    scaled = standardised(features)
    generator = np.random.default_rng(seed)
    if not probabilities:
        return drawn_apart(squared_lengths(scaled), _between(scaled), rows, generator)
    if strategy == "badge":
        return _badge(probabilities, scaled, rows, generator)
    return _clusters(uncertainty(probabilities), scaled, rows, generator)


def uncertainty(probabilities: Sequence[np.ndarray]) -> np.ndarray:
    """1 less the distance between the two likeliest classes (N,), the mean over the targets: 0 is sure, 1 undecided
    (Scheffer et al. 2001)."""
    two = [np.sort(each, axis=1)[:, -2:] for each in probabilities if each.shape[1] > 1]
    if not two:
        return np.zeros(len(probabilities[0]))
    found: np.ndarray = np.mean([1 - (each[:, -1] - each[:, 0]) for each in two], axis=0)
    return found


def standardised(features: np.ndarray) -> np.ndarray:
    """Features of variance 1, and rows of squared length 1 on average, float32."""
    spread = features.std(axis=0)
    typical = float(np.median(spread[spread > 0])) if (spread > 0).any() else 1.0
    scale = np.maximum(spread, typical / 30) * np.sqrt(features.shape[1])
    found: np.ndarray = ((features - features.mean(axis=0)) / scale).astype(np.float32)
    return found


def squared_lengths(values: np.ndarray) -> np.ndarray:
    """(N,) of values (N, W)."""
    return np.asarray(np.einsum("nw,nw->n", values, values))


def drawn_apart(first: np.ndarray, distance: Distance, rows: int, generator: np.random.Generator) -> np.ndarray:
    """k-means++: the first row has the greatest `first` (N,), each next is drawn by its squared distance to the
    nearest one that was drawn."""
    drawn = [int(np.argmax(first))]
    nearest = distance(drawn[0])
    while len(drawn) < rows:
        nearest[drawn] = 0
        total = float(nearest.sum(dtype=np.float64))
        if total > 0:
            chance = nearest.astype(np.float64) / total
        else:  # what is left repeats what was drawn
            chance = np.ones(len(nearest))
            chance[drawn] = 0
            chance /= chance.sum()
        drawn.append(int(generator.choice(len(nearest), p=chance / chance.sum())))
        nearest = np.minimum(nearest, distance(drawn[-1]))
    return np.array(drawn, np.int64)


def _between(values: np.ndarray) -> Distance:
    lengths = squared_lengths(values)
    return lambda at: np.maximum(lengths + lengths[at] - 2 * (values @ values[at]), 0)


def _badge(
    probabilities: Sequence[np.ndarray], features: np.ndarray, rows: int, generator: np.random.Generator
) -> np.ndarray:
    """The gradient of the last layer's loss, the likeliest class taken for true, is the product of (p - y) and the
    features: distances between gradients come from those of both, without the product."""
    slopes = np.concatenate([_slopes(each) for each in probabilities], axis=1)
    extended = np.concatenate(
        [features, np.ones((len(features), 1), np.float32)], axis=1
    )  # the bias has a gradient too
    lengths = squared_lengths(slopes) * squared_lengths(extended)

    def distance(at: int) -> np.ndarray:
        both = (slopes @ slopes[at]) * (extended @ extended[at])
        return np.asarray(np.maximum(lengths + lengths[at] - 2 * both, 0))

    return drawn_apart(lengths, distance, rows, generator)


def _slopes(probabilities: np.ndarray) -> np.ndarray:
    made = probabilities.astype(np.float32)
    made[np.arange(len(made)), made.argmax(axis=1)] -= 1
    return made


def _clusters(uncertain: np.ndarray, features: np.ndarray, rows: int, generator: np.random.Generator) -> np.ndarray:
    kept = np.argsort(-uncertain, kind="stable")[: PREFILTERED * rows]
    if len(kept) <= rows:
        return kept
    values, weight = features[kept], uncertain[kept].astype(np.float32) + 1e-6
    between = _between(values)
    centres = values[drawn_apart(weight, lambda at: between(at) * weight, rows, generator)]
    for _ in range(ROUNDS):
        nearest = (squared_lengths(centres)[None] - 2 * values @ centres.T).argmin(axis=1)
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, values * weight[:, None])
        mass = np.bincount(nearest, weights=weight, minlength=rows)
        centres = np.where(mass[:, None] > 0, sums / np.maximum(mass, 1e-12)[:, None], centres).astype(np.float32)
    apart = squared_lengths(centres)[None] - 2 * values @ centres.T
    taken: list[int] = []
    for cluster in np.argsort(-np.bincount(nearest, weights=weight, minlength=rows), kind="stable"):
        order = np.argsort(apart[:, cluster], kind="stable")
        taken.append(next(int(at) for at in order if at not in taken))
    return np.asarray(kept[np.array(taken)])
