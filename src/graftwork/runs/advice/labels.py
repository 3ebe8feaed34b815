"""Labels in doubt: which rows, and what a probe scores on held-out rows if it learns without them."""

from __future__ import annotations

import numpy as np

from graftwork.evidence.advice.advice import Item
from graftwork.evidence.profile.finding import Finding
from graftwork.evidence.scores.intervals import Interval, difference
from graftwork.evidence.words import listed
from graftwork.runs.advice.commands import Commands
from graftwork.runs.advice.probe import Probed
from graftwork.runs.job.job import Job
from graftwork.runs.profile.probes import answers, probe
from graftwork.shown import counted, shown_percent
from graftwork.tasks.metrics.registry import given_to


def label_items(job: Job, own: list[Probed], findings: list[Finding], commands: Commands) -> list[Item]:
    """An item for each target with labels in doubt. findings: about label errors, by confident learning."""
    items = []
    for finding in findings:
        rows = [note for note in finding.rows if note.table == "train"]
        probed = next((one for one in own if one.target == finding.numbers.get("target")), None)
        if not rows or probed is None:
            continue
        named = {note.row for note in rows}
        drop = np.isin(probed.features.numbers, list(named))
        gain = _gain(job, probed, drop)
        share = shown_percent(len(rows) / max(1, len(probed.places)))
        looks = listed(list(dict.fromkeys(note.suggested for note in rows if note.suggested)), most=3)
        text = (
            f"Settle {counted(len(rows), 'label')} of '{finding.numbers['target']}' that the other rows speak against "
            f"({share} % of the training rows; most look like {looks})."
        )
        measured = ""
        if gain is not None and job.valid is not None:
            rest = "put right, they may bring more"
            measured = f"of a probe that learns without them, on {counted(len(job.valid))} held out; {rest}"
        items.append(Item("labels", text, commands.profile(), gain, measured, rows=tuple(rows)))
    return items


def _gain(job: Job, own: Probed, drop: np.ndarray) -> Interval | None:
    """How much better the held-out rows are predicted by a probe that learns without these rows; None without any."""
    if job.valid is None or drop.all():
        return None
    held, task, metric = own.base.features(job.valid), own.task, job.bound_metrics[own.target]
    mask = held.labelled[own.target]
    if not mask.any():
        return None
    truth = np.asarray(held.targets[own.target])[mask]
    known, found = own.features.labelled[own.target], []
    for rows in (np.flatnonzero(known & ~drop), np.flatnonzero(known)):
        head = own.base.heads[own.target]
        solved = probe(head, own.features.values, own.features.targets[own.target], task, rows, 0)
        _, given = task.metric_inputs(truth, task.scored(answers(solved.head, held.values, np.flatnonzero(mask))))
        found.append(given_to(metric, task, given))
    return difference(metric, task.metric_inputs(truth, given)[0], *found)
