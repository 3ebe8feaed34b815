"""Text columns that are read in one sequence (premise and hypothesis, question and context): named, checked, read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeGuard

import pyarrow as pa

from graftwork.data.columns.kinds import Shape, is_string
from graftwork.data.columns.text import TextSettings, normalise
from graftwork.data.store.spool import slices
from graftwork.data.table import Column, Kind, joined_name
from graftwork.errors import UsageError

TextValue = str | tuple[str, ...]
"""What an encoder of texts reads of a row: a text, or the texts of several columns in their order."""
_NOT_TEXT: dict[Shape, str] = {
    "number": "numbers",
    "date": "dates",
    "image": "images",
    "audio": "audio",
    "nested": "lists or objects",
    "empty": "no value in any row",
}


def parse_joins(given: str | Sequence[str | Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """The columns of each join. A text names them with `+` between; a list names them one by one.

    >>> parse_joins("premise+hypothesis"), parse_joins([["a+b", "c"]])
    ((('premise', 'hypothesis'),), (('a+b', 'c'),))

    Raises UsageError for a join of fewer than two columns.
    """
    listed = [given] if isinstance(given, str) else list(given)
    joins = [tuple(one.split("+")) if isinstance(one, str) else _listed(one) for one in listed]
    for join in joins:
        if len(join) < 2 or not all(join):
            raise UsageError(
                f"--join {joined_name(join) or repr('')}: expected two or more text columns with + between, as in "
                "--join premise+hypothesis (in Python join=['premise+hypothesis'] or [['premise', 'hypothesis']])."
            )
    return tuple(joins)


def _listed(columns: object) -> tuple[str, ...]:
    """Names of columns; nothing where they are no list."""
    return tuple(map(str, columns)) if isinstance(columns, list | tuple) else ()


def joined_columns(
    joins: Sequence[Sequence[str]], data: pa.Table, shapes: Mapping[str, Shape], kinds: Mapping[str, Kind]
) -> tuple[list[Column], list[str]]:
    """The columns of these joins, read as text, and a line for each join. Their names are checked already.

    shapes: what each column looks like. kinds: those that the user named. Raises UsageError for one that is no text.
    """
    columns, notes = list[Column](), list[str]()
    for join in joins:
        name = joined_name(join)
        if name in data.column_names:
            raise UsageError(
                f"--join {name}: there is a column of this name already, and an input would be called the same. "
                "Rename the column."
            )
        for each in join:
            _check_text(each, name, data, shapes[each], kinds.get(each))
            columns.append(Column(each, "text", join=tuple(join)))
        notes.append(f"input: {name} (texts, read in one sequence), as named")
    return columns, notes


def _check_text(column: str, join: str, data: pa.Table, shape: Shape, kind: Kind | None) -> None:
    if kind == "text":
        return
    if kind is not None:
        raise UsageError(f"--join {join} reads '{column}' as text, but --kind says {kind}. Drop one of the two.")
    holds = _NOT_TEXT.get(shape)
    if holds is None and not is_string(data.schema.field(column).type):
        holds = "no texts"
    if holds is not None:
        remedy = "" if shape in ("nested", "empty") else f", or say --kind {column}=text to read it as text"
        raise UsageError(
            f"--join {join}: column '{column}' holds {holds}, and only texts are read in one sequence. "
            f"Leave it out of the join{remedy}."
        )


def text_values(columns: Sequence[Sequence[object]], settings: TextSettings) -> list[TextValue]:
    """The normalised texts of rows, by column in order; tuples where there are several columns. None is empty."""
    parts = [[normalise("" if value is None else str(value), settings) for value in values] for values in columns]
    return list(parts[0]) if len(parts) == 1 else list(zip(*parts, strict=True))


def column_texts(column: pa.ChunkedArray, settings: TextSettings) -> Iterator[str]:
    """The normalised texts of a column, slice by slice; missing ones are empty."""
    for part in slices(column):
        for value in part.to_pylist():
            yield normalise("" if value is None else str(value), settings)


def as_parts(value: TextValue) -> tuple[str, ...]:
    """The texts of a row, of one column or several."""
    return (value,) if isinstance(value, str) else value


def are_joined(values: Sequence[TextValue]) -> TypeGuard[Sequence[tuple[str, ...]]]:
    """Whether the rows hold several texts each."""
    return bool(values) and not isinstance(values[0], str)


def picks(columns: Sequence[str], name: str) -> bool:
    """Whether settings that name these columns (none: all of them) mean the input `name`. A list of settings has `+`
    between its items, so that the parts of a joined input, all of them in order, are its name too.

    >>> picks((), "a"), picks(("a",), "a"), picks(("a", "b"), "a+b"), picks(("b",), "a+b")
    (True, True, True, False)
    """
    return not columns or name in columns or name == joined_name(columns)
