"""How many rows a budget allows, and what of it is kept for the scores; or a refusal that names the least budget."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

from graftwork.core.run import Run
from graftwork.errors import UsageError
from graftwork.recipe import Recipe
from graftwork.runs.budget import streaming
from graftwork.runs.budget.first_pass import first_pass, rows_to_validate
from graftwork.runs.budget.look import SMALL, Look, look_at
from graftwork.runs.budget.streaming import Stream, streaming_of
from graftwork.runs.candidates.orders import Portfolio
from graftwork.runs.candidates.other import is_other
from graftwork.runs.candidates.planned import is_probe, planned_recipes
from graftwork.runs.candidates.portfolio import PORTFOLIO
from graftwork.runs.clock import Began, Deadline, shown
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.single.run import make_ready
from graftwork.runs.workspace import Workspace

FINISH = 4.0
"""Seconds that the model's files, the intervals and the report take on a quiet machine."""
HEADS = 1.0
"""Seconds that the smallest heads take there."""
SCORED = 2e-4
"""Seconds a test row for its intervals and tables, beside its prediction."""
PASS_SHARE = 2 / 3
"""Of the time for training, for the pass of the base over the rows; the rest is for heads and steps."""
IMAGES_SHARE = 1 / 6
"""The same for photos alone, of which frozen features tell less than a fine-tune finds: in 120 CPU seconds, probes on
all 10,000 of CIFAR-10 reached 75.7 % and a fine-tune on 2,500 of them 80.9 %. A search with a quarter had no time left
for the fine-tune."""
EVALUATION_SHARE = 0.02
"""Of the time for training, for scoring validation once where no features are kept."""
FEWEST, FEWEST_VALID = 200, 200
"""Training and validation rows that a budget leaves at least."""
COMFORT = 2.0
"""A pass over all rows is begun in one piece if it would take less than its share divided by this."""
MOST_LOAD = 3.0


@dataclass(frozen=True)
class Allowed:
    """recipe: with the rows that are used. deadline: when training must be over; None without a budget. look: what a
    row takes; None where that was not measured. for_all: seconds of a budget that would use all rows, where not all
    are used. stream: what is streamed, None where nothing is."""

    recipe: Recipe
    deadline: Deadline | None = None
    look: Look | None = None
    for_all: float | None = None
    stream: Stream | None = None


class _Later(TypedDict, total=False):
    """Earlier versions kept nothing of it."""

    stream: tuple[int, int] | None


class _Decided(_Later):
    """What a workspace keeps of it. reserve: seconds kept for the scores."""

    rows: int | None
    valid_rows: int | None
    reserve: float
    for_all: float | None


def within_budget(
    job: Job,
    recipe: Recipe,
    workspace: Workspace,
    listener: Listener,
    budget: Deadline | None,
    *,
    began: Began | None = None,
    runs: int = 1,
    estimated: bool = False,
    streams: bool = False,
    portfolio: Portfolio = PORTFOLIO,
) -> Allowed:
    """The recipe, with as many training rows as the base has time to pass over; a resumed call takes what it took.

    budget: when the whole call must be over. began: its start, which says how busy the machine is. runs: how many runs
    share the time. estimated: the rows are reckoned from a first look, and nothing is read for them.
    streams: whether the caller can stream rows. portfolio: the table that says which run is the first.

    Raises UsageError where the budget is too small, with the least one.
    """
    known = workspace.recall("rows", _Decided)
    if known is not None:
        recipe = replace(recipe, rows=known["rows"], valid_rows=known["valid_rows"])
        stream = Stream(*known["stream"]) if known.get("stream") else None
        _say(job, recipe, listener, known["for_all"], stream)
        deadline = None if budget is None else budget.sooner(min(known["reserve"], budget.left() / 2))
        return Allowed(recipe, deadline, None, known["for_all"], stream)
    if budget is None:
        return Allowed(recipe)
    load = _load(began)
    listener.doing("timing a few rows")
    small = job.sample(SMALL, recipe.seed, SMALL)
    planned, run = _from_first(small, planned_recipes(job, recipe, budget.budget, portfolio))
    first = planned[0][1]
    look = look_at(job, run, first, budget.clock)
    reserve = FINISH * load + _scoring(job, look)
    if runs > 1:  # every row is scored once, by the model of the other domains
        reserve += (len(job.train) + len(job.valid or ())) * (look.prepare + look.score)
    _check(job, look, budget, reserve, load, runs)
    share = replace(budget.sooner(reserve).part(1 / runs), shared=runs)
    rows, valid_rows, stream = (recipe.rows, recipe.valid_rows, None)
    if rows is None:
        if runs == 1 and streams:
            stream = streaming_of(job, recipe, planned, look, share.left(), PASS_SHARE)
        part = streaming.SHARE if stream is not None else _pass_share(job, recipe, planned, look)
        most = None if stream is None else (streaming.MOST_KEPT, streaming.MOST_VALID)
        rows, valid_rows = _rows(job, first, look, share, None if estimated else listener, part, most)
        stream = None if rows is None else stream
    for_all = None
    if rows is not None and recipe.rows is None:
        spent = budget.budget - budget.left() if runs == 1 else 0.0
        whole = (len(job.train) + len(job.valid or ())) * look.row / _pass_share(job, recipe, planned, look)
        for_all = max(whole * runs + reserve + min(spent, budget.budget / 4), budget.budget)
    decided = _Decided(rows=rows, valid_rows=valid_rows, reserve=reserve, for_all=for_all, stream=stream)
    workspace.remember("rows", decided)
    recipe = replace(recipe, rows=rows, valid_rows=valid_rows)
    _say(job, recipe, listener, for_all, stream)
    return Allowed(recipe, budget.sooner(reserve), look, for_all, stream)


def _pass_share(job: Job, recipe: Recipe, planned: Sequence[tuple[str, Recipe]], look: Look) -> float:
    """planned: the runs of a call, the first of which was looked at."""
    images = look.whole and all(one.modality == "image" for one in recipe.read(job.train.schema))
    return IMAGES_SHARE if images and not all(is_probe(one) for _, one in planned) else PASS_SHARE


def keep_all_rows(recipe: Recipe, workspace: Workspace) -> None:
    """Remember, where nothing is, that no budget leaves rows out: a resumed call with a budget takes the same rows."""
    if workspace.recall("rows", _Decided) is None:
        all_rows = _Decided(rows=recipe.rows, valid_rows=recipe.valid_rows, reserve=FINISH, for_all=None, stream=None)
        workspace.remember("rows", all_rows)


def _from_first(small: Job, planned: Sequence[tuple[str, Recipe]]) -> tuple[Sequence[tuple[str, Recipe]], Run]:
    """What is planned from the first run on that these rows and this base allow, and that run made ready."""
    for at, (name, one) in enumerate(planned):
        try:
            return planned[at:], make_ready(small, one)
        except UsageError:
            if not is_other(name) or at == len(planned) - 1:
                raise
    raise AssertionError("unreachable")


def _rows(
    job: Job,
    recipe: Recipe,
    look: Look,
    deadline: Deadline,
    listener: Listener | None,
    share: float,
    most: tuple[int, int] | None,
) -> tuple[int | None, int | None]:
    """Training and validation rows, None for all. recipe: of the first run. listener: hears the pass that finds the
    rows; None where they are only reckoned. share: of the time that is left, for the pass. most: training
    and validation rows that it reads at most; None: as many as there is time for."""
    time_for_pass, rows = deadline.left() * share, len(job.train)
    most_rows, most_valid = most or (rows, None)
    held = len(job.valid) if job.valid else 0
    if not look.cached:  # every step reads other rows: only their preparation and the scoring grow with the table
        fit = int(time_for_pass / max(look.prepare, 1e-9))
        scored = max(FEWEST_VALID, int(deadline.left() * EVALUATION_SHARE / max(look.score, 1e-9)))
        return (None if fit >= rows else max(fit, FEWEST)), (None if scored >= held else scored)
    if (rows + held) * look.row * COMFORT <= time_for_pass:
        return None, None
    fit = min(int(time_for_pass / look.row / (1 + min(held, rows // 3) / rows)), most_rows)
    if listener is None:
        return (None, None) if fit >= rows else (max(fit, FEWEST), rows_to_validate(max(fit, FEWEST), most_valid))
    if not look.whole:
        fit = int(fit * 0.8)
        return (None, None) if fit >= rows else (max(fit, FEWEST), None)
    tried = min(rows, most_rows, max(int(1.5 * fit), FEWEST))
    done = first_pass(job, recipe, tried, deadline.part(share), FEWEST, listener, most_valid)
    return done, rows_to_validate(done, most_valid)


def _scoring(job: Job, look: Look) -> float:
    """Seconds that the test rows take at the end, and those of the old task, which are predicted twice."""
    rows = len(job.test or ()) + 2 * len(job.old_task or ())
    return rows * (look.prepare + look.score + SCORED)


def _check(job: Job, look: Look, budget: Deadline, reserve: float, load: float, runs: int) -> None:
    """Raise UsageError where not even the fewest rows can be read in time."""
    rows = min(FEWEST, len(job.train)) * 4 / 3 if look.cached else min(FEWEST, len(job.train)) / 3
    needed = reserve + runs * (rows * look.row / PASS_SHARE + HEADS * load)
    if budget.left() >= needed:
        return
    tests = f", {_scoring(job, look):.0f} s of it for the {len(job.test):,} test rows" if job.test else ""
    several = f" for {runs} runs" if runs > 1 else ""
    raise budget.refuse(
        needed - budget.left(),
        f"{budget.budget - budget.left():.0f} s went to start and to read the table, and at least {needed:.0f} s are "
        f"needed{several} from here on{tests}",
    )


def _say(job: Job, recipe: Recipe, listener: Listener, for_all: float | None, stream: Stream | None) -> None:
    """What is left out for want of time, and what would use it."""
    rows, held = len(job.train), len(job.valid) if job.valid else 0
    used = rows if recipe.rows is None else min(recipe.rows, rows)
    if used < rows:
        more = "" if for_all is None else f"; a budget of about {_about(for_all)} would use all"
        if stream is not None:
            listener.note(
                f"budget: heads are solved on {used:,} of {rows:,} training rows, and a fine-tune that begins from one "
                "reads other rows, as many as there is time for, once each"
            )
            return
        listener.note(
            f"budget: {used:,} of {rows:,} training rows ({100 * used / rows:.0f} %) are used, as many as the base has "
            f"time to read{more}"
        )
    elif recipe.valid_rows is not None and recipe.valid_rows < held:
        listener.note(f"budget: scored on {recipe.valid_rows:,} of {held:,} validation rows, to leave time for steps")


def _about(seconds: float) -> str:
    return shown(-(-seconds // 10) * 10) if seconds < 90 else f"{-(-seconds // 60):.0f} minutes"


def _load(began: Began | None) -> float:
    """How much longer things take than on a quiet machine, seen from what has been done so far."""
    if began is None:
        return 1.0
    wall, cpu = time.monotonic() - began.wall, time.process_time() - began.cpu
    return min(MOST_LOAD, max(1.0, wall / max(cpu, 0.5)))
