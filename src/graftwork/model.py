"""A Model: what a run gives. It predicts, evaluates and saves itself; a saved one loads offline and without pickle."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from graftwork import overview, saving
from graftwork.core.plan import base_facts, check
from graftwork.core.predicted import (
    row_texts,
)
from graftwork.core.scoring import Watch
from graftwork.core.technique import Technique
from graftwork.data.domains import domain_names, warn_of_lacking_domain
from graftwork.data.load import Source, load_like
from graftwork.data.quality.checks import OnBadRows, known_choice
from graftwork.data.read.decoding import with_encoding
from graftwork.data.table import Table
from graftwork.errors import UsageError
from graftwork.predicting import Predicting
from graftwork.techniques import at_prediction
from graftwork.uses import verification
from graftwork.uses.verification import Gallery, Identified, Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from graftwork.evidence.evaluation import Evaluation, Evaluations
    from graftwork.evidence.report import Report
    from graftwork.uses.nearest import Hit, Index


@dataclass(frozen=True, repr=False)
class Model(Predicting):
    """A network with all that is needed to use it.

    report: the evidence of the run that made it; None in a loaded model (its report.html lies in its folder).
    interrupted: the run was stopped with Ctrl-C, and this is the best it had.
    folder: where the model is on disk, if it is; its index is kept there. indexed: the index made or read last.
    """

    report: Report | None = None
    interrupted: bool = False
    folder: Path | None = None
    indexed: list[Index] = field(default_factory=list, repr=False, compare=False)

    def evaluate(
        self,
        data: Source,
        *,
        on_bad_rows: OnBadRows = "fail",
        without: Collection[str] = (),
        encoding: str | None = None,
        watch: Watch | None = None,
    ) -> Evaluation | Evaluations:
        """Scores with bootstrap 95 % intervals on labelled rows; `.to_json()` gives them as plain data.

        With several targets, a mapping of them by target; a target that no row has is left out.
        on_bad_rows: "fail" lists rows without text or label; "skip" leaves them out.
        without: inputs that are left out, as if every row lacked them; `["table"]` for all numbers and categories.
        encoding: of a csv, tsv or json file that is not UTF-8.
        watch: told how many rows are done, of how many.

        Raises DataError for a missing column, a label that training never had, or no rows at all; UsageError for an
        input to leave out that there is not.
        """
        source = with_encoding(data, encoding)
        loaded = load_like(source, self.schema, with_target=True, on_bad_rows=known_choice(on_bad_rows))
        loaded.warn()
        return self.evaluate_table(loaded.table, without, watch)

    def evaluate_table(
        self, table: Table, without: Collection[str] = (), watch: Watch | None = None
    ) -> Evaluation | Evaluations:
        """As `evaluate`, for a table that has been read and checked."""
        from graftwork.evidence.evaluate import evaluate
        from graftwork.evidence.evaluation import Evaluations

        texts, domains = row_texts(table), domain_names(table)
        warn_of_lacking_domain(table, self.schema)
        encoded = {name: task.encode_rows(table, name) for name, task in self.tasks.items()}
        truth = {name: rows for name, rows in encoded.items() if rows is not None}
        given, found = self.scored_values(table, without, watch), {}
        for name, task in self.tasks.items():
            targets, labelled = truth[name]
            if task.validation_episodes is not None:
                found[name] = self._episodes_of(table, name)
            elif labelled.any() or len(self.tasks) == 1:
                found[name] = evaluate(
                    task, targets, given[name], table.rows, labelled=labelled, texts=texts, domains=domains
                )
        return found[self.target] if len(self.tasks) == 1 else Evaluations(found)

    def score(self, data: Source, metric: str | None = None) -> float:
        """One number for labelled rows, of several targets their mean: the first of the task's scores in which more is
        better (accuracy; R2 of numbers), as scikit-learn has it, or `metric`. `evaluate` gives all of them."""
        return overview.score_of(self.tasks, self.evaluate(data), metric)

    def plot(self, data: Source | None = None, *, target: str | None = None) -> Figure:
        """The main evidence as a matplotlib figure: classes that are mixed up, or predicted and true numbers.

        data: labelled rows; left out, those that the fit was scored on. target: which one, the first where left out.
        """
        if data is None:
            return overview.plot_of_report(self.tasks, self.report, target)
        return overview.plot_of(self.tasks, self.evaluate(data), target)

    def __repr__(self) -> str:
        return "\n".join(overview.lines_of(self, self.report, self.folder))

    def _repr_html_(self) -> str:
        return overview.card_of(self, self.report, self.folder)

    def embed(self, data: Source, column: str, *, on_bad_rows: OnBadRows = "fail") -> np.ndarray:
        """Embeddings (N, width) of one of two aligned inputs, of length 1; NaN where a row lacks it.

        data: a table with the input's column, or a list of its values. Raises UsageError for a model that aligns none.
        """
        from graftwork.uses import nearest as search

        return search.embed(self, data, column, on_bad_rows=on_bad_rows)

    def index(self, data: Source | Table, *, on_bad_rows: OnBadRows = "fail", watch: Watch | None = None) -> Index:
        """Embed the rows of a table for `search`, and keep them: in the model's folder, or in memory where it has none.

        watch: told how many rows are done, of how many. Raises UsageError for a model that does not align two inputs.
        """
        from graftwork.uses import nearest as search

        made = search.build(self, data, on_bad_rows=on_bad_rows, watch=watch)
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
        from graftwork.uses import nearest as search

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
        listed = [technique for technique in self.recipe.named if technique.name not in names]
        acting = [each for each in (*listed, *added) if each.acts_at_prediction and not each.off]
        check(acting, base_facts(self.network, self.tasks))
        return replace(self, recipe=replace(self.recipe, techniques=(*listed, *added)))

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write a folder that `graftwork.load` reads. It appears whole or not at all.

        Raises UsageError where the folder holds something that is not a model of graftwork.
        """
        return saving.save(self, Path(folder))


def load(folder: str | os.PathLike[str]) -> Model:
    """Read what `Model.save` or `graft fit --out` wrote: offline, without pickle.

    Raises ModelError for a folder that is missing, foreign, half copied or of another format.
    """
    saved = saving.load(folder)
    return Model(**{f.name: getattr(saved, f.name) for f in fields(saved)}, folder=Path(folder))
