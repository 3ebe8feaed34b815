"""New classes at use: a saved model learns them from a few rows of each, and says how well that goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np

from graftwork.bases.tables_read import tables_read
from graftwork.core.judging.few_shot import episode_scores, held_features, learned
from graftwork.core.judging.predicted import only
from graftwork.core.plan import order
from graftwork.core.rows.examples import Cached, Examples, prepare
from graftwork.data.episodes import Episodes, lacking, rows_by_class
from graftwork.data.load import Source, load_like
from graftwork.data.quality.checks import OnBadRows
from graftwork.data.table import Table
from graftwork.errors import DataError, UsageError
from graftwork.evidence.episodes import evaluate_episodes
from graftwork.evidence.evaluation import Evaluation
from graftwork.saving import Saved
from graftwork.tasks.labels import MISSING, Labels

S_co = TypeVar("S_co", bound=Saved, covariant=True)


@dataclass(frozen=True)
class ClassLearner(Generic[S_co]):
    """Learns new classes from a few rows of each, and says how well that goes: what `Model.few_shot` hands out.

    Raises UsageError for a model without classes, or with several targets.
    """

    model: S_co

    def __post_init__(self) -> None:
        _target(self.model)

    def adapt(self, support: Source, *, on_bad_rows: OnBadRows = "fail") -> S_co:
        """A model for the classes of these rows, which training need not have had; the old one stays as it is.

        support: a table of a few labelled rows of each class, two classes at least. The classes are learned as the
        technique does it that the model was trained with (prototypes for protonet, inner steps for maml, anil and
        reptile), else by the nearest prototype in cosines of the features. The result predicts these classes alone,
        and is evaluated and saved like any other.

        Raises DataError for a table with less than two classes.
        """
        model, target = self.model, _target(self.model)
        table = load_like(support, model.schema, with_target=True, on_bad_rows=on_bad_rows).table
        seen = [one.hashed() for one in tables_read("new classes", support, table)]
        labels = Labels.learn(table.column(target))
        task = model.tasks[target].with_classes(labels)
        assert task is not None
        _check_support(labels, table, target)
        codes = labels.codes(table.column(target), table.source, table.rows)
        rows, techniques = np.flatnonzero(codes != MISSING), order(model.recipe.listed)
        examples = prepare(table, model.network, {}, model.recipe.text, keep_on_disk=False)
        cached = held_features(model.network, examples, techniques)
        network = learned(model.network, examples, rows, codes[rows], target, techniques, cached)
        return replace(
            model,
            network=network,
            tasks={**model.tasks, target: task},
            temperature={name: value for name, value in model.temperature.items() if name != target},
            reference=None,  # its rows are of other classes
            calibration={},  # of other features and classes
            recipe=replace(model.recipe, task=task.name) if len(model.tasks) == 1 else model.recipe,
            provenance=replace(model.provenance, tables=(*model.provenance.tables, *seen)),
        )

    def evaluate_episodes(
        self,
        data: Source,
        *,
        way: int = 5,
        shot: int = 1,
        query: int = 15,
        episodes: int = 600,
        seed: int = 0,
        on_bad_rows: OnBadRows = "fail",
    ) -> Evaluation:
        """How well `adapt` learns classes of this table: mean accuracy of episodes, with its 95 % interval over them.

        Each episode draws `way` classes, learns them from `shot` rows each, and asks up to `query` others of each. The
        same seed draws the same episodes for any model. Any model with one class a row can be asked, to compare.

        Raises DataError where classes or rows are too few, with their names and counts.
        """
        shape = Episodes(way, shot, query, episodes)
        table = load_like(data, self.model.schema, with_target=True, on_bad_rows=on_bad_rows).table
        return self.evaluate_table(table, shape, seed=seed)

    def evaluate_table(self, table: Table, shape: Episodes, *, seed: int = 0) -> Evaluation:
        """The same of a table that has been read and checked."""
        examples = prepare(table, self.model.network, {}, self.model.recipe.text)
        return score_episodes(self.model, table, examples, _target(self.model), shape, seed=seed)


def score_episodes(
    model: Saved,
    table: Table,
    examples: Examples,
    target: str,
    shape: Episodes,
    *,
    cached: Mapping[str, Cached] | None = None,
    seed: int = 0,
) -> Evaluation:
    """Mean accuracy of episodes of a table that is read and prepared. cached: what is known of its rows, by input."""
    codes = Labels.learn(table.column(target)).codes(table.column(target), table.source, table.rows)
    check_table(table, target, shape)
    techniques = order(model.recipe.listed)
    scores = episode_scores(model.network, examples, codes, target, shape, techniques, cached, seed)
    labelled = int((codes != MISSING).sum())
    return evaluate_episodes(scores, shape, rows=labelled, unlabelled=len(codes) - labelled)


def check_table(table: Table, target: str, shape: Episodes) -> None:
    """Raise DataError where episodes can't be drawn from a table: too few classes, or too few rows of one."""
    labels = Labels.learn(table.column(target))
    by_class = rows_by_class(labels.codes(table.column(target), table.source, table.rows))
    lack = lacking(labels.texts, [len(rows) for rows in by_class], shape, shape.shot + 1)
    if lack:
        raise DataError(f"{table.source}: no episodes can be drawn from '{target}'. {lack}")


def _check_support(labels: Labels, table: Table, target: str) -> None:
    if len(labels.texts) < 2:
        found = f"only '{labels.texts[0]}'" if labels.texts else "no label"
        raise DataError(
            f"{table.source}: '{target}' holds {found}. Expected a few rows of each of two new classes at least, with "
            "their names."
        )


def _target(model: Saved) -> str:
    """The one target, whose classes are learned."""
    target = only(model.tasks)
    if not model.tasks[target].single_label:
        raise UsageError(
            f"This model's task is {model.tasks[target].name}, which has no classes to learn anew. Use a model of the "
            "task few-shot, classification or identity."
        )
    return target
