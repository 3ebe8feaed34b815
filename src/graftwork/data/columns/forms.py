"""How columns write numbers and dates: found once on the training table, held against every later one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from graftwork.data.columns.convert import read_dates, to_numbers
from graftwork.data.columns.dates import WORDS, find_dates
from graftwork.data.columns.kinds import Judged, is_string, judge, sample
from graftwork.data.columns.numbers import Decimal, FoundForm, NumberForm, find_form
from graftwork.data.columns.spellings import count_values
from graftwork.data.store.spool import slices
from graftwork.data.table import Column, Schema, Table
from graftwork.errors import DataError

_SIGNS: dict[str, Decimal] = {"comma": ",", "point": "."}
_LISTED = 10
_SHARES = frozenset({"%", "‰"})
"""Units without which a number means another one."""


def judge_all(data: pa.Table, folder: Path | None = None, named: Mapping[str, str] | None = None) -> dict[str, Judged]:
    """What each column of a table holds, judged from a sample of its rows.

    named: how the user says that columns write numbers or dates (comma, point, dmy, mdy). What a column leaves open
    is told by the sign of decimals that all other columns of the table show.
    """
    sampled = sample(data)
    given = {name: _SIGNS[one] for name, one in (named or {}).items() if one in _SIGNS}
    columns = dict(zip(data.column_names, sampled.columns, strict=True))
    found = {
        field.name: judge(field.name, columns[field.name], field, folder, given.get(field.name, ""))
        for field in data.schema
    }
    open_ones = [name for name, one in found.items() if one.either and name not in given]
    if not open_ones:
        return found
    clear = [NumberForm.of(one.form) for one in found.values() if one.form and not one.unclear]
    commas = any(form.decimal == "," for form in clear)
    points = any(form.decimal == "." and form.thousands for form in clear)
    if commas == points:
        return found
    for name in open_ones:
        field = data.schema.field(name)
        found[name] = judge(name, columns[name], field, folder, "," if commas else ".")
    return found


def with_forms(
    columns: Sequence[Column],
    judged: Mapping[str, Judged],
    data: pa.Table,
    source: str,
    named: Mapping[str, str],
) -> tuple[list[Column], list[str]]:
    """The columns with the form of their numbers, and a line for each reading that is not plain.

    Raises DataError for numbers that can be read in two ways where nothing tells which.
    """
    made, notes = [], []
    for column in columns:
        if column.kind == "number" and column.name in judged and is_string(data.schema.field(column.name).type):
            one = judged[column.name]
            if one.shape != "number":
                one = _as_numbers(column.name, data, _SIGNS.get(named.get(column.name, ""), ""))
            if one.unclear:
                raise _unclear(source, column.name, one.unclear)
            column = replace(column, form=one.form)
            unit = NumberForm.of(one.form).unit
            given_back = f"; predictions are plain numbers{f' in {unit}' if unit else ''}" if one.note else ""
            notes += [one.note + (given_back if column.role == "target" else "")] if one.note else []
        elif column.kind == "date" and column.name in judged and not _told_already(column, judged[column.name]):
            column, said = _with_dates(column, judged[column.name], data, source, named.get(column.name, ""))
            notes += said
        elif column.kind == "category" and column.role is None and column.name in judged and judged[column.name].why:
            why = judged[column.name].why
            notes.append(f"{column.name}: read as categories, not numbers; --kind COLUMN=number reads numbers ({why})")
        elif column.role is None and column.kind == judged[column.name].shape and judged[column.name].note:
            notes.append(judged[column.name].note)
        made.append(column)
    return made, together(notes)


def _told_already(column: Column, judged: Judged) -> bool:
    """Whether a column of times was found to hold dates where not all of its values are; those are named later."""
    return column.role in ("time", "step") and judged.shape != "date"


def together(notes: Sequence[str]) -> list[str]:
    """Lines `column: reading (why)` with one line for all columns that are read alike.

    >>> together(['a: numbers written as "5 €" (EUR)', 'b: numbers written as "6 €" (EUR)', "c: other"])
    ['a, b: numbers written as "5 €" (EUR)', 'c: other']
    """
    alike: dict[str, list[tuple[str, str]]] = {}
    for note in notes:
        name, _, reading = note.partition(": ")
        why = reading[reading.rfind(" (") :] if reading.endswith(")") else note
        alike.setdefault(why, []).append((name, reading))
    lines = []
    for found in alike.values():
        more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
        lines.append(f"{', '.join(name for name, _ in found[:_LISTED])}{more}: {found[0][1]}")
    return lines


def _with_dates(column: Column, judged: Judged, data: pa.Table, source: str, named: str) -> tuple[Column, list[str]]:
    """The column with the form of its dates; DataError for one that the user calls dates and that holds none."""
    if named:
        return replace(column, form=named), []
    if judged.shape != "date":
        raise DataError(
            f"{source}: column '{column.name}' is to be read as dates, but its values are none, such as "
            f"'{data.column(column.name).drop_null()[0]}'. Write them like 2024-01-31, or read it as something else."
        )
    return replace(column, form=judged.form), [judged.note] if judged.note else []


def refitted(table: Table) -> tuple[Table, list[str]]:
    """A later table, whose schema has the forms of the training table, with forms that fit its own way of writing.

    Where the form of training reads every number it stays. Else the table's own evidence decides, if it is clear and
    in the same unit; a line says so. What is still no number is left to be named as a bad row.
    """
    columns, notes = list[Column](), []
    for column in table.schema.columns:
        if column.kind == "number" and is_string(table.column(column.name).type):
            values = table.column(column.name)
            if len(to_numbers(values, column.form)[1]):
                known = NumberForm.of(column.form)
                found = find_form(count_values(values), known)
                if found and _takes_over(found, known, values, column):
                    column = replace(column, form=found.form.text)
                    notes.append(_other_form(column.name, found, known))
        elif column.kind == "number" and NumberForm.of(column.form).unit in _SHARES:
            unit = NumberForm.of(column.form).unit
            notes.append(f"{column.name}: plain numbers here, taken for {unit} as in training: 12 means 12 {unit}")
        if column.kind == "date" and is_string(table.column(column.name).type):
            column, said = _refitted_dates(column, table.column(column.name))
            notes += said
        columns.append(column)
    return (replace(table, schema=Schema(tuple(columns))), notes) if notes else (table, [])


def _refitted_dates(column: Column, values: pa.ChunkedArray) -> tuple[Column, list[str]]:
    if not len(read_dates(values, column.form)[1]):
        return column, []
    found = find_dates([text for part in slices(values.drop_null()) for text in part.to_pylist()])
    if found is None or found.unclear or found.form == column.form:
        return column, []
    words = WORDS.get(found.form, "as each tells")
    said = (
        f'{column.name}: dates are written as "{found.example}" ({words}) here, not as in the training table; read so'
    )
    return replace(column, form=found.form), [said]


def _takes_over(found: FoundForm, known: NumberForm, values: pa.ChunkedArray, column: Column) -> bool:
    if found.form == known or found.unclear:
        return False
    own, training = found.form.unit, known.unit
    if own != training and ((own and training) or _SHARES & {own, training}):
        return False
    return len(to_numbers(values, found.form.text)[1]) < len(to_numbers(values, column.form)[1])


def _other_form(name: str, found: FoundForm, known: NumberForm) -> str:
    here = f'"{found.example}" ({found.words})' if found.words else f'"{found.example}"'
    unit = f", taken for {known.unit}" if known.unit and not found.form.unit else ""
    return f"{name}: numbers are written as {here} here, not as in the training table; read so{unit}"


def _as_numbers(name: str, data: pa.Table, decimal: Decimal) -> Judged:
    """A column that the user or a task says holds numbers."""
    found = find_form(count_values(sample(data.select([name])).column(0)), decimal=decimal)
    if found is None:
        return Judged("number")
    return Judged("number", found.form.text, found.note(name), unclear=found.unclear)


def _unclear(source: str, name: str, value: str) -> DataError:
    bare = value.strip()
    return DataError(
        f"{source}: column '{name}' holds numbers such as '{bare}', whose comma may stand between thousands or be a "
        f"decimal comma, and no row tells which. Say it: --kind {name}=number:point where the comma parts thousands, "
        f"--kind {name}=number:comma where it is the decimal sign (in Python kinds={{'{name}': 'number:comma'}})."
    )
