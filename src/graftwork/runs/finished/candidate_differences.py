"""How much better the kept candidate scores than each other one, on the same validation rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from graftwork.data.table import Table
from graftwork.evidence.scores.intervals import Interval, difference
from graftwork.runs.job.held_out import encoded
from graftwork.runs.job.job import Job
from graftwork.runs.single.run import Candidate
from graftwork.shown import listed
from graftwork.tasks.metrics.registry import given_to


def differences(job: Job, candidates: Sequence[Candidate], kept: Candidate) -> list[Interval | None]:
    """One a candidate, above 0 where the kept one is better; None for itself, and for all where nothing validates,
    where there are several targets, and where rows are not scored each by itself."""
    nothing: list[Interval | None] = [None] * len(candidates)
    if job.valid is None or len(job.tasks) > 1 or len(candidates) < 2 or kept.score is None:
        return nothing
    if job.task.answer not in ("class", "classes", "number") or job.task.holds_out == "classes":
        return nothing
    return [None if one is kept else _difference(job, job.valid, kept, one) for one in candidates]


def _difference(job: Job, valid: Table, kept: Candidate, other: Candidate) -> Interval | None:
    if kept.predictions is None or other.predictions is None:
        return None
    name, task = job.target, job.task
    metric, (targets, labelled) = job.bound_metrics[name], encoded(valid, name, task)
    if not labelled.any():
        return None
    read, truth = list[Any](), None
    for one in (kept.predictions, other.predictions):
        truth, compared = task.metric_inputs(targets[labelled], task.scored(one[name][labelled]))
        read.append(given_to(metric, task, compared))
    found = difference(metric, truth, *read)
    return found if all(map(math.isfinite, (found.low, found.value, found.high))) else None


def differences_told(candidates: Sequence[Candidate], found: Sequence[Interval | None]) -> str:
    """What the validation rows say of the kept one and the others; empty where none was compared."""
    compared = [(f"'{one.name}'", gap) for one, gap in zip(candidates, found, strict=True) if gap is not None]
    if not compared:
        return ""
    alike = [name for name, gap in compared if gap.low <= 0 <= gap.high]
    better = [name for name, gap in compared if gap.high < 0]
    said = [
        f"The validation rows don't tell it from {listed(alike)} (95 % interval of the difference)." if alike else "",
        f"On the validation rows {listed(better)} did better." if better else "",
    ]
    return " ".join(filter(None, said)) or "On the validation rows it is better than the others by more than chance."
