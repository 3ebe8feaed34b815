"""What a saved network predicts: values and probabilities of rows, chunk by chunk, so that memory stays flat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from graftwork.core import predicted
from graftwork.core.examples import Cached, Examples, held_rows, is_on_disk, prepare
from graftwork.core.long_texts import cut_off, warn_of_cut
from graftwork.core.predicted import Predicted, as_array, as_asked, check_probabilities, only, probabilities_as_asked
from graftwork.core.scoring import Watch, open_sets, part_of, predict_examples, probabilities, scored
from graftwork.data.domains import warn_of_lacking_domain
from graftwork.data.load import Source, load_like
from graftwork.data.quality.checks import BadRow
from graftwork.data.read.decoding import with_encoding
from graftwork.data.table import Table
from graftwork.saving import Saved
from graftwork.tasks.task import Task

if TYPE_CHECKING:
    import pandas as pd

CHUNK = 16384
"""Rows predicted at a time, at most."""


@dataclass(frozen=True)
class Predicting(Saved):
    """A model that predicts."""

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns that are predicted."""
        return tuple(self.tasks)

    @property
    def target(self) -> str:
        """The column that is predicted. Raises UsageError for a model with several; see `targets`."""
        return only(self.targets)

    @property
    def task(self) -> Task:
        """The target's task. Raises UsageError for a model with several targets; see `tasks`."""
        return self.tasks[self.target]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the probability columns: the classes, or the target for a task without classes."""
        return self.columns_of(self.target)

    def columns_of(self, target: str) -> tuple[str, ...]:
        """The same for one of several targets."""
        return self.tasks[target].classes or (target,)

    def predict(
        self, data: Source, *, encoding: str | None = None
    ) -> np.ndarray | pd.Series | pd.DataFrame | dict[str, np.ndarray]:
        """One value a row, in order: a pandas Series for a frame, an array for anything else.

        With several targets, a frame with one column a target for a frame, else a dict of arrays by target.
        data: a list of texts (for a model with one input), a list of dicts, a frame, a Dataset or a file.
        A row that can't be read (an empty text) gets None. encoding: of a csv, tsv or json file that is not UTF-8.
        """
        found = self.predict_rows(data, encoding=encoding).each_values
        return as_asked({name: as_array(values) for name, values in found.items()}, data)

    def predict_proba(
        self, data: Source, *, encoding: str | None = None
    ) -> np.ndarray | pd.DataFrame | dict[str, np.ndarray] | dict[str, pd.DataFrame]:
        """Probabilities (N, classes), calibrated on validation: a frame with one column a class for a frame.

        With several targets, a dict of them by target. Raises UsageError for a task that has none (retrieval).
        """
        check_probabilities(self.tasks)
        columns = {name: self.columns_of(name) for name in self.targets}
        found = self.predict_rows(data, encoding=encoding).each_probabilities
        return probabilities_as_asked(found, columns, data)

    def predict_rows(self, data: Source, *, encoding: str | None = None) -> Predicted:
        """Values, probabilities, and the rows that could not be read with the reason."""
        source = with_encoding(data, encoding)
        loaded = load_like(source, self.schema, with_target=False, on_bad_rows="keep")
        loaded.warn()
        return self.predict_table(loaded.table, loaded.bad)

    def predict_table(self, table: Table, bad: list[BadRow]) -> Predicted:
        """As `predict_rows`, for a table that has been read and checked."""
        parts = [part for part, _ in self.predict_chunks(table, bad)] or [self.nothing()]
        return Predicted(
            {name: [value for part in parts for value in part.each_values[name]] for name in self.targets},
            {name: np.concatenate([part.each_probabilities[name] for part in parts]) for name in self.targets},
            bad,
        )

    def nothing(self) -> Predicted:
        """Predictions of no row at all."""
        empty = {name: np.zeros((0, task.outputs), np.float32) for name, task in self.tasks.items()}
        return Predicted({name: [] for name in self.targets}, empty, [])

    def predict_chunks(
        self, table: Table, bad: list[BadRow], watch: Watch | None = None
    ) -> Iterator[tuple[Predicted, Table]]:
        """Chunk by chunk, with the chunk's rows, so that memory stays flat. watch: told how many rows are done."""
        if self.network.film is not None:
            warn_of_lacking_domain(table, self.schema)
        unreadable, cut = {row.row for row in bad}, Counter[str]()
        for rows in self._slices(len(table)):
            chunk = table.take(rows)
            good = np.array([row not in unreadable for row in chunk.rows.tolist()], dtype=bool)
            own = part_of(watch, int(rows[0]), len(table))
            found = self._probabilities(chunk.take(np.flatnonzero(good)), own, cut) if good.any() else {}
            given, values = {}, {}
            for name, task in self.tasks.items():
                given[name] = np.full((len(chunk), task.outputs), np.nan, np.float32)
                values[name] = [None] * len(chunk)
                if name in found:
                    given[name][good] = found[name]
                    for index, value in zip(np.flatnonzero(good), task.decode(given[name][good]), strict=True):
                        values[name][index] = value
            here = set(chunk.rows.tolist()) & unreadable
            yield Predicted(values, given, [row for row in bad if row.row in here]), chunk
        warn_of_cut(self.network, cut, len(table))

    def scored_values(
        self, table: Table, without: Collection[str] = (), watch: Watch | None = None
    ) -> dict[str, np.ndarray]:
        """What metrics read of each row, by target: calibrated probabilities (N, outputs), or embeddings of open sets
        (N, E), of length 1. without: inputs that are left out."""
        from graftwork.evidence.scores.modalities import known_inputs, left_out

        without = known_inputs(self.network, without) if without else ()
        kept = is_on_disk(table, self.network, self.recipe.text)  # a table that a fit has read: decoded once for both
        parts, done = list[dict[str, np.ndarray]](), 0
        for part in [table] if kept else map(table.take, self._slices(len(table))):
            examples = prepare(part, self.network, {}, self.recipe.text, keep_on_disk=kept)
            own = part_of(watch, done, len(table))
            parts.append(self.scored_examples(left_out(examples, without), watch=own))
            done += len(part)
        return {name: np.concatenate([part[name] for part in parts]) for name in self.tasks}

    def scored_examples(
        self, examples: Examples, cached: Mapping[str, Cached] | None = None, watch: Watch | None = None
    ) -> dict[str, np.ndarray]:
        """The same of rows that are prepared. cached: what is known of them, by input."""
        values = predict_examples(
            self.network, examples, self.recipe.listed, cached, open_sets(self.tasks), watch=watch
        )
        return {n: scored(t, values[n], self.temperature.get(n, 1.0)) for n, t in self.tasks.items()}

    def _slices(self, rows: int) -> list[np.ndarray]:
        size = held_rows(self.network, CHUNK)
        return [np.arange(start, min(start + size, rows)) for start in range(0, rows, size)]

    def _probabilities(self, table: Table, watch: Watch | None, cut: Counter[str]) -> dict[str, np.ndarray]:
        """cut: rows whose text was not read whole, by input, are added to it."""
        examples = prepare(table, self.network, {}, self.recipe.text, keep_on_disk=False)
        predicted.warn_of_lacks(self.network, examples)
        cut.update(cut_off(self.network, table, examples, self.recipe.text))
        predictions = predict_examples(self.network, examples, self.recipe.listed, watch=watch)
        return {
            name: probabilities(task, predictions[name], self.temperature.get(name, 1.0))
            for name, task in self.tasks.items()
        }
