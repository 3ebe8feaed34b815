"""What a finished run leaves of its rows in the model, so that rows unlike them can be told apart later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from graftwork.core.frozen.cache import computed_before
from graftwork.core.rows.corruption import corrupts
from graftwork.core.rows.examples import Examples, prepare, running
from graftwork.core.scoring import ROW_FEATURES, Watch, predict_examples
from graftwork.data.table import Table
from graftwork.data.values import Values
from graftwork.errors import DataError
from graftwork.evidence.strange.aspects import ROWS, Aspect, column_aspects, prediction_aspects
from graftwork.evidence.strange.other import taught
from graftwork.evidence.strange.reference import FEWEST, Reference, reference_of
from graftwork.runs.budget.own_rows import in_blocks
from graftwork.runs.job.held_out import drawing_order, strata
from graftwork.runs.job.job import WORDS, Job
from graftwork.runs.job.other_rows import OtherRows
from graftwork.runs.single.run import Candidate
from graftwork.runs.single.training_rows import first_rows
from graftwork.saved import Saved

MOST, LEAST = 2000, 200
"""Rows of each kind whose features are kept: at most, and however little a run has worked."""
SHARE = 50
"""Of the rows that were trained on, those of all steps counted, one in so many is read once more: a row that is read
takes a third of one that is trained on."""


def make_reference(job: Job, model: Saved, kept: Candidate) -> Reference | None:
    """The reference of a model, by rows that it was trained on and by those that were held out, validation rows before
    test rows. None for what was pretrained, which predicts nothing that is asked for.

    What lies in the cache is read whole; of what has to be computed so few rows that a fit takes little longer for it.
    kept: of an ensemble, its heaviest member, whose features count.
    """
    model = model.lead
    if corrupts(model.tasks):
        return None
    rows = first_rows(job, model.recipe)
    examples = prepare(rows, model.network, {}, model.recipe.text, in_blocks=model.recipe.rows is not None)
    training = _predicted(job, model, kept, rows, examples)[ROW_FEATURES]
    some = np.random.default_rng(model.recipe.seed).permutation(len(rows))[:ROWS]
    aspects, held = list(column_aspects(rows, model.network, examples, some)), None
    if (table := job.valid if job.valid is not None else job.test) is not None:
        blocks = in_blocks(job, model.recipe, table)
        there = prepare(table, model.network, {}, model.recipe.text, in_blocks=blocks)
        found = _predicted(job, model, kept, table, there)
        held = np.asarray(found[ROW_FEATURES])
        aspects += _of_predictions(model, found)
    heads = sum(value.numel() for _, head in model.network.each_head() for value in head.parameters())
    learned = kept.plan.trained > heads or len(training) < len(job.train)
    made = reference_of(np.asarray(training), held, learned=learned, aspects=aspects)
    return made if job.other is None else _with_other(model, made, job.other)


def other_words(job: Job, model: Saved, reference: Reference | None) -> list[str]:
    """What the rows that are none of the classes have taught, for the user: how many such rows are found."""
    if job.other is None or reference is None or reference.other is None:
        return []
    part, rows = next((name, job.other.parts[name]) for name in ("test", "valid", "train") if name in job.other.parts)
    found = int(reference.other.chosen(_unusual(model, reference, rows), reference.most).sum())
    where = "rows that taught it" if part == "train" else f"{WORDS[part]} rows"
    lost = 100 * (1 - reference.other.beyond) if reference.other.beyond else 0.0
    return [
        f"other: a row is '{reference.other.label}' where `unusual` is more than {reference.other.beyond:.3f}, so that "
        f"of 100 ordinary rows at most {lost:.1f} are; {found:,} of {len(rows):,} {where} with that label are found"
    ]


def _with_other(model: Saved, made: Reference | None, other: OtherRows) -> Reference:
    teachers = other.parts.get("train", other.parts.get("valid"))
    if made is None or teachers is None:
        raise DataError(
            f"Too few rows, or none, teach from where on a row is '{other.label}': it needs {FEWEST} training rows of "
            "classes, and one of these that is not for tests. Leave --other out."
        )
    some = teachers.take(drawing_order(None, len(teachers), model.recipe.seed)[:MOST])
    return replace(made, other=taught(other.label, _unusual(model, made, some), made.most))


def _unusual(model: Saved, made: Reference, rows: Table) -> np.ndarray:
    return made.unusual(look(model, rows).features)


class Seen(NamedTuple):
    """features: of some rows as a prediction has them (N, W). aspects: what is known of their columns, and of what is
    predicted of them."""

    features: np.ndarray
    aspects: list[Aspect]


def look(model: Saved, table: Table, watch: Watch | None = None) -> Seen:
    """All rows of a table, which stand in no order, as the model sees them, by whose features its reference goes."""
    model = model.lead
    examples = prepare(table, model.network, {}, model.recipe.text)
    found = predict_examples(
        model.network, examples, model.recipe.listed, watch=watch, tasks=model.tasks, features=True
    )
    columns = column_aspects(table, model.network, examples, np.arange(len(table)))
    return Seen(np.asarray(found[ROW_FEATURES]), [*columns, *_of_predictions(model, found)])


def _of_predictions(model: Saved, found: Mapping[str, Values]) -> list[Aspect]:
    """What is known of the predictions that `predict_examples` gave."""
    aspects = list[Aspect]()
    for name, task in model.tasks.items():
        if task.answer in ("class", "classes", "number"):
            given = task.in_units(found[name], model.temperature.get(name, 1.0))
            aspects += prediction_aspects(name, task, given)
    return aspects


def _predicted(job: Job, model: Saved, kept: Candidate, table: Table, examples: Examples) -> dict[str, Values]:
    """Predictions of some rows of a table, and their features (R, W), as a prediction has them. Training rows are drawn
    by class, so that each has its neighbours; others at random."""
    cached = computed_before(model.network, examples, model.recipe.listed)
    worked = kept.fitted.steps * model.recipe.training.batch // SHARE
    most = MOST if not running(model.network, cached) else min(MOST, max(LEAST, worked))
    kinds = None if table is job.valid or table is job.test else strata(table, job.tasks)
    rows = np.sort(drawing_order(kinds, len(table), model.recipe.seed)[:most])
    return predict_examples(
        model.network, examples, model.recipe.listed, cached, rows=rows, tasks=model.tasks, features=True
    )
