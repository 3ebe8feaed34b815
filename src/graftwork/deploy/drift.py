"""Whether a table is like the rows that a model was trained on: `graft drift`, and `drift` in Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from graftwork.core.scoring import Watch
from graftwork.data.load import Loaded, Source, load_like
from graftwork.data.read.decoding import with_encoding
from graftwork.errors import DataError, UsageError
from graftwork.evidence.strange.aspects import ROWS
from graftwork.evidence.strange.drift import ALPHA, FEWEST, About, Drift, drift_of
from graftwork.evidence.strange.reference import known_reference
from graftwork.model import Model, load
from graftwork.progress import SILENT, Screen
from graftwork.runs.finished.reference import look


def drift(model: Model, data: Source, *, alpha: float = ALPHA, encoding: str | None = None) -> Drift:
    """How the rows of a table differ from those that a model was trained on: each column that it reads, its features of
    the rows, and its predictions. No label is needed.

    data: as for `Model.predict`; of more than 2,000 rows so many are drawn. Rows should be drawn one by one: copies of
    a few rows, or the pictures of one film, count for more than they are. alpha: of tables that are like the training
    rows, the share that is said to differ at most.

    Raises UsageError for a model without a reference, or an alpha that is no share; DataError for fewer than 20 rows.
    """
    check_alpha(alpha)
    known_reference(model.reference, model.folder)
    loaded = load_like(with_encoding(data, encoding), model.schema, with_target=False, on_bad_rows="skip")
    loaded.warn()
    return _drift(model, loaded, alpha)


def drift_of_file(folder: Path, source: Path, alpha: float, on: Screen = SILENT) -> Drift:
    """`drift` of a model folder and a file, with what it is doing on the screen."""
    check_alpha(alpha)
    on.doing("loading the model")
    model = load(folder).on()
    known_reference(model.reference, folder)
    on.doing(f"reading {source}")
    loaded = load_like(source, model.schema, with_target=False, on_bad_rows="skip")
    for note in loaded.notes:
        on.note(note)
    return _drift(model, loaded, alpha, on.counting("looking at rows", "rows"))


def check_alpha(alpha: float) -> None:
    """Raise UsageError unless it is a share that leaves something to find and something to doubt."""
    if not 0 < alpha < 1:
        raise UsageError(f"alpha is {alpha:g}. Expected a number above 0 and below 1, such as {ALPHA:g}.")


def _drift(model: Model, loaded: Loaded, alpha: float, watch: Watch | None = None) -> Drift:
    table = loaded.table
    if len(table) < FEWEST:
        raise DataError(
            f"{table.source} has {len(table):,} rows that can be read. Expected {FEWEST} or more: fewer don't show "
            "whether they differ."
        )
    order = np.random.default_rng(model.recipe.seed).permutation(len(table))[:ROWS]
    seen = look(model, table.take(order), watch)
    about = About(Path(table.source).name, len(table), len(order))
    reference = known_reference(model.reference, model.folder)
    return drift_of(reference, seen.features, seen.aspects, about, alpha)
