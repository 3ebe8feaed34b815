"""What an ablation compares and what was measured: plain data, between what trains and what judges.

A **player** is what can be there or not: a technique, an input, a setting's value. An **arm** is a recipe with some of
the players, a **cell** one run of one arm on one repeat. On one repeat all arms have the same rows, split and seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["technique", "input", "setting", "part"]
Method = Literal["leave-one-out", "add-one-in", "shapley", "between"]


@dataclass(frozen=True)
class Cell:
    """One run of one arm on one repeat, finished or failed.

    score: more is better; None where the run failed. rows: held-out rows that it was scored on. trained_rows:
    labelled rows that it was trained on, with those that it validated on. seconds: CPU seconds of the fit.
    predict_seconds: of the prediction of the held-out rows. memory: peak bytes above the start, 0 where not measured.
    parameters: trained ones. failed: why there is no score. reused: found among the finished runs.
    """

    arm: str
    repeat: int
    score: float | None
    rows: int
    trained_rows: int
    seconds: float = 0.0
    predict_seconds: float = 0.0
    memory: int = 0
    parameters: int = 0
    failed: str = ""
    reused: bool = False


@dataclass(frozen=True)
class Comparison:
    """What the arm `with_` has and the arm `without` lacks."""

    name: str
    kind: Kind
    with_: str
    without: str


@dataclass(frozen=True)
class Design:
    """Which arms are run, and which are compared.

    arms: by name, the players that each has. passes: of Shapley values beyond the exact ones, orders of all players in
    antithetic pairs (an order, then its reverse). refused: arms that can't be run, and why.
    """

    method: Method
    arms: Mapping[str, frozenset[str]]
    players: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    passes: tuple[tuple[str, ...], ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
