"""A table of orders learned from stored cells, and how it does on sets that it was learned without."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from graftwork.networks.bases.registry import BASES
from graftwork.runs.candidates.orders import EACH_KIND, Line, Situation, Span, base_in, order_of
from harness.anytime import Measured, Order, greedy, mean_regret, regret
from harness.shown import paired

BUDGETS = (10.0, 60.0, 300.0)
"""Seconds of the candidates alone."""
UP_TO: Mapping[float, float | None] = {10.0: 35.0, 60.0: 145.0, 300.0: None}
"""By these, the largest budget of a whole call that a line is for: halfway to the next, in ratios, and 10 seconds for
the start, the scores and the report."""
MOST_ROWS = 10_000
"""Training rows up to which an order is trusted that was learned on sets of at most 2,000."""
LEAST_SETS = 3
"""Sets of a kind, or of one side of a split, without which nothing is learned."""
SPLIT_GAIN = 0.01
"""Mean regret that two orders must save against one before a kind is split; the sets left out judge that too."""
USUAL: Mapping[str, Order] = {
    "text": ("kernel probe", "mlp probe", "linear probe", "tune"),
    "image": ("kernel probe", "mlp probe", "linear probe", "tune"),
    "audio": ("kernel probe", "mlp probe", "linear probe", "tune"),
    "table": ("plain linear probe", "kernel probe", "mlp probe", "linear probe", "boosting", "train"),
    "several": ("kernel probe", "mlp probe", "linear probe", EACH_KIND, "late fusion", "tune"),
}
"""By kind, the order that was set by hand."""
PLAIN: Mapping[str, Order] = {"table": ("train",)}
"""Plain fine-tuning, where it is not `plain fine-tuning`: tables have nothing to tune."""
Conditions = dict[str, Any]
SPLITS: tuple[tuple[Callable[[Measured], bool], Conditions, Conditions], ...] = (
    (lambda one: one.classes <= 10, {"classes": Span(0, 10)}, {"classes": Span(11)}),
    (lambda one: one.rows <= 400, {"rows": Span(0, 400)}, {"rows": Span(401)}),
    (lambda one: one.language == "other", {"language": "other"}, {"language": "English"}),
)


@dataclass(frozen=True)
class Judged:
    """Regret at one budget by set, each set judged by orders that were learned without all sets of its origin."""

    budget: float
    names: tuple[str, ...]
    origins: tuple[str, ...]
    learned: tuple[float, ...]
    usual: tuple[float, ...]
    plain: tuple[float, ...]

    def saved(self, other: Sequence[float]) -> tuple[float, float, float]:
        """How much less regret the learned orders have than others, with its 95 % interval by Student's t over origins:
        sets of one origin count as one, by their mean."""
        differences: dict[str, list[float]] = {}
        for origin, theirs, ours in zip(self.origins, other, self.learned, strict=True):
            differences.setdefault(origin, []).append(theirs - ours)
        means = [fmean(each) for each in differences.values()]
        return paired([0.0] * len(means), means)

    @property
    def better(self) -> bool:
        """Whether the learned orders are better than the usual one by more than chance."""
        return bool(self.saved(self.usual)[1] > 0)


def portfolio_of(sets: Sequence[Measured], found: Sequence[Judged]) -> tuple[Line, ...]:
    """The table that the cells give: a learned order at each budget at which that is better than the usual one, on sets
    it was learned without, by more than chance; else the usual order. found: of the same sets."""
    kept = [one.budget for one in found if one.better]
    lines: list[Line] = []
    for kind in USUAL:
        by_budget = [bounded(learned(sets, kind, budget)) if budget in kept else [usual(kind)] for budget in BUDGETS]
        for at, (budget, found) in enumerate(zip(BUDGETS, by_budget, strict=True)):
            if at + 1 == len(BUDGETS) or by_budget[at + 1] != found:
                lines += [replace(line, up_to=UP_TO[budget]) for line in found]
    return tuple(lines)


def bounded(lines: Sequence[Line]) -> list[Line]:
    """Learned lines hold for as many rows as they can say something of; beyond, the usual order stays."""
    last = usual(lines[-1].kind)
    if list(lines) == [last]:
        return [last]
    return [*(replace(line, rows=Span(line.rows.least, line.rows.most or MOST_ROWS)) for line in lines), last]


def judged(sets: Sequence[Measured], budget: float) -> Judged:
    """Each set by the orders learned without its origin, beside the usual order and plain fine-tuning."""
    without = {
        origin: [one for one in sets if one.origin != origin] for origin in dict.fromkeys(one.origin for one in sets)
    }
    found = {
        (origin, kind): learned(others, kind, budget)
        for origin, others in without.items()
        for kind in {one.kind for one in sets if one.origin == origin}
    }
    orders = [order_for(one, found[one.origin, one.kind]) for one in sets]
    return Judged(
        budget,
        tuple(one.name for one in sets),
        tuple(one.origin for one in sets),
        tuple(regret(one, order, budget) for one, order in zip(sets, orders, strict=True)),
        tuple(regret(one, one.usual, budget) for one in sets),
        tuple(regret(one, PLAIN.get(one.kind, ("plain fine-tuning",)), budget) for one in sets),
    )


def order_for(one: Measured, lines: Sequence[Line]) -> Order:
    """The order that a table gives for a set, with the bases at hand that it was measured with."""
    bases = frozenset(map(fetched, one.cells))
    found = order_of(lines, Situation(one.kind, one.rows, one.classes, one.language, bases))  # type: ignore[arg-type]
    assert found is not None
    return found


def learned(sets: Sequence[Measured], kind: str, budget: float) -> list[Line]:
    """The lines of a kind for a budget; the usual order where too few sets are of that kind.

    An order has little regret at its budget and, since a call may be stopped, at the smaller ones.
    """
    own = [one for one in sets if one.kind == kind]
    if len(own) < LEAST_SETS:
        return [usual(kind)]
    budgets = [each for each in BUDGETS if each <= budget]
    whole, best = _orders(own, kind, budgets, {}), None
    lowest = mean_regret(own, whole[0].order, budgets)
    for holds, first, second in SPLITS:
        sides = [[one for one in own if holds(one) == side] for side in (True, False)]
        if min(map(len, sides)) < LEAST_SETS:
            continue
        parts = [_orders(side, kind, budgets, where) for side, where in zip(sides, (first, second), strict=True)]
        costs = [mean_regret(side, lines[0].order, budgets) for side, lines in zip(sides, parts, strict=True)]
        cost = sum(len(side) * each for side, each in zip(sides, costs, strict=True)) / len(own)
        if cost < lowest - SPLIT_GAIN and (best is None or cost < best[0]):
            best = cost, [line for lines in parts for line in lines]
    return [*(best[1] if best else []), *whole]


def _orders(sets: Sequence[Measured], kind: str, budgets: Sequence[float], where: Conditions) -> list[Line]:
    """One order; before it, one with candidates on other bases for those who have them, where that is another."""
    names = list(dict.fromkeys(name for one in sets for name in (*one.usual, *one.cells) if name in one.cells))
    own = [name for name in names if not fetched(name)]
    plain = greedy(sets, own, budgets) or USUAL[kind]
    lines = [Line(kind=kind, order=plain, **where)]  # type: ignore[arg-type]
    others = greedy(sets, names, budgets) if own != names else plain
    bases = tuple(sorted(set(map(fetched, others)) - {""}))
    return [Line(kind=kind, order=others, bases=bases, **where), *lines] if bases else lines  # type: ignore[arg-type]


def fetched(name: str) -> str:
    """The base that has to be at hand for a candidate; "" where it takes the chosen one, or one from scratch."""
    base = base_in(name)
    return base if base in BASES and BASES[base].pretrained else ""


def usual(kind: str) -> Line:
    """The order that was set by hand."""
    return Line(kind=kind, order=USUAL[kind])  # type: ignore[arg-type]
