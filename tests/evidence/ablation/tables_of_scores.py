"""Score tables as an ablation would fill them: effects and noise are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from graftwork.evidence.ablation.cells import Cell, Comparison, Design
from graftwork.evidence.ablation.shapley import coalitions, coalitions_of

TEST, TRAIN = 200, 800
"""Rows held out and trained on: a fifth is held out."""
OVERLAP = TEST / (TEST + TRAIN)
"""The correlation of two repeats' differences that Nadeau and Bengio suppose."""


def leave_one_out(names: Sequence[str]) -> Design:
    every = frozenset(names)
    arms = {"all": every} | {f"without {name}": every - {name} for name in names}
    comparisons = tuple(Comparison(name, "technique", "all", f"without {name}") for name in names)
    return Design("leave-one-out", arms, tuple(names), comparisons)


def shapley_design(players: tuple[str, ...], orders: tuple[tuple[str, ...], ...] = ()) -> Design:
    arms = coalitions_of(orders) if orders else coalitions(players)
    named = {"+".join(sorted(one)) or "none": one for one in arms}
    return Design("shapley", named, players, (Comparison(players[0], "input", "none", "none"),), orders)


def cells_of(design: Design, scores: Mapping[str, Sequence[float | None]]) -> list[Cell]:
    """By arm, a score a repeat."""
    return [
        Cell(
            arm, repeat, score, TEST, TRAIN, seconds=1.0 + len(design.arms[arm]), parameters=10 * len(design.arms[arm])
        )
        for arm, values in scores.items()
        for repeat, score in enumerate(values)
    ]


def simulated(
    design: Design,
    effects: Mapping[str, float],
    repeats: int,
    draws: np.random.Generator,
    overlap: float = OVERLAP,
) -> list[Cell]:
    """Scores whose paired differences vary with a standard deviation of 1.

    Splits move all arms alike. Each arm has noise of its own on each repeat (variance 1/2), of which the share
    `overlap` is the same on all repeats: what the rows that the splits have in common do.
    """
    split = draws.normal(0.0, 3.0, repeats)
    scores = {}
    for arm, players in design.arms.items():
        own = np.sqrt(overlap / 2) * draws.normal() + np.sqrt((1 - overlap) / 2) * draws.normal(size=repeats)
        scores[arm] = split + own + sum(effects.get(name, 0.0) for name in players)
    return cells_of(design, scores)
