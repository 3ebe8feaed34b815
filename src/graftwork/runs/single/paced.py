"""A run held to its time: how many steps there is time for before the first one, and what shortens it on its way."""

from __future__ import annotations

from graftwork.core.clock.course import Course
from graftwork.core.clock.pace import OutOfTime, Pace
from graftwork.core.run import Run
from graftwork.core.training.timing import affordable_steps
from graftwork.recipe import Recipe
from graftwork.runs.clock import Deadline
from graftwork.runs.listener import Listener
from graftwork.runs.single.begun import remember_begun
from graftwork.runs.workspace import Workspace

LEAST_STEPS = 100
"""Steps, or one pass over the rows, without which a base from scratch is no model and a fine-tune not worth while."""


def paced(
    run: Run,
    name: str,
    asked: Recipe,
    workspace: Workspace,
    listener: Listener,
    deadline: Deadline | None,
    limit: Deadline | None,
    *,
    begun: bool,
) -> tuple[Run, Pace | None]:
    """The run with the steps that there is time for, and what holds it to that time. begun: its steps are known."""
    planned = run.plan.total_steps

    def decided(course: Course) -> None:
        remember_begun(workspace, name, asked, course.total, course.cuts)

    if deadline is not None and begun:
        return run, Pace(deadline.left, least=least_steps(run), evaluation=0.0, decided=decided)
    if deadline is None or planned == 0 or run.training.cuts:
        return run, None
    timed = affordable_steps(run, deadline.left(), deadline.clock)
    least = least_steps(run)
    if timed.steps < least:
        if limit is not None:
            raise OutOfTime
        if not run.plan.starts_well:
            lacking = least * timed.step + timed.evaluation * 2 - deadline.left()
            raise deadline.refuse(
                lacking,
                f"{name} has time for {timed.steps} of {planned} steps, and with fewer than {least} there is no model",
            )
    if timed.steps < planned:
        listener.note(f"{name}: {timed.steps} of {planned} steps fit into the budget")
        run = run.with_steps(timed.steps)
    left = deadline.sooner(timed.evaluation).left  # validation is predicted once more when the run is over
    return run, Pace(left, least=min(least, timed.steps), evaluation=timed.evaluation, decided=decided)


def least_steps(run: Run) -> int:
    """Steps below which a run is no model, or not worth beginning: one pass over the rows, at most `LEAST_STEPS`."""
    return min(run.plan.total_steps, LEAST_STEPS, max(1, -(-len(run.train) // run.training.batch)))
