"""The classes of a target column: labels become class indices, and indices the column's own values again."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graftwork.data.columns.spellings import count_values, kept_spellings
from graftwork.data.columns.values import is_blank, same_value, same_values
from graftwork.errors import DataError
from graftwork.shown import counted, shortened_text

MISSING = -1
"""The class index of a row without a label."""

_SHOWN = 5


@dataclass(frozen=True)
class Labels:
    """Distinct labels in order: numbers by size, everything else by its text.

    texts: the labels as text. type: the Arrow type of the values in the training column, so that a predicted class
    goes back into the form it came in (`1` for a column of whole numbers, `"1"` for a column of text).
    """

    texts: tuple[str, ...]
    type: str = "string"

    @classmethod
    def learn(cls, column: pa.ChunkedArray) -> Self:
        """The labels of a column. Nulls, NaN and blank texts are missing labels, not classes.

        What is certainly one value (`7` and `7.0`) is one label, in the form that is written most often.
        """
        plain = normal(column)
        distinct = pc.unique(plain).drop_null()
        if pa.types.is_string(plain.type):
            distinct = pa.array(dict.fromkeys(kept_spellings(count_values(plain)).values()), pa.string())
        ordered = distinct.take(pc.sort_indices(distinct))
        return cls(tuple(ordered.cast(pa.string()).to_pylist()), str(plain.type))

    def with_new(self, column: pa.ChunkedArray) -> Labels:
        """These labels, and behind them those of the column that are not among them, in its own order."""
        known = {same_value(text) for text in self.texts}
        new = tuple(text for text in Labels.learn(column).texts if same_value(text) not in known)
        return Labels((*self.texts, *new), self.type if not new else "string")

    def codes(self, column: pa.ChunkedArray, source: str, rows: np.ndarray) -> np.ndarray:
        """Class index of each row (N,), int64, `MISSING` where there is no label; `7.0` is the class `7`.

        Raises DataError with the labels that are not among these classes, how often and in which rows they stand.
        """
        plain = normal(column)
        known, plain = self._comparable(plain)
        found = pc.index_in(plain, value_set=known)
        unknown = pc.and_(pc.is_null(found), pc.is_valid(plain))
        if pc.any(unknown).as_py():
            found = pc.coalesce(found, self._in_other_words(plain))
            unknown = pc.and_(pc.is_null(found), pc.is_valid(plain))
        if pc.any(unknown).as_py():
            raise DataError(self._unknown(plain, np.asarray(unknown), source, rows))
        codes: np.ndarray = np.asarray(pc.fill_null(found, MISSING)).astype(np.int64)
        return codes

    def values(self, codes: np.ndarray) -> list[Any]:
        """The values of these class indices, as they stand in the training column.

        >>> Labels(("1", "2"), "int64").values(np.array([1, 0]))
        [2, 1]
        """
        own = pa.array(self.texts, pa.string()).cast(pa.type_for_alias(self.type)).to_pylist()
        return [own[code] for code in codes.tolist()]

    def _in_other_words(self, column: pa.ChunkedArray) -> pa.Array:
        known = pa.array([same_value(text) for text in self.texts], pa.string())
        whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        return pc.index_in(same_values(whole), value_set=known)

    def _comparable(self, column: pa.ChunkedArray) -> tuple[pa.Array, pa.ChunkedArray]:
        """These labels and the column in one type: the training column's, or text where that can't be."""
        texts = pa.array(self.texts, pa.string())
        wanted = pa.type_for_alias(self.type)
        if column.type != wanted:
            try:
                column = column.cast(wanted)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                return texts, column.cast(pa.string())
        return texts.cast(wanted), column

    def _unknown(self, column: pa.ChunkedArray, unknown: np.ndarray, source: str, rows: np.ndarray) -> str:
        strange = column.filter(pa.array(unknown)).cast(pa.string()).to_pylist()
        at: dict[str, list[int]] = {}
        for label, row in zip(strange, rows[unknown].tolist(), strict=True):
            at.setdefault(label, []).append(row)
        found = "; ".join(self._described(label, where) for label, where in list(at.items())[:_SHOWN])
        more = f"; and {len(at) - _SHOWN} more labels" if len(at) > _SHOWN else ""
        return (
            f"{source} holds {counted(len(at), 'label')} that the training rows never had: {found}{more}. "
            f"Expected one of {counted(len(self.texts), 'class')}: {shortened(self.texts)}. "
            "Correct these labels, drop their rows, or train on rows that have them."
        )

    def _described(self, label: str, rows: list[int]) -> str:
        close = difflib.get_close_matches(label, self.texts, n=1)
        hint = f", nearest known class '{close[0]}'" if close else ""
        return f"'{shortened_text(label)}' ({row_list(rows)}{hint})"


def normal(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column with plain values, whose NaNs and blank texts are null; types that hold no label become text."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_floating(column.type):
        return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    if pa.types.is_integer(column.type) or pa.types.is_boolean(column.type):
        return column
    column = column.cast(pa.string())
    return pc.if_else(is_blank(column), pa.scalar(None, pa.string()), column)


def labelled_as(column: pa.ChunkedArray, label: str) -> np.ndarray:
    """Which rows have this label (N,), bool, in any way to write it."""
    texts = same_values(normal(column).cast(pa.string()).combine_chunks())
    found: np.ndarray = np.asarray(pc.fill_null(pc.equal(texts, same_value(label)), False))
    return found


def row_list(rows: list[int]) -> str:
    """Row numbers for a message.

    >>> row_list([4]), row_list([1, 2, 3, 4, 5, 6, 7])
    ('row 4', '7 rows: 1, 2, 3, 4, 5, …')
    """
    if len(rows) == 1:
        return f"row {rows[0]}"
    return f"{len(rows):,} rows: {', '.join(map(str, rows[:_SHOWN]))}{', …' if len(rows) > _SHOWN else ''}"


def shortened(names: tuple[str, ...], shown: int = 8) -> str:
    """A list of names for a message, cut after `shown`."""
    return ", ".join(map(shortened_text, names[:shown])) + (", …" if len(names) > shown else "")


def label_counts(column: pa.ChunkedArray) -> dict[str, int]:
    """Rows of each class by its name, most frequent first; missing labels are left out."""
    counted = pc.value_counts(normal(column).drop_null())
    names = counted.field("values").cast(pa.string()).to_pylist()
    pairs = zip(names, counted.field("counts").to_pylist(), strict=True)
    return dict(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))
