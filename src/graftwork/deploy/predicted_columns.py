"""The columns that a prediction adds to a table: the value, how sure the model is of it, and why one is missing."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from graftwork.data.table import Table
from graftwork.deploy.costs import EXPECTED_COST, least_cost, with_decisions
from graftwork.deploy.sure import promised_columns, without_abstained
from graftwork.tasks.costs import CostMatrix, bayes

if TYPE_CHECKING:
    from graftwork.core.judging.predicted import Predicted
    from graftwork.evidence.sure.promises import Promises
    from graftwork.model import Model
    from graftwork.tasks.task import Task

PREDICTION, CONFIDENCE, SECOND, REASON = "prediction", "confidence", "second_choice", "reason"


def with_predictions(
    model: Model,
    chunk: Table,
    predicted: Predicted,
    proba: bool,
    promised: Promises | None = None,
    costs: Mapping[str, CostMatrix] = MappingProxyType({}),
) -> pa.Table:
    """The rows of `chunk` with their predictions.

    Added are prediction (`prediction(column)` for each column of a task that fills several); for one class a row also
    confidence (the calibrated probability of the predicted class) and second_choice (the next probable class); reason
    (why a prediction is empty), and with `proba` one `p(class)` a class. Of a model with several targets they are
    `prediction(target)`, `confidence(target)`, `p(target=class)` and so on. Where the table has a column of that name
    already, the added one gets an underscore behind it.

    promised: what is promised of them; `graftwork.deploy.sure` says which columns that adds. Rows that are not answered
    have an empty prediction and the reason "abstained".
    costs: by target, what answers cost; predicted is then what is expected to cost least, expected_cost says what that
    is, second_choice is the next cheapest class. A row that is cheapest left open is as one that is not answered.
    """
    reasons = {row.row: f"{row.column}: {row.reason}" for row in predicted.bad}
    if costs:
        predicted, silent = with_decisions(model, chunk, predicted, costs)
        reasons |= silent
    if promised is not None:
        predicted, silent = without_abstained(model, chunk, predicted, promised)
        reasons |= silent
    table = chunk.data
    several, added = len(model.targets) > 1, dict[str, pa.Array]()
    for target, task in model.tasks.items():
        of = f"({target})" if several else ""
        kind, columns, values = task.value_type, task.columns(target), predicted.each_values[target]
        if len(columns) == 1:
            added[f"{PREDICTION}{of}"] = pa.array(values, kind)
        for index, column in enumerate(columns if len(columns) > 1 else ()):
            added[f"{PREDICTION}({column})"] = pa.array([value and value[index] for value in values], kind)
        if chooses(task):
            sure, second = runners_up(task, predicted.each_probabilities[target], costs.get(target))
            added[f"{CONFIDENCE}{of}"] = pa.array(sure, mask=np.isnan(sure))
            added[f"{SECOND}{of}"] = pa.array(second, kind)
        if target in costs:
            expected = least_cost(predicted.each_probabilities[target], costs[target])
            added[f"{EXPECTED_COST}{of}"] = pa.array(expected, mask=np.isnan(expected))
        if promised is not None:
            added |= promised_columns(promised, target, predicted.each_probabilities.get(target), of)
    added[REASON] = pa.array([reasons.get(row) for row in chunk.rows.tolist()], pa.string())
    for target in model.targets if proba else ():
        given = predicted.each_probabilities[target]
        for index, name in enumerate(model.columns_of(target)):
            shown = f"{target}={name}" if several and name != target else name
            added[f"p({shown})"] = pa.array(given[:, index], mask=np.isnan(given[:, index]))
    return with_added(table, added)


def with_added(table: pa.Table, added: Mapping[str, pa.Array]) -> pa.Table:
    """The table with further columns, each with an underscore behind its name where there is one of that name."""
    for name, values in added.items():
        while name in table.column_names:
            name = f"{name}_"
        table = table.append_column(name, values)
    return table


def chooses(task: Task) -> bool:
    """Whether a prediction is one of several classes, each with a probability."""
    return task.answer == "class" and task.outputs > 1


def runners_up(
    task: Task, probabilities: np.ndarray, costs: CostMatrix | None = None
) -> tuple[np.ndarray, list[object]]:
    """The probability of the predicted class (N,), NaN where there is none, and the most probable other one; with costs
    the class of least expected cost, and the next cheapest one."""
    known = np.flatnonzero(~np.isnan(probabilities).any(axis=1))
    sure, second = np.full(len(probabilities), np.nan, np.float32), list[object]([None] * len(probabilities))
    if len(known):
        given = probabilities[known]
        rows, first = np.arange(len(known)), task.predicted(given) if costs is None else bayes(given, costs)
        answered = np.flatnonzero(first < task.outputs)
        sure[known[answered]] = given[answered, first[answered]]
        others = given.copy() if costs is None else -(given @ costs.costs[:, : task.outputs])
        others[rows[answered], first[answered]] = -np.inf
        for at, value in zip(known, task.decode(np.eye(task.outputs)[others.argmax(axis=1)]), strict=True):
            second[at] = value
    return sure, second
