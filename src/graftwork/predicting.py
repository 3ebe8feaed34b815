"""What a saved network predicts: values and probabilities of rows, chunk by chunk, so that memory stays flat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from graftwork.core import predicted
from graftwork.core.examples import Cached, Examples, encoders_of, held_rows, is_on_disk, prepare
from graftwork.core.long_texts import cut_off, warn_of_cut
from graftwork.core.predicted import Predicted, as_array, as_asked, check_probabilities, only, probabilities_as_asked
from graftwork.core.scoring import Watch, compared_targets, part_of, predict_examples, scored
from graftwork.data.domains import warn_of_lacking_domain
from graftwork.data.load import Source, load_like
from graftwork.data.quality.checks import BadRow
from graftwork.data.read.decoding import with_encoding
from graftwork.data.table import Table
from graftwork.data.values import Values, joined
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
        """Names of the probability columns: the classes, or what a task without classes predicts."""
        return self.columns_of(self.target)

    def columns_of(self, target: str) -> tuple[str, ...]:
        """The same for one of several targets."""
        return self.tasks[target].numbers(target)

    def predict(
        self, data: Source, *, encoding: str | None = None
    ) -> np.ndarray | pd.Series | pd.DataFrame | dict[str, np.ndarray]:
        """One value a row, in order: a pandas Series for a frame, an array for anything else.

        Of a task that predicts several columns a row (`Task.columns`) a frame, or an array (N, columns).
        With several targets, a frame with one column a target for a frame, else a dict of arrays by target.
        data: a list of texts (for a model with one input), a list of dicts, a frame, a Dataset or a file.
        A row that can't be read (an empty text) gets None. encoding: of a csv, tsv or json file that is not UTF-8.
        """
        found = self.predict_rows(data, encoding=encoding).each_values
        columns = {name: self.tasks[name].columns(name) for name in found}
        return as_asked({name: as_array(values, len(columns[name])) for name, values in found.items()}, data, columns)

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
            {name: np.concatenate([part.each_probabilities[name] for part in parts]) for name in self._numbered},
            bad,
        )

    def nothing(self) -> Predicted:
        """Predictions of no row at all."""
        empty = {name: np.zeros((0, width), np.float32) for name, width in self._numbered.items()}
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
                read = found.get(name)
                if name in self._numbered:
                    given[name] = np.full((len(chunk), self._numbered[name]), np.nan, np.float32)
                    given[name][good] = np.nan if read is None else read
                    read = None if read is None else given[name][good]
                values[name] = [None] * len(chunk)
                if read is not None:
                    for index, value in zip(np.flatnonzero(good), task.decode(read), strict=True):
                        values[name][index] = value
            here = set(chunk.rows.tolist()) & unreadable
            yield Predicted(values, given, [row for row in bad if row.row in here]), chunk
        warn_of_cut(self.network, cut, len(table))

    def scored_values(
        self, table: Table, without: Collection[str] = (), watch: Watch | None = None
    ) -> dict[str, Values]:
        """What metrics read of each row, by target: calibrated probabilities (N, outputs), or embeddings of open sets
        (N, E), of length 1. without: inputs that are left out."""
        from graftwork.evidence.scores.modalities import known_inputs, left_out

        without = known_inputs(self.network, without) if without else ()
        kept = is_on_disk(table, self.network, self.recipe.text)  # a table that a fit has read: decoded once for both
        parts, done = list[dict[str, Values]](), 0
        for part in [table] if kept else map(table.take, self._slices(len(table))):
            examples = prepare(part, self.network, {}, self.recipe.text, keep_on_disk=kept)
            own = part_of(watch, done, len(table))
            parts.append(self.scored_examples(left_out(examples, without), watch=own))
            done += len(part)
        return {name: joined([part[name] for part in parts]) for name in self.tasks}

    def scored_examples(
        self, examples: Examples, cached: Mapping[str, Cached] | None = None, watch: Watch | None = None
    ) -> dict[str, Values]:
        """The same of rows that are prepared. cached: what is known of them, by input."""
        embedded = compared_targets(self.tasks)
        values = predict_examples(
            self.network, examples, self.recipe.listed, cached, embedded, watch=watch, tasks=self.tasks
        )
        return {n: scored(t, values[n], self.temperature.get(n, 1.0)) for n, t in self.tasks.items()}

    @property
    def _numbered(self) -> dict[str, int]:
        """By target, how many numbers a row its task names; targets whose task names none are left out."""
        widths = {name: len(task.numbers(name)) for name, task in self.tasks.items()}
        return {name: width for name, width in widths.items() if width}

    def _slices(self, rows: int) -> list[np.ndarray]:
        size = held_rows(self.network, CHUNK)
        return [np.arange(start, min(start + size, rows)) for start in range(0, rows, size)]

    def _probabilities(self, table: Table, watch: Watch | None, cut: Counter[str]) -> dict[str, Values]:
        """cut: rows whose text was not read whole, by input, are added to it."""
        examples = prepare(table, self.network, {}, self.recipe.text, keep_on_disk=False)
        predicted.warn_of_lacks(self.network, examples)
        cut.update(cut_off(self.network, table, examples, self.recipe.text))
        found = predict_examples(self.network, examples, self.recipe.listed, watch=watch, tasks=self.tasks)
        encoders = encoders_of(self.network)
        return {
            name: task.in_units(task.located(found[name], table, encoders), self.temperature.get(name, 1.0))
            for name, task in self.tasks.items()
        }
