"""A Model: what a run gives. It predicts, evaluates and saves itself; a saved one loads offline and without pickle."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from graftwork import saving
from graftwork.core.examples import prepare
from graftwork.core.scoring import predict_examples, probabilities
from graftwork.data.checks import BadRow, OnBadRows, known_choice
from graftwork.data.load import Source, load_like
from graftwork.data.table import Table
from graftwork.saving import Saved
from graftwork.tasks.task import Task

if TYPE_CHECKING:
    import pandas as pd

    from graftwork.evidence.evaluation import Evaluation
    from graftwork.evidence.report import Report

CHUNK = 16384


@dataclass(frozen=True)
class Predicted:
    """Predictions of some rows, in order.

    values: one a row, None where the row could not be read. probabilities: (N, outputs), NaN there.
    bad: why rows could not be read.
    """

    values: list[Any]
    probabilities: np.ndarray
    bad: list[BadRow]


@dataclass(frozen=True)
class Model(Saved):
    """A network with all that is needed to use it.

    report: the evidence of the run that made it; None in a loaded model (its report.html lies in its folder).
    interrupted: the run was stopped with Ctrl-C, and this is the best it had.
    """

    report: Report | None = None
    interrupted: bool = False

    @property
    def target(self) -> str:
        return next(iter(self.tasks))

    @property
    def task(self) -> Task:
        return self.tasks[self.target]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the probability columns: the classes, or the target for a task without classes."""
        classes = getattr(self.task, "classes", None)
        return tuple(map(str, classes)) if classes else (self.target,)

    def predict(self, data: Source) -> np.ndarray | pd.Series:
        """One value a row, in order: a pandas Series for a frame, an array for anything else.

        data: a list of texts (for a model with one input), a list of dicts, a frame, a Dataset or a file.
        A row that can't be read (an empty text) gets None.
        """
        values = _array(self.predict_rows(data).values)
        if _is_frame(data):
            import pandas as pd

            return pd.Series(values, index=_index(data), name=self.target)
        return values

    def predict_proba(self, data: Source) -> np.ndarray | pd.DataFrame:
        """Probabilities (N, classes), calibrated on validation: a frame with one column a class for a frame."""
        result = self.predict_rows(data).probabilities
        if _is_frame(data):
            import pandas as pd

            return pd.DataFrame(result, index=_index(data), columns=list(self.columns))
        return result

    def predict_rows(self, data: Source) -> Predicted:
        """Values, probabilities, and the rows that could not be read with the reason."""
        loaded = load_like(data, self.schema, with_target=False, on_bad_rows="keep")
        return self.predict_table(loaded.table, loaded.bad)

    def predict_table(self, table: Table, bad: list[BadRow]) -> Predicted:
        """As `predict_rows`, for a table that has been read and checked."""
        parts = [part for part, _ in self.predict_chunks(table, bad)]
        return Predicted(
            [value for part in parts for value in part.values],
            np.concatenate([part.probabilities for part in parts] or [np.zeros((0, len(self.columns)), np.float32)]),
            bad,
        )

    def predict_chunks(self, table: Table, bad: list[BadRow]) -> Iterator[tuple[Predicted, Table]]:
        """Chunk by chunk, with the chunk's rows, so that memory stays flat."""
        unreadable = {row.row for row in bad}
        for start in range(0, len(table), CHUNK):
            chunk = table.take(np.arange(start, min(start + CHUNK, len(table))))
            good = np.array([row not in unreadable for row in chunk.rows.tolist()], dtype=bool)
            given = np.full((len(chunk), self.task.outputs), np.nan, np.float32)
            values: list[Any] = [None] * len(chunk)
            if good.any():
                given[good] = self._probabilities(chunk.take(np.flatnonzero(good)))
                for index, value in zip(np.flatnonzero(good), self.task.decode(given[good]), strict=True):
                    values[index] = value
            here = set(chunk.rows.tolist()) & unreadable
            yield Predicted(values, given, [row for row in bad if row.row in here]), chunk

    def evaluate(self, data: Source, *, on_bad_rows: OnBadRows = "fail") -> Evaluation:
        """Scores with bootstrap 95 % intervals on labelled rows; `.to_json()` gives them as plain data.

        on_bad_rows: "fail" lists rows without text or label; "skip" leaves them out.

        Raises DataError for a missing column, a label that training never had, or no rows at all.
        """
        from graftwork.evidence.evaluation import evaluate

        loaded = load_like(data, self.schema, with_target=True, on_bad_rows=known_choice(on_bad_rows))
        table = loaded.table
        truth, labelled = self.task.encode(table.column(self.target), table.source, table.rows)
        given = np.concatenate([self._probabilities(table.take(rows)) for rows in _slices(len(table))])
        return evaluate(self.task, truth, given, table.rows, labelled=labelled, texts=row_texts(table))

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write a folder that `graftwork.load` reads. It appears whole or not at all.

        Raises UsageError where the folder holds something that is not a model of graftwork.
        """
        return saving.save(self, Path(folder))

    def _probabilities(self, table: Table) -> np.ndarray:
        examples = prepare(table, self.network, {}, self.recipe.text, keep_on_disk=False)
        predictions = predict_examples(self.network, examples, self.recipe.listed)
        return probabilities(self.task, predictions[self.target], self.temperature.get(self.target, 1.0))


def load(folder: str | os.PathLike[str]) -> Model:
    """Read what `Model.save` or `graft fit --out` wrote: offline, without pickle.

    Raises ModelError for a folder that is missing, foreign, half copied or of another format.
    """
    saved = saving.load(folder)
    return Model(**{f.name: getattr(saved, f.name) for f in fields(saved)})


def _array(values: list[Any]) -> np.ndarray:
    """One element a value (N,), of the values' own type; objects where they are lists of labels, or some are None."""
    if not any(value is None or isinstance(value, list) for value in values):
        return np.array(values)
    array = np.empty(len(values), dtype=object)
    for index, value in enumerate(values):  # assigned at once, lists of one length would become a second dimension
        array[index] = value
    return array


def _is_frame(data: object) -> bool:
    return type(data).__module__.startswith("pandas") and type(data).__name__ == "DataFrame"


def _index(frame: Any) -> pd.Index:
    index: pd.Index = frame.index
    return index


def _slices(rows: int) -> list[np.ndarray]:
    return [np.arange(start, min(start + CHUNK, rows)) for start in range(0, rows, CHUNK)]


def row_texts(table: Table) -> list[str]:
    """What a reader sees of each row: its inputs, joined."""
    columns = [table.values(column.name) for column in table.schema.inputs]
    return [" · ".join("" if value is None else str(value) for value in row) for row in zip(*columns, strict=True)]
