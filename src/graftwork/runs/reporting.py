"""The report of a call, gathered from its job, its model and all candidates that were tried."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import NamedTuple

import numpy as np
import torch

from graftwork.core.cache import features_cache
from graftwork.core.examples import Cached, Examples, prepare
from graftwork.core.predicted import row_texts
from graftwork.core.scoring import probabilities, scored, shown_score
from graftwork.data.domains import domain_names
from graftwork.data.table import Table
from graftwork.evidence import results as evidence
from graftwork.evidence.evaluate import evaluate
from graftwork.evidence.evaluation import Evaluation
from graftwork.evidence.page.shown_rows import wanted_rows
from graftwork.evidence.report import Report
from graftwork.evidence.results import Curves, Result, Series
from graftwork.evidence.rows import MOST_BYTES, row_views
from graftwork.evidence.scores.baseline import Baseline, baseline_of
from graftwork.evidence.scores.breakdown import Bin, reliability
from graftwork.evidence.scores.modalities import Contribution, contributions
from graftwork.evidence.summary.titles import base_words, title
from graftwork.evidence.warnings import DataWarning, Suspect, about, label_noise
from graftwork.model import Model
from graftwork.runs.clock import Began
from graftwork.runs.costs import costs, peak_memory, versions
from graftwork.runs.crossval import NAME as CROSS_VALIDATED
from graftwork.runs.crossval import cross_validate
from graftwork.runs.job.data_warnings import data_warnings
from graftwork.runs.job.held_out import encoded
from graftwork.runs.job.job import Job
from graftwork.runs.job.row_groups import groups_of
from graftwork.runs.leave_one_domain_out import LeftOutDomain
from graftwork.runs.single import Candidate
from graftwork.tasks.capabilities import Episodic
from graftwork.tasks.labels import label_counts
from graftwork.tasks.metrics.metric import Metric
from graftwork.tasks.task import Task
from graftwork.uses.few_shot import score_episodes


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
    notes: Sequence[str],
    command: str | None,
    began: Began,
    left_out: Sequence[LeftOutDomain] = (),
    call: Call | None = None,
) -> Report:
    """candidates: in the order in which they ran. notes: what the user was told. began: the clocks at the start.
    left_out: scores of domains by models of the others. call: for the first screen."""
    given, call = _given(job, model, kept), call or Call()
    results, doubts = _results(job, model, kept, given, left_out)
    warnings = data_warnings(job, _others(given)) + doubts
    reads, unread = model.recipe.read_columns(job.train.schema)
    own = {one.name: getattr(results[0], one.name) for one in fields(Result)}
    report = Report(
        **own,
        more=tuple(results[1:]),
        title=title(job.tasks, reads),
        base=model.recipe.base_text,
        data=_data(job, reads),
        recipe=model.recipe.to_yaml(),
        plan=kept.plan.table(),
        candidates=tuple(_candidate(job, one, one is kept) for one in candidates if one.score is not None),
        decision=_decision(candidates, kept),
        curves=_curves(job, kept),
        warnings=tuple(warnings),
        notes=(*notes, *kept.plan.notes),
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
        bases=base_words(model.recipe.bases(job.train.schema)),
        sources={name: table.source for name, table in _tables(job).items()},
        rows_used=len(job.train),
        rows_total=call.rows if call.rows is not None else len(job.train),
        valid_rows_used=None if job.valid is None else len(job.valid),
        valid_rows_total=call.valid_rows if job.valid is not None else None,
        budget=call.budget,
        budget_for_all=call.for_all,
        folder=call.folder,
        made=time.strftime("%Y-%m-%d %H:%M"),
    )
    wanted = {name: rows for name, rows in wanted_rows(report).items() if name in given}
    each = MOST_BYTES // max(1, len(wanted))
    return replace(report, rows={name: row_views(given[name].table, rows, each) for name, rows in wanted.items()})


def _results(
    job: Job, model: Model, kept: Candidate, given: Given, left_out: Sequence[LeftOutDomain]
) -> tuple[list[Result], list[DataWarning]]:
    """One a target, and what is doubtful of its labels."""
    inputs, results, doubts = _inputs(job, model, given), list[Result](), list[DataWarning]()
    for target in job.tasks:
        result, noise = _result(job, model, kept, given, target)
        doubts += about(noise, target) if len(job.tasks) > 1 else noise
        scores = tuple(one.scores[target] for one in left_out if target in one.scores)
        results.append(replace(result, inputs=inputs.get(target, ()), left_out=scores))
    return results, doubts


class Part(NamedTuple):
    """A table that was held out, prepared once for all that the report says of it.

    values: by target, what metrics read of its rows (probabilities, or embeddings). cached: features, by input.
    """

    table: Table
    examples: Examples
    cached: Mapping[str, Cached]
    values: Mapping[str, np.ndarray]


Given = dict[str, Part]
"""By name, the one that counts first."""


def _given(job: Job, model: Model, kept: Candidate) -> Given:
    given: Given = {}
    if job.test is not None and len(job.test):
        examples, cached = _prepared(job, model, job.test)
        given["test"] = Part(job.test, examples, cached, model.scored_examples(examples, cached))
    if job.valid is not None and kept.predictions is not None:
        calibrated = {
            name: scored(task, kept.predictions[name], model.temperature.get(name, 1.0))
            for name, task in job.tasks.items()
        }
        examples = prepare(job.valid, model.network, job.tasks, model.recipe.text)
        cached = {} if given else _prepared(job, model, job.valid)[1]
        given["validation"] = Part(job.valid, examples, cached, calibrated)
    if given:
        return given
    examples = prepare(job.train, model.network, job.tasks, model.recipe.text)
    return {CROSS_VALIDATED: Part(job.train, examples, {}, cross_validate(job, kept.recipe))}


def _prepared(job: Job, model: Model, table: Table) -> tuple[Examples, Mapping[str, Cached]]:
    """The rows, and their features where they are read more than once; both are kept on disk."""
    examples = prepare(table, model.network, job.tasks, model.recipe.text)
    return examples, features_cache(model.network, examples, model.recipe.listed)


def _others(given: Given) -> dict[str, Table]:
    return {name: part.table for name, part in given.items() if name != CROSS_VALIDATED}


def _result(job: Job, model: Model, kept: Candidate, given: Given, target: str) -> tuple[Result, list[DataWarning]]:
    """How well a target is predicted, and a warning where its labels look wrong.

    Nothing is said of labels by a model that is no better than the commonest answer.
    """
    task, temperature, first = job.tasks[target], model.temperature.get(target, 1.0), next(iter(given.values()))
    metric = job.bound_metrics[target]
    all_found = {name: _evaluate(model, part, target, metric) for name, part in given.items()}
    evaluations = {part: found for part, found in all_found.items() if found is not None}
    baseline = _baseline(job, target, given, evaluations)
    sound = baseline is None or baseline.beaten
    warnings, suspects = _noise(task, target, given) if sound else ([], [])
    result = Result(
        target=target,
        primary=job.metrics[target],
        evaluations=evaluations,
        baseline=baseline,
        temperature=temperature,
        before_temperature=_before(job, target, given, kept) if temperature != 1.0 else (),
        suspects=tuple(suspects),
        groups=groups_of(task, target, first.table, first.values[target]),
        training_rows=label_counts(job.train.column(target)) if task.single_label else {},
    )
    return result, warnings


def _inputs(job: Job, model: Model, given: Given) -> dict[str, tuple[Contribution, ...]]:
    """By target, what each of several inputs brings on the table that counts, or on some of its rows."""
    name, part = next(iter(given.items()))
    if len(model.network.columns) < 2 or name == CROSS_VALIDATED:
        return {}
    techniques, temperature = model.recipe.listed, model.temperature
    return contributions(
        model.network, job.tasks, part.examples, job.metrics, techniques, temperature=temperature, cached=part.cached
    )


def _evaluate(model: Model, part: Part, target: str, metric: Metric) -> Evaluation | None:
    """None where no row of the table has the target. metric: by which the run was chosen."""
    task, table = model.tasks[target], part.table
    targets, labelled = encoded(table, target, task)
    if not labelled.any() and len(model.tasks) > 1:
        return None
    if isinstance(task, Episodic):
        return score_episodes(model, table, part.examples, target, task.shape, cached=part.cached)
    return evaluate(
        task,
        targets,
        part.values[target],
        table.rows,
        labelled=labelled,
        texts=row_texts(table),
        lengths=part.examples.lengths,
        domains=domain_names(table),
        also=[metric],
    )


def _baseline(job: Job, target: str, given: Given, evaluations: Mapping[str, Evaluation]) -> Baseline | None:
    """What the model has to beat on the rows that count."""
    task, metric = job.tasks[target], job.metrics[target]
    for name, evaluation in evaluations.items():
        scored = evaluation.scores.get(metric)
        if scored is None:
            return None
        targets, labelled = encoded(given[name].table, target, task)
        train, known = encoded(job.train, target, task)
        return baseline_of(task, metric, targets[labelled], given[name].values[target][labelled], train[known], scored)
    return None


def _before(job: Job, target: str, given: Given, kept: Candidate) -> tuple[Bin, ...]:
    """Reliability on validation without temperature scaling, if it is validation that counts."""
    task = job.tasks[target]
    if next(iter(given)) != "validation" or job.valid is None or kept.predictions is None:
        return ()
    targets, labelled = encoded(job.valid, target, task)
    plain = probabilities(task, kept.predictions[target])
    return tuple(reliability(targets[labelled], plain[labelled])) if task.single_label else ()


def _noise(task: Task, target: str, given: Given) -> tuple[list[DataWarning], list[Suspect]]:
    if "validation" not in given or task.answer != "class":
        return [], []
    table = given["validation"].table
    targets, _ = encoded(table, target, task)
    return label_noise(targets, given["validation"].values[target], table.rows, task.classes, table.source)


def _candidate(job: Job, one: Candidate, kept: bool) -> evidence.Candidate:
    techniques = ", ".join(technique.name for technique in one.plan.techniques) or "plain loop"
    return evidence.Candidate(one.name, shown_score(one.score or 0.0, job.bound_metrics), one.cpu, kept, techniques)


def _decision(candidates: Sequence[Candidate], kept: Candidate) -> str:
    if len(candidates) == 1:
        return ""
    if kept.score is None:
        return f"{kept.name} is kept: no rows are held out, so the rule for few rows decides."
    return f"{kept.name} is kept: it scores best on validation."


def _curves(job: Job, kept: Candidate) -> Curves | None:
    points = kept.fitted.history
    losses = [(point.step, point.loss) for point in points if point.loss is not None]
    scores = [(point.step, shown_score(point.score, job.bound_metrics)) for point in points if point.score is not None]
    if len(scores) < 2 and len(losses) < 2:
        return None
    name = next(iter(job.metrics.values())) if len(job.metrics) == 1 else "mean score"
    series = (Series(name, tuple(s for s, _ in scores), tuple(v for _, v in scores)),) if scores else ()
    return Curves(Series("training loss", tuple(s for s, _ in losses), tuple(v for _, v in losses)), series)


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
