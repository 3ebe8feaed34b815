"""Tables of the models that are mixed, read as each model reads them, and how well a network predicts their targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from graftwork.core.rows.examples import Examples, encoders_of, prepare
from graftwork.core.scoring import compared_targets, predict_examples, scored
from graftwork.data.load import Source, load_like
from graftwork.data.quality.checks import OnBadRows, known_choice
from graftwork.data.table import Schema, Table
from graftwork.data.values import joined as together
from graftwork.errors import DataError, UsageError
from graftwork.evidence.evaluate import evaluate
from graftwork.evidence.merged import Scores
from graftwork.evidence.scores.intervals import Score
from graftwork.model import Model
from graftwork.predicting import scored_values
from graftwork.runs.merging.joining import Joined, in_names_of
from graftwork.runs.merging.parents import Parent
from graftwork.shown import counted
from graftwork.tasks.metrics.metric import Metric
from graftwork.tasks.metrics.registry import score as metric_score
from graftwork.tasks.task import Encoders, Task
from graftwork.tasks.temperature import fit_temperature


@dataclass(frozen=True)
class Part:
    """A table of one parent, or of all. schema: of the parent that reads it. of: by target of the mixed model,
    what the table calls it. examples: as the mixed model reads them. encoders: what reads the table's inputs."""

    name: str
    table: Table
    schema: Schema
    examples: Examples
    of: Mapping[str, str]
    encoders: Encoders


def read_parts(
    sources: Sequence[Source] | None,
    parents: Sequence[Parent],
    targets: Sequence[Joined],
    model: Model,
    option: str,
    on_bad_rows: OnBadRows,
) -> list[Part]:
    """One table for each parent, in their order; none where `sources` is None. Raises UsageError for another number,
    DataError for a table that lacks an input or the target, or has no labelled row."""
    if sources is None:
        return []
    if len(sources) != len(parents):
        raise UsageError(
            f"{option} names {counted(len(sources), 'table')}, but there are {len(parents)} models. "
            f"Expected one table for each model, in their order: {', '.join(parent.name for parent in parents)}."
        )
    return [
        read_part(
            parent.name, source, parent, {one.name: one.of[at] for one in targets if at in one.of}, model, on_bad_rows
        )
        for at, (source, parent) in enumerate(zip(sources, parents, strict=True))
    ]


def read_part(
    name: str, source: Source, parent: Parent, of: Mapping[str, str], model: Model, on_bad_rows: OnBadRows
) -> Part:
    """A table as `parent` reads it, prepared for the mixed model."""
    table = load_like(source, parent.model.schema, with_target=True, on_bad_rows=known_choice(on_bad_rows)).table
    labelled = {one: target for one, target in of.items() if _has_labels(parent.model.tasks[target], table, target)}
    if not labelled:
        raise DataError(f"{table.source} has no labelled row of {' or '.join(map(repr, of.values()))}.")
    renamed = in_names_of(table, model.schema, parent.model.schema)
    examples = prepare(renamed, model.network, {}, model.recipe.text)
    encoders = encoders_of(parent.model.network, parent.model.recipe.text)
    return Part(name, table, parent.model.schema, examples, labelled, encoders)


def _has_labels(task: Task, table: Table, target: str) -> bool:
    found = task.encode_rows(table, target)
    return found is not None and bool(found[1].any())


def encoded(task: Task, part: Part, target: str) -> tuple[np.ndarray, np.ndarray]:
    """Targets of a part's rows and the mask of those present, by the target's name in the mixed model."""
    found = task.encode_rows(part.table, part.of[target], part.encoders)
    assert found is not None
    return found


def primary(task: Task) -> Metric:
    """The metric that ways of mixing are compared by: the task's first of which more is better, so that scores of
    several targets can be averaged; else its first."""
    known = list(task.metrics().values())
    return next((metric for metric in known if metric.higher_is_better), known[0])


def predicted(model: Model, part: Part) -> dict[str, np.ndarray]:
    """By target, predictions before softmax (of open sets embeddings) of a part's rows."""
    compared = compared_targets(model.tasks)
    return predict_examples(model.network, part.examples, model.recipe.listed, None, compared, tasks=model.tasks)


def mean_score(model: Model, parts: Sequence[Part]) -> float:
    """The mean over tables and targets; more is better."""
    values = []
    for part in parts:
        found = predicted(model, part)
        for target in part.of:
            task = model.tasks[target]
            truth, labelled = encoded(task, part, target)
            given = scored(task, found[target][labelled])
            metric = primary(task)
            value = metric_score(task, metric.name, truth[labelled], given)
            values.append(value if metric.higher_is_better else -value)
    return float(np.mean(values))


def calibrated(model: Model, parts: Sequence[Part]) -> Model:
    """The model, its probabilities (of open sets its thresholds) calibrated on all these rows together."""
    tasks, temperature = dict(model.tasks), dict(model.temperature)
    found = [(part, predicted(model, part)) for part in parts]
    for target, task in model.tasks.items():
        values, truths = [], []
        for part, given in found:
            if target in part.of:
                truth, labelled = encoded(task, part, target)
                values.append(given[target][labelled])
                truths.append(truth[labelled])
        if values:
            tasks[target] = task.calibrated(together(values), together(truths))
            temperature[target] = fit_temperature(together(values), together(truths), task)
    return replace(model, tasks=tasks, temperature=temperature)


def all_scores(
    mixed: Parent, parents: Sequence[Parent], parts: Sequence[Part], targets: Sequence[Joined]
) -> tuple[Scores, ...]:
    """Of each table and target, the scores of every parent that has the target, and of the mixed model."""
    joined, rows = {one.name: one for one in targets}, []
    for part in parts:
        values = {each.name: part_values(each.model, part) for each in (*parents, mixed)}
        for target in part.of:
            named = [*((parents[at], name) for at, name in joined[target].of.items()), (mixed, target)]
            by_model = {
                each.name: _scores(each.model.tasks[own], values[each.name][own], part, target) for each, own in named
            }
            task = mixed.model.tasks[target]
            rows.append(Scores(part.name, int(encoded(task, part, target)[1].sum()), target, primary(task), by_model))
    return tuple(rows)


def part_values(model: Model, part: Part) -> dict[str, np.ndarray]:
    """What metrics read of a part's rows, by the model's own targets."""
    return scored_values(model, in_names_of(part.table, model.schema, part.schema))


def _scores(task: Task, values: np.ndarray, part: Part, target: str) -> Mapping[str, Score]:
    truth, labelled = encoded(task, part, target)
    return evaluate(task, truth, values, part.table.rows, labelled=labelled).scores
