"""What a budget allows where several workers compute: the first one measures and decides, the others take it over."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TypedDict

from graftwork.core.parallel.workers import ALONE
from graftwork.recipe import Recipe
from graftwork.runs.budget.affordable import Allowed, within_budget
from graftwork.runs.budget.look import Look
from graftwork.runs.budget.streaming import Stream
from graftwork.runs.candidates.orders import Portfolio
from graftwork.runs.clock import Began, Deadline
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.workspace import Workspace


class _Told(TypedDict):
    rows: int | None
    valid_rows: int | None
    at: float | None
    look: dict[str, object] | None
    for_all: float | None
    stream: tuple[int, int] | None


def within_budget_of_all(
    job: Job,
    recipe: Recipe,
    workspace: Workspace,
    listener: Listener,
    budget: Deadline | None,
    *,
    began: Began | None,
    runs: int,
    portfolio: Portfolio,
) -> Allowed:
    """`within_budget`, the same at all workers."""
    found = list[Allowed]()

    def decide() -> _Told:
        alone, ends = replace(workspace, workers=ALONE), None if budget is None else budget.alone
        one = within_budget(job, recipe, alone, listener, ends, began=began, runs=runs, portfolio=portfolio)
        found.append(one)
        return {
            "rows": one.recipe.rows,
            "valid_rows": one.recipe.valid_rows,
            "at": None if one.deadline is None else one.deadline.at,
            "look": None if one.look is None else asdict(one.look),
            "for_all": one.for_all,
            "stream": one.stream,
        }

    told = workspace.workers.decide(decide)
    if workspace.workers.count == 1:
        return found[0]
    return Allowed(
        replace(recipe, rows=told["rows"], valid_rows=told["valid_rows"]),
        None if budget is None or told["at"] is None else replace(budget, at=told["at"]),
        None if told["look"] is None else Look(**told["look"]),  # type: ignore[arg-type]
        told["for_all"],
        None if told["stream"] is None else Stream(*told["stream"]),
    )
