"""A reference for a model that has none: what its training rows were like, by a table of rows like them."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from graftwork.core.scoring import Watch
from graftwork.data.load import Source, load_like
from graftwork.data.read.decoding import with_encoding
from graftwork.data.table import Table
from graftwork.errors import DataError
from graftwork.evidence.strange.reference import FEWEST, reference_of
from graftwork.model import Model, load
from graftwork.progress import SILENT, Screen
from graftwork.runs.finished.reference import MOST, look

HELD = 0.4
"""The share of the rows that stand for those that were held out."""


def with_reference(model: Model, data: Source, *, encoding: str | None = None) -> Model:
    """The model with a reference, for `model.unusual`, `--other` and `drift`; the one given stays as it is.

    data: rows like those that it was trained on. Best are rows that it was not trained on: it has learned its training
    rows by heart, and finds others more unusual than they are. At most 4,000 are read; part of them are what rows are
    measured to, the others say what distances are ordinary.

    Raises DataError for fewer than 40 rows that can be read.
    """
    loaded = load_like(with_encoding(data, encoding), model.schema, with_target=False, on_bad_rows="skip")
    loaded.warn()
    return _referenced(model, loaded.table)


def add_reference(folder: Path, source: Path, on: Screen = SILENT) -> int:
    """`with_reference` for a model folder, which keeps it from then on. Returns how many rows were read."""
    model = load(folder).on()
    on.doing(f"reading {source}")
    loaded = load_like(source, model.schema, with_target=False, on_bad_rows="skip")
    for note in loaded.notes:
        on.note(note)
    made = _referenced(model, loaded.table, on.counting("reading", "rows"))
    made.save(folder)
    return min(len(loaded.table), 2 * MOST)


def _referenced(model: Model, table: Table, watch: Watch | None = None) -> Model:
    if len(table) < 2 * FEWEST:
        raise DataError(
            f"{table.source} has {len(table):,} rows that can be read. Expected {2 * FEWEST} or more, like those that "
            "the model was trained on."
        )
    order = np.random.default_rng(model.recipe.seed).permutation(len(table))[: 2 * MOST]
    seen = look(model, table.take(order), watch)
    held = max(FEWEST, round(HELD * len(order)))
    reference = reference_of(seen.features[held:], seen.features[:held], aspects=seen.aspects)
    if reference is None:
        raise DataError(f"{table.source}: the model makes numbers of its rows that are not finite.")
    other = None if model.reference is None else model.reference.other
    if other is not None and other.beyond is not None and other.beyond >= reference.most:
        raise DataError(
            f"{table.source} has too few rows: with them no row could be unusual enough to be '{other.label}', which "
            f"begins at {other.beyond:.3f}. Expected {math.ceil(1 / (1 - other.beyond) / HELD) + 3:,} or more."
        )
    return replace(model, reference=replace(reference, other=other))
