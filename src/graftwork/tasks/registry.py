"""The tasks by name, and which one a target column suggests."""

from __future__ import annotations

from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graftwork import specs
from graftwork.data.columns.ids import names_an_amount
from graftwork.data.columns.kinds import is_string
from graftwork.data.columns.labels import list_warning
from graftwork.data.table import Kind
from graftwork.discovery.registry import Registry
from graftwork.discovery.room import classes
from graftwork.errors import UsageError
from graftwork.networks.heads.head import HeadSettings
from graftwork.networks.heads.registry import HEADS
from graftwork.tasks.classification import Classification
from graftwork.tasks.label_lists import distinct_texts
from graftwork.tasks.labels import normal
from graftwork.tasks.multilabel import Multilabel
from graftwork.tasks.other_jobs import about
from graftwork.tasks.regression import Regression
from graftwork.tasks.task import Task

TASKS: Registry[type[Task]] = Registry(
    "task", Task, partial(classes, "graftwork.tasks", without=("metrics",)), group="graftwork.tasks"
)
"""Each is found by its `name`, in a file of its own."""

_FEW = 20
USUAL_HEAD = "auto"
_PLAIN_HEAD = "linear"
_MOST_CLASS_NUMBERS = 1000
_ROWS_A_CLASS = 5


def parse_task(spec: str) -> Task:
    """The task that a recipe or `--task` names. Raises UsageError for one that there is not: what it is called here,
    that it is not supported yet, or what may be meant."""
    name = spec.partition(":")[0].strip()
    known = about(name) if name not in TASKS else ""
    if known:
        listed = ", ".join(TASKS)
        raise UsageError(f"There is no task '{name}'. {known} What there is: {listed}; graft list tasks explains them.")
    return specs.parse(spec, TASKS, "task")


def head_of(task: Task, spec: str) -> str:
    """The head for a task, where the recipe names the head `spec`: "auto" is the task's usual one, and so is a plain
    linear one where that does not fit.

    Raises UsageError for an unknown head, and for one that does not fit the task.
    """
    if spec == USUAL_HEAD:
        return task.usual_head
    if fits(task, type(specs.parse(spec, HEADS, "head"))):
        return spec
    if spec == _PLAIN_HEAD:
        return task.usual_head
    fit = ", ".join(sorted(name for name, head in HEADS.usable.items() if fits(task, head)))
    raise UsageError(f"The head '{specs.name_of(spec)}' does not fit the task {task.name}. Expected one of: {fit}.")


def fits(task: Task, head: type[HeadSettings]) -> bool:
    """Whether the task has all that this kind of head needs."""
    return head.fits <= task.facts


def infer_task(column: pa.ChunkedArray, kind: Kind, name: str = "") -> tuple[Task, str]:
    """The task that suits a target column, and the reason, to be printed.

    Lists: multilabel. Text, categories, true/false: classification. Numbers: regression, but classification where
    they look like classes: at most 20 distinct whole numbers, or class numbers 0, 1, ... without a gap. name: the
    column's; one that says an amount (minutes, age, num_rooms) makes numbers no classes.

    >>> task, reason = infer_task(pa.chunked_array([[0.5, 1.25, 3.5]]), "number")
    >>> task.name, reason
    ('regression', 'the target holds numbers; use --task classification if they are names of classes')
    """
    if pa.types.is_nested(column.type):
        return Multilabel(), "the target holds lists of labels"
    values = normal(column)
    if pa.types.is_boolean(values.type):
        return Classification(), "the target is true or false"
    if kind != "number" or not _is_numeric(values):
        numbers = _is_numeric(values) or pc.all(pc.match_substring_regex(values, r"^\s*-?\d+\s*$")).as_py()
        return Classification(), "the target holds class numbers" if numbers else "the target holds text"
    if names_an_amount(name):
        return Regression(), f"{name} sounds like an amount; use --task classification if its numbers are classes"
    return _infer_from_numbers(values)


def _infer_from_numbers(values: pa.ChunkedArray) -> tuple[Task, str]:
    distinct = np.asarray(pc.unique(values).drop_null()).astype(np.float64)
    labelled = len(values) - values.null_count
    if len(distinct) and bool(np.all(distinct == np.floor(distinct))):
        if len(distinct) <= _FEW and labelled >= 2 * len(distinct):
            return Classification(), (
                f"the target holds {len(distinct)} distinct whole numbers; use --task regression to predict amounts"
            )
        if _are_class_numbers(distinct, labelled):
            return Classification(), (
                f"the target holds the class numbers 0 to {len(distinct) - 1}; use --task regression to predict amounts"
            )
    return Regression(), "the target holds numbers; use --task classification if they are names of classes"


def _are_class_numbers(distinct: np.ndarray, labelled: int) -> bool:
    count = len(distinct)
    unbroken = distinct.min() == 0 and distinct.max() == count - 1
    return bool(unbroken and count <= _MOST_CLASS_NUMBERS and labelled >= _ROWS_A_CLASS * count)


def _is_numeric(values: pa.ChunkedArray) -> bool:
    return bool(pa.types.is_integer(values.type) or pa.types.is_floating(values.type))


def list_warnings(column: pa.ChunkedArray, name: str) -> list[str]:
    """A line where a column of texts, inferred to hold classes, looks as if it held lists of labels."""
    return list_warning(distinct_texts(column), name) if is_string(column.type) else []
