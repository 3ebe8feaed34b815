"""What a finished run leaves of its rows in the model, so that rows unlike them can be told apart later."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from graftwork.core.cache import computed_before
from graftwork.core.corruption import corrupts
from graftwork.core.examples import Cached, Examples, prepare, running
from graftwork.core.scoring import ROW_FEATURES, predict_examples
from graftwork.data.table import Table
from graftwork.evidence.strange.reference import Reference, reference_of
from graftwork.model import Model
from graftwork.runs.job.held_out import drawing_order, strata
from graftwork.runs.job.job import Job
from graftwork.runs.single import Candidate

MOST, LEAST = 2000, 200
"""Rows of each kind that are kept: at most, and however little a run has worked."""
SHARE = 50
"""Of the rows that were trained on, those of all steps counted, one in so many is read once more: a row that is read
takes a third of one that is trained on."""


def make_reference(job: Job, model: Model, kept: Candidate) -> Reference | None:
    """The reference of a model, by rows that it was trained on and by those that were held out, validation rows before
    test rows. None for what was pretrained, which predicts nothing that is asked for.

    What lies in the cache is read whole; of what has to be computed so few rows that a fit takes no longer for it.
    """
    if corrupts(model.tasks):
        return None
    training = _features(job, model, kept, job.train, in_blocks=model.recipe.rows is not None)
    held = job.valid if job.valid is not None else job.test
    return reference_of(training, None if held is None else _features(job, model, kept, held))


def _features(job: Job, model: Model, kept: Candidate, table: Table, *, in_blocks: bool = False) -> np.ndarray:
    """Features (R, W) of some rows of a table, drawn by class, as a prediction has them."""
    examples = prepare(table, model.network, {}, model.recipe.text, in_blocks=in_blocks)
    cached = computed_before(model.network, examples, model.recipe.listed)
    worked = kept.fitted.steps * model.recipe.training.batch // SHARE
    most = MOST if not running(model.network, cached) else min(MOST, max(LEAST, worked))
    rows = np.sort(drawing_order(strata(table, job.tasks), len(table), model.recipe.seed)[:most])
    return _read(model, examples, rows, cached)


def _read(model: Model, examples: Examples, rows: np.ndarray, cached: Mapping[str, Cached]) -> np.ndarray:
    found = predict_examples(
        model.network,
        examples,
        model.recipe.listed,
        cached,
        rows=rows,
        tasks=model.tasks,
        features=True,
    )
    return np.asarray(found[ROW_FEATURES])
