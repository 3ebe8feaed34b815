"""A small labelled table by which a pretraining is watched: how well a linear probe does on what the base gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from graftwork.core.rows.examples import prepare
from graftwork.core.run import features_of
from graftwork.data.columns.text import TextSettings
from graftwork.data.load import load
from graftwork.data.quality.checks import OnBadRows
from graftwork.data.read.source import Source
from graftwork.data.table import Input, Table
from graftwork.errors import DataError, UsageError
from graftwork.networks.heads.linear import Linear
from graftwork.networks.heads.rows import RowHead
from graftwork.networks.network import Network
from graftwork.runs.job.folds import FOLDS, together_in, without_own_fold
from graftwork.tasks.metrics.metric import Metric
from graftwork.tasks.registry import fits, infer_task
from graftwork.tasks.task import Task


@dataclass(frozen=True)
class Watch:
    """What to watch by: a labelled table, and its target, which is found by its name where None."""

    source: Source
    target: str | None = None


@dataclass(frozen=True)
class Watched:
    """The table, its input under the name that the network has for it, with its task."""

    table: Table
    target: str
    task: Task

    @property
    def metric(self) -> Metric:
        """What the probe is scored by."""
        return next(iter(self.task.metrics().values()))

    def judge(self, network: Network, text: TextSettings, seed: int) -> Callable[[Network], float]:
        """Scores a network that reads as this one does: that of a linear head on its features, each row predicted by
        one that was solved without it; more is better."""
        examples = prepare(self.table, network, {self.target: self.task}, text)
        targets, labelled = examples.targets[self.target], examples.labelled[self.target]
        together = together_in(examples)

        def score(viewed: Network) -> float:
            features = features_of(viewed, examples, {})
            with torch.random.fork_rng(devices=[]):  # the run's own stream stays as it is
                head = RowHead(features.shape[1], self.task.outputs, "linear")
            found = without_own_fold(head, features, targets, labelled, self.task, seed, together)
            metric, truth = self.metric, self.task.truth(targets[labelled])
            given = found[labelled] if metric.reads == "probabilities" else self.task.predicted(found[labelled])
            value = metric(truth, given)
            return value if metric.higher_is_better else -value

        return score


def read_watched(watch: Watch, reads: Input, on_bad_rows: OnBadRows) -> Watched:
    """The labelled table as the base that reads this input sees it.

    Raises UsageError where the table has no such input, or several, DataError for rows too few to fold.
    """
    table = load(watch.source, target=watch.target, on_bad_rows=on_bad_rows).table
    if len(table.schema.targets) != 1:
        raise UsageError(f"{table.source}: the table to watch by has no target column. Name it: --target COLUMN.")
    column = table.schema.targets[0]
    task, _ = infer_task(table.column(column.name), column.kind, column.name)
    task = task.learn_rows(table, column.name)
    if not fits(task, Linear):
        raise UsageError(f"{table.source}: a probe can't learn '{column.name}'. Expected classes or numbers.")
    found = [one for one in table.schema.modalities if one.modality == reads.modality]
    named = [one for one in found if one.columns == reads.columns] or found
    if len(named) != 1 or len(named[0].columns) != 1:
        listed = ", ".join(one.name for one in found) or "none"
        raise UsageError(
            f"{table.source}: the base reads {reads.modality}, and of such columns the table to watch by has {listed}. "
            f"Expected one, or one with the name '{reads.columns[0]}'."
        )
    if len(table) < 2 * FOLDS:
        raise DataError(f"{table.source} has {len(table)} rows to watch by. Expected at least {2 * FOLDS}.")
    return Watched(_renamed(table, named[0].columns[0], reads.columns[0]), column.name, task)


def _renamed(table: Table, old: str, new: str) -> Table:
    """The table with one column under another name; one that has it already gives way."""
    if old == new:
        return table
    called = {old: new, new: f"{new} (other)"}
    data = table.data.rename_columns([called.get(name, name) for name in table.data.column_names])
    columns = tuple(replace(one, name=called.get(one.name, one.name)) for one in table.schema.columns)
    return replace(table, data=data, schema=replace(table.schema, columns=columns))
