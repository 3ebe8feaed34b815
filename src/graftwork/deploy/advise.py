"""`graftwork.advise`: what to do next with a run, and the rows of a pool that are to be labelled first, as a table."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from graftwork.data.load import Source
from graftwork.data.table import Table
from graftwork.deploy.predict import check_out, write_table
from graftwork.deploy.predicted_columns import with_added
from graftwork.errors import UsageError
from graftwork.evidence.advice.advice import Advice, ToLabel
from graftwork.runs.advice.advise import advise_run
from graftwork.runs.advice.rows import LABEL, read_pool
from graftwork.runs.listener import Listener
from graftwork.runs.watching import heard
from graftwork.shown import counted


def advise(
    run: str | os.PathLike[str],
    *,
    data: Source | Mapping[str, Source] | None = None,
    unlabelled: Source | None = None,
    label: int = LABEL,
    out: str | os.PathLike[str] | None = None,
    verbose: bool = True,
    listener: Listener | None = None,
) -> Advice:
    """What to do next with a model that `fit` saved: items with the gain that each should bring, the best first.

    run: its folder. data: a table in place of the training table, or by name (`{"valid": …}`), where they moved or
    changed. unlabelled: a pool of rows without labels, of which `label` are picked that the model learns most from
    (`.to_label`, by uncertainty and diversity); out: csv, tsv, jsonl or parquet file to write these to.
    Gains are measured by linear probes on the frozen features of the run's base, which come from the cache: labels in
    doubt left out, more rows forecast, other bases that are here. Test rows are never read, nothing is trained.
    verbose: say what is done; listener: hears it in its place.

    Raises UsageError for a folder that is no run, or a fit of tables in memory where `data` gives none; DataError for
    a table that is missing or has changed, or a pool without the model's columns; ModelError for a damaged model.
    """
    if label < 1:
        raise UsageError(f"label is {label}. Expected how many rows are to be labelled, 1 or more.")
    if out is not None and unlabelled is None:
        raise UsageError("out is a file for the rows to label. Name the table of rows without labels too: unlabelled.")
    if out is not None:
        check_out(Path(out), *([Path(unlabelled)] if isinstance(unlabelled, str | os.PathLike) else []))
    with heard(listener, verbose) as hearing:
        pool = None if unlabelled is None else read_pool(Path(run).expanduser(), unlabelled)
        found = advise_run(run, data=data, pool=pool, label=label, listener=hearing)
        if out is not None and pool is not None:
            write_table(_rows(pool, found.to_label), Path(out))
            hearing.note(f"{counted(len(found.to_label))} to label written into {out}")
    return found


def _rows(pool: Table, picked: Sequence[ToLabel]) -> pa.Table:
    """The picked rows as they stand in the pool, with their numbers there and why, under names that are free."""
    place = {row: at for at, row in enumerate(pool.rows.tolist())}
    table = pool.take([place[one.row] for one in picked]).data
    told = {"row": pa.array([one.row for one in picked]), "reason": pa.array([one.reason for one in picked])}
    return with_added(table, told)
