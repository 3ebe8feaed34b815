"""The anytime default, for `techniques: auto`: a sequence of runs, each a plain recipe, and the best one is kept.

First probes on the frozen base, which are there within seconds: similarity to the training rows, a small MLP, a linear
head, all on the same features. Then, while the budget lasts, a fine-tune that begins from a probe, with the lower
blocks frozen and cached. Validation chooses. With too few rows to hold some out, a rule chooses: the fine-tune for few
rows. Where the base has nothing to train (the columns of a table), another one is trained in its place.
The winner's resolved recipe is an ordinary recipe that repeats it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean

from graftwork.core.clock.pace import OutOfTime
from graftwork.core.run import Run
from graftwork.data.store.cache import of_disk
from graftwork.devices import chosen
from graftwork.errors import DataError, NonFiniteLossError, NumericalError, UsageError
from graftwork.recipe import Recipe
from graftwork.runs.across import Across, across
from graftwork.runs.budget.first_pass import pass_of_better
from graftwork.runs.budget.look import Look
from graftwork.runs.budget.own_rows import TOO_FEW, job_of, on_rows
from graftwork.runs.budget.streaming import Stream, with_stream
from graftwork.runs.candidates.orders import Portfolio
from graftwork.runs.candidates.other import is_other
from graftwork.runs.candidates.planned import planned_recipes
from graftwork.runs.candidates.portfolio import PORTFOLIO
from graftwork.runs.candidates.slower import SLOWER_SHARE, slower_of, with_slower
from graftwork.runs.candidates.tables import could_be_tried, few_validate, reads_columns_alone
from graftwork.runs.clock import Deadline
from graftwork.runs.job.choice import Slower
from graftwork.runs.job.folds import FOLDS
from graftwork.runs.job.job import Job
from graftwork.runs.lacking_memory import lacking_memory
from graftwork.runs.listener import Listener
from graftwork.runs.single.paced import least_steps
from graftwork.runs.single.run import Candidate, RunOne, make_ready, run_single
from graftwork.runs.workspace import Workspace
from graftwork.shown import shortened_text

LEFT = 0.1
"""A run is begun only if this share of the budget is left for it, and the time that it takes by what was measured."""
TRAINED = 3
"""A row that is trained on takes so many times what it takes to read it."""

FAILURES = (NonFiniteLossError, NumericalError, MemoryError, RuntimeError, ArithmeticError)
"""What a run can fail of that another one need not: torch and numpy raise the last ones for matrices that can't be
factored and for memory that can't be had."""


def run_all(
    job: Job,
    recipe: Recipe,
    workspace: Workspace,
    listener: Listener,
    deadline: Deadline | None,
    look: Look | None = None,
    portfolio: Portfolio = PORTFOLIO,
    stream: Stream | None = None,
    run: RunOne = run_single,
) -> tuple[list[Candidate], Candidate]:
    """Run what is planned while time lasts; the candidates in order, and the one to keep. look: what a row takes.
    portfolio: the table of orders of `techniques: auto`. stream: what is streamed in place of a fine-tune on the
    rows of the job. run: what makes each run.

    Ctrl-C ends the sequence with what there is. A run that fails (its loss is not finite, its arithmetic breaks down,
    the memory is too small) is left out and said, and so is one that does not reach its first step in time, or that a
    table of orders names and this base refuses. Before the first candidate is done Ctrl-C is raised again; where no run
    is left, the first failure is. Only the network of the best candidate keeps its weights in memory.
    """
    sequence = _Sequence(job, workspace, listener, deadline, look, here=run is run_single and chosen().type == "cpu")
    candidates, failures = sequence.candidates, list[Exception]()
    budget = ordered_for(workspace, deadline.budget if deadline else None)
    planned = with_slower(job, recipe, planned_recipes(job, recipe, budget, portfolio))
    planned = with_stream(job, planned, stream)
    for line in could_be_tried(job, recipe):
        listener.note(line)
    for at, (name, one) in enumerate(planned):
        its_job = job
        try:
            allowed = sequence.in_time(name, one)
            if allowed is None:
                continue
            one, its_job = allowed, job_of(job, allowed)
            limit = sequence.limit(name, its_job, one, spare=at == 0 and len(planned) > 2)
            if limit is LEFT_OUT:
                continue
            begun = sequence.now()
            until = sequence.deadline
            done = run(its_job, one, name=name, workspace=workspace, listener=listener, deadline=until, limit=limit)
            candidates.append(done)
            sequence.took = sequence.now() - begun
            if len(planned) > 1:
                candidates[-1] = sequence.weighed(done)
        except OutOfTime:
            workspace.remember(f"{name}-begun", False)
            listener.note(f"{name}: left out, {USED_UP} before its first step")
            continue
        except (*FAILURES, UsageError, DataError) as error:
            if _ends_all(error, name, streamed=its_job is not job):
                raise
            failures.append(error)
            listener.note(f"{name}: left out. {failure_text(error)}")
            continue
        except KeyboardInterrupt:
            if not candidates:
                raise
            last = candidates[-1]
            candidates[-1] = replace(last, fitted=replace(last.fitted, interrupted=True))
        for candidate in candidates:
            if candidate is not best(candidates):
                candidate.network.to("meta")
        if candidates[-1].fitted.interrupted:
            break
    if not candidates:
        raise failures[0] if failures else NumericalError("No run could be made in this budget.")
    kept = best(candidates)
    if len(candidates) > 1:
        listener.note(f"kept: {kept.name}{_unread(job, kept)}")
    return candidates, kept


def ordered_for(workspace: Workspace, budget: float | None) -> float | None:
    """The budget by which the runs are ordered: a resumed call with another one keeps the order that it had."""
    known = workspace.recall("order", dict[str, float | None])
    if known is not None and "budget" in known:
        budget = known["budget"]
    workspace.remember("order", {"budget": budget})
    return budget


def _ends_all(error: Exception, name: str, *, streamed: bool) -> bool:
    """Whether what a run failed of is raised, and not said of that run alone."""
    if isinstance(error, NotImplementedError | RecursionError):
        return True  # a fault of the program, not of the numbers
    if isinstance(error, DataError):
        return not streamed or of_disk(error)  # only rows that are streamed are first read by a run
    return isinstance(error, UsageError) and not is_other(name)


def _unread(job: Job, kept: Candidate) -> str:
    """The columns that the kept model does without."""
    unread = kept.recipe.read_columns(job.train.schema)[1]
    return f"; the model does not read {', '.join(unread)}" if unread else ""


def failure_text(error: Exception) -> str:
    """What went wrong, in one line."""
    if isinstance(error, MemoryError) or "allocate memory" in str(error) or "out of memory" in str(error):
        return "The memory is too small for it."
    return shortened_text(" ".join(str(error).split()) or type(error).__name__, 200)


def best(candidates: Sequence[Candidate]) -> Candidate:
    """The highest score on validation; without validation the last one, which is built to be better on few rows."""
    if any(candidate.score is None for candidate in candidates):
        return candidates[-1]
    compared = [(candidate.across, candidate) for candidate in candidates if candidate.across is not None]
    if compared:
        return max(((score, one) for score, one in compared if not one.beaten), key=lambda found: found[0])[1]
    return max(candidates, key=lambda candidate: candidate.score if candidate.score is not None else 0.0)


LEFT_OUT = Deadline(0.0)
"""Stands for the limit of a run that is not begun."""
USED_UP, AS_BEFORE = "the budget is used up", "as it was before"


@dataclass
class _Sequence:
    """What decides which runs are begun."""

    job: Job
    workspace: Workspace
    listener: Listener
    deadline: Deadline | None
    look: Look | None
    here: bool
    """Whether the memory of this machine has to do for a run: one process makes it, on the CPU."""
    candidates: list[Candidate] = field(default_factory=list)
    began: float = 0.0
    took: float = 0.0
    """Seconds of the last one, by the clock that the budget is counted by."""
    slower: dict[str, int] = field(default_factory=dict)
    """By better bases, the training rows that they have read; 0 where there was time for too few."""
    simplest: Across | None = None
    """Of the first one that was cross-validated."""

    def __post_init__(self) -> None:
        self.began = self.now()

    def now(self) -> float:
        return self.deadline.clock() if self.deadline else 0.0

    def limit(self, name: str, job: Job, recipe: Recipe, *, spare: bool) -> Deadline | None:
        """By when a run must have reached its first step; None for one that has to be, `LEFT_OUT` for one that is not
        begun, and why is said. A resumed call runs what it ran before. spare: there are others to fall back on, on the
        same features."""
        begun = self.workspace.recall(f"{name}-begun", bool)
        why = AS_BEFORE if begun is False else ""
        if begun is None and self.candidates:
            why = self._why_not(job, recipe)
        self.workspace.remember(f"{name}-begun", not why)
        if why:
            self.listener.note(f"{name}: left out, {why}")
            return LEFT_OUT
        if self.deadline is None or self.candidates:
            return self.deadline
        return self.deadline.part(0.5) if spare and self.deadline.left() > 0 else None

    def in_time(self, name: str, recipe: Recipe) -> Recipe | None:
        """A recipe with a better base than the chosen one on as many rows as that has time for, the same for all such
        runs; others as they are. None where they are too few, which is said."""
        slower = slower_of(self.job, recipe)
        if slower is None:
            return recipe
        if slower.base not in self.slower:
            known = self.workspace.recall("slower", dict[str, int]) or {}
            if slower.base not in known:
                known[slower.base] = self._passed(name, recipe, slower) if self.deadline else 0
                self.workspace.remember("slower", self.slower | known)
            self.slower |= known
            if self.deadline and self.slower[slower.base]:  # should it be kept, the test rows take longer than reserved
                self.deadline = self.deadline.sooner(len(self.job.test or ()) * slower.row)
        rows = self.slower[slower.base]
        if rows == 0:
            self.listener.note(f"{name}: left out, {TOO_FEW}")
            return None
        return on_rows(self.job, recipe, rows)

    def _passed(self, name: str, recipe: Recipe, slower: Slower) -> int:
        """The rows that a better base has read."""
        assert self.deadline is not None
        self.listener.doing(f"{name}: reading as many rows as there is time for")
        until = self.deadline.part(SLOWER_SHARE)
        rows = pass_of_better(self.job, recipe, slower.row, until, self.listener)
        if rows:
            of_all = f"{rows:,} of {len(self.job.train):,} training rows"
            self.listener.note(f"{slower.base}: its probes learn from {of_all}, as many as there is time for")
        return rows

    def weighed(self, done: Candidate) -> Candidate:
        """With the score by which it is chosen where few rows validate: of a head on columns, across the training rows.
        One for which the budget has no time is not chosen, unless it is the first."""
        if not few_validate(self.job) or not reads_columns_alone(self.job, done.recipe) or done.plan.total_steps:
            return done
        if self.deadline is not None and (self.deadline.left() < FOLDS * self.took or done.fitted.interrupted):
            return done
        self.listener.doing(f"{done.name}: cross-validating")
        found = across(self.job, done.recipe)
        if self.simplest is None:
            self.simplest = found
        beaten = found is not self.simplest and not found.beats(self.simplest, self.job)
        return replace(done, across=found.score, beaten=beaten)

    def _why_not(self, job: Job, recipe: Recipe) -> str:
        """Why a run is left out that is not the first; "" where it is begun."""
        if self.deadline is not None:
            left, whole = self.deadline.left(), self.deadline.at - self.began
            if left <= max(LEFT * whole, self.took if len(self.candidates) > 1 else 0.0):
                return USED_UP
        tuned = any(base.suggested_lr for base in recipe.bases(job.train.schema).values())
        if not tuned or not (self.here or (self.deadline and self.look)):
            return ""
        run = make_ready(job, recipe)
        if run.plan.total_steps == 0:
            return ""  # a probe: its features are there
        if self.deadline and self.look and self.deadline.left() <= _seconds(run, self.look):
            return USED_UP
        return lacking_memory(run) if self.here else ""


def _seconds(run: Run, look: Look) -> float:
    """Of a run that is tuned: for its own cache and the fewest steps, by what a row took in the first look."""
    kept, held = fmean(run.cached_shares.values()), len(run.valid or ())
    steps = least_steps(run) * run.training.batch * (TRAINED * (1 - kept))
    return look.read * ((len(run.train) + held) * kept + steps + held * (1 - kept))
