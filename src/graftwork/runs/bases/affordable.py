"""Whether a large base for texts can be afforded: by the memory that is free, and a pass over the rows timed here."""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean

from graftwork.errors import GraftworkError
from graftwork.networks.bases.registry import parse_base
from graftwork.recipe import Recipe
from graftwork.runs.bases.memory import free_memory
from graftwork.runs.budget.affordable import FINISH
from graftwork.runs.budget.look import Look, first_look
from graftwork.runs.candidates.usual import usual_recipes
from graftwork.runs.clock import Deadline, shown
from graftwork.runs.job.base_choice import sampled_texts
from graftwork.runs.job.choice import Choice, Slower
from graftwork.runs.job.job import Job
from graftwork.runs.job.text_choice import fitted_to_lengths
from graftwork.runs.listener import Listener
from graftwork.shown import counted, shortened_text

MEMORY = 5.0e9
"""Bytes that a fit of a base with 110 million parameters needs free: 3.3 to 4.7 GB were measured."""
LEAST_BUDGET = 30.0
"""Seconds of a budget below which such a base is not even timed: to load it takes several of them."""
PASSES, FEW_PASSES = 2, 16
"""Passes over the rows after which the default of a large base is ahead of a small one's: one for the probes, and about
as much for a tuned run; where rows are few, all of it is tuned at once."""
TRAINED = 3
"""A row that is trained on takes so many times what it takes to read it."""
UNHURRIED = 300.0
"""Seconds that a pass may take where there is no budget."""


def afforded(job: Job, recipe: Recipe, name: str, listener: Listener, budget: Deadline | None) -> Choice:
    """The first option of the input `name`, if it can be afforded; else the last. recipe: with the bases so far."""
    choice = job.bases.each[name]
    large, small = choice.options
    candidate, refused, said, row = choice, _no_room() or _no_time(budget), "", 0.0
    if not refused:
        listener.doing(f"timing {large} on a few rows")
        try:
            candidate = _as_read(job, recipe, name, large)
            trial = replace(
                recipe, base={n: one.base.spec for n, one in job.bases.settled(name, candidate).each.items()}
            )
            refused, said, row = _timed(job, trial, budget)
        except GraftworkError as error:
            refused = f"it can't be used here: {shortened_text(' '.join(str(error).split()), 300)}"
    if refused:
        slower = Slower(large, row) if row and _probes_alone(job, recipe) else None
        some = "; probes of it are tried on the rows that there is time for" if slower else ""
        reason = f"base: {small} is chosen for '{name}', not {large}: {refused}{some}"
        return replace(choice, options=(), reason=reason, slower=slower)
    return replace(candidate, reason=f"base: {large} is chosen for '{name}' (English): {said}")


def _probes_alone(job: Job, recipe: Recipe) -> bool:
    """Whether probes of a base can be tried beside those of the chosen one: validation chooses, and texts are the only
    input."""
    return recipe.techniques == "auto" and job.valid is not None and len(recipe.read(job.train.schema)) == 1


def _as_read(job: Job, recipe: Recipe, name: str, spec: str) -> Choice:
    """A base as it would read the texts of an input."""
    one = next(one for one in job.train.schema.modalities if one.name == name)
    return fitted_to_lengths(one, Choice(parse_base(spec)), sampled_texts(job.train, one.columns, recipe.text))


def _no_room() -> str:
    """Why there is not enough memory; "" where there is, or where that is not known."""
    free = free_memory()
    if free is None or free >= MEMORY:
        return ""
    return f"a fit takes up to {MEMORY / 1e9:.0f} GB of memory, and {free / 1e9:.1f} GB are free"


def _no_time(budget: Deadline | None) -> str:
    """Why a budget is too small to time anything; "" where it is not."""
    if budget is None or budget.budget >= LEAST_BUDGET:
        return ""
    return f"a budget of {shown(budget.budget)} is too small for it (less than {shown(LEAST_BUDGET)})"


def _timed(job: Job, recipe: Recipe, budget: Deadline | None) -> tuple[str, str, float]:
    """Why a fit with these bases takes too long, else how long a pass takes; and the seconds of a row where the budget
    is too small for all of them."""
    rows = len(job.train) if recipe.rows is None else min(recipe.rows, len(job.train))
    held, tests = len(job.valid or ()), len(job.test or ())
    look = _look(job, recipe, budget)
    every = look.row * (rows + held)
    passes = _passes(job, recipe, rows, look)
    said = f"a pass over the {counted(rows + held)} takes about {_seconds(every)} here"
    if budget is None:
        if every * passes <= UNHURRIED * PASSES:
            return "", said, 0.0
        return f"{said}, too long without a budget that allows it", "", 0.0
    left = budget.left() - FINISH - tests * look.score
    if every * passes <= left:
        return "", said, 0.0
    refused = f"{said}, and a fit about {passes:.2g} of them: more than the budget of {shown(budget.budget)} has left"
    return refused, "", look.row if look.whole else 0.0


def _look(job: Job, recipe: Recipe, budget: Deadline | None) -> Look:
    first = usual_recipes(job, recipe)[0][1] if recipe.techniques == "auto" else recipe
    return first_look(job, first) if budget is None else first_look(job, first, budget.clock)


def _passes(job: Job, recipe: Recipe, rows: int, look: Look) -> float:
    """How many passes over the rows a fit takes."""
    if recipe.techniques == "auto":
        return FEW_PASSES if job.valid is None else PASSES
    kept = fmean(look.cached.values()) if look.cached else 0.0
    suggested = max(base.suggested_epochs for base in recipe.bases(job.train.schema).values())
    training = recipe.training
    epochs = training.epochs if training.epochs is not None else float(suggested)
    if training.steps is not None:
        epochs = training.steps * training.batch / rows
    return 1 + TRAINED * epochs * (1 - kept)


def _seconds(seconds: float) -> str:
    return (
        f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
    )
