"""A Model: what a run gives. It predicts, evaluates and saves itself; a saved one loads offline and without pickle."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from graftwork import overview, saving
from graftwork.core.judging.decided import Costs, costs_of, decided
from graftwork.core.judging.predicted import (
    Predicted,
    as_array,
    as_asked,
    check_probabilities,
    only,
    probabilities_as_asked,
)
from graftwork.core.plan import base_facts, check
from graftwork.core.scoring import Watch
from graftwork.core.technique import Technique
from graftwork.data.load import Source, load_like
from graftwork.data.quality.checks import OnBadRows, known_choice
from graftwork.data.read.decoding import with_encoding
from graftwork.data.table import Table
from graftwork.devices import check_device, chosen
from graftwork.evidence.strange.reference import known_reference
from graftwork.predicting import predict_source
from graftwork.saved import Saved
from graftwork.sure import Sure
from graftwork.tasks.task import Task
from graftwork.techniques import at_prediction
from graftwork.uses.few_shot import ClassLearner
from graftwork.uses.nearest import Searcher
from graftwork.uses.verification import Verifier

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from graftwork.evidence.evaluation import Evaluation, Evaluations
    from graftwork.evidence.report import Report


HANDED_OUT = {
    **dict.fromkeys(("embed", "index", "search"), "searcher"),
    **dict.fromkeys(("verify", "enroll", "identify"), "verifier"),
    **dict.fromkeys(("adapt", "evaluate_episodes"), "few_shot"),
}
"""By its name in version 0.1, which method of `Model` hands out what has it now."""


@dataclass(frozen=True, repr=False)
class Model(Sure):
    """A network with all that is needed to use it.

    report: the evidence of the run that made it; None in a loaded model (its report.html lies in its folder).
    interrupted: the run was stopped with Ctrl-C, and this is the best it had.
    folder: where the model is on disk, if it is; its index is kept there.
    """

    report: Report | None = None
    interrupted: bool = False
    folder: Path | None = None

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
        self, data: Source, *, costs: Costs | None = None, encoding: str | None = None, workers: int | None = None
    ) -> np.ndarray | pd.Series | pd.DataFrame | dict[str, np.ndarray]:
        """One value a row, in order: a pandas Series for a frame, an array for anything else.

        Of a task that predicts several columns a row (`Task.columns`) a frame, or an array (N, columns).
        With several targets, a frame with one column a target for a frame, else a dict of arrays by target.
        data: a list of texts (for a model with one input), a list of dicts, a frame, a Dataset or a file.
        A row that can't be read (an empty text) gets None. encoding: of a csv, tsv or json file that is not UTF-8.
        costs: what answers cost, a table (`graftwork.tasks.costs.read_costs`) or that by target: predicted is the class
        of least expected cost by the calibrated probabilities, None where to abstain costs least.
        workers: so many processes compute it; None for this one alone.

        Raises DataError for a table of costs that lacks a class, has an empty cell or what is no number; UsageError for
        costs of a target that has no single class a row; WorkerError for rows that ended two workers.
        """
        priced = costs_of(self.tasks, costs)
        found = decided(self.predict_rows(data, encoding=encoding, workers=workers), self.tasks, priced).each_values
        columns = {name: self.tasks[name].columns(name) for name in found}
        return as_asked({name: as_array(values, len(columns[name])) for name, values in found.items()}, data, columns)

    def predict_proba(
        self, data: Source, *, encoding: str | None = None, workers: int | None = None
    ) -> np.ndarray | pd.DataFrame | dict[str, np.ndarray] | dict[str, pd.DataFrame]:
        """Probabilities (N, classes), calibrated on validation: a frame with one column a class for a frame.

        With several targets, a dict of them by target. workers: as in `predict`.
        Raises UsageError for a task that has none (retrieval).
        """
        check_probabilities(self.tasks)
        columns = {name: self.columns_of(name) for name in self.targets}
        found = self.predict_rows(data, encoding=encoding, workers=workers).each_probabilities
        return probabilities_as_asked(found, columns, data)

    def predict_rows(self, data: Source, *, encoding: str | None = None, workers: int | None = None) -> Predicted:
        """Values, probabilities, and the rows that could not be read with the reason. workers: as in `predict`."""
        if workers is None:
            return predict_source(self, data, encoding)
        from graftwork.predicting_parts.workers import predict_by_workers

        return predict_by_workers(self, data, encoding, workers)

    def unusual(self, data: Source, *, encoding: str | None = None) -> np.ndarray | pd.Series:
        """How unlike the training rows each row is (N,), from 0 to 1: the share of ordinary rows that are less so.

        A Series for a frame. NaN for a row that can't be read. Raises UsageError for a model without a reference.
        """
        known_reference(self.reference, self.folder)
        found = predict_source(self, data, encoding, unusual=True).unusual
        return as_asked({"unusual": found}, data, {"unusual": ("unusual",)})  # type: ignore[dict-item,return-value]

    def evaluate(
        self,
        data: Source,
        *,
        on_bad_rows: OnBadRows = "fail",
        without: Collection[str] = (),
        by: str | Collection[str] = (),
        costs: Costs | None = None,
        encoding: str | None = None,
        watch: Watch | None = None,
    ) -> Evaluation | Evaluations:
        """Scores with 95 % intervals (bootstrap, or the metric's own) on labelled rows; `.to_json()`: as plain data.

        With several targets, a mapping of them by target; a target that no row has is left out.
        on_bad_rows: "fail" lists rows without text or label; "skip" leaves them out.
        without: inputs that are left out, as if every row lacked them; `["table"]` for all numbers and categories.
        by: columns of the table, read by the model or not, whose values the scores are given by as well (`.by`);
            numbers and dates in quarters of the rows, `"length(COLUMN)"` by how long its texts are.
        costs: as in `predict`; adds the scores mean_cost (of the plain answers), bayes_cost (of those of least expected
            cost) and cost_saved (by how much the latter cost less on the same rows).
        encoding: of a csv, tsv or json file that is not UTF-8.
        watch: told how many rows are done, of how many.

        Raises DataError for a missing column, a label that training never had, or no rows at all; UsageError for an
        input to leave out that there is not, or a column to score by that is not there or has too many values.
        """
        source = with_encoding(data, encoding)
        loaded = load_like(source, self.schema, with_target=True, on_bad_rows=known_choice(on_bad_rows))
        loaded.warn()
        return self.evaluate_table(loaded.table, without, watch, [by] if isinstance(by, str) else list(by), costs)

    def evaluate_table(
        self,
        table: Table,
        without: Collection[str] = (),
        watch: Watch | None = None,
        by: Sequence[str] = (),
        costs: Costs | None = None,
    ) -> Evaluation | Evaluations:
        """As `evaluate`, for a table that has been read and checked."""
        from graftwork.evaluating import evaluate_rows

        return evaluate_rows(self, table, without, watch, by, costs)

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

    def searcher(self) -> Searcher:
        """Finds rows of a table by either of two aligned inputs: `embed`, `index`, `search`.

        The same one at each call, so that it knows the index it made. Raises UsageError for a model that aligns none.
        """
        return self._searcher

    def verifier(self) -> Verifier:
        """Says whether items show one identity, and who it is: `verify`, `enroll`, `identify`.

        Raises UsageError for a model of another task than identity.
        """
        return Verifier(self)

    def few_shot(self) -> ClassLearner[Model]:
        """Learns classes that training never had from a few rows of each: `adapt`, `evaluate_episodes`.

        Raises UsageError for a model without classes, or with several targets.
        """
        return ClassLearner(self)

    def predicting_with(self, *techniques: Technique | str) -> Model:
        """The same model, with these techniques at prediction: `model.predicting_with("tent:steps=5", gw.TTA(4))`.

        Each takes the place of one of its name; at its null setting (`tent:steps=0`) it does nothing. Raises UsageError
        for a technique that acts in training alone, RefusedError where one does not fit the model or another one.
        Calibration rows are left out, since they were predicted without them; see `calibrated_on`.
        """
        added = [at_prediction(each) for each in techniques]
        each = tuple(replace(member, model=_with(member.model, added)) for member in self.each_member)
        kept = {} if techniques else self.calibration
        recipe = each[0].model.recipe
        return replace(self, recipe=recipe, members=each if self.members else (), calibration=kept)

    @cached_property
    def _searcher(self) -> Searcher:
        return Searcher(self, self.folder)

    if not TYPE_CHECKING:  # or else no type checker would find a name that is misspelt

        def __getattr__(self, name: str) -> Callable[..., object]:
            """The names of version 0.1 for what is handed out now; they go with the next release."""
            if name not in HANDED_OUT:
                raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
            now = HANDED_OUT[name]

            def handed_out(*given: object, **named: object) -> object:
                words = f"model.{name}(...) is model.{now}().{name}(...) now."
                warnings.warn(words, DeprecationWarning, stacklevel=2)
                return getattr(getattr(self, now)(), name)(*given, **named)

            return handed_out

    def on(self, device: str = "auto") -> Model:
        """The same model on a device, whose network moves there: "cpu", "cuda", "mps", or "auto" for what
        `use_device` or GRAFTWORK_DEVICE say, else CUDA where there is any. A loaded model is on the CPU.

        Raises UsageError for a device that is not there.
        """
        check_device(device)
        return replace(self, network=self.network.to(chosen() if device == "auto" else device))

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write a folder that `graftwork.load` reads. It appears whole or not at all.

        Raises UsageError where the folder holds something that is not a model of graftwork.
        """
        return saving.save(self, Path(folder))


def _with(model: Saved, added: Sequence[Technique]) -> Saved:
    """A model of one network, with these techniques at prediction."""
    names = {technique.name for technique in added}
    listed = [technique for technique in model.recipe.named if technique.name not in names]
    acting = [each for each in (*listed, *added) if each.acts_at_prediction and not each.off]
    check(acting, base_facts(model.network, model.tasks))
    return replace(model, recipe=replace(model.recipe, techniques=(*listed, *added)))


def load(folder: str | os.PathLike[str]) -> Model:
    """Read what `Model.save` or `graft fit --out` wrote: offline, without pickle.

    Raises ModelError for a folder that is missing, foreign, half copied or of another format.
    """
    saved = saving.load(folder)
    return Model(**{f.name: getattr(saved, f.name) for f in fields(saved)}, folder=Path(folder))
