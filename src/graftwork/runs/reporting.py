"""The report of a call, gathered from its job, its model and all candidates that were tried."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from graftwork.core.examples import prepare
from graftwork.core.scoring import probabilities
from graftwork.data.table import Table
from graftwork.evidence import report as evidence
from graftwork.evidence.breakdown import Bin, reliability
from graftwork.evidence.evaluation import Evaluation, evaluate
from graftwork.evidence.plots import Series
from graftwork.evidence.report import Curves, Report, Stage
from graftwork.evidence.warnings import DataWarning, Suspect, label_noise, table_warnings
from graftwork.model import Model, row_texts
from graftwork.runs.crossval import NAME as CROSS_VALIDATED
from graftwork.runs.crossval import cross_validate
from graftwork.runs.job import Job
from graftwork.runs.single import Candidate


class Began(NamedTuple):
    """`time.monotonic()` and `time.process_time()` when a call began."""

    wall: float
    cpu: float


PACKAGES = ("graftwork", "torch", "transformers", "tokenizers", "peft", "pyarrow", "numpy")


def make_report(
    job: Job,
    model: Model,
    candidates: Sequence[Candidate],
    kept: Candidate,
    *,
    notes: Sequence[str],
    command: str | None,
    began: Began,
) -> Report:
    """candidates: in the order in which they ran. notes: what the user was told. began: the clocks at the start."""
    given = _given(job, model, kept)
    evaluations = {part: _evaluate(job, model, table, values) for part, (table, values) in given.items()}
    warnings, suspects = _warnings(job, given)
    temperature = model.temperature.get(job.target, 1.0)
    return Report(
        primary=job.metric,
        evaluations=evaluations,
        title=f"{job.target} from {', '.join(column.name for column in job.train.schema.inputs)}",
        base=model.recipe.base_text,
        data=_data(job),
        recipe=model.recipe.to_yaml(),
        plan=kept.plan.table(),
        candidates=tuple(_candidate(one, one is kept) for one in candidates if one.score is not None),
        decision=_decision(candidates, kept),
        curves=_curves(kept, job.metric),
        temperature=temperature,
        before_temperature=_before(job, given, kept) if temperature != 1.0 else (),
        warnings=tuple(warnings),
        suspects=tuple(suspects),
        notes=(*notes, *kept.plan.notes),
        costs=_costs(candidates, began),
        parameters_trained=kept.plan.trained,
        parameters_total=kept.plan.parameters,
        peak_memory=_peak_memory(),
        versions=_versions(),
        command=command or "",
    )


def _given(job: Job, model: Model, kept: Candidate) -> dict[str, tuple[Table, np.ndarray]]:
    """By held-out table, the one that counts first: its rows and the calibrated probabilities."""
    given = {}
    if job.test is not None and len(job.test):
        given["test"] = (job.test, model.predict_table(job.test, []).probabilities)
    if job.valid is not None and kept.predictions is not None:
        temperature = model.temperature.get(job.target, 1.0)
        given["validation"] = (job.valid, probabilities(job.task, kept.predictions[job.target], temperature))
    return given or {CROSS_VALIDATED: (job.train, cross_validate(job, kept.recipe))}


def _evaluate(job: Job, model: Model, table: Table, values: np.ndarray) -> Evaluation:
    targets, labelled = job.task.encode(table.column(job.target), table.source, table.rows)
    lengths = prepare(table, model.network, {}, model.recipe.text, keep_on_disk=False).lengths
    return evaluate(job.task, targets, values, table.rows, labelled=labelled, texts=row_texts(table), lengths=lengths)


def _before(job: Job, given: dict[str, tuple[Table, np.ndarray]], kept: Candidate) -> tuple[Bin, ...]:
    """Reliability on validation without temperature scaling, if it is validation that counts."""
    if next(iter(given)) != "validation" or job.valid is None or kept.predictions is None:
        return ()
    targets, labelled = job.task.encode(job.valid.column(job.target), job.valid.source, job.valid.rows)
    plain = probabilities(job.task, kept.predictions[job.target])
    return tuple(reliability(targets[labelled], plain[labelled])) if "hard_labels" in job.task.facts else ()


def _warnings(job: Job, given: dict[str, tuple[Table, np.ndarray]]) -> tuple[list[DataWarning], list[Suspect]]:
    others = {part: table for part, (table, _) in given.items() if part != CROSS_VALIDATED}
    warnings = table_warnings(job.train, others, job.target, job.task)
    suspects: list[Suspect] = []
    if "validation" in given and "hard_labels" in job.task.facts:
        table, values = given["validation"]
        targets, _ = job.task.encode(table.column(job.target), table.source, table.rows)
        found, suspects = label_noise(targets, values, table.rows, job.task.classes, table.source)
        warnings = [*warnings, *found]
    return warnings, suspects


def _candidate(one: Candidate, kept: bool) -> evidence.Candidate:
    techniques = ", ".join(technique.name for technique in one.plan.techniques) or "plain loop"
    return evidence.Candidate(one.name, abs(one.score or 0.0), one.cpu, kept, techniques)


def _decision(candidates: Sequence[Candidate], kept: Candidate) -> str:
    if len(candidates) == 1:
        return ""
    if kept.score is None:
        return f"{kept.name} is kept: no rows are held out, so the rule for few rows decides."
    return f"{kept.name} is kept: it scores best on validation."


def _curves(kept: Candidate, metric: str) -> Curves | None:
    points = kept.fitted.history
    losses = [(point.step, point.loss) for point in points if point.loss is not None]
    scores = [(point.step, abs(point.score)) for point in points if point.score is not None]
    if len(scores) < 2 and len(losses) < 2:
        return None
    series = (Series(metric, tuple(s for s, _ in scores), tuple(v for _, v in scores)),) if scores else ()
    return Curves(Series("training loss", tuple(s for s, _ in losses), tuple(v for _, v in losses)), series)


def _data(job: Job) -> dict[str, str]:
    parts = {"train": job.train, "validation": job.valid, "test": job.test}
    facts = {name: f"{len(table):,} rows of {table.source}" for name, table in parts.items() if table is not None}
    facts["inputs"] = ", ".join(column.name for column in job.train.schema.inputs)
    facts["target"] = f"{job.target} ({job.task.name}, {job.task.outputs} outputs)"
    return facts


def _costs(candidates: Sequence[Candidate], began: Began) -> tuple[Stage, ...]:
    """Each run, and what the call did beside them: reading, checking, scoring."""
    stages = [Stage(one.name, one.wall, one.cpu) for one in candidates]
    wall, cpu = time.monotonic() - began.wall, time.process_time() - began.cpu
    rest = Stage("the rest", wall - sum(s.wall_seconds for s in stages), cpu - sum(s.cpu_seconds for s in stages))
    return (*stages, rest)


def _peak_memory() -> int | None:
    """Bytes of the largest resident set so far; None where the platform does not say."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
