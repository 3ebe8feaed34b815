"""What each comparison brought on each repeat, from the cells: a difference of two arms, or a Shapley value of all."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from graftwork.evidence.ablation.cells import Cell, Design
from graftwork.evidence.ablation.shapley import by_passes, coalitions_of, exact, interactions, pairwise_fit

Measure = Callable[[Cell], float]
Grid = Mapping[int, Mapping[str, Cell]]
"""By repeat and arm, the cells that have a score."""
Found = dict[str, dict[int, float]]
"""By name and repeat."""
Pair = tuple[str, str]


def score_of(cell: Cell) -> float:
    """Of a cell that has one."""
    assert cell.score is not None
    return float(cell.score)


@dataclass(frozen=True)
class Compared:
    """What is compared, as the table names it: a pair of arms, or a player of a Shapley design."""

    name: str
    kind: str
    arms: tuple[str, ...]


def compared(design: Design) -> tuple[Compared, ...]:
    """A line of the findings each. arms: all that must be scored on a repeat before it counts."""
    if design.method != "shapley":
        return tuple(Compared(one.name, one.kind, (one.with_, one.without)) for one in design.comparisons)
    kinds = {one.name: one.kind for one in design.comparisons}
    return tuple(Compared(name, kinds.get(name, "technique"), tuple(design.arms)) for name in design.players)


def scored_cells(cells: Sequence[Cell]) -> Grid:
    """Those with a score, a later one of the same arm and repeat in place of an earlier one."""
    found: dict[int, dict[str, Cell]] = {}
    for cell in cells:
        if cell.score is not None and math.isfinite(cell.score):
            found.setdefault(cell.repeat, {})[cell.arm] = cell
    return dict(sorted(found.items()))


def contributions(design: Design, grid: Grid, of: Measure = score_of) -> Found:
    """By comparison, what it brought on each repeat on which all of its arms are scored; repeats in their order."""
    found: Found = {one.name: {} for one in compared(design)}
    if design.method == "shapley":
        for repeat, values in _complete(design, grid, of).items():
            for name, value in _shapley(design, values).items():
                found[name][repeat] = value
        return found
    for one in design.comparisons:
        for repeat, by_arm in grid.items():
            if one.with_ in by_arm and one.without in by_arm:
                found[one.name][repeat] = of(by_arm[one.with_]) - of(by_arm[one.without])
    return found


def pair_contributions(design: Design, grid: Grid) -> dict[Pair, dict[int, float]]:
    """Of a Shapley design: by pair of players, what both bring beyond what each brings, on each complete repeat.

    From passes only those pairs that the coalitions tell apart, as if players acted on each other in pairs at most.
    """
    found: dict[Pair, dict[int, float]] = {}
    if design.method != "shapley" or len(design.players) < 2:
        return found
    find = pairwise_fit if design.passes else interactions
    for repeat, values in _complete(design, grid, score_of).items():
        for pair, value in find(design.players, values).items():
            found.setdefault(pair, {})[repeat] = value
    return found


def pass_disagreements(design: Design, grid: Grid) -> Found:
    """By player, by how much its value by the first antithetic pair exceeds that by the others, on each repeat.

    Empty where there is no second pair.
    """
    if len(design.passes) < 4:
        return {}
    found: Found = {name: {} for name in design.players}
    for repeat, values in _complete(design, grid, score_of).items():
        first, rest = by_passes(design.passes[:2], values), by_passes(design.passes[2:], values)
        for name in design.players:
            found[name][repeat] = first[name] - rest[name]
    return found


def held_out_share(cells: Sequence[Cell]) -> float:
    """Rows that cells were scored on over rows that they were trained on, the mean; 0.25 where a fifth is held out."""
    shares = [cell.rows / cell.trained_rows for cell in cells if cell.trained_rows > 0]
    return sum(shares) / len(shares) if shares else 0.25


def _complete(design: Design, grid: Grid, of: Measure) -> dict[int, dict[frozenset[str], float]]:
    """By repeat, the value of each coalition, where all that are needed are there."""
    needed = set(coalitions_of(design.passes)) if design.passes else set(design.arms.values())
    found = {}
    for repeat, by_arm in grid.items():
        values = {design.arms[name]: of(cell) for name, cell in by_arm.items() if name in design.arms}
        if needed <= values.keys():
            found[repeat] = values
    return found


def _shapley(design: Design, values: Mapping[frozenset[str], float]) -> dict[str, float]:
    return by_passes(design.passes, values) if design.passes else exact(design.players, values)
