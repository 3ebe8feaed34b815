"""`graftwork.profile`: what a table is like, and the table without the rows that are better left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from graftwork.data.columns.convert import with_columns
from graftwork.data.load import Source
from graftwork.data.quality.checks import OnBadRows, known_choice
from graftwork.data.read.source import is_collection
from graftwork.data.read.union import anchored, is_several
from graftwork.data.table import Table
from graftwork.deploy.predict import check_out, write_table
from graftwork.errors import UsageError, nearest
from graftwork.evidence.profile.profile import Profile
from graftwork.networks.bases.registry import Named
from graftwork.recipe import Recipe
from graftwork.runs.job.data_arguments import DataArguments
from graftwork.runs.listener import Listener
from graftwork.runs.profile.profile import profile_tables
from graftwork.runs.profile.tables import Tables, read_tables
from graftwork.runs.watching import heard
from graftwork.shown import counted

DROPPED = ("unusable", "duplicates", "near-duplicates", "conflicts", "overlap", "label-errors")
"""Findings whose rows can be left out of a cleaned table."""

_FOUND = ("validation:", "leak:", "left out of")
"""Notes of a fit that a profile says as findings, or that do not concern it."""


@dataclass(frozen=True)
class Cleaning:
    """drop: findings whose rows are left out. out: the table without them; the log stands beside it."""

    drop: tuple[str, ...]
    out: Path

    @property
    def log(self) -> Path:
        """Every row that was left out, and why."""
        return self.out.with_name(f"{self.out.name.rsplit('.', 1)[0]}.log.csv")


def profile(
    train: Source,
    *,
    test: Source | None = None,
    target: str | Sequence[str] | None = None,
    inputs: Sequence[str] | None = None,
    join: str | Sequence[str | Sequence[str]] = (),
    ignore: Sequence[str] = (),
    roles: Mapping[str, str] | None = None,
    kinds: Mapping[str, str] | None = None,
    task: str | Mapping[str, str] = "auto",
    base: Named = "auto",
    features: bool = True,
    drop: str | Sequence[str] = (),
    clean: str | Path | None = None,
    on_bad_rows: OnBadRows = "skip",
    encoding: str | None = None,
    seed: int = 0,
    verbose: bool = True,
    listener: Listener | None = None,
) -> Profile:
    """What a labelled table is like, before anything is trained on it: kinds, balance, duplicates, leaks, label errors.

    train, test, target, inputs, join, ignore, roles, kinds, encoding: as in `fit`. task: of each target, where it is
        not to be inferred. on_bad_rows: "skip" names rows that can't be used among the findings; "fail" raises.
    base: whose frozen features are looked at, as in `fit`; features: False does without, in seconds: then nothing is
        said of label errors, of shift as a model sees it, and of what more rows would bring.
    drop, clean: findings (unusable, duplicates, near-duplicates, conflicts, overlap, label-errors) whose rows are left
        out of `clean`, a csv, tsv, jsonl or parquet file; beside it, `NAME.log.csv` names each of these rows, with why.
    verbose, listener: as in `fit`.

    Raises DataError for tables that can't be read or learned from, UsageError for names that are wrong.
    """
    data = DataArguments(
        train=train,
        test=test,
        target=target,
        inputs=inputs,
        join=join,
        ignore=ignore,
        roles=roles,
        kinds=kinds,
        on_bad_rows=known_choice(on_bad_rows),
        encoding=encoding,
    )
    cleaning = cleaning_of(data.train, [drop] if isinstance(drop, str) else drop, clean)
    with heard(listener, verbose) as hearing:
        recipe = Recipe(base=base, task=task, seed=seed)
        return profile_data(data, recipe, cleaning, features=features, listener=hearing)


def profile_data(
    data: DataArguments, recipe: Recipe, cleaning: Cleaning | None, *, features: bool, listener: Listener
) -> Profile:
    """`profile`, with the arguments as two things. recipe: its base and task are used."""
    listener.doing(f"reading {data.called}")
    tables = read_tables(data, recipe)
    for note in tables.job.notes:
        if not note.startswith(_FOUND):
            listener.note(note)
    found = profile_tables(tables, recipe, listener, features=features)
    if cleaning is not None:
        listener.note(write_cleaned(found, tables, cleaning))
    return found


def cleaning_of(train: Source | Sequence[Source], drop: Sequence[str], clean: str | Path | None) -> Cleaning | None:
    """What is to be left out, checked before anything is read; None where nothing is to be written.

    Raises UsageError for findings whose rows can't be dropped, for one of drop and clean without the other, and for a
    file that can't be written.
    """
    drop = tuple(dict.fromkeys(name.strip() for one in drop for name in one.split(",") if name.strip()))
    for name in drop:
        if name not in DROPPED:
            raise UsageError(f"--drop {name}: there are no such rows to drop. {nearest(name, DROPPED)}")
    if not drop and clean is None:
        return None
    if not drop:
        raise UsageError(f"--clean {clean} needs --drop, which says what is left out: {', '.join(DROPPED)}.")
    if clean is None:
        raise UsageError("--drop needs --clean FILE, the table to write without these rows. The table itself stays.")
    if is_several(train):
        raise UsageError("--clean writes one table, and several are given. Clean them one by one.")
    cleaning = Cleaning(drop, Path(clean))
    paths = [Path(train)] if isinstance(train, str | Path) and not is_collection(train) else []
    check_out(cleaning.out, *paths)
    if paths and cleaning.log.exists() and paths[0].exists() and cleaning.log.samefile(paths[0]):
        raise UsageError(f"--clean {clean}: its log would be {cleaning.log}, the table itself. Name another file.")
    return cleaning


def write_cleaned(found: Profile, tables: Tables, cleaning: Cleaning) -> str:
    """Write the table without the rows, as it was read, and the log; a line that says so."""
    logged = [(about, note) for about in cleaning.drop for note in found.rows(about) if note.table == "train"]
    gone = np.unique(np.array([note.row for _, note in logged], np.int64))
    raw = tables.raw.data
    kept = np.setdiff1d(np.arange(len(raw)), gone - 1)
    if not len(kept):
        raise UsageError("No row would be left. Drop less.")
    whole = Table(raw, tables.train.schema, tables.raw.name, np.arange(1, len(raw) + 1), tables.raw.folder)
    write_table(_in_place(whole, cleaning.out).take(pa.array(kept)), cleaning.out)
    columns = {
        "row": [note.row for _, note in logged],
        "dropped_for": [about for about, _ in logged],
        "reason": [note.reason for _, note in logged],
        "other_row": [note.other for _, note in logged],
        "suggested": [note.suggested or None for _, note in logged],
    }
    types = (pa.int64(), pa.string(), pa.string(), pa.int64(), pa.string())
    log = {name: pa.array(values, kind) for (name, values), kind in zip(columns.items(), types, strict=True)}
    write_table(pa.table(log), cleaning.log)
    return (
        f"{counted(len(kept))} of {len(raw):,} written to {cleaning.out}; {counted(len(gone))} left out, each with its "
        f"reason in {cleaning.log}"
    )


def _in_place(table: Table, out: Path) -> pa.Table:
    """The columns; relative paths of images and sounds are made whole where the file moves to another folder."""
    folder = table.folder
    if folder is None or out.absolute().parent.resolve() == folder.resolve():
        return table.data
    whole = anchored(table)
    changed = {
        column.name: whole.column(column.name)
        for column in table.schema.inputs
        if whole.column(column.name) is not table.data.column(column.name)
    }
    return with_columns(table.data, changed) if changed else table.data
