"""What a tune is made of, before anything is trained: its rows, what it compares them on, where it looks, its time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from graftwork.evidence.tune.trials import Limits
from graftwork.recipe import Recipe
from graftwork.runs.bases.settling import known_bases, settled
from graftwork.runs.budget.affordable import keep_all_rows, within_budget
from graftwork.runs.candidates.orders import Portfolio
from graftwork.runs.clock import Began, Deadline
from graftwork.runs.default import ordered_for
from graftwork.runs.finished.provenance import licence_notes
from graftwork.runs.job.data_arguments import DataArguments
from graftwork.runs.job.job import Job, make_job
from graftwork.runs.listener import Listener
from graftwork.runs.single.run import make_ready
from graftwork.runs.tune.asked import Asking
from graftwork.runs.tune.first import first_trials
from graftwork.runs.tune.judged import Judged, judged_rows
from graftwork.runs.tune.search import Planned
from graftwork.runs.tune.space.refused import SEEN
from graftwork.runs.tune.space.space import SearchSpace, Tries, search_space
from graftwork.runs.tune.space.tried_bases import room_for_large
from graftwork.runs.tune.study.identity import check_identity, identity_of, weights_of
from graftwork.runs.workspace import Workspace

ENDING = 0.08
"""Of the time for trials, what combining and choosing may take in the end."""
LATER = 0.25
"""Of it, what is kept at most for the test rows, which are predicted once, by whatever is kept."""


@dataclass(frozen=True)
class Prepared:
    """job: as `fit` would have it. judged: the same with the rows that trials are compared on. recipe: with its bases
    settled. first: what is tried before anything is proposed. deadline: when the search must be over; None without a
    budget. rows: training and validation rows before any were left out. for_all: as of `Allowed`."""

    job: Job
    judged: Judged
    recipe: Recipe
    space: SearchSpace
    first: tuple[Planned, ...]
    deadline: Deadline | None
    rows: tuple[int, int]
    for_all: float | None


def prepared(
    data: DataArguments,
    asked: Recipe,
    asking: Asking,
    folder: Path | None,
    listener: Listener,
    ends: Deadline | None,
    *,
    began: Began | None,
    portfolio: Portfolio,
    apart: bool = False,
) -> Prepared:
    """asked: the recipe as the user gave it. folder: of the study. ends: when the whole call must be over. began: its
    start; None where the budget is counted by another clock than the wall's. portfolio: what `fit` would try. apart:
    the trials are run on machines of a cluster.

    Raises UsageError, DataError, RefusedError for what can't be searched, and where the study in the folder is another.
    """
    workspace = Workspace(folder, resume=True)  # a new folder has nothing to recall
    listener.doing(f"reading {data.called}")
    job = make_job(data, asked, known_bases(asked, workspace))
    listener.scored_by(job.bound_metrics)
    for note in job.notes:
        listener.note(note)
    job = settled(job, asked, workspace, listener, ends)
    recipe = replace(asked, base=job.bases.named)
    for note in licence_notes(job, recipe):
        listener.note(note)
    allowed = within_budget(job, recipe, workspace, listener, ends, began=began, portfolio=portfolio)
    if ends is None:
        keep_all_rows(allowed.recipe, workspace)
    recipe = allowed.recipe
    every = job
    job = job.sample(recipe.rows, recipe.seed, recipe.valid_rows)
    listener.doing("looking for what can be tried")
    tries = Tries(asking.try_base, asking.try_with, _large(workspace))
    judged, order = judged_rows(job, recipe, asking.folds), ordered_for(workspace, asking.seconds)
    in_front = _in_front(workspace, asking, judged, apart=apart)
    first = first_trials(job, recipe, asked, tries, order, portfolio, in_front=in_front)
    make_ready(job.sample(SEEN, recipe.seed, SEEN), first[0].recipe, sketched=True)  # refused as fit refuses it
    listener.note(judged.note)
    space = search_space(job, recipe, tries)
    if folder is not None:
        weights = weights_of(arm.base for one in space.frame.inputs for arm in one.arms)
        check_identity(folder, identity_of(judged.job, recipe, asking, judged.folds, space.dimensions, weights))
    deadline = allowed.deadline
    if deadline is not None:
        left = max(deadline.left(), 0.0)
        deadline = deadline.sooner(ENDING * left + min(_scoring_slower(job), LATER * left))
    rows = len(every.train), len(every.valid or ())
    if judged.folds > 1:  # all of them train
        rows = sum(rows), 0
    return Prepared(job, judged, recipe, space, tuple(first), deadline, rows, allowed.for_all)


def _scoring_slower(job: Job) -> float:
    """Seconds that the test rows take a better base which has no time for all rows, should it be kept."""
    rows = [choice.slower.row for choice in job.bases.each.values() if choice.slower]
    return len(job.test or ()) * max(rows, default=0.0)


def _large(workspace: Workspace) -> bool:
    """Whether large bases are tried, by the memory that was free when the study began."""
    return _decided(workspace, "large", room_for_large)


def _in_front(workspace: Workspace, asking: Asking, judged: Judged, *, apart: bool) -> bool:
    """Whether a better base that has no time for all rows is tried in front. Under folds and on machines of a cluster
    all rows are read; what is limited, or named, may leave it out. A resumed call may ask otherwise, and its trials
    keep their numbers."""
    plain = judged.folds == 1 and not (apart or asking.try_base) and asking.limits == Limits()
    return _decided(workspace, "in-front", lambda: plain)


def _decided(workspace: Workspace, name: str, decide: Callable[[], bool]) -> bool:
    """What was decided when the study began, or now."""
    known: bool | None = workspace.recall(name, bool)
    if known is None:
        known = decide()
        workspace.remember(name, known)
    return known
