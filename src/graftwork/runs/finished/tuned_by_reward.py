"""What a reward brought, measured: the model beside the one that the reward began from, on the rows that count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from graftwork.core.rows.examples import encoders_of
from graftwork.core.scoring import compared_targets, predict_examples
from graftwork.core.technique import Aim
from graftwork.data.table import Table
from graftwork.data.values import Values
from graftwork.errors import UsageError
from graftwork.evidence.results import Result, Series
from graftwork.evidence.reward.tuned import Tuned, held_against
from graftwork.evidence.warnings import DataWarning
from graftwork.model import Model
from graftwork.networks.network import Network
from graftwork.runs.finished.results import Given, Part
from graftwork.runs.job.held_out import encoded
from graftwork.runs.job.job import Job
from graftwork.runs.single.run import Candidate
from graftwork.tasks.section import Section
from graftwork.tasks.task import Task
from graftwork.tasks.temperature import fit_temperature

VALIDATION = "validation"


def tuned_by_reward(
    job: Job, model: Model, kept: Candidate, given: Given
) -> tuple[tuple[Tuned, ...], list[DataWarning]]:
    """By target; nothing where no technique says what it began from, or no rows validate. Then why nothing is said of
    other targets: a function of the user's that fails on these rows must not cost the model, which is trained by now.

    given: what was held out, by name, the one that counts first.
    """
    if kept.starting is None or VALIDATION not in given or model.members:
        return (), []
    split, network = next(iter(given)), kept.starting.network
    raw = {name: _predicted(job, model, network, given[name]) for name in dict.fromkeys((split, VALIDATION))}
    found, doubts = list[Tuned](), list[DataWarning]()
    for target, aim in kept.starting.aims.items():
        task = model.tasks[target]
        temperature = _temperature(job, model, raw[VALIDATION][target], given[VALIDATION].table, target)
        before = {name: task.scored(values[target], temperature) for name, values in raw.items()}
        rows = {name: _labelled(model, given[name], target, values) for name, values in before.items()}
        tuning = None if split == VALIDATION else rows[VALIDATION]
        if not len(rows[split].targets):
            continue
        try:
            found.append(_target(model, target, aim, rows[split], tuning, split))
        except UsageError as error:
            doubts.append(DataWarning("reward", f"What the reward brought is not measured on {split} rows. {error}"))
    return tuple(found), doubts


def with_tuned(results: list[Result], found: tuple[Tuned, ...]) -> list[Result]:
    """The results, each with the section on what a reward brought to its target."""
    sections = {one.target or results[0].target: one.section for one in found}
    return [_with_section(one, sections[one.target]) if one.target in sections else one for one in results]


def told_curves(kept: Candidate) -> tuple[Series, ...]:
    """What a technique wanted to be told of, by step."""
    return tuple(
        Series(name, tuple(step for step, _ in points), tuple(value for _, value in points))
        for name, points in kept.fitted.told.items()
    )


@dataclass(frozen=True)
class _Labelled:
    """Labelled rows of one target: encoded targets, what metrics read before and after, and their table."""

    targets: Values
    before: Values
    after: Values
    table: Table


def _predicted(job: Job, model: Model, network: Network, part: Part) -> Mapping[str, Values]:
    """What the network that the reward began from predicts; nothing of what is cached holds for it."""
    techniques = model.lead.recipe.listed
    return predict_examples(network, part.examples, techniques, embedded=compared_targets(job.tasks), tasks=job.tasks)


def _temperature(job: Job, model: Model, values: Values, table: Table, target: str) -> float:
    task = job.tasks[target]
    targets, labelled = encoded(table, target, task, encoders_of(model.lead.network, model.lead.recipe.text))
    return fit_temperature(values[labelled], targets[labelled], task)


def _labelled(model: Model, part: Part, target: str, before: Values) -> _Labelled:
    lead = model.lead
    targets, labelled = encoded(part.table, target, model.tasks[target], encoders_of(lead.network, lead.recipe.text))
    rows = np.flatnonzero(labelled)
    return _Labelled(targets[rows], before[rows], part.values[target][rows], part.table.take(rows))


def _target(model: Model, target: str, aim: Aim, rows: _Labelled, tuning: _Labelled | None, split: str) -> Tuned:
    task = model.tasks[target]
    return held_against(
        task,
        aim,
        rows.targets,
        rows.before,
        rows.after,
        target=target if len(model.tasks) > 1 else "",
        split=split,
        tuning=None if tuning is None else (tuning.targets, tuning.before),
        judged=_judged(task, aim, rows),
    )


def _judged(task: Task, aim: Aim, rows: _Labelled) -> tuple[np.ndarray, np.ndarray] | None:
    if aim.judge is None:
        return None
    return aim.judge(task.decode(rows.before), rows.table), aim.judge(task.decode(rows.after), rows.table)


def _with_section(result: Result, section: Section) -> Result:
    split, evaluation = result.headline
    told = replace(evaluation, sections=(section, *evaluation.sections))
    return replace(result, evaluations={**result.evaluations, split: told})
