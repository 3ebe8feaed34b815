"""Racing: repeats go where the verdict is open. It looks at planned numbers of repeats only, so verdicts stay valid."""

from __future__ import annotations

from collections.abc import Sequence

from graftwork.evidence.ablation.cells import Cell, Design
from graftwork.evidence.ablation.contributions import compared, contributions, held_out_share, scored_cells
from graftwork.evidence.ablation.corrected_t import FEWEST, Sample, further_repeats
from graftwork.evidence.ablation.judge import refused, weigh_all

LAST = 40
"""Repeats at the last look, where nothing else is said."""
_FROM = 10
"""Repeats before which nothing is given up as hopeless."""
_OPTIMISM = 1.0


def planned_looks(most: int = LAST) -> tuple[int, ...]:
    """5, 10, 20, 40, ... repeats, the last one at `most`: to be fixed before anything is seen.

    >>> planned_looks(), planned_looks(12), planned_looks(5), planned_looks(3)
    ((5, 10, 20, 40), (5, 12), (5,), (3,))
    """
    looks, at = list[int](), FEWEST
    while 3 * at <= 2 * most:  # one that is nearly the last would share alpha for nothing
        looks.append(at)
        at *= 2
    return (*looks, most)


def open_comparisons(
    design: Design, cells: Sequence[Cell], *, looks: Sequence[int], alpha: float = 0.05
) -> tuple[str, ...]:
    """The names of the comparisons that deserve further repeats.

    Not: those with a verdict; those past the last look; from 10 repeats on those that no planned look would settle even
    if the difference grew by a standard error (giving up makes no verdict, so it can't make a wrong one).
    """
    grid = scored_cells(cells)
    found, weighed = contributions(design, grid), weigh_all(design, cells, looks=looks, alpha=alpha)
    still = sum(not one.side for one in weighed.values())
    share, names = held_out_share(cells), []
    for one in compared(design):
        if refused(design, one) or weighed[one.name].side:
            continue
        sample = Sample(tuple(found[one.name].values()), share)
        n = len(sample.differences)
        hopeless = n >= _FROM and further_repeats(sample, looks, alpha / still, _OPTIMISM) is None
        if n < looks[-1] and not hopeless:
            names.append(one.name)
    return tuple(names)


def open_arms(design: Design, names: Sequence[str]) -> tuple[str, ...]:
    """The arms that these comparisons need on a further repeat, in the order of the design."""
    needed = {arm for one in compared(design) if one.name in names for arm in one.arms}
    return tuple(arm for arm in design.arms if arm in needed)


def next_look(repeats: int, looks: Sequence[int]) -> int | None:
    """Up to how many repeats to run before it is looked at again; None past the last look."""
    return next((look for look in looks if look > repeats), None)
