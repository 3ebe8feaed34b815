"""Probes on a better base that has no time to read all rows, behind those on the base that was chosen for it."""

from __future__ import annotations

from collections.abc import Sequence

from graftwork.recipe import Recipe
from graftwork.runs.candidates.orders import ON
from graftwork.runs.candidates.other import candidate
from graftwork.runs.candidates.planned import is_probe
from graftwork.runs.candidates.usual import usual_recipes
from graftwork.runs.job.choice import Slower
from graftwork.runs.job.job import Job

SLOWER_SHARE = 0.8
"""Of the time that is left, what the first of these probes may take."""


def with_slower(job: Job, recipe: Recipe, planned: Sequence[tuple[str, Recipe]]) -> list[tuple[str, Recipe]]:
    """The runs, with those of the probes in front on the better base as well, before anything is tuned."""
    others = dict.fromkeys(choice.slower.base for choice in job.bases.each.values() if choice.slower)
    if not others or recipe.techniques != "auto":
        return list(planned)
    at = next((place for place, (_, one) in enumerate(planned) if not is_probe(one)), len(planned))
    names, usual = [f"{name}{ON}{base}" for base in others for name, _ in planned[:at]], usual_recipes(job, recipe)
    made = [(name, candidate(job, recipe, name, dict(usual))) for name in names]
    known = [one for _, one in planned]
    return [*planned[:at], *[(name, one) for name, one in made if one and one not in known], *planned[at:]]


def slower_of(job: Job, recipe: Recipe) -> Slower | None:
    """The better base that a recipe reads with; None where it has the chosen ones alone."""
    bases = recipe.bases(job.train.schema)
    found = [(choice.slower, bases.get(name)) for name, choice in job.bases.each.items() if choice.slower]
    return next((slower for slower, base in found if slower and base and base.name == slower.base), None)
