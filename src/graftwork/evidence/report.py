"""The evidence of one run, and the files it is written to: report.html, metrics.json, README.md (a model card)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graftwork.data.store.writing import write_text
from graftwork.evidence.evaluation import Evaluation
from graftwork.evidence.page.plots import Series
from graftwork.evidence.rows import Views
from graftwork.evidence.scores.baseline import Baseline
from graftwork.evidence.scores.breakdown import Bin
from graftwork.evidence.scores.domains import DomainScore
from graftwork.evidence.scores.domains import to_json as by_domain
from graftwork.evidence.scores.groups import Group
from graftwork.evidence.scores.intervals import score_text
from graftwork.evidence.scores.modalities import Contribution
from graftwork.evidence.summary.summarising import summarised
from graftwork.evidence.summary.summary import Summary
from graftwork.evidence.warnings import DataWarning, Suspect
from graftwork.shown import counted
from graftwork.tasks.metrics.registry import METRICS


@dataclass(frozen=True)
class Candidate:
    """One model that was tried: its name, its validation score in the primary metric, and what it cost."""

    name: str
    score: float
    cpu_seconds: float
    kept: bool = False
    note: str = ""


@dataclass(frozen=True)
class Stage:
    """A part of the run and its cost, in seconds."""

    name: str
    wall_seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Curves:
    """How the training went: loss by optimizer step, and the primary metric on validation."""

    loss: Series
    scores: tuple[Series, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Result:
    """How well one target is predicted.

    primary: name of the metric that counts. evaluations: by split, the one that counts first (test, then validation).
    before_temperature: the first evaluation's reliability before temperature scaling. suspects: rows whose label looks
    wrong. inputs: what each of several inputs brings, on the split that counts. left_out: scores of each
    domain by a model of the others. baseline: what the primary metric gives without a model, on the split that counts,
    and whether the model beats it; None where that says nothing. training_rows: by class, how many it learned from.
    groups: rows of a category that are predicted clearly worse, on the split that counts.
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
    groups: tuple[Group, ...] = ()

    @property
    def headline(self) -> tuple[str, Evaluation]:
        """The split that counts and its evaluation."""
        return next(iter(self.evaluations.items()))

    def sentence(self) -> str:
        """The primary score on the split that counts, with its interval."""
        split, evaluation = self.headline
        score = score_text(self.primary, evaluation.scores[self.primary])
        rows = counted(evaluation.rows, f"{split} row")
        return f"{METRICS[self.primary].display} {score} on {rows}."


@dataclass(frozen=True, kw_only=True, repr=False)
class Report(Result):
    """Everything a reader needs to judge a run. Only `primary` and `evaluations` are required.

    It is itself the result of the first target; `more` holds those of further targets. data: facts about the table, in
    order. plan: rows of the plan's table, the first is its head. costs: by stage. peak_memory: bytes. threads: of the
    arithmetic, which move results in the last digits. command: the exact command that repeats the run; asked: the one
    that was given, empty in Python.

    For the first screen: reads: the columns it reads; unread: those it leaves out. bases: what it was built on, in
    words. sources: by split, the file or table it came from. rows_used, rows_total: of the training rows, and likewise
    of the validation rows. budget: seconds it was given; budget_for_all: seconds that would use all rows, where not all
    were used. folder: where the model is. made: when. rows: those that are shown, by split and number.
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
    made: str = ""
    rows: Views = field(default_factory=dict)

    @property
    def summary(self) -> Summary:
        """The first screen in plain sentences: how good, where not, made from what, what next."""
        return summarised(self)

    @property
    def results(self) -> tuple[Result, ...]:
        """One a target."""
        return (self, *self.more)

    def verdict(self) -> str:
        """A sentence a target: its primary score on the split that counts, with its interval."""
        if not self.more:
            return self.sentence()
        return "\n".join(f"{result.target}: {result.sentence()}" for result in self.results)

    def metrics(self) -> dict[str, Any]:
        """What metrics.json holds: scores with intervals by split (of several targets: by target), what they cost."""
        return {
            "primary": self._each({result.target: result.primary for result in self.results}),
            "scores": self._by_split(lambda evaluation: evaluation.to_json()),
            "rows": self._by_split(lambda evaluation: evaluation.rows),
            "baseline": self._each({r.target: r.baseline.to_json() if r.baseline else None for r in self.results}),
            "temperature": self._each({result.target: result.temperature for result in self.results}),
            **self._inputs(),
            **self._domains(),
            "seconds": {
                stage.name: {"wall": round(stage.wall_seconds, 3), "cpu": round(stage.cpu_seconds, 3)}
                for stage in self.costs
            },
            "parameters": {"trained": self.parameters_trained, "total": self.parameters_total},
            "peak_memory_bytes": self.peak_memory,
            "candidates": [
                {"name": each.name, "score": each.score, "cpu_seconds": each.cpu_seconds, "kept": each.kept}
                for each in self.candidates
            ],
            "rows_used": {
                "train": {"used": self.rows_used, "total": self.rows_total},
                "validation": {"used": self.valid_rows_used, "total": self.valid_rows_total},
                "budget_for_all": self.budget_for_all,
            },
            "threads": self.threads,
            "versions": dict(self.versions),
            "command": self.command,
            "summary": self.summary.to_json(),
        }

    def _inputs(self) -> dict[str, Any]:
        """What each input brings; nothing where there is one."""
        found = {r.target: {one.name: one.to_json() for one in r.inputs} for r in self.results if r.inputs}
        return {"inputs": self._each(found)} if found else {}

    def _domains(self) -> dict[str, Any]:
        """Scores by domain: of each split, and of the domains left out; nothing where there is no domain column."""
        seen = {
            split: {r.target: by_domain(e.domains, r.primary) for r in self.results if (e := r.evaluations.get(split))}
            for split in {name: None for r in self.results for name, e in r.evaluations.items() if e.domains}
        }
        found = {split: self._each(of_target) for split, of_target in seen.items()}
        left = {r.target: by_domain(r.left_out, r.primary) for r in self.results if r.left_out}
        return ({"domains": found} if found else {}) | ({"left_out": self._each(left)} if left else {})

    def _each(self, by_target: Mapping[str, Any]) -> Any:
        return dict(by_target) if self.more else next(iter(by_target.values()))

    def _by_split(self, what: Callable[[Evaluation], Any]) -> dict[str, Any]:
        splits = dict.fromkeys(split for result in self.results for split in result.evaluations)
        return {
            split: self._each({r.target: what(r.evaluations[split]) for r in self.results if split in r.evaluations})
            for split in splits
        }

    def __repr__(self) -> str:
        from graftwork.evidence.views import report_lines

        return "\n".join(report_lines(self))

    def _repr_html_(self) -> str:
        from graftwork.evidence.views import report_html

        return report_html(self)

    def to_html(self) -> str:
        """The report as one page that needs no other file."""
        from graftwork.evidence.page.page import page

        return page(self)

    def model_card(self) -> str:
        """The model card in Markdown."""
        from graftwork.evidence.page.card import model_card

        return model_card(self)

    def write(self, folder: Path) -> Path:
        """Write report.html, metrics.json and README.md into `folder`; each is there whole or not at all.

        Returns the path of report.html.
        """
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / "metrics.json", json.dumps(self.metrics(), indent=2, ensure_ascii=False) + "\n")
        write_text(folder / "README.md", self.model_card())
        write_text(folder / "report.html", self.to_html())
        return folder / "report.html"
