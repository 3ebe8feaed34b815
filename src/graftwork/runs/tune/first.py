"""What a tune tries before it proposes anything: what `fit` would try, then the same probes on each other base."""

from __future__ import annotations

from dataclasses import replace

from graftwork.recipe import Recipe
from graftwork.runs.candidates.orders import Portfolio
from graftwork.runs.candidates.planned import planned_recipes
from graftwork.runs.job.job import Job
from graftwork.runs.tune.search import Planned
from graftwork.runs.tune.space.space import Tries, candidate_bases

SHARE = 0.6
"""Of the time that is left, what one of these may take."""


def first_trials(
    job: Job, recipe: Recipe, asked: Recipe, tries: Tries, budget: float | None, portfolio: Portfolio
) -> list[Planned]:
    """In their order; the first one has to be. recipe: with its bases settled. asked: as the user gave it. budget:
    seconds. portfolio: the table that says what `fit` would try."""
    own = planned_recipes(job, recipe, budget, portfolio)
    planned = [Planned(name, "default", one, SHARE if at else None) for at, (name, one) in enumerate(own)]
    tried = [one.recipe for one in planned]
    for other in candidate_bases(job, asked, tries):
        changed = replace(recipe, base=other.base)
        for name, one in planned_recipes(job, changed, budget, portfolio):
            if is_probe(one) and one not in tried:
                planned.append(Planned(f"{name} on {one.base_text}", "base", one, SHARE))
                tried.append(one)
    return planned


def is_probe(recipe: Recipe) -> bool:
    """Whether it leaves all bases frozen."""
    return any("trainable_features" in one.drops for one in recipe.listed)
