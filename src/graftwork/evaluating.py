"""What a saved model scores on labelled rows: by target, by domain, by what was asked for, and where it is worse."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence

import numpy as np

from graftwork.core.judging.decided import Costs, costs_of
from graftwork.core.judging.predicted import row_texts
from graftwork.core.rows.examples import encoders_of, prepare
from graftwork.core.scoring import Watch
from graftwork.data.domains import domain_names, warn_of_lacking_domain
from graftwork.data.table import Table
from graftwork.errors import DataError
from graftwork.evidence.evaluate import evaluate
from graftwork.evidence.evaluation import Evaluation, Evaluations
from graftwork.evidence.slices.search import divided
from graftwork.predicting import learned_other, predict_table, scored_values, warn_of_other_splits
from graftwork.saving import Saved
from graftwork.shown import counted
from graftwork.tasks.capabilities import Episodic
from graftwork.tasks.labels import labelled_as
from graftwork.tasks.metrics.cost_metrics import cost_metrics
from graftwork.tasks.metrics.registry import beside
from graftwork.uses.few_shot import score_episodes


def evaluate_rows(
    model: Saved,
    table: Table,
    without: Collection[str] = (),
    watch: Watch | None = None,
    by: Sequence[str] = (),
    costs: Costs | None = None,
) -> Evaluation | Evaluations:
    """Of a table that has been read and checked; see `Model.evaluate`.

    Raises UsageError for a column in `by` that the rows can't be scored by, or an input that there is not.
    """
    priced = costs_of(model.tasks, costs)
    table = _of_classes(model, table)
    parts = {name: divided(table, name, by) for name in model.tasks}  # before anything slow: `by` may be wrong
    texts, domains = row_texts(table), domain_names(table)
    encoders = encoders_of(model.lead.network, model.lead.recipe.text)
    warn_of_lacking_domain(table, model.schema)
    encoded = {name: task.encode_rows(table, name, encoders) for name, task in model.tasks.items()}
    warn_of_other_splits(model, table)
    truth = {name: rows for name, rows in encoded.items() if rows is not None}
    given, found = scored_values(model, table, without, watch), dict[str, Evaluation]()
    for name, task in model.tasks.items():
        targets, labelled = truth[name]
        if isinstance(task, Episodic):
            examples = prepare(table, model.network, {}, model.recipe.text)
            found[name] = score_episodes(model, table, examples, name, task.shape)
        elif labelled.any() or len(model.tasks) == 1:
            found[name] = evaluate(
                task,
                targets,
                given[name],
                table.rows,
                labelled=labelled,
                texts=texts,
                domains=domains,
                divided=parts[name],
                also=[
                    *beside(task, model.recipe.metric_of(name)),
                    *(cost_metrics(task, priced[name]) if name in priced else ()),
                ],
            )
    return next(iter(found.values())) if len(model.tasks) == 1 else Evaluations(found)


def _of_classes(model: Saved, table: Table) -> Table:
    """The rows that are of a class; how many of the others are told apart is said in a warning."""
    other = learned_other(model)
    target = next(iter(model.tasks))
    if other is None or model.reference is None or target not in table.data.column_names:
        return table
    marked = labelled_as(table.column(target), other.label)
    if not marked.any():
        return table
    if marked.all():
        raise DataError(
            f"{table.source}: every row has '{other.label}', which is no class, so there is nothing to score. Add rows "
            "of the classes; graft predict says which rows it takes for none of them."
        )
    unusual = predict_table(model, table, [], unusual=True).unusual
    assert unusual is not None
    chosen = other.chosen(unusual, model.reference.most)
    warnings.warn(
        f"{counted(int(marked.sum()))} of {table.source} with '{other.label}' are no class and left out of the scores: "
        f"{int(chosen[marked].sum()):,} of them are found. Of the other {counted(int((~marked).sum()))} "
        f"{int(chosen[~marked].sum()):,} are taken for '{other.label}'.",
        stacklevel=3,
    )
    return table.take(np.flatnonzero(~marked))
