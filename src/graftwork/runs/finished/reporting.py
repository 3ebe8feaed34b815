"""The report of a call, gathered from its job, its model and all candidates that were tried."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import NamedTuple

import torch

from graftwork.core.scoring import shown_score
from graftwork.data.table import Table
from graftwork.evidence import results as evidence
from graftwork.evidence.page.shown_rows import wanted_rows
from graftwork.evidence.report import Report
from graftwork.evidence.results import Curves, Result, Series
from graftwork.evidence.rows import MOST_BYTES, row_views
from graftwork.evidence.scores.intervals import Interval
from graftwork.evidence.summary.titles import base_words, title
from graftwork.evidence.warnings import licences
from graftwork.model import Model
from graftwork.overview import made_of
from graftwork.runs.clock import Began
from graftwork.runs.finished.calibrating import with_sections
from graftwork.runs.finished.candidate_differences import differences, differences_told
from graftwork.runs.finished.costs import costs, versions
from graftwork.runs.finished.results import Given, held_out_parts, results_of, tables_of
from graftwork.runs.finished.tuned_by_reward import told_curves, tuned_by_reward, with_tuned
from graftwork.runs.job.data_warnings import data_warnings
from graftwork.runs.job.job import Job
from graftwork.runs.leave_one_domain_out import LeftOutDomain
from graftwork.runs.peak_memory import peak_memory
from graftwork.runs.single.run import Candidate
from graftwork.saved import recipe_text
from graftwork.shown import shown_number
from graftwork.tasks.capabilities import LeadsOn


class Call(NamedTuple):
    """What was asked for: the command as it was given, seconds, where the model goes; and how many training and
    validation rows there were before any were left out for want of time, with the budget that would use all."""

    asked: str = ""
    budget: float | None = None
    folder: str = ""
    rows: int | None = None
    valid_rows: int | None = None
    for_all: float | None = None


def make_report(
    job: Job,
    model: Model,
    candidates: Sequence[Candidate],
    kept: Candidate,
    *,
    given: Given | None = None,
    notes: Sequence[str],
    command: str | None,
    began: Began,
    left_out: Sequence[LeftOutDomain] = (),
    call: Call | None = None,
) -> Report:
    """candidates: in the order in which they ran. given: what was held out, where that is known. notes: what the user
    was told. began: the clocks at the start. left_out: scores of domains by models of the others. call: for the first
    screen."""
    given, call = given or held_out_parts(job, model, kept), call or Call()
    results, doubts = results_of(job, model, kept, given, left_out)
    results = with_sections(job, model, given, results)
    tuned, unmeasured = tuned_by_reward(job, model, kept, given)
    results = with_tuned(results, tuned)
    gaps = differences(job, candidates, kept)
    warnings = licences(model.provenance) + data_warnings(job, tables_of(given)) + doubts + unmeasured
    recipes = [member.model.recipe for member in model.each_member]
    read = {name for recipe in recipes for name in recipe.read_columns(job.train.schema)[0]}
    inputs = [column.name for column in job.train.schema.inputs]
    reads, unread = tuple(n for n in inputs if n in read), tuple(n for n in inputs if n not in read)
    own = {one.name: getattr(results[0], one.name) for one in fields(Result)}
    report = Report(
        **own,
        more=tuple(results[1:]),
        title=title(job.tasks, reads),
        base=" + ".join(dict.fromkeys(recipe.base_text for recipe in recipes)),
        data=_data(job, reads),
        recipe=recipe_text(model),
        plan=kept.plan.table(),
        candidates=tuple(
            _candidate(job, one, one is kept, gap)
            for one, gap in zip(candidates, gaps, strict=True)
            if one.score is not None
        ),
        decision=" ".join(filter(None, [_decision(candidates, kept), differences_told(candidates, gaps)])),
        curves=_curves(job, kept),
        warnings=tuple(warnings),
        notes=(*notes, *_of_members(model), *kept.plan.notes),
        costs=costs(candidates, began, left_out),
        parameters_trained=kept.plan.trained,
        parameters_total=kept.plan.parameters,
        peak_memory=peak_memory(),
        versions=versions(),
        threads=torch.get_num_threads(),
        command=command or "",
        asked=call.asked,
        reads=reads,
        unread=unread,
        bases=tuple(dict.fromkeys(one for recipe in recipes for one in base_words(recipe.bases(job.train.schema)))),
        sources={name: table.source for name, table in _tables(job).items()},
        rows_used=_rows_used(job, kept),
        rows_total=call.rows if call.rows is not None else len(job.train),
        valid_rows_used=None if job.valid is None else len(job.valid),
        valid_rows_total=call.valid_rows if job.valid is not None else None,
        budget=call.budget,
        budget_for_all=call.for_all,
        folder=call.folder,
        leads_to=next((task.leads_to for task in job.tasks.values() if isinstance(task, LeadsOn)), ("", "")),
        made=time.strftime("%Y-%m-%d %H:%M"),
        provenance=model.provenance,
        tuned=tuned,
        code=kept.recipe.code,
        workers=tuple(cost for one in candidates for cost in one.workers),
        remembered=() if job.old_task is None else job.old_task.after(model.lead.network),
    )
    wanted = {name: rows for name, rows in wanted_rows(report).items() if name in given}
    each = MOST_BYTES // max(1, len(wanted))
    return replace(report, rows={name: row_views(given[name].table, rows, each) for name, rows in wanted.items()})


def _of_members(model: Model) -> list[str]:
    """Of an ensemble, what it is made of, and of which part the report tells."""
    if not model.members:
        return []
    return [f"{made_of(model)}. Plan, training curve and recipe in this report are those of the heaviest member."]


def _candidate(job: Job, one: Candidate, kept: bool, gap: Interval | None) -> evidence.Candidate:
    techniques = ", ".join(technique.name for technique in one.plan.techniques) or "plain loop"
    if one.across is not None:
        techniques += f"; cross-validated {shown_number(shown_score(one.across, job.bound_metrics))}"
    score = shown_score(one.score or 0.0, job.bound_metrics)
    return evidence.Candidate(one.name, score, one.cpu, kept, techniques, gap)


def _rows_used(job: Job, kept: Candidate) -> int:
    """Training rows that the model has seen; of streamed ones those that a step came to."""
    first = kept.recipe.kept_rows
    if first is None:
        return len(job.train)
    return min(len(job.train), max(first, kept.fitted.steps * kept.plan.training.batch))


def _decision(candidates: Sequence[Candidate], kept: Candidate) -> str:
    if len(candidates) == 1:
        return ""
    if kept.score is None:
        return f"{kept.name} is kept: no rows are held out, so the rule for few rows decides."
    if kept.across is not None:
        return (
            f"{kept.name} is kept: few rows validate, so the heads were compared by cross-validation of the training "
            "rows, and it scores best there."
        )
    return f"{kept.name} is kept: it scores best on validation."


def _curves(job: Job, kept: Candidate) -> Curves | None:
    points = kept.fitted.history
    losses = [(point.step, point.loss) for point in points if point.loss is not None]
    scores = [(point.step, shown_score(point.score, job.bound_metrics)) for point in points if point.score is not None]
    if len(scores) < 2 and len(losses) < 2:
        return None
    name = next(iter(job.metrics.values())) if len(job.metrics) == 1 else "mean score"
    series = (Series(name, tuple(s for s, _ in scores), tuple(v for _, v in scores)),) if scores else ()
    watched = [(point.step, point.watched) for point in points if point.watched is not None]
    probe = None
    if job.watched is not None and watched:
        metric = job.watched.metric
        values = tuple(value if metric.higher_is_better else -value for _, value in watched)
        called = f"{metric.display} of a probe on {Path(job.watched.table.source).name}"
        probe = Series(called, tuple(step for step, _ in watched), values)
    loss = Series("training loss", tuple(s for s, _ in losses), tuple(v for _, v in losses))
    return Curves(loss, series, probe, told_curves(kept))


def _tables(job: Job) -> dict[str, Table]:
    parts = {"train": job.train, "validation": job.valid, "test": job.test}
    return {name: table for name, table in parts.items() if table is not None}


def _data(job: Job, reads: Sequence[str]) -> dict[str, str]:
    facts = {name: f"{len(table):,} rows of {table.source}" for name, table in _tables(job).items()}
    facts["inputs"] = ", ".join(reads)
    facts["target" if len(job.tasks) == 1 else "targets"] = ", ".join(
        f"{target} ({task.name}, {task.outputs} outputs)" for target, task in job.tasks.items()
    )
    return facts
