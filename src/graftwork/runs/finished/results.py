"""How well a run's model predicts each target: on the rows that were held out, and beside what needs no model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from graftwork.core.frozen.cache import features_cache
from graftwork.core.judging.predicted import row_texts
from graftwork.core.rows.examples import Cached, Examples, encoders_of, prepare
from graftwork.core.scoring import probabilities, scored
from graftwork.data.domains import domain_names
from graftwork.data.table import Table
from graftwork.evidence.evaluate import evaluate
from graftwork.evidence.evaluation import Evaluation
from graftwork.evidence.results import Result
from graftwork.evidence.scores.baseline import Baseline, baseline_of
from graftwork.evidence.scores.breakdown import Bin, reliability
from graftwork.evidence.scores.modalities import Contribution, contributions
from graftwork.evidence.slices.search import divided
from graftwork.evidence.warnings import DataWarning, Suspect, about, label_noise
from graftwork.model import Model
from graftwork.predicting import means, scored_examples
from graftwork.runs.budget.own_rows import in_blocks
from graftwork.runs.crossval import NAME as CROSS_VALIDATED
from graftwork.runs.crossval import OF_RUNS, cross_validate
from graftwork.runs.job.held_out import encoded
from graftwork.runs.job.job import Job
from graftwork.runs.leave_one_domain_out import LeftOutDomain
from graftwork.runs.single.run import Candidate
from graftwork.saved import Saved
from graftwork.tasks.capabilities import Episodic
from graftwork.tasks.labels import label_counts
from graftwork.tasks.metrics.metric import Metric
from graftwork.tasks.task import Task
from graftwork.uses.few_shot import score_episodes


def results_of(
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


def held_out_parts(job: Job, model: Model, kept: Candidate) -> Given:
    """Test, then validation rows, with what the model predicts of them; of neither, all rows, cross-validated.

    kept: the run that made it, of which the predictions on validation are taken; of an ensemble, that of its heaviest
    member, whose prepared rows are given."""
    given: Given = {}
    if job.test is not None and len(job.test):
        given["test"] = _part(job, model, job.test)
    if job.valid is not None and kept.network is not model.network:
        given["validation"] = _part(job, model, job.valid)
    elif job.valid is not None and kept.predictions is not None:
        calibrated = {
            name: scored(task, kept.predictions[name], model.temperature.get(name, 1.0))
            for name, task in job.tasks.items()
        }
        blocks = in_blocks(job, model.recipe, job.valid)
        examples = prepare(job.valid, model.network, job.tasks, model.recipe.text, in_blocks=blocks)
        cached = {} if given else _prepared(job, model, job.valid)[1]
        given["validation"] = Part(job.valid, examples, cached, calibrated)
    if given:
        return given
    examples = prepare(job.train, model.lead.network, job.tasks, model.recipe.text)
    return {CROSS_VALIDATED: Part(job.train, examples, {}, cross_validate(job, kept.recipe))}


def _part(job: Job, model: Model, table: Table) -> Part:
    """The rows of a table with what the model predicts of them; examples and features are those of its first member."""
    each = [(member.model, *_prepared(job, member.model, table)) for member in model.each_member]
    _, examples, cached = each[0]
    return Part(table, examples, cached, means(model, [scored_examples(*one) for one in each]))


def _prepared(job: Job, model: Saved, table: Table) -> tuple[Examples, Mapping[str, Cached]]:
    """The rows, and their features where they are read more than once; both are kept on disk."""
    examples = prepare(
        table, model.network, job.tasks, model.recipe.text, in_blocks=in_blocks(job, model.recipe, table)
    )
    return examples, features_cache(model.network, examples, model.recipe.listed)


def tables_of(given: Given) -> dict[str, Table]:
    """Those that were held out."""
    return {name: part.table for name, part in given.items() if name not in (CROSS_VALIDATED, OF_RUNS)}


def _result(job: Job, model: Model, kept: Candidate, given: Given, target: str) -> tuple[Result, list[DataWarning]]:
    """How well a target is predicted, and a warning where its labels look wrong.

    Nothing is said of labels by a model that is no better than the commonest answer.
    """
    task, temperature, first = job.tasks[target], model.temperature.get(target, 1.0), next(iter(given))
    metric = job.bound_metrics[target]
    all_found = {name: _evaluate(model, part, target, metric, first=name == first) for name, part in given.items()}
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
        training_rows=label_counts(job.train.column(target)) if task.single_label else {},
    )
    return result, warnings


def _inputs(job: Job, model: Model, given: Given) -> dict[str, tuple[Contribution, ...]]:
    """By target, what each of several inputs brings on the table that counts, or on some of its rows. Nothing is said
    of an ensemble, whose members may each read others."""
    name, part = next(iter(given.items()))
    if len(model.network.columns) < 2 or name in (CROSS_VALIDATED, OF_RUNS) or model.members:
        return {}
    techniques, temperature = model.recipe.listed, model.temperature
    return contributions(
        model.network, job.tasks, part.examples, job.metrics, techniques, temperature=temperature, cached=part.cached
    )


def _evaluate(model: Model, part: Part, target: str, metric: Metric, *, first: bool) -> Evaluation | None:
    """None where no row of the table has the target. metric: by which the run was chosen. first: it is the table that
    counts, in which worse slices are looked for."""
    task, table = model.tasks[target], part.table
    targets, labelled = encoded(table, target, task, encoders_of(model.lead.network, model.lead.recipe.text))
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
        divided=divided(table, target, features=_features(part)) if first else None,
        also=[metric],
    )


def _features(part: Part) -> dict[str, np.ndarray]:
    """What is at hand of the rows by input: features that nothing was trained on top of in between."""
    stored = {name: one.states for name, one in part.cached.items() if not one.bf16}
    return {name: states for name, states in stored.items() if isinstance(states, np.ndarray) and states.ndim == 2}


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
