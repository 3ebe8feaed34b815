"""A job: the tables of a user's call, read, checked, split, and held against a task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from graftwork.bases.tables_read import TableRead, tables_read
from graftwork.data.columns.joined import column_texts
from graftwork.data.domains import lacking_domain
from graftwork.data.load import load, load_like
from graftwork.data.quality.leakage import Leak, find_leaks
from graftwork.data.table import Input, Kind, Table
from graftwork.data.unlabelled import with_labelled, with_unlabelled
from graftwork.errors import UsageError, nearest
from graftwork.evidence.shift import shifts
from graftwork.networks.base_settings import TrainingRows
from graftwork.recipe import Recipe
from graftwork.runs.job.base_choice import Bases, fitting_bases
from graftwork.runs.job.calibration_rows import hold_out_calibration
from graftwork.runs.job.class_names import class_texts, named_rows, with_class_names
from graftwork.runs.job.data_arguments import DataArguments
from graftwork.runs.job.held_out import by_column, check_seen, drawn, encoded, hold_out
from graftwork.runs.job.open_set import learned_from_training
from graftwork.runs.job.other_rows import OtherRows, other_note, split_off, without_other
from graftwork.runs.job.remembered import OldTask, read_old_task
from graftwork.runs.job.watched import Watched
from graftwork.tasks.metrics.metric import Metric
from graftwork.tasks.metrics.registry import metric_for
from graftwork.tasks.registry import infer_task, list_warnings, parse_task
from graftwork.tasks.task import Task


@dataclass(frozen=True)
class Job:
    """Tables ready for runs. valid is None where the rows are too few to hold some out.

    tasks, metrics: by target column. notes: what was inferred. leaks: inputs that give a target away by themselves.
    bases: what reads the inputs, chosen by the rows where the recipe names none. shifts: how the tables that are given
    for scores differ from the training rows. tables: what all of it was read from. watched: a labelled table by which a
    pretraining is watched. calibration: rows that teach and choose nothing, where some are held out for it.
    drawn_from: all training rows, where `train` is a sample of them. old_task: of the base, where that is a saved model
    and rows of its task are given. other: rows that are none of the classes.
    """

    train: Table
    valid: Table | None
    test: Table | None
    tasks: dict[str, Task]
    metrics: dict[str, str]
    notes: tuple[str, ...]
    leaks: tuple[Leak, ...] = ()
    bases: Bases = field(default_factory=Bases)
    shifts: tuple[str, ...] = ()
    tables: tuple[TableRead, ...] = ()
    watched: Watched | None = None
    calibration: Table | None = None
    drawn_from: Table | None = None
    old_task: OldTask | None = None
    other: OtherRows | None = None

    @property
    def bound_metrics(self) -> dict[str, Metric]:
        """The metrics themselves, bound to their tasks."""
        return {name: metric_for(self.metrics[name], task) for name, task in self.tasks.items()}

    @property
    def target(self) -> str:
        """The target, of a job with one. Raises UsageError where there are several."""
        if len(self.tasks) > 1:
            raise UsageError(f"There are several targets ({', '.join(self.tasks)}); this works for one only.")
        return next(iter(self.tasks))

    @property
    def task(self) -> Task:
        """The task of a job with one target."""
        return self.tasks[self.target]

    @property
    def classes(self) -> int:
        """How many classes there are, of several targets the most; 0 for numbers."""
        return max(task.outputs if task.single_label else len(task.classes) for task in self.tasks.values())

    @property
    def in_drawn_order(self) -> bool:
        """Whether `train` is a sample, in the order in which it was drawn, so that any beginning of it is one too."""
        return self.drawn_from is not None and self.drawn_from is not self.train

    def sample(self, rows: int | None, seed: int, valid_rows: int | None = None) -> Job:
        """The job on `rows` training rows, drawn by class, and `valid_rows` validation rows, else a third as many.

        Every class keeps a row, so there are more rows where there are more classes than `rows`. The rows stand in the
        order in which they were drawn; with more rows than there are, and with None, the tables stay as they are.
        """
        train, valid = self.train, self.valid
        if rows is not None and rows <= len(train):
            train = drawn(train, self.tasks, rows, seed)
            valid_rows = max(1, rows // 3) if valid_rows is None else valid_rows
        if valid is not None and valid_rows is not None:
            valid = drawn(valid, self.tasks, valid_rows, seed)
        every = self.train if self.drawn_from is None else self.drawn_from
        return replace(self, train=train, valid=valid, drawn_from=every)

    def rows(self, inputs: Sequence[Input], recipe: Recipe) -> TrainingRows:
        """The training rows as a base may look at them before it is built: what it will read, of these inputs."""
        columns = [name for one in inputs for name in one.columns]
        kinds = {column.name: column for column in self.train.schema.inputs}
        texts = [name for name in columns if kinds[name].kind == "text"]
        return TrainingRows(
            texts=lambda: self._texts(self.train, texts, recipe),
            all_texts=None if self.drawn_from is None else partial(self._texts, self.drawn_from, texts, recipe),
            joined=any(kinds[name].join for name in texts),
            columns=tuple(kinds[name] for name in columns),
            table=self.train,
        )

    def _texts(self, table: Table, columns: Sequence[str], recipe: Recipe) -> Iterator[str]:
        for name in columns:
            yield from column_texts(table.column(name), recipe.text)


def make_job(data: DataArguments, recipe: Recipe, bases: Bases | None = None) -> Job:
    """Read and check all tables before anything slow begins. bases: that were chosen before, as for a resumed call.

    Raises DataError or UsageError if they can't be used.
    """
    given, (data, said) = _given_tasks(recipe), named_rows(data, recipe)
    kinds: Mapping[str, Kind] = {name: task.target_kinds[0] for name, task in given.items() if task.target == "column"}
    every, many = given.get(ALL), [name for name, task in given.items() if task.answer == "classes"]
    loaded = load(
        data.train,
        target=_targets(data, given),
        inputs=data.inputs,
        join=data.joins,
        ignore=data.ignore,
        roles=data.roles,
        kinds=data.kinds,
        task_kind=kinds.get(ALL) if every else kinds,
        many_labels=every.answer == "classes" if every else many,
        on_bad_rows=data.on_bad_rows,
    )
    table, other = split_off(loaded.table, data.other)
    notes = [*said, *loaded.notes, *([other_note(other)] if other else [])]
    tasks = with_class_names(_learned(table, given, notes), table, recipe, notes)
    metrics = _metrics(recipe, tasks)
    bases = bases or fitting_bases(table, recipe, tasks.values())
    read = tables_read("train", data.train, loaded.table)
    recipe, notes = replace(recipe, base=bases.named), [*notes, *bases.notes]
    others: dict[str, Table] = {}
    for part, source in (("valid", data.valid), ("test", data.test)):
        if source is not None:
            more = load_like(source, table.schema, with_target=True, on_bad_rows=data.on_bad_rows)
            others[part], other = without_other(more.table, part, other)
            for name, task in tasks.items():  # labels are known
                encoded(_called(others[part], name, tasks), name, task)
            read += tables_read("validation" if part == "valid" else "test", source, more.table)
            notes.extend([*more.notes, *filter(None, [lacking_domain(more.table, table.schema)])])
    parts = {"train": table, **by_column(table, others), **others}
    check_seen(parts, tasks, class_texts(recipe))
    given_parts = set(parts)
    if "valid" not in parts:
        valid_table, note = hold_out(parts["train"], tasks, recipe)
        notes.append(note)
        parts.update(valid_table)
    notes += hold_out_calibration(parts, tasks, recipe)
    old_task = None
    if data.remember is not None:
        old_task = read_old_task(data.remember, recipe, table.schema, data.on_bad_rows)
    tasks, seen = learned_from_training(tasks, parts)
    notes += seen
    differ = {part: shifts(parts["train"], WORDS[part], parts[part], tasks) for part in WORDS if part in given_parts}
    notes += [f"{WORDS[part]} differs: {'; '.join(found)}" for part, found in differ.items() if found]
    leaks = find_leaks(parts["train"])
    notes += [f"leak: {leak.sentence}" for leak in leaks]
    kept = len(parts["train"])
    if data.labelled is not None:
        parts["train"], more_notes = with_labelled(parts["train"], data.labelled, data.on_bad_rows)
        notes += more_notes
        read += tables_read("labelled by a model", data.labelled.source, parts["train"], len(parts["train"]) - kept)
    kept = len(parts["train"])
    if data.unlabelled is not None:
        parts["train"], more_notes = with_unlabelled(parts["train"], data.unlabelled, data.on_bad_rows)
        notes += more_notes
        read += tables_read("unlabelled", data.unlabelled, parts["train"], len(parts["train"]) - kept)
    return Job(
        parts["train"],
        parts.get("valid"),
        parts.get("test"),
        tasks,
        metrics,
        tuple(notes),
        leaks,
        bases,
        tuple(finding for found in differ.values() for finding in found),
        tuple(read),
        calibration=parts.get("calibration"),
        old_task=old_task,
        other=other,
    )


WORDS = {"valid": "validation", "test": "test"}
"""The tables that are scored, as they are called."""
ALL = ""
"""Stands for every target in what `_given_tasks` gives."""


def _targets(data: DataArguments, given: Mapping[str, Task]) -> str | Sequence[str] | None:
    """The target columns that are named; None where one is to be found, and none where the task reads none."""
    alone = next(((name, task) for name, task in given.items() if task.target == "inputs"), None)
    if alone is None:
        return data.target or [name for name in given if name != ALL] or None
    name, task = alone
    if data.target or name != ALL:
        column = name or (data.target if isinstance(data.target, str) else ", ".join(data.target or ()))
        raise UsageError(
            f"The task {task.name} learns from the inputs alone and has no target, but '{column}' is named as one. "
            "Drop --target, or choose another task."
        )
    return ()


def _given_tasks(recipe: Recipe) -> dict[str, Task]:
    """The tasks that the recipe names, by target; under `ALL` the one for every target."""
    named = {ALL: recipe.task} if isinstance(recipe.task, str) else recipe.task
    return {name: parse_task(spec) for name, spec in named.items() if spec != "auto"}


def _learned(table: Table, given: Mapping[str, Task], notes: list[str]) -> dict[str, Task]:
    """Each target's task, which has seen its column; what was inferred is added to the notes."""
    targets = [column.name for column in table.schema.targets]
    every = given.get(ALL)
    if every is not None and every.target == "inputs":
        return {every.called: every.learn_rows(table, every.called)}
    _check_targets(given, targets, "--task")
    tasks = {}
    for column in table.schema.targets:
        task = given.get(column.name) or given.get(ALL)
        if task is None:
            task, reason = infer_task(table.column(column.name), column.kind, column.name)
            of = f" of {column.name}" if len(targets) > 1 else ""
            notes.append(f"task{of}: {task.name} ({reason})")
            notes += list_warnings(table.column(column.name), column.name) if task.answer == "class" else []
        tasks[column.name] = task.learn_rows(_called(table, column.name, targets), column.name)
        named = f"labels of {column.name}:" if len(targets) > 1 else "labels:"
        notes += [line.replace("labels:", named, 1) for line in tasks[column.name].reading]
    return tasks


def _metrics(recipe: Recipe, tasks: Mapping[str, Task]) -> dict[str, str]:
    """What validation is scored by, for each target. Of several, each score has 1 as its best, unless named."""
    _check_targets(recipe.metric if isinstance(recipe.metric, Mapping) else {}, list(tasks), "--metric")
    metrics = {}
    for name, task in tasks.items():
        known = task.metrics().values()
        alike = [metric.name for metric in known if len(tasks) == 1 or metric.higher_is_better] or list(task.metrics())
        metrics[name] = metric_for(recipe.metric_of(name) or alike[0], task).name
    return metrics


def _check_targets(named: Mapping[str, object], targets: Sequence[str], option: str) -> None:
    for name in named:
        if name != ALL and name not in targets:
            raise UsageError(f"{option} names '{name}', which is no target. {nearest(name, targets)}")


def _called(table: Table, target: str, targets: Sequence[str] | Mapping[str, Task]) -> Table:
    """The table under a name for messages about a target, which is named too where there are several."""
    return table if len(targets) == 1 else replace(table, source=f"{table.source}, {target}")
