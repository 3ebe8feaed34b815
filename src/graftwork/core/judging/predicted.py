"""Predictions of rows by target, in the form in which they were asked for; and rows as a reader sees them."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from graftwork.core.rows.examples import Examples
from graftwork.data.media.media import described
from graftwork.data.quality.checks import BadRow
from graftwork.data.table import Table
from graftwork.errors import UsageError
from graftwork.networks.network import Network
from graftwork.tasks.task import Task

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Predicted:
    """Predictions of some rows, in order.

    each_values: by target, one value a row, None where the row could not be read. each_probabilities: by target, the
    numbers of a row that its task names (N, C), NaN there; targets whose task names none (`Task.numbers`) are left out.
    bad: why rows could not be read. unusual: how unlike the training rows each is (N,), NaN there; None unless asked.
    """

    each_values: dict[str, list[Any]]
    each_probabilities: dict[str, np.ndarray]
    bad: list[BadRow]
    unusual: np.ndarray | None = None

    @property
    def values(self) -> list[Any]:
        """The values of a model's only target."""
        return self.each_values[only(self.each_values)]

    @property
    def probabilities(self) -> np.ndarray:
        """The probabilities of a model's only target."""
        return self.each_probabilities[only(self.each_probabilities)]


def as_asked(
    values: Mapping[str, np.ndarray], data: object, columns: Mapping[str, Sequence[str]]
) -> np.ndarray | pd.Series | pd.DataFrame | dict[str, np.ndarray]:
    """One value a row: for a frame a Series, else an array (of several targets a frame, or a dict of them by target).

    columns: by target, what a prediction fills: where they are several, values are (N, columns), the Series a frame.
    """
    if is_frame(data):
        import pandas as pd

        parts = {
            column: pd.Series(found if len(columns[name]) == 1 else found[:, at], index=index_of(data), name=column)
            for name, found in values.items()
            for at, column in enumerate(columns[name])
        }
        return parts[only(parts)] if len(parts) == 1 else pd.DataFrame(parts, index=index_of(data))
    return values[only(values)] if len(values) == 1 else dict(values)


def probabilities_as_asked(
    values: Mapping[str, np.ndarray], columns: Mapping[str, Sequence[str]], data: object
) -> np.ndarray | pd.DataFrame | dict[str, np.ndarray] | dict[str, pd.DataFrame]:
    """Probabilities by target: for a frame a frame with these columns, else an array; of several targets a dict."""
    if is_frame(data):
        import pandas as pd

        frames = {
            name: pd.DataFrame(found, index=index_of(data), columns=list(columns[name]))
            for name, found in values.items()
        }
        return frames[only(frames)] if len(frames) == 1 else frames
    return values[only(values)] if len(values) == 1 else dict(values)


def only(targets: Collection[str]) -> str:
    """The one target there is. Raises UsageError where there are several."""
    if len(targets) > 1:
        raise UsageError(f"This works for a model with one target; this one has {', '.join(targets)}.")
    return next(iter(targets))


def as_array(values: list[Any], columns: int = 1) -> np.ndarray:
    """One element a value (N,), of the values' own type; objects where they are lists of labels, or some are None.

    columns: where values are tuples of so many, (N, columns), NaN for None.
    """
    if columns > 1:
        return np.array([value or (np.nan,) * columns for value in values]).reshape(len(values), columns)
    if not any(value is None or isinstance(value, list) for value in values):
        return np.array(values)
    array = np.empty(len(values), dtype=object)
    for index, value in enumerate(values):  # assigned at once, lists of one length would become a second dimension
        array[index] = value
    return array


def is_frame(data: object) -> bool:
    """Whether it is a pandas frame, which need not be imported for that."""
    return type(data).__module__.startswith("pandas") and type(data).__name__ == "DataFrame"


def check_probabilities(tasks: Mapping[str, Task]) -> None:
    """Raise UsageError for a task whose predictions are no numbers of a row, such as embeddings or labelled spans."""
    for name, task in tasks.items():
        if task.numbers(name):
            continue
        if task.answer == "likeness":
            raise UsageError(
                f"The task {task.name} has no probabilities: it compares embeddings. Without them, a prediction is how "
                "much alike the two sides of a row are; `model.searcher().embed` gives the embeddings."
            )
        raise UsageError(f"The task {task.name} has no probabilities of a row as a whole. Leave them out.")


def index_of(frame: Any) -> pd.Index:
    """The index of a pandas frame."""
    index: pd.Index = frame.index
    return index


def row_texts(table: Table) -> list[str]:
    """What a reader sees of each row: its inputs, joined."""
    columns = [
        described(table.column(column.name)) if column.kind in ("image", "audio") else _as_texts(table, column.name)
        for column in table.schema.inputs
    ]
    return [" · ".join(row) for row in zip(*columns, strict=True)]


def warn_of_lacks(network: Network, examples: Examples) -> None:
    """Say so where rows lack an input that every training row had."""
    lacks = [name for name in examples.present if name not in network.missing_inputs]
    if lacks:
        names = " and ".join(lacks)
        warnings.warn(
            f"Some rows have no {names}, and every training row had: the model never learned to do without, so "
            "trust these predictions less. Trained with the technique modality-dropout, it learns to.",
            stacklevel=3,
        )


def _as_texts(table: Table, name: str) -> list[str]:
    return ["" if value is None else str(value) for value in table.values(name)]
