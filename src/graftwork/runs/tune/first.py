"""What a tune tries before it proposes anything: what `fit` would try, then the same probes on each other base."""

from __future__ import annotations

from dataclasses import replace

from graftwork.recipe import Recipe
from graftwork.runs.candidates.orders import Portfolio
from graftwork.runs.candidates.planned import is_probe, planned_recipes
from graftwork.runs.candidates.slower import SLOWER_SHARE, slower_of, with_slower
from graftwork.runs.job.job import Job
from graftwork.runs.tune.search import Planned
from graftwork.runs.tune.space.space import Tries, candidate_bases

SHARE, OTHERS = 0.9, 0.25
"""Of the time that is left, what one of these may take, and one of them on another base."""


def first_trials(
    job: Job,
    recipe: Recipe,
    asked: Recipe,
    tries: Tries,
    budget: float | None,
    portfolio: Portfolio,
    *,
    in_front: bool = True,
) -> list[Planned]:
    """In their order; the first one has to be. recipe: with its bases settled. asked: as the user gave it. budget:
    seconds. portfolio: the table that says what `fit` would try. in_front: whether a better base that has no time for
    all rows is tried as `fit` tries it, before anything is tuned, and not as one base among the others."""
    planned, read = list[Planned](), set[str]()
    own = planned_recipes(job, recipe, budget, portfolio)
    for name, one in with_slower(job, recipe, own) if in_front else own:
        slower = slower_of(job, one)
        share = SHARE if slower is None or slower.base in read else SLOWER_SHARE
        planned.append(Planned(name, "default", one, share if planned else None))
        read |= {slower.base} if slower else set()
    tried = [one.recipe for one in planned]
    for other in candidate_bases(job, asked, tries):
        changed = replace(recipe, base=other.base)
        for name, one in planned_recipes(job, changed, budget, portfolio):
            if is_probe(one) and one not in tried:
                planned.append(Planned(f"{name} on {one.base_text}", "base", one, OTHERS))
                tried.append(one)
    return planned
