"""A Model: what a run gives. It predicts, evaluates and saves itself; a saved one loads offline and without pickle."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from graftwork import saving, verification
from graftwork.core import predicted
from graftwork.core.examples import Cached, Examples, held_rows, is_on_disk, prepare
from graftwork.core.plan import base_facts, check
from graftwork.core.predicted import Predicted, as_array, check_probabilities, index_of, is_frame, only, row_texts
from graftwork.core.scoring import open_sets, predict_examples, probabilities, scored
from graftwork.core.technique import Technique
from graftwork.data.checks import BadRow, OnBadRows, known_choice
from graftwork.data.domains import domain_names, warn_of_lacking_domain
from graftwork.data.load import Source, load_like
from graftwork.data.table import Table
from graftwork.errors import UsageError
from graftwork.few_shot import Adaptable
from graftwork.tasks.task import Task
from graftwork.techniques import at_prediction
from graftwork.verification import Gallery, Identified, Verdict

if TYPE_CHECKING:
    import pandas as pd

    from graftwork.evidence.evaluation import Evaluation, Evaluations
    from graftwork.evidence.report import Report
    from graftwork.search import Hit, Index

CHUNK = 16384
"""Rows predicted at a time, at most."""


@dataclass(frozen=True)
class Model(Adaptable):
    """A network with all that is needed to use it.

    report: the evidence of the run that made it; None in a loaded model (its report.html lies in its folder).
    interrupted: the run was stopped with Ctrl-C, and this is the best it had.
    folder: where the model is on disk, if it is; its index is kept there. indexed: the index made or read last.
    """

    report: Report | None = None
    interrupted: bool = False
    folder: Path | None = None
    indexed: list[Index] = field(default_factory=list, repr=False, compare=False)

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

    def predict(self, data: Source) -> np.ndarray | pd.Series | pd.DataFrame | dict[str, np.ndarray]:
        """One value a row, in order: a pandas Series for a frame, an array for anything else.

        With several targets, a frame with one column a target for a frame, else a dict of arrays by target.
        data: a list of texts (for a model with one input), a list of dicts, a frame, a Dataset or a file.
        A row that can't be read (an empty text) gets None.
        """
        values = {name: as_array(found) for name, found in self.predict_rows(data).each_values.items()}
        if is_frame(data):
            import pandas as pd

            series = {name: pd.Series(found, index=index_of(data), name=name) for name, found in values.items()}
            return series[self.target] if len(series) == 1 else pd.DataFrame(series, index=index_of(data))
        return values[self.target] if len(values) == 1 else values

    def predict_proba(
        self, data: Source
    ) -> np.ndarray | pd.DataFrame | dict[str, np.ndarray] | dict[str, pd.DataFrame]:
        """Probabilities (N, classes), calibrated on validation: a frame with one column a class for a frame.

        With several targets, a dict of them by target. Raises UsageError for a task that has none (retrieval).
        """
        check_probabilities(self.tasks)
        result = self.predict_rows(data).each_probabilities
        if is_frame(data):
            import pandas as pd

            frames = {
                name: pd.DataFrame(found, index=index_of(data), columns=list(self.columns_of(name)))
                for name, found in result.items()
            }
            return frames[self.target] if len(frames) == 1 else frames
        return result[self.target] if len(result) == 1 else result

    def predict_rows(self, data: Source) -> Predicted:
        """Values, probabilities, and the rows that could not be read with the reason."""
        loaded = load_like(data, self.schema, with_target=False, on_bad_rows="keep")
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

    def predict_chunks(self, table: Table, bad: list[BadRow]) -> Iterator[tuple[Predicted, Table]]:
        """Chunk by chunk, with the chunk's rows, so that memory stays flat."""
        if self.network.film is not None:
            warn_of_lacking_domain(table, self.schema)
        unreadable = {row.row for row in bad}
        for rows in self._slices(len(table)):
            chunk = table.take(rows)
            good = np.array([row not in unreadable for row in chunk.rows.tolist()], dtype=bool)
            found = self._probabilities(chunk.take(np.flatnonzero(good))) if good.any() else {}
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

    def evaluate(
        self, data: Source, *, on_bad_rows: OnBadRows = "fail", without: Collection[str] = ()
    ) -> Evaluation | Evaluations:
        """Scores with bootstrap 95 % intervals on labelled rows; `.to_json()` gives them as plain data.

        With several targets, a mapping of them by target; a target that no row has is left out.
        on_bad_rows: "fail" lists rows without text or label; "skip" leaves them out.
        without: inputs that are left out, as if every row lacked them; `["table"]` for all numbers and categories.

        Raises DataError for a missing column, a label that training never had, or no rows at all; UsageError for an
        input to leave out that there is not.
        """
        from graftwork.evidence.evaluation import Evaluations, evaluate

        loaded = load_like(data, self.schema, with_target=True, on_bad_rows=known_choice(on_bad_rows))
        table, texts, domains = loaded.table, row_texts(loaded.table), domain_names(loaded.table)
        warn_of_lacking_domain(table, self.schema)
        encoded = {name: task.encode_rows(table, name) for name, task in self.tasks.items()}
        truth = {name: rows for name, rows in encoded.items() if rows is not None}
        given, found = self.scored_values(table, without), {}
        for name, task in self.tasks.items():
            targets, labelled = truth[name]
            if task.validation_episodes is not None:
                found[name] = self._episodes_of(table, name)
            elif labelled.any() or len(self.tasks) == 1:
                found[name] = evaluate(
                    task, targets, given[name], table.rows, labelled=labelled, texts=texts, domains=domains
                )
        return found[self.target] if len(self.tasks) == 1 else Evaluations(found)

    def embed(self, data: Source, column: str, *, on_bad_rows: OnBadRows = "fail") -> np.ndarray:
        """Embeddings (N, width) of one of two aligned inputs, of length 1; NaN where a row lacks it.

        data: a table with the input's column, or a list of its values. Raises UsageError for a model that aligns none.
        """
        from graftwork import search

        return search.embed(self, data, column, on_bad_rows=on_bad_rows)

    def index(self, data: Source, *, on_bad_rows: OnBadRows = "fail") -> Index:
        """Embed the rows of a table for `search`, and keep them: in the model's folder, or in memory where it has none.

        Raises UsageError for a model that does not align two inputs.
        """
        from graftwork import search

        made = search.build(self, data, on_bad_rows=on_bad_rows)
        if self.folder is not None:
            search.write(made, self.folder)
        self.indexed[:] = [made]
        return made

    def search(self, query: Any, k: int = 5, *, by: str | None = None, against: str | None = None) -> list[Hit]:
        """The `k` indexed rows that are most like the query, best first: their numbers, scores (cosines) and columns.

        query: a value of one of the inputs: a text; a path, bytes or picture; a dict for numbers and categories.
        by: the input that it is of, found where only one can hold it. against: the input of the rows that it is
        compared with, the other one where left out.
        Raises UsageError for an unknown name, ModelError where there is no index, or one of other weights.
        """
        from graftwork import search

        if not self.indexed:
            if self.folder is None:
                raise UsageError("There is no index to search. Make one first: model.index(table).")
            self.indexed[:] = [search.read(self.folder)]
        return search.search(self, self.indexed[0], query, k, by, against)

    def verify(self, first: Any, second: Any, *, far: float | None = None) -> Verdict:
        """Whether two items show one identity, also one that training never had (a model of the task identity).

        An item is a value of the one input (a text, a path, an image), or a dict by column. far: share of pairs of
        different identities that may be accepted, of those that were held out; None is the equal error rate.

        Raises UsageError for a model of another task, DataError for an item that can't be read.
        """
        return verification.verify(self, first, second, far)

    def enroll(self, people: Mapping[str, Sequence[Any]]) -> Gallery:
        """A gallery, `{name: [item, ...]}` as embeddings, for `identify`; save it with its `save`. Trains nothing."""
        return verification.enroll(self, people)

    def identify(self, item: Any, gallery: Gallery, *, far: float | None = None) -> Identified:
        """Who of the gallery an item shows; the name is None where the most similar one is below the threshold.

        The threshold is that of one comparison: the more people in the gallery, the more strangers reach it, so give
        a lower `far`. Raises UsageError for a gallery that another model made.
        """
        return verification.identify(self, [item], gallery, far)[0]

    def predicting_with(self, *techniques: Technique | str) -> Model:
        """The same model, with these techniques at prediction: `model.predicting_with("tent:steps=5", gw.TTA(4))`.

        Each takes the place of one of its name; at its null setting (`tent:steps=0`) it does nothing. Raises UsageError
        for a technique that acts in training alone, RefusedError where one does not fit the model or another one.
        """
        added = [at_prediction(each) for each in techniques]
        names = {technique.name for technique in added}
        listed = [technique for technique in self.recipe.listed if technique.name not in names]
        acting = [technique for technique in listed if technique.acts_at_prediction]
        check([*acting, *added], base_facts(self.network, self.tasks))
        return replace(self, recipe=replace(self.recipe, techniques=(*listed, *added)))

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write a folder that `graftwork.load` reads. It appears whole or not at all.

        Raises UsageError where the folder holds something that is not a model of graftwork.
        """
        return saving.save(self, Path(folder))

    def scored_values(self, table: Table, without: Collection[str] = ()) -> dict[str, np.ndarray]:
        """What metrics read of each row, by target: calibrated probabilities (N, outputs), or embeddings of open sets
        (N, E), of length 1. without: inputs that are left out."""
        from graftwork.evidence.modalities import known_inputs, left_out

        without = known_inputs(self.network, without) if without else ()
        kept = is_on_disk(table, self.network, self.recipe.text)  # a table that a fit has read: decoded once for both
        parts = list[dict[str, np.ndarray]]()
        for part in [table] if kept else map(table.take, self._slices(len(table))):
            examples = prepare(part, self.network, {}, self.recipe.text, keep_on_disk=kept)
            parts.append(self.scored_examples(left_out(examples, without)))
        return {name: np.concatenate([part[name] for part in parts]) for name in self.tasks}

    def scored_examples(self, examples: Examples, cached: Mapping[str, Cached] | None = None) -> dict[str, np.ndarray]:
        """The same of rows that are prepared. cached: what is known of them, by input."""
        values = predict_examples(self.network, examples, self.recipe.listed, cached, open_sets(self.tasks))
        return {n: scored(t, values[n], self.temperature.get(n, 1.0)) for n, t in self.tasks.items()}

    def _slices(self, rows: int) -> list[np.ndarray]:
        size = held_rows(self.network, CHUNK)
        return [np.arange(start, min(start + size, rows)) for start in range(0, rows, size)]

    def _probabilities(self, table: Table) -> dict[str, np.ndarray]:
        examples = prepare(table, self.network, {}, self.recipe.text, keep_on_disk=False)
        predicted.warn_of_lacks(self.network, examples)
        predictions = predict_examples(self.network, examples, self.recipe.listed)
        return {
            name: probabilities(task, predictions[name], self.temperature.get(name, 1.0))
            for name, task in self.tasks.items()
        }


def load(folder: str | os.PathLike[str]) -> Model:
    """Read what `Model.save` or `graft fit --out` wrote: offline, without pickle.

    Raises ModelError for a folder that is missing, foreign, half copied or of another format.
    """
    saved = saving.load(folder)
    return Model(**{f.name: getattr(saved, f.name) for f in fields(saved)}, folder=Path(folder))
