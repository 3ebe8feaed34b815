"""What the cells of an ablation say: a finding for each comparison, of Shapley designs also one for each pair.

No verdict from fewer than 5 repeats. The tests stand in `corrected_t`, with their sources.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graftwork.evidence.ablation.cells import Cell, Design
from graftwork.evidence.ablation.contributions import (
    Compared,
    Grid,
    Measure,
    compared,
    contributions,
    held_out_share,
    pair_contributions,
    pass_disagreements,
    scored_cells,
)
from graftwork.evidence.ablation.corrected_t import Sample, Weighed, weigh
from graftwork.evidence.ablation.finding import Costs, Finding, Interaction, Verdict
from graftwork.evidence.ablation.scale import Scale
from graftwork.evidence.ablation.sentences import finding_sentence, interaction_sentence, refused_sentence
from graftwork.evidence.words import listed

_WORDS: dict[int, Verdict] = {1: "helps", -1: "hurts", 0: "open"}
_MEASURES: dict[str, tuple[Measure, bool]] = {
    "seconds": (lambda cell: cell.seconds, False),
    "predict_seconds": (lambda cell: cell.predict_seconds, False),
    "memory": (lambda cell: float(cell.memory), True),
    "parameters": (lambda cell: float(cell.parameters), False),
}
"""What costs are measured in, and whether 0 means that it was not."""


def judged(
    design: Design,
    cells: Sequence[Cell],
    *,
    looks: Sequence[int] = (),
    alpha: float = 0.05,
    scale: Scale | None = None,
) -> tuple[Finding, ...]:
    """A finding for each comparison, in their order; of Shapley designs for each player.

    looks: the numbers of repeats at which racing may stop, planned before it began (`racing.planned_looks`); none: all
    repeats are looked at once. alpha: how often any of the verdicts may be wrong where nothing helps or hurts.
    """
    scale, grid = scale or Scale(), scored_cells(cells)
    weighed, brought = weigh_all(design, cells, looks=looks, alpha=alpha), contributions(design, grid)
    costs = {name: contributions(design, _measured(grid, missing), of) for name, (of, missing) in _MEASURES.items()}
    found = []
    for one in compared(design):
        why = refused(design, one)
        if why:
            found.append(_refused(one, why))
            continue
        paid = Costs(**{name: _mean(by_name[one.name]) for name, by_name in costs.items()})
        failed = sum(cell.score is None and cell.arm in one.arms for cell in cells)
        differences = tuple(brought[one.name].values())
        found.append(_finding(one, weighed[one.name], scale, paid, failed, differences, alpha))
    return tuple(found)


def interacting(
    design: Design,
    cells: Sequence[Cell],
    *,
    looks: Sequence[int] = (),
    alpha: float = 0.05,
    scale: Scale | None = None,
) -> tuple[Interaction, ...]:
    """Of a Shapley design, a finding for each pair of players that the coalitions tell apart; a family by itself."""
    scale, share = scale or Scale(), held_out_share(cells)
    by_pair = pair_contributions(design, scored_cells(cells))
    samples = {pair: Sample(tuple(found.values()), share) for pair, found in by_pair.items()}
    return tuple(
        Interaction(
            pair,
            one.value or 0.0,
            one.low,
            one.high,
            one.p,
            one.holm,
            one.side,
            interaction_sentence(pair, one, scale),
            one.repeats,
            exact=not design.passes,
        )
        for pair, one in weigh(samples, looks, alpha).items()
    )


def passes_note(
    design: Design, cells: Sequence[Cell], *, looks: Sequence[int] = (), alpha: float = 0.05, scale: Scale | None = None
) -> str:
    """Whether the second pass agrees with the first, in a sentence; empty where there is nothing to check."""
    scale, share = scale or Scale(), held_out_share(cells)
    apart = pass_disagreements(design, scored_cells(cells))
    samples = {name: Sample(tuple(found.values()), share) for name, found in apart.items() if found}
    weighed = weigh(samples, looks, alpha)
    if not weighed or any(one.holm is None for one in weighed.values()):
        return ""
    widest = max(abs(one.value or 0.0) for one in weighed.values())
    differ = [name for name, one in weighed.items() if one.side]
    if differ:
        return (
            f"The passes disagree on {listed(differ)} by more than noise: more than two act together there, so that "
            "contributions depend on the orders that were drawn. Compare fewer at a time to have them exactly."
        )
    return (
        f"The second pass of orders agrees with the first within noise (at most {scale.gain(widest).lstrip('+')} "
        "apart), so contributions are as good as exact."
    )


def weigh_all(
    design: Design, cells: Sequence[Cell], *, looks: Sequence[int] = (), alpha: float = 0.05
) -> Mapping[str, Weighed]:
    """All comparisons that can be run, as one family."""
    found = contributions(design, scored_cells(cells))
    samples = {}
    for one in compared(design):
        if not refused(design, one):
            share = held_out_share([cell for cell in cells if cell.arm in one.arms])
            samples[one.name] = Sample(tuple(found[one.name].values()), share)
    return weigh(samples, looks, alpha)


def refused(design: Design, one: Compared) -> str:
    """Why it can't be run; empty where it can."""
    return next((design.refused[arm] for arm in one.arms if arm in design.refused), "")


def _finding(
    one: Compared,
    weighed: Weighed,
    scale: Scale,
    costs: Costs,
    failed: int,
    differences: tuple[float, ...],
    alpha: float,
) -> Finding:
    alone = weighed.p is not None and weighed.p <= alpha and not weighed.side
    return Finding(
        one.name,
        one.kind,
        weighed.value,
        weighed.low,
        weighed.high,
        weighed.p,
        weighed.holm,
        _WORDS[weighed.side],
        finding_sentence(one.name, weighed, scale, failed=failed, alone=alone),
        weighed.repeats,
        weighed.settles,
        costs,
        failed,
        differences=differences,
    )


def _refused(one: Compared, why: str) -> Finding:
    sentence = refused_sentence(one.name, why)
    return Finding(one.name, one.kind, None, None, None, None, None, "open", sentence, 0, None, refused=why)


def _measured(grid: Grid, missing_is_zero: bool) -> Grid:
    """Memory that was not measured is no memory of 0."""
    if not missing_is_zero:
        return grid
    return {repeat: {arm: cell for arm, cell in by_arm.items() if cell.memory} for repeat, by_arm in grid.items()}


def _mean(by_repeat: Mapping[int, float]) -> float | None:
    return sum(by_repeat.values()) / len(by_repeat) if by_repeat else None
