"""A job: the tables of a user's call, read, checked, split, and held against a task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from graftwork import specs
from graftwork.data.checks import OnBadRows
from graftwork.data.load import Source, load, load_like
from graftwork.data.splits import group_split, random_split, split_by_column, stratified_split
from graftwork.data.spool import slices
from graftwork.data.table import Input, Table
from graftwork.data.text import normalise
from graftwork.errors import UsageError
from graftwork.networks.base_settings import TrainingRows
from graftwork.recipe import Recipe
from graftwork.tasks.metrics import metric_for
from graftwork.tasks.registry import TASKS, infer_task
from graftwork.tasks.task import Task

FEW_ROWS_A_CLASS = 20
"""Below this many rows a class nothing is held out for validation: every row is worth more in training."""


@dataclass(frozen=True)
class Job:
    """Tables ready for runs. valid is None where the rows are too few to hold some out. notes: what was inferred."""

    train: Table
    valid: Table | None
    test: Table | None
    tasks: dict[str, Task]
    metric: str
    notes: tuple[str, ...]

    @property
    def target(self) -> str:
        return next(iter(self.tasks))

    @property
    def task(self) -> Task:
        return self.tasks[self.target]

    def sample(self, rows: int, seed: int) -> Job:
        """The job on `rows` training rows, drawn by class, and at most a third as many validation rows.

        Every class keeps a row, so there are more rows where there are more classes than `rows`.
        """
        valid = None if self.valid is None else _drawn(self.valid, self.task, self.target, max(1, rows // 3), seed)
        return replace(self, train=_drawn(self.train, self.task, self.target, rows, seed), valid=valid)

    def rows(self, inputs: Sequence[Input], recipe: Recipe) -> TrainingRows:
        """The training rows as a base may look at them before it is built: what it will read, of these inputs."""
        columns = [name for one in inputs for name in one.columns]
        kinds = {column.name: column for column in self.train.schema.inputs}
        texts = [name for name in columns if kinds[name].kind == "text"]
        return TrainingRows(
            texts=lambda: self._texts(texts, recipe),
            columns=tuple(kinds[name] for name in columns),
            table=self.train,
        )

    def _texts(self, columns: Sequence[str], recipe: Recipe) -> Iterator[str]:
        for name in columns:
            for part in slices(self.train.column(name)):
                for value in part.to_pylist():
                    yield normalise("" if value is None else str(value), recipe.text)


def make_job(
    train: Source,
    recipe: Recipe,
    *,
    target: str | None = None,
    inputs: Sequence[str] | None = None,
    ignore: Sequence[str] = (),
    roles: Mapping[str, str] | None = None,
    kinds: Mapping[str, str] | None = None,
    valid: Source | None = None,
    test: Source | None = None,
    on_bad_rows: OnBadRows = "fail",
) -> Job:
    """Read and check all tables before anything slow begins. Raises DataError or UsageError if they can't be used."""
    task = None if recipe.task == "auto" else specs.parse(recipe.task, TASKS, "task")
    loaded = load(
        train,
        target=target,
        inputs=inputs,
        ignore=ignore,
        roles=roles,
        kinds=kinds,
        task_kind=task.target_kinds[0] if task else None,
        many_labels=task is not None and task.name == "multilabel",
        on_bad_rows=on_bad_rows,
    )
    table, notes = loaded.table, list(loaded.notes)
    column, *more_targets = table.schema.targets
    if more_targets:
        names = ", ".join(target.name for target in table.schema.targets)
        raise UsageError(f"{table.source} has several targets ({names}). This version predicts one: name one of them.")
    if task is None:
        task, reason = infer_task(table.column(column.name), column.kind)
        notes.append(f"task: {task.name} ({reason})")
    task = task.learn(table.column(column.name), table.source, table.rows)
    metric = metric_for(recipe.metric or task.metrics[0], task).name
    others: dict[str, Table] = {}
    for part, source in (("valid", valid), ("test", test)):
        if source is not None:
            more = load_like(source, table.schema, with_target=True, on_bad_rows=on_bad_rows)
            task.encode(more.table.column(column.name), more.table.source, more.table.rows)  # labels are known
            others[part] = more.table
            notes.extend(more.notes)
    parts = {"train": table, **_by_column(table, others), **others}
    if "valid" not in parts:
        valid_table, note = hold_out(parts["train"], task, recipe)
        notes.append(note)
        parts.update(valid_table)
    return Job(parts["train"], parts.get("valid"), parts.get("test"), {column.name: task}, metric, tuple(notes))


def _drawn(table: Table, task: Task, target: str, rows: int, seed: int) -> Table:
    """`rows` rows of the table, each class in its share and at least once; the table itself if it has no more."""
    if rows >= len(table):
        return table
    share = rows / len(table)
    if "hard_labels" not in task.facts:
        return table.take(random_split(len(table), share, seed)[1])
    truth, _ = task.encode(table.column(target), table.source, table.rows)
    # The training side of a split never loses a class. Rows without a label (-1) are drawn as a class of their own.
    return table.take(stratified_split(truth + 1, 1 - share, seed)[0])


def hold_out(table: Table, task: Task, recipe: Recipe) -> tuple[dict[str, Table], str]:
    """Split validation rows off: by whole groups, stratified by class, or at random. Nothing where rows are few."""
    target = table.schema.targets[0].name
    truth, labelled = task.encode(table.column(target), table.source, table.rows)
    classes = "hard_labels" in task.facts
    enough = max(40, FEW_ROWS_A_CLASS * (task.outputs if classes else 1))
    pretrained = all(base.pretrained for base in recipe.bases(table.schema).values())
    if pretrained and int(labelled.sum()) < enough:
        return {}, f"validation: none held out, because {len(table):,} rows are few (fewer than {enough:,})"
    group = table.schema.role("group")
    if group:
        names = np.array(table.values(group.name), dtype=object).astype(str)
        kept, held = group_split(names, recipe.valid_share, recipe.seed, truth if classes else None)
    elif classes:
        kept, held = stratified_split(truth, recipe.valid_share, recipe.seed)
    else:
        kept, held = random_split(len(table), recipe.valid_share, recipe.seed)
    note = f"validation: {len(held):,} of {len(table):,} rows held out of {table.source} (seed {recipe.seed})"
    return {"train": table.take(kept), "valid": table.take(held)}, note


def _by_column(table: Table, others: Mapping[str, Table]) -> dict[str, Table]:
    """The parts that a column with the role `split` names, but for those that have a table of their own."""
    column = table.schema.role("split")
    if column is None:
        return {}
    found = split_by_column(table.column(column.name), table.source)
    parts = {"train": found.train, "valid": found.valid, "test": found.test}
    return {part: table.take(rows) for part, rows in parts.items() if len(rows) and part not in others}
