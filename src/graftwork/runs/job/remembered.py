"""Rows of the task that the base was trained for before: how well its old head does on them, and still does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graftwork.core.rows.examples import encoders_of
from graftwork.data.load import Source, load_like
from graftwork.data.quality.checks import OnBadRows
from graftwork.data.table import Schema, Table
from graftwork.data.values import Targets, Values
from graftwork.errors import DataError, UsageError
from graftwork.evidence.evaluate import evaluate
from graftwork.evidence.forgetting import Remembered
from graftwork.evidence.scores.intervals import Score, difference
from graftwork.networks.network import Network
from graftwork.predicting import scored_values
from graftwork.recipe import Recipe
from graftwork.runs.job.old_model import OldModel, old_model
from graftwork.saving import Saved
from graftwork.tasks.capabilities import Episodic
from graftwork.tasks.metrics.metric import Metric
from graftwork.tasks.metrics.registry import beside, given_to, metric_for
from graftwork.tasks.task import Task

OPTION = "--remember"


@dataclass(frozen=True)
class OldTask:
    """The old model and its rows. truth: the encoded targets that have labelled rows, and which rows have them."""

    model: OldModel
    table: Table
    truth: Mapping[str, Targets]

    def __len__(self) -> int:
        return len(self.table)

    def after(self, network: Network) -> tuple[Remembered, ...]:
        """The old targets' scores on the base as it was, and on what `network`, which a run gave, has made of it."""
        now = self.model.on(network)
        was = scored_values(self.model.saved, self.table)
        is_now = scored_values(now, self.table)
        return tuple(self._target(target, was[target], is_now[target]) for target in self.truth)

    def _target(self, target: str, was: Values, is_now: Values) -> Remembered:
        saved, (targets, labelled) = self.model.saved, self.truth[target]
        task, metric = saved.tasks[target], _metric(saved, target)
        before, after = (self._scores(task, metric, targets, values, labelled) for values in (was, is_now))
        truth, first = task.metric_inputs(targets[labelled], was[labelled])
        second = task.metric_inputs(targets[labelled], is_now[labelled])[1]
        change = difference(metric, truth, *(given_to(metric, task, given) for given in (second, first)))
        return Remembered(target, self.model.name, self.table.source, int(labelled.sum()), before, after, change)

    def _scores(self, task: Task, metric: Metric, targets: Any, values: Values, labelled: Any) -> dict[str, Score]:
        found = evaluate(task, targets, values, self.table.rows, labelled=labelled, also=[metric]).scores
        return {name: found[name] for name in sorted(found, key=lambda name: name != metric.name)}


def read_old_task(source: Source, recipe: Recipe, schema: Schema, on_bad_rows: OnBadRows) -> OldTask:
    """The table as the model reads it that is the recipe's base. schema: of the run's own rows.

    Raises UsageError where the base is no saved model, or one that is scored in another way; DataError where the table
    lacks a column that it reads, a target, or every label.
    """
    model = old_model(recipe, schema, OPTION)
    saved = model.saved
    if any(isinstance(task, Episodic) or task.holds_out == "classes" for task in saved.tasks.values()):
        told = ", ".join(task.name for task in saved.tasks.values())
        raise UsageError(
            f"{OPTION}: {model.name} was trained for {told}, which compares rows of classes that it never saw; its old "
            "head is not scored. Compare it with the new model by graft evaluate."
        )
    table = load_like(source, saved.schema, with_target=True, on_bad_rows=on_bad_rows).table
    encoders = encoders_of(saved.network, saved.recipe.text)
    found = {name: task.encode_rows(table, name, encoders) for name, task in saved.tasks.items()}
    truth = {name: rows for name, rows in found.items() if rows is not None and bool(rows[1].any())}
    if not truth:
        raise DataError(
            f"{OPTION}: {table.source} has no row with a label of {' or '.join(map(repr, saved.tasks))}, which "
            f"{model.name} predicts. Expected rows that it can be scored on."
        )
    return OldTask(model, table, truth)


def _metric(saved: Saved, target: str) -> Metric:
    """The one that the old model was chosen by, or the task's first."""
    task, named = saved.tasks[target], saved.recipe.metric_of(target)
    known = [*task.metrics(), *(metric.name for metric in beside(task, named))]
    return metric_for(named if named in known else known[0], task)
