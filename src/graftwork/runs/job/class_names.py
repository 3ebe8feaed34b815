"""Classes that a recipe names: they are classes of the target, though no training row shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa

from graftwork.data.load import load
from graftwork.data.read.source import read
from graftwork.data.read.union import is_several
from graftwork.data.table import Table
from graftwork.errors import UsageError
from graftwork.recipe import Recipe
from graftwork.runs.job.data_arguments import DataArguments
from graftwork.tasks.labels import Labels, normal, shortened
from graftwork.tasks.task import Task

USUAL = "label"
"""The target where none is named and the table has none."""


def class_texts(recipe: Recipe) -> dict[str, str]:
    """The texts of the classes that techniques of the recipe name, by class."""
    return {name: text for technique in recipe.listed for name, text in technique.class_texts.items()}


def named_rows(data: DataArguments, recipe: Recipe) -> tuple[DataArguments, list[str]]:
    """Of a training table without any label, where the recipe names classes: in its place a table of what tells the
    classes, two rows each, so that they are known by their names alone; and what is said of it.

    Raises UsageError where it has no text column to read, or several.
    """
    told = class_texts(recipe)
    targets = [data.target] if isinstance(data.target, str) else list(data.target or [USUAL])
    if not told or is_several(data.train) or len(targets) != 1:
        return data, []
    (target,), (table, called) = targets, read(data.train)
    if target in table.column_names and normal(table.column(target)).null_count < len(table):
        return data, []
    if data.target is None and target not in table.column_names:
        return data, []  # the target may be called otherwise: loading finds it, or says so
    ignored = [*data.ignore, *([target] if target in table.column_names else [])]
    loaded = load(data.train, target=(), inputs=data.inputs, ignore=ignored, kinds=data.kinds, on_bad_rows="skip")
    texts = [column.name for column in loaded.table.schema.inputs if column.kind == "text"]
    if len(texts) != 1:
        raise UsageError(
            f"{called} has no label, and the names of classes are compared with one text column; it has "
            f"{', '.join(texts) or 'none'}. Name one: --inputs."
        )
    rows = {
        texts[0]: [text for name, whole in told.items() for text in _two(name, whole)],
        target: [name for name in told for _ in range(2)],
    }
    note = (
        f"{called}: none of {len(table):,} rows has a label in '{target}', so the {len(told):,} classes are known by "
        "their names alone; only scores on labelled --test or --valid rows say how well"
    )
    return replace(data, train=rows, target=target, inputs=texts, ignore=(), kinds={texts[0]: "text"}), [note]


def _two(name: str, whole: str) -> tuple[str, str]:
    """What is said of a class, and its name in words."""
    return whole, whole.partition(":")[0] or name


def with_class_names(tasks: Mapping[str, Task], table: Table, recipe: Recipe, notes: list[str]) -> dict[str, Task]:
    """The tasks with the classes that techniques name behind their own; what is added is said in the notes.

    A target takes them where at least one of its own classes is among them.
    """
    named, found = tuple(class_texts(recipe)), dict(tasks)
    for target, task in tasks.items():
        new = tuple(name for name in named if name not in task.classes)
        if not new or len(new) == len(named) or task.answer != "class":
            continue
        labels = Labels.learn(table.column(target)).with_new(pa.chunked_array([pa.array(new, pa.string())]))
        wider = task.with_classes(labels)
        if wider is not None:
            found[target] = wider
            notes.append(f"classes of {target} without a training row, known by their names alone: {shortened(new)}")
    return found
