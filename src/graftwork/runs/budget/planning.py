"""What the runs of a job would be, and what they would take here: few rows are read, and nothing is trained."""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean

from graftwork.core.parallel.workers import ALONE, Workers
from graftwork.core.plan import Plan
from graftwork.core.plans import Plans
from graftwork.core.run import Run
from graftwork.core.training.timing import affordable_steps
from graftwork.errors import RefusedError, UsageError
from graftwork.recipe import Recipe
from graftwork.runs.budget.affordable import within_budget
from graftwork.runs.budget.look import Look, first_look
from graftwork.runs.budget.own_rows import READING, TOO_FEW, job_of, on_rows, rows_in_time
from graftwork.runs.budget.streaming import with_stream
from graftwork.runs.candidates.orders import Portfolio, base_in
from graftwork.runs.candidates.other import is_other
from graftwork.runs.candidates.planned import planned_recipes
from graftwork.runs.candidates.portfolio import PORTFOLIO
from graftwork.runs.candidates.slower import SLOWER_SHARE, slower_of, with_slower
from graftwork.runs.candidates.tables import could_be_tried
from graftwork.runs.clock import Deadline
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.single.run import make_ready
from graftwork.runs.workers.checks import check_rows, why_alone
from graftwork.runs.workspace import Workspace


def planned(
    job: Job,
    recipe: Recipe,
    listener: Listener,
    budget: Deadline | None = None,
    portfolio: Portfolio = PORTFOLIO,
    workers: Workers = ALONE,
    *,
    streams: bool = True,
) -> Plans:
    """The plans of `techniques: auto`, or of the recipe, in their order, on the rows that a budget leaves. workers: one
    of those that would train, which shows what they refuse and what the part of one takes. streams: whether the call
    can stream rows."""
    stream = deadline = None
    if budget is not None:
        allowed = within_budget(
            job,
            recipe,
            Workspace(),
            listener,
            budget,
            estimated=True,
            streams=streams and workers.count == 1,
            portfolio=portfolio,
        )
        recipe, stream, deadline = allowed.recipe, allowed.stream, allowed.deadline
    job = job.sample(recipe.rows, recipe.seed, recipe.valid_rows)
    for line in could_be_tried(job, recipe):
        listener.note(line)
    plans, seen, look = Plans(), set[tuple[tuple[str, int], ...]](), None
    runs = planned_recipes(job, recipe, None if budget is None else budget.budget, portfolio)
    for name, one in with_stream(job, with_slower(job, recipe, runs), stream):
        listener.doing(f"planning: {name}")
        slower = slower_of(job, one)
        if slower is not None and deadline is not None:
            left = deadline.left() - sum(plan.seconds or 0.0 for before, plan in plans if not base_in(before))
            tests = len(job.test or ()) * slower.row
            rows = rows_in_time(job, slower.row, READING * (SLOWER_SHARE * left - tests))
            if rows == 0:
                listener.note(f"{name}: left out, {TOO_FEW}")
                continue
            one = on_rows(job, one, rows)
        alone = why_alone(recipe, one) if workers.count > 1 else ""
        if alone:
            listener.note(f"{name}: by one process: {alone}")
        try:
            run = make_ready(job_of(job, one), one, sketched=True, workers=ALONE if alone else workers)
            check_rows(run, name)
        except (RefusedError, UsageError) as error:
            if not is_other(name):
                raise
            listener.note(f"{name}: left out. {error}")
            continue
        if look is None:
            look = first_look(job, one)
        depths = tuple(sorted(run.cache_depths.items()))
        own = look if slower is None else replace(look, prepare=0.0, read=slower.row)
        plans.append((name, timed(run, own, computed=depths in seen)))
        seen.add(depths)
    return plans


def timed(run: Run, look: Look, *, computed: bool = False) -> Plan:
    """The plan with the seconds of its steps and of the pass over the rows. computed: a run before has made that pass.

    Steps on cached blocks can't be tried before there is a cache, so they are reckoned from what a row takes.
    """
    kept = fmean(run.cached_shares.values())
    if not kept:
        return replace(run.plan, seconds=affordable_steps(run, None).seconds)
    held = len(run.valid) if run.valid else 0
    passed = 0.0 if computed else (len(run.train) + held) * (look.prepare + look.read * kept)
    cost = run.plan.cost
    step = run.training.batch * look.read * (1 - kept) * (cost.forwards + 2 * cost.backwards)
    return replace(run.plan, seconds=passed + run.plan.total_steps * step)
