"""What was found in one run, as plain data: how well each target is predicted, what was tried, and what it cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graftwork.bases.provenance import NOT_KNOWN, Provenance
from graftwork.evidence.evaluation import Evaluation
from graftwork.evidence.forgetting import Remembered
from graftwork.evidence.reward.tuned import Tuned
from graftwork.evidence.rows import Views
from graftwork.evidence.scores.baseline import Baseline
from graftwork.evidence.scores.breakdown import Bin
from graftwork.evidence.scores.domains import DomainScore
from graftwork.evidence.scores.intervals import Interval
from graftwork.evidence.scores.modalities import Contribution
from graftwork.evidence.warnings import DataWarning, Suspect
from graftwork.evidence.workers import WorkerCost
from graftwork.shown import counted
from graftwork.tasks.metrics.metric import Metric


@dataclass(frozen=True)
class Candidate:
    """One model that was tried: its name, its validation score in the primary metric, and what it cost. behind: how
    much better the kept one scores on the same validation rows, where they were compared."""

    name: str
    score: float
    cpu_seconds: float
    kept: bool = False
    note: str = ""
    behind: Interval | None = None


@dataclass(frozen=True)
class Stage:
    """A part of the run and its cost, in seconds."""

    name: str
    wall_seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Series:
    """Named points of a curve, by optimizer step."""

    name: str
    steps: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Curves:
    """How the training went: loss by optimizer step, and the primary metric on validation. watched: the score of a
    probe on a labelled table, where a pretraining was watched by one. told: what a technique wanted to be told of."""

    loss: Series
    scores: tuple[Series, ...] = ()
    watched: Series | None = None
    told: tuple[Series, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Result:
    """How well one target is predicted.

    primary: name of the metric that counts. evaluations: by split, the one that counts first (test, then validation).
    before_temperature: the first evaluation's reliability before temperature scaling. suspects: rows whose label looks
    wrong. inputs: what each of several inputs brings, on the split that counts. left_out: scores of each
    domain by a model of the others. baseline: what the primary metric gives without a model, on the split that counts,
    and whether the model beats it; None where that says nothing. training_rows: by class, how many it learned from.
    """

    primary: str
    evaluations: Mapping[str, Evaluation]
    target: str = ""
    temperature: float = 1.0
    before_temperature: tuple[Bin, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    inputs: tuple[Contribution, ...] = ()
    left_out: tuple[DomainScore, ...] = ()
    baseline: Baseline | None = None
    training_rows: Mapping[str, int] = field(default_factory=dict)

    @property
    def headline(self) -> tuple[str, Evaluation]:
        """The split that counts and its evaluation."""
        return next(iter(self.evaluations.items()))

    @property
    def metric(self) -> Metric | None:
        """The primary metric; None where no split has a score in it."""
        found = (each.scores[self.primary] for each in self.evaluations.values() if self.primary in each.scores)
        return next((score.metric for score in found), None)

    def sentence(self) -> str:
        """The primary score on the split that counts, with its interval."""
        split, evaluation = self.headline
        rows = counted(evaluation.rows, f"{split} row")
        score = evaluation.scores[self.primary]
        return f"{score.display} {score.text} on {rows}."


@dataclass(frozen=True, kw_only=True)
class Findings(Result):
    """Everything a reader needs to judge a run. Only `primary` and `evaluations` are required.

    It is itself the result of the first target; `more` holds those of further targets. data: facts about the table, in
    order. plan: rows of the plan's table, the first is its head. costs: by stage. peak_memory: bytes. threads: of the
    arithmetic, which move results in the last digits. command: the exact command that repeats the run; asked: the one
    that was given, empty in Python.

    For the first screen: reads: the columns it reads; unread: those it leaves out. bases: what it was built on, in
    words. sources: by split, the file or table it came from. rows_used, rows_total: of the training rows, and likewise
    of the validation rows. budget: seconds it was given; budget_for_all: seconds that would use all rows, where not all
    were used. folder: where the model is. leads_to: what it is for, where that is no prediction, and the command, with
    `{folder}`. made: when. rows: those that are shown, by split and number. provenance: the
    bases with their licences, and the tables. remembered: what became of the task that the base was trained for before.
    tuned: what a reward brought, by target, where one was climbed. code: modules of the user's that training imports.
    workers: what each cost, of runs that several made.
    """

    more: tuple[Result, ...] = ()
    title: str = "Graftwork report"
    base: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    recipe: str = ""
    plan: tuple[tuple[str, ...], ...] = ()
    candidates: tuple[Candidate, ...] = ()
    decision: str = ""
    curves: Curves | None = None
    warnings: tuple[DataWarning, ...] = ()
    notes: tuple[str, ...] = ()
    costs: tuple[Stage, ...] = ()
    parameters_trained: int | None = None
    parameters_total: int | None = None
    peak_memory: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    threads: int | None = None
    command: str = ""
    asked: str = ""
    reads: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    rows_used: int | None = None
    rows_total: int | None = None
    valid_rows_used: int | None = None
    valid_rows_total: int | None = None
    budget_for_all: float | None = None
    budget: float | None = None
    folder: str = ""
    leads_to: tuple[str, str] = ("", "")
    made: str = ""
    rows: Views = field(default_factory=dict)
    provenance: Provenance = NOT_KNOWN
    remembered: tuple[Remembered, ...] = ()
    tuned: tuple[Tuned, ...] = ()
    code: tuple[str, ...] = ()
    workers: tuple[WorkerCost, ...] = ()

    @property
    def results(self) -> tuple[Result, ...]:
        """One a target."""
        return (self, *self.more)

    def verdict(self) -> str:
        """A sentence a target: its primary score on the split that counts, with its interval."""
        if not self.more:
            return self.sentence()
        return "\n".join(f"{result.target}: {result.sentence()}" for result in self.results)
