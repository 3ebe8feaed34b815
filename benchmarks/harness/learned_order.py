"""A table of orders learned from stored cells, and how it does on sets that it was learned without."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from graftwork.networks.bases.registry import BASES
from graftwork.runs.candidates.orders import EACH_KIND, Line, Situation, Span, base_in, order_of
from harness.anytime import ALONE, Measured, Order, by_origin, greedy, mean_regret, regret
from harness.shown import paired

BUDGETS = (10.0, 60.0, 300.0)
"""Seconds of the candidates alone."""
UP_TO: Mapping[float, float | None] = {10.0: 35.0, 60.0: 145.0, 300.0: None}
"""By these, the largest budget of a whole call that a line is for: halfway to the next, in ratios, and 10 seconds for
the start, the scores and the report."""
MOST_ROWS = 10_000
"""Training rows up to which an order is trusted that was learned on sets of at most 2,000."""
FEWEST = 3
"""Origins of the sets of a kind, or of one side of a split, without which nothing is learned."""
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
        means = self._saved(other, self.names)
        return paired([0.0] * len(means), means)

    @property
    def better(self) -> bool:
        """Whether the learned orders are better than the usual one by more than chance."""
        return bool(self.saved(self.usual)[1] > 0)

    def helps(self, names: Collection[str]) -> bool:
        """Whether they are, and on these sets on the mean."""
        means = self._saved(self.usual, names)
        return self.better and bool(means) and fmean(means) > 0

    def _saved(self, other: Sequence[float], names: Collection[str]) -> list[float]:
        """By origin, the mean over its sets among these."""
        of = [at for at, name in enumerate(self.names) if name in names]
        return by_origin([self.origins[at] for at in of], [other[at] - self.learned[at] for at in of])


def portfolio_of(sets: Sequence[Measured], found: Sequence[Judged]) -> tuple[Line, ...]:
    """The table that the cells give: learned orders at each budget at which they are better than the usual ones, on
    sets that they were learned without, by more than chance; for the kinds that they help, else the usual order. found:
    of the same sets."""
    lines: list[Line] = []
    for kind in USUAL:
        names = [one.name for one in sets if one.kind == kind]
        kept = [one.budget for one in found if one.helps(names)]
        by_budget = [bounded(learned(sets, kind, budget)) if budget in kept else [usual(kind)] for budget in BUDGETS]
        for at, (budget, own) in enumerate(zip(BUDGETS, by_budget, strict=True)):
            if at + 1 == len(BUDGETS) or by_budget[at + 1] != own:
                lines += [replace(line, up_to=UP_TO[budget]) for line in own]
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
    """The order that a table gives for a set."""
    found = order_of(lines, Situation(one.kind, one.rows, one.classes, one.language))  # type: ignore[arg-type]
    assert found is not None
    return found


def learned(sets: Sequence[Measured], kind: str, budget: float) -> list[Line]:
    """The lines of a kind for a budget; the usual order where sets of that kind are of too few origins.

    An order has little regret at its budget and, since a call may be stopped, at the smaller ones.
    """
    own = [one for one in sets if one.kind == kind]
    if origins(own) < FEWEST:
        return [usual(kind)]
    budgets = [each for each in BUDGETS if each <= budget]
    whole, best = _line(own, kind, budgets, {}), None
    lowest = mean_regret(own, whole.order, budgets)
    for holds, first, second in SPLITS:
        sides = [[one for one in own if holds(one) == side] for side in (True, False)]
        if min(map(origins, sides)) < FEWEST:
            continue
        parts = [_line(side, kind, budgets, where) for side, where in zip(sides, (first, second), strict=True)]
        chosen = [parts[0] if holds(one) else parts[1] for one in own]
        each = [fmean(regret(one, line.order, at) for at in budgets) for one, line in zip(own, chosen, strict=True)]
        cost = fmean(by_origin([one.origin for one in own], each))
        if cost < lowest - SPLIT_GAIN and (best is None or cost < best[0]):
            best = cost, parts
    return [*(best[1] if best else []), whole]


def _line(sets: Sequence[Measured], kind: str, budgets: Sequence[float], where: Conditions) -> Line:
    """The usual order, and what is worth adding to it: of so few sets less can be learned than it knows. Candidates on
    other bases are not: they are measured on some sets alone, and the choice of a base is made before, by evidence of
    its own."""
    names = dict.fromkeys(name for one in sets for name in one.cells)
    own = dict.fromkeys(EACH_KIND if name.endswith(ALONE) else name for name in names if not fetched(name))
    return Line(kind=kind, order=greedy(sets, USUAL[kind], list(own), budgets), **where)  # type: ignore[arg-type]


def origins(sets: Sequence[Measured]) -> int:
    """Of how many data sets these are cut."""
    return len({one.origin for one in sets})


def fetched(name: str) -> str:
    """The base that has to be at hand for a candidate; "" where it takes the chosen one, or one from scratch."""
    base = base_in(name)
    return base if base in BASES and BASES[base].pretrained else ""


def usual(kind: str) -> Line:
    """The order that was set by hand."""
    return Line(kind=kind, order=USUAL[kind])  # type: ignore[arg-type]
