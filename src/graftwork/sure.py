"""What a model says with a promise: sets of classes, intervals of numbers, and answers only where it is sure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from graftwork.core.judging.predicted import as_array, as_asked
from graftwork.core.rows.examples import encoders_of
from graftwork.data.load import Source, load_like
from graftwork.data.quality.checks import OnBadRows, known_choice
from graftwork.data.read.decoding import with_encoding
from graftwork.data.table import Table
from graftwork.data.values import Values
from graftwork.errors import DataError, UsageError
from graftwork.evidence.sure.asked import CONFIDENCE, Method
from graftwork.evidence.sure.calibration import Calibration, calibration_of, can_be_calibrated, halves, kinds_of
from graftwork.evidence.sure.promises import promises
from graftwork.evidence.sure.thresholds import best_decisions, metrics_asked
from graftwork.predicting import learned_other, predict_source, scored_values
from graftwork.saving import Saved
from graftwork.tasks.labels import labelled_as

if TYPE_CHECKING:
    import pandas as pd

    from graftwork.core.scoring import Watch


@dataclass(frozen=True, repr=False)
class Sure(Saved):
    """A saved model that has calibration rows: what `Model` can do with them."""

    def predict_sets(
        self, data: Source, *, coverage: float = 0.9, method: Method = "lac", encoding: str | None = None
    ) -> np.ndarray | pd.Series | pd.DataFrame | dict[str, np.ndarray]:
        """A list of classes a row, which holds the true one with probability `coverage`; of label sets, all true ones.

        A set can be empty: no class fits the row as the truth fits the calibration rows. A row that can't be read, or
        is none of the classes (`other`), gets None. In the form of `predict`; targets that are numbers are left out.
        method: "lac" for the smallest sets, "aps" for sets that grow where a row is harder (Romano et al. 2020).
        Raises UsageError where there are no calibration rows, or too few, and for a model without classes.
        """
        given = promises(self.tasks, self.calibration, coverage=coverage, method=method)
        if not given.sets:
            raise UsageError("This model predicts numbers, which have intervals: model.predict_intervals(data).")
        found = predict_source(self, data, encoding).each_probabilities
        values = {name: as_array(given.sets_of(name, found[name])) for name in given.sets}
        return as_asked(values, data, {name: (name,) for name in values})

    def predict_intervals(
        self, data: Source, *, coverage: float = 0.9, encoding: str | None = None
    ) -> np.ndarray | pd.DataFrame | dict[str, np.ndarray]:
        """The lower and the upper end of an interval a row (N, 2), which holds the truth with probability `coverage`.

        For a frame a frame with the columns `TARGET_low` and `TARGET_high`; of several targets a dict by target, and
        those that are classes are left out. NaN for a row that can't be read.
        Raises UsageError where there are no calibration rows, or too few, and for a model without numbers.
        """
        given = promises(self.tasks, self.calibration, coverage=coverage)
        if not given.intervals:
            raise UsageError("This model predicts classes, which have sets: model.predict_sets(data).")
        found = predict_source(self, data, encoding).each_probabilities
        values = {name: np.stack(one.bounds(found[name]), axis=1) for name, one in given.intervals.items()}
        asked: Any = as_asked(values, data, {name: (f"{name}_low", f"{name}_high") for name in values})
        return asked  # type: ignore[no-any-return]

    def predict_or_abstain(
        self, data: Source, *, error: float = 0.05, confidence: float = CONFIDENCE, encoding: str | None = None
    ) -> np.ndarray | pd.Series | pd.DataFrame | dict[str, np.ndarray]:
        """As `predict`, with None in place of answers that are too doubtful: with probability `confidence`, over the
        draw of the calibration rows, at most `error` of the answers are wrong (SGR, Geifman & El-Yaniv 2017).

        Raises UsageError where there are no calibration rows, where they are too few for that error, and for a model
        without classes.
        """
        given = promises(self.tasks, self.calibration, abstain=error, confidence=confidence)
        found = predict_source(self, data, encoding)
        values = {}
        for name, answers in found.each_values.items():
            silent = given.abstains(name, found.each_probabilities.get(name), len(answers))
            kept = [None if no else answer for answer, no in zip(answers, silent, strict=True)]
            values[name] = as_array(kept, len(self.tasks[name].columns(name)))
        return as_asked(values, data, {name: self.tasks[name].columns(name) for name in values})

    def calibrated_on(
        self,
        data: Source,
        *,
        on_bad_rows: OnBadRows = "fail",
        encoding: str | None = None,
        metric: str | Mapping[str, str] | None = None,
        watch: Watch | None = None,
    ) -> Self:
        """The same model, whose sets, intervals and abstention rest on these labelled rows.

        data: rows that it has neither learned from nor was chosen by, drawn like those that it will predict.
        metric: for two classes and label sets, also choose the probability from which on a class is predicted, so that
        this score is best, and for more classes a weight on the probability of each; or that for each target. A random
        half of the rows chooses it, and the other half is kept.
        Raises DataError where no row has a target, UsageError for a task that has neither sets nor intervals, and for
        a metric that no threshold changes.
        """
        source = with_encoding(data, encoding)
        loaded = load_like(source, self.schema, with_target=True, on_bad_rows=known_choice(on_bad_rows))
        loaded.warn()
        return self.calibrated_on_table(loaded.table, metric, watch)

    def calibrated_on_table(
        self, table: Table, metric: str | Mapping[str, str] | None = None, watch: Watch | None = None
    ) -> Self:
        """As `calibrated_on`, for a table that has been read and checked."""
        if not any(map(can_be_calibrated, self.tasks.values())):
            kinds = kinds_of(self.tasks)
            raise UsageError(f"Calibration is for classes, label sets and numbers, one a row; not for {kinds}.")
        asked = {} if metric is None else metrics_asked(self.tasks, metric)
        table = _of_classes(self, table)
        found = calibration_on(self, table, scored_values(self, table, watch=watch), Path(table.source).name)
        if not found:
            raise DataError(f"{table.source}: none of {len(table):,} rows has a target, so they can't calibrate.")
        tasks = dict(self.tasks)
        for name, named in asked.items():
            if name in found:
                choosing, found[name] = halves(found[name])
                tasks[name] = best_decisions(tasks[name], choosing, named)
        return replace(self, tasks=tasks, calibration=found)


def _of_classes(model: Saved, table: Table) -> Table:
    """Without the rows that are none of the classes, where the model was taught such: nothing is promised of them."""
    other, target = learned_other(model), next(iter(model.tasks))
    if other is None or target not in table.data.column_names:
        return table
    marked = labelled_as(table.column(target), other.label)
    if marked.all():
        raise DataError(f"{table.source}: every row has '{other.label}', which is no class, so they can't calibrate.")
    return table.take(np.flatnonzero(~marked)) if marked.any() else table


def calibration_on(model: Saved, table: Table, values: Mapping[str, Values], source: str) -> dict[str, Calibration]:
    """By target, the calibration rows that a table makes; those of no use are left out.

    values: what the model predicts of the rows, as `scored_values` gives it. source: what these rows are, in words.
    """
    encoders, found = encoders_of(model.lead.network, model.lead.recipe.text), {}
    for name, task in model.tasks.items():
        if not can_be_calibrated(task):
            continue
        encoded = task.encode_rows(table, name, encoders)
        rows = None if encoded is None else calibration_of(task, *encoded, np.asarray(values[name]), source)
        if rows is not None:
            found[name] = rows
    return found
