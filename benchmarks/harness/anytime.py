"""Orders of candidates judged on stored cells: what an order reaches within a budget, and which order loses least."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from graftwork.runs.candidates.orders import EACH_KIND

Order = tuple[str, ...]
LEFT = 0.1
"""As in `runs/default`: a run is begun only if this share of the budget is left, and as much as the last one took."""
MOST = 8
"""Candidates of an order."""
ALONE = " alone"
"""Ends the names of runs that read one kind of several inputs."""
LEAST_GAIN = 0.001
"""Mean regret that a further candidate must save."""


@dataclass(frozen=True)
class Cell:
    """One candidate on one set.

    features: of frozen bases that it reads; others may have computed them before. reading: seconds to compute them.
    own: all other seconds. valid, test: scores at its end, more is better. curve: of a fine-tune, own seconds so far,
    validation and test score at each validation, the start included.
    """

    features: frozenset[str]
    reading: float
    own: float
    valid: float
    test: float
    curve: tuple[tuple[float, float, float], ...] = ()


@dataclass(frozen=True)
class Measured:
    """A set and its cells by candidate. usual: candidates of the order that was set by hand, that fit the set.
    baseline: test score of the commonest answer, which stands where nothing is done in time."""

    name: str
    origin: str
    kind: str
    usual: Order
    baseline: float
    cells: Mapping[str, Cell] = field(repr=False)
    rows: int = 0
    classes: int = 0
    language: str = ""

    @property
    def best(self) -> float:
        """The best test score of any candidate, whatever it took."""
        return max([self.baseline, *(cell.test for cell in self.cells.values())])


def reached(one: Measured, order: Sequence[str], budget: float) -> float:
    """The test score of what validation chooses among the candidates that are tried in this order in so many seconds.

    As `fit` does: features that were computed before cost nothing again, those of one of several inputs either; a run
    that there is no time for is passed over; a fine-tune takes what is left, and has then what its curve had reached
    (it would have been planned shorter, which ends a little better); a probe whose rows are not read in time uses the
    time up.
    """
    left, last, computed, done = budget, 0.0, set[str](), list[tuple[float, float]]()
    for name in expanded(one, order):
        cell = one.cells.get(name)
        if cell is None or (done and left <= max(LEFT * budget, last if len(done) > 1 else 0.0)):
            continue
        reading = _reading(one, cell, computed)
        if reading + cell.own <= left:
            left, last = left - reading - cell.own, reading + cell.own
            computed |= cell.features
            done.append((cell.valid, cell.test))
            continue
        within = [point for point in cell.curve if reading + point[0] <= left]
        if within:
            best = max(within, key=lambda point: point[1])
            done.append((best[1], best[2]))
        break
    return max(done, key=lambda scores: scores[0])[1] if done else one.baseline


def _reading(one: Measured, cell: Cell, computed: Collection[str]) -> float:
    """Seconds for the features of a cell that are not there yet: as long as a cell took that reads just these."""
    missing = cell.features.difference(computed)
    if not missing:
        return 0.0
    return next((other.reading for other in one.cells.values() if other.features == missing), cell.reading)


def expanded(one: Measured, order: Sequence[str]) -> list[str]:
    """The names with each kind of several inputs in its place."""
    kinds = [name for name in one.usual if name.endswith(ALONE)]
    return [name for entry in order for name in (kinds if entry == EACH_KIND else [entry])]


def regret(one: Measured, order: Sequence[str], budget: float) -> float:
    """How much less an order reaches within a budget than the best candidate of the set does."""
    return one.best - reached(one, order, budget)


def mean_regret(sets: Sequence[Measured], order: Sequence[str], budgets: Sequence[float]) -> float:
    """Over the budgets and the sets, those of one origin together as one."""
    values = [fmean(regret(one, order, budget) for budget in budgets) for one in sets]
    return fmean(by_origin([one.origin for one in sets], values))


def by_origin(origins: Sequence[str], values: Sequence[float]) -> list[float]:
    """The mean of the values of each origin. Both by set."""
    of: dict[str, list[float]] = {}
    for origin, value in zip(origins, values, strict=True):
        of.setdefault(origin, []).append(value)
    return [fmean(each) for each in of.values()]


def greedy(sets: Sequence[Measured], begin: Order, names: Sequence[str], budgets: Sequence[float]) -> Order:
    """An order with little mean regret: to one that is known, candidates are added one after the other, where they save
    most and never in front, until none saves enough. Of equals the first name and the last place are taken."""
    order, lowest = list(begin), mean_regret(sets, begin, budgets)
    while len(order) < MOST:
        tried = [
            (mean_regret(sets, [*order[:at], name, *order[at:]], budgets), place, -at, name)
            for place, name in enumerate(names)
            if name not in order
            for at in range(1, len(order) + 1)
        ]
        if not tried or min(tried)[0] > lowest - LEAST_GAIN:
            break
        lowest, _, at, name = min(tried)
        order.insert(-at, name)
    return tuple(order)


def measured_sets(records: Sequence[Mapping[str, Any]], origins: Mapping[str, str]) -> list[Measured]:
    """The sets of the stored records whose facts are there, with all cells that were not refused. origins: by set."""
    facts = {record["set"]: record for record in records if record["candidate"] == ""}
    cells: dict[str, dict[str, Cell]] = {}
    for record in records:
        if record["candidate"] and "refused" not in record:
            cells.setdefault(record["set"], {})[record["candidate"]] = _cell(record)
    return [
        Measured(
            name,
            origin,
            facts[name]["kind"],
            tuple(facts[name]["usual"]),
            facts[name]["baseline"],
            _with_readings(cells[name]),
            facts[name]["rows"],
            facts[name]["classes"],
            facts[name]["language"],
        )
        for name, origin in origins.items()
        if name in facts and cells.get(name)
    ]


def _cell(record: Mapping[str, Any]) -> Cell:
    return Cell(
        frozenset(record["features"]),
        record["pass"],
        record["own"],
        record["valid"],
        record["test"],
        tuple((at, valid, test) for at, valid, test in record["curve"]),
    )


def _with_readings(cells: Mapping[str, Cell]) -> dict[str, Cell]:
    """A cell that found its features on disk takes as long for them as the one that computed the same."""
    longest: dict[frozenset[str], float] = {}
    for cell in cells.values():
        longest[cell.features] = max(cell.reading, longest.get(cell.features, 0.0))
    return {
        name: Cell(cell.features, longest[cell.features], cell.own, cell.valid, cell.test, cell.curve)
        for name, cell in cells.items()
    }
