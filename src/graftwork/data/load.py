"""From a source to a Table that is ready for use: read, typed, checked."""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graftwork.data.columns.convert import as_text, to_kinds
from graftwork.data.columns.forms import refitted
from graftwork.data.columns.schema import infer
from graftwork.data.columns.spellings import one_spelling
from graftwork.data.media import media, scales
from graftwork.data.media.deep import Range
from graftwork.data.media.images import is_picture
from graftwork.data.quality.checks import NO_LABEL, BadRow, OnBadRows, apply, check, check_classes, known_choice
from graftwork.data.read import source as reading
from graftwork.data.read import union
from graftwork.data.read.folders import LABEL
from graftwork.data.read.source import Source
from graftwork.data.read.unread import lost_classes
from graftwork.data.store.spool import slices
from graftwork.data.table import Column, Kind, Schema, Table
from graftwork.errors import DataError, UsageError, nearest

__all__ = ["Loaded", "Source", "load", "load_like"]


@dataclass(frozen=True)
class Loaded:
    """A table; notes for the user of what was inferred, changed or left out; and the bad rows that were kept in it.

    written: columns of numbers and dates as the source writes them, where that is not plain. reread: those of the notes
    that say that a column was read in another way than in training.
    """

    table: Table
    notes: list[str]
    bad: list[BadRow] = field(default_factory=list)
    written: Mapping[str, pa.ChunkedArray] = field(default_factory=dict)
    reread: Sequence[str] = ()

    def warn(self) -> None:
        """Say what was reread, where nobody prints the notes."""
        for line in self.reread:
            warnings.warn(line, stacklevel=3)


def load(
    source: Source,
    *,
    target: str | Sequence[str] | None = None,
    inputs: Sequence[str] | None = None,
    join: Sequence[Sequence[str]] = (),
    ignore: Sequence[str] = (),
    roles: Mapping[str, str] | None = None,
    kinds: Mapping[str, str] | None = None,
    task_kind: Kind | Mapping[str, Kind] | None = None,
    many_labels: bool | Collection[str] = False,
    on_bad_rows: OnBadRows = "fail",
    name: str | None = None,
) -> Loaded:
    """A training table. See `read` for sources, `infer` for how columns are chosen, `check` for what a bad row is.

    source: also a list of tables (paths or frames) that share their inputs; they are joined, and a target that one of
        them lacks is missing there. many_labels: rows have several labels (text with a separator, or lists), so classes
        are not counted here; or the targets of which that holds.
    on_bad_rows: "fail" raises DataError that lists bad rows and classes with a single row; "skip" leaves them out.
    """
    on_bad_rows = known_choice(on_bad_rows)
    parts = union.read_parts(source, name)
    whole = union.union(parts)
    read = {*(inputs or ()), *(name for columns in join for name in columns)}
    named = {*([target] if isinstance(target, str) else target or ()), *read, *ignore}
    found = reading.roles_of(parts[0].data)
    roles = {role: column for role, column in found.items() if column not in named} | dict(roles or {})
    options: _Options = {
        "target": target,
        "inputs": inputs,
        "join": join,
        "roles": roles,
        "kinds": kinds,
        "task_kind": task_kind,
        "folder": parts[0].folder,
    }
    schema, notes = infer(whole.data, whole.name, ignore=ignore, **options)
    used = {*(column.name for column in schema.targets), *read, *roles.values(), *ignore}
    lacking = [name for name in union.unshared(parts) if name not in used]
    ids = [name for name in union.row_ids(parts) if name not in used and name not in lacking]
    if lacking or ids:
        schema, notes = infer(whole.data.drop_columns([*lacking, *ids]), whole.name, ignore=ignore, **options)
        notes += [f"not used: {', '.join(lacking)} (not in every table)"] if lacking else []
        notes += [f"ignored: {name} (row ids: every row has another one)" for name in ids]
    union.check_shared(parts, schema)
    notes = union.note(parts, schema) + notes + [line for part in parts for line in reading.notes_of(part.data)]

    ranges: list[dict[str, list[Range]]] = []

    def ready(table: Table) -> Table:
        bad = check(table, need_target=True)
        bad = [_with_remedy(row, many_labels) for row in bad]
        ranges.append(scales.ranges_of(table))
        notes.extend(media.cancelled(table) + media.plain_images(table))
        before = table
        table, skipped = apply(table, bad, on_bad_rows)
        skipped += lost_classes(before, table) if skipped else []
        table, changed = to_kinds(table)
        notes.extend(skipped + changed)
        return table

    notes = [_as_lists(note, many_labels) for note in notes]
    table = union.each(parts, schema, ready)
    table, said = _with_classes(table, many_labels, on_bad_rows)
    scaled, of_scales = scales.with_scales(with_levels(table), scales.joined(ranges))
    return Loaded(replace(table, schema=scaled), notes + said + of_scales)


def _with_classes(table: Table, many_labels: bool | Collection[str], on_bad_rows: OnBadRows) -> tuple[Table, list[str]]:
    """The table with each class in one spelling and in rows enough, and what is to be said."""
    notes = list[str]()
    for column in table.schema.targets:
        counted = not many_labels if isinstance(many_labels, bool) else column.name not in many_labels
        if column.kind == "category" and counted:
            values, said = one_spelling(table.column(column.name), column.name)
            table = replace(table, data=with_column(table.data, column.name, values))
            table, dropped = check_classes(table, column.name, on_bad_rows)
            notes += said + dropped
    return table, notes


def _as_lists(note: str, many_labels: bool | Collection[str]) -> str:
    """A line on a target: where its texts write lists of labels, the different ones are no classes."""
    found = re.match(r"target: (.*) \(category, [\d,]+ classes\)(, .*)", note)
    if found is None or not (many_labels if isinstance(many_labels, bool) else found[1] in many_labels):
        return note
    return f"target: {found[1]} (lists of labels){found[2]}"


def _with_remedy(bad: BadRow, many_labels: bool | Collection[str]) -> BadRow:
    """What is wrong with a row; of a target with several labels, how to say that it has none of them."""
    several_labels = many_labels if isinstance(many_labels, bool) else bad.column in many_labels
    if several_labels and bad.reason == NO_LABEL:
        return replace(bad, reason=f"{NO_LABEL} (write [] where it has none of them)")
    return bad


def with_column(data: pa.Table, name: str, values: pa.ChunkedArray) -> pa.Table:
    """The table with other values in a column; its place and metadata stay."""
    at = data.column_names.index(name)
    return data if values is data.column(at) else data.set_column(at, data.schema.field(at), values)


class _Options(TypedDict):
    target: str | Sequence[str] | None
    inputs: Sequence[str] | None
    join: Sequence[Sequence[str]]
    roles: Mapping[str, str]
    kinds: Mapping[str, str] | None
    task_kind: Kind | Mapping[str, Kind] | None
    folder: Path | None


def with_levels(table: Table) -> Schema:
    """The schema with the values of the domain column, so that later tables number them alike."""
    columns = []
    for column in table.schema.columns:
        if column.role == "domain":
            found = {
                value for part in slices(table.column(column.name)) for value in pc.unique(as_text(part)).to_pylist()
            }
            column = replace(column, levels=tuple(sorted(found - {None})))
        columns.append(column)
    return Schema(tuple(columns))


def load_like(
    source: Source,
    schema: Schema,
    *,
    with_target: bool,
    on_bad_rows: Literal["fail", "skip", "keep"] = "fail",
    name: str | None = None,
) -> Loaded:
    """A table to validate, test or predict, with the columns of the training table's `schema`.

    Inputs must be there, the target too `with_target`; other roles where the table has them, and only `with_target`
    must they have values (a prediction needs none). Further columns are kept. A list of texts is the one text input.
    "keep" leaves bad rows in the table and gives them in `bad`, so that a prediction can answer row by row.
    """
    wanted = schema if with_target else schema.without("target")
    data, called = reading.read(_as_input(source, wanted), name=name or ("the list" if _is_listed(source) else None))
    notes = reading.notes_of(data)
    if with_target:
        data = union.with_targets(data, schema)
    if reading.is_collection(source):
        data = _as_called(data, wanted)
    there = set(data.column_names)
    columns = tuple(column for column in wanted.columns if column.name in there or _must_have(column, data, called))
    table = Table(data, Schema(columns), called, np.arange(1, len(data) + 1), reading.folder_of(source))
    table, refit = refitted(table)
    looked_at = table if with_target else replace(table, schema=Schema(table.schema.inputs))
    bad = check(looked_at, need_target=with_target)
    if on_bad_rows != "keep":
        table, skipped = apply(table, bad, on_bad_rows)
        notes, bad = notes + skipped, []
    notes += scales.beyond(looked_at) + media.cancelled(looked_at) + media.plain_images(looked_at)
    ready, changed = to_kinds(table)
    return Loaded(replace(ready, schema=Schema(columns)), notes + refit + changed, bad, _written(table, bad), refit)


def _written(table: Table, bad: Sequence[BadRow]) -> dict[str, pa.ChunkedArray]:
    """Columns that a reader would miss if only what was read of them were left."""
    changed = {row.column for row in bad}
    return {
        column.name: table.column(column.name)
        for column in table.schema.columns
        if (column.kind == "date" and not pa.types.is_temporal(table.column(column.name).type))
        or (column.kind == "number" and (column.form or column.name in changed))
    }


def _as_called(data: pa.Table, schema: Schema) -> pa.Table:
    """A folder's columns under the names that the training table has for its one image or sound, and its target."""
    media = [column.name for column in schema.inputs if column.kind == data.column_names[0]]
    names = {data.column_names[0]: media[0]} if len(media) == 1 else {}
    if len(schema.targets) == 1:
        names[LABEL] = schema.targets[0].name
    return data.rename_columns([names.get(name, name) for name in data.column_names])


def _must_have(column: Column, data: pa.Table, source: str) -> bool:
    """False for a column that a table may lack; DataError for any other."""
    if column.role not in (None, "target"):
        return False
    use = "target" if column.role == "target" else "input"
    raise DataError(
        f"{source} has no column '{column.name}', the {use} of the training table. "
        f"{nearest(column.name, data.column_names)} Rename the column that holds it."
    )


def _as_input(source: Source, schema: Schema) -> Any:
    """A list (array, Series) of texts, or of images in memory, as the one input."""
    if isinstance(source, str | Mapping) or not _is_listed(source):
        return source
    if len(schema.inputs) != 1:
        names = ", ".join(column.name for column in schema.inputs)
        raise UsageError(f"A list fits one input, but there are {len(schema.inputs)} ({names}). Give dicts or a frame.")
    return {schema.inputs[0].name: source}


def _is_listed(source: Any) -> bool:
    return _is_texts(source) or _are_pictures(source)


def _are_pictures(source: Any) -> bool:
    if hasattr(source, "shape") and hasattr(source, "tolist"):
        return len(source.shape) in (3, 4)
    return isinstance(source, list | tuple) and any(is_picture(item) for item in source)


def _is_texts(source: Any) -> bool:
    if hasattr(source, "shape") and hasattr(source, "tolist"):
        return len(source.shape) == 1
    if not isinstance(source, list | tuple) or not source:
        return False
    return all(item is None or isinstance(item, str) or item != item for item in source)
