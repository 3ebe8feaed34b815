"""Which column is the target, and whether it holds classes or numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from graftwork.data.columns.ids import names_an_amount, words_of
from graftwork.data.columns.kinds import Judged, Shape, is_string, sample
from graftwork.data.columns.labels import looks_like_lists
from graftwork.data.columns.number_text import MISSING_NUMBERS, is_missing_number
from graftwork.data.columns.numbers import NumberForm
from graftwork.data.columns.values import same_value
from graftwork.data.store.spool import slices
from graftwork.data.table import CLASSES, Column, Kind
from graftwork.errors import DataError, UsageError

_SURE = ("label", "labels", "target", "class", "标签", "类别")
_LIKELY = (
    *("category", "y", "intent", "sentiment", "topic", "tag", "emotion", "classes", "label_name", "label_text"),
    *("rating", "score", "stars", "分类", "情感"),
)
_CLASS_WORDS = frozenset({"label", "labels", "class", "category", "intent", "topic", "tag", "标签", "类别", "分类"})
MANY_CLASSES = 20
"""Whole numbers with more distinct values than this are numbers to predict, not classes."""
_MOST_CLASS_NUMBERS, _ROWS_A_CLASS = 1000, 5
"""Unless they are 0, 1, ... without a gap, up to so many with so many rows each; or called a class, with twice that."""


@dataclass(frozen=True)
class Chosen:
    """A target column and the line that tells the user."""

    column: Column
    note: str


def named_target(data: pa.Table, name: str, judged: Judged, source: str, task_kind: Kind | None) -> Chosen:
    """The column that the user named."""
    return _chosen(data, name, judged, source, task_kind, "as named")


def find_target(data: pa.Table, judged: Mapping[str, Judged], source: str, task_kind: Kind | None) -> Chosen:
    """The target among these columns; UsageError, with the candidates, if it can't be told."""
    shapes = {name: one.shape for name, one in judged.items()}
    for names in (_SURE, _LIKELY):
        found = [name for name in shapes if name.strip().lower() in names and shapes[name] not in ("empty", "date")]
        if len(found) == 1:
            return _chosen(data, found[0], judged[found[0]], source, task_kind, "found by its name")
        if found:
            raise _ambiguous(source, found)
    wanted: Shape = "number" if task_kind == "number" else "category"
    found = [name for name, shape in shapes.items() if shape == wanted]
    if len(found) == 1:
        why = "the only column of numbers" if wanted == "number" else "the only column with few distinct values"
        return _chosen(data, found[0], judged[found[0]], source, task_kind, why)
    if found:
        raise _ambiguous(source, found)
    raise UsageError(
        f"{source} has no column that looks like a target (columns: {', '.join(data.column_names[:20])}). "
        f"Name it: --target COLUMN (in Python target='COLUMN').{headless(data.column_names)}"
    )


def headless(names: list[str]) -> str:
    """A hint for a table whose column names look like values, as they do where the header line is missing."""
    strange = any(NumberForm().value(name) is not None or len(name) > 40 or len(name.split()) > 5 for name in names)
    return " If the file has no header line, put one on top: the first line is taken for it." if strange else ""


def _ambiguous(source: str, found: list[str]) -> UsageError:
    listing = " or ".join(found[:10])
    return UsageError(f"{source}: the target could be {listing}. Name it: --target COLUMN (in Python target='COLUMN').")


def _chosen(data: pa.Table, name: str, judged: Judged, source: str, task_kind: Kind | None, why: str) -> Chosen:
    column, shape = data.column(name), judged.shape
    lists = _are_lists(column.type)
    if shape == "empty":
        raise DataError(f"{source}: the target '{name}' has no value in any row. Expected labels.")
    if task_kind == "text":  # a task that reads its own form of targets: text, json text, lists of objects
        return Chosen(Column(name, "text", "target"), f"target: {name}, {why}")
    if shape in ("image", "audio") or (shape == "nested" and not lists):
        what = _UNFIT.get(shape, f"{shape} values")
        raise DataError(
            f"{source}: the target '{name}' holds {what}. Expected labels (text, true/false or numbers), lists of "
            "labels, or numbers: one column with what is to be predicted. Name another one with --target."
        )
    if lists and task_kind != "number":
        return Chosen(Column(name, "category", "target"), f"target: {name} (lists of labels), {why}")
    if lists:
        raise DataError(f"{source}: the target '{name}' holds lists. Expected one number a row.")
    kind: Kind = task_kind or _kind(data, name, judged, source)
    if kind == "number":
        return Chosen(Column(name, "number", "target"), f"target: {name} (number), {why}")
    count = _count_classes(column)
    note = f"target: {name} (category, {count} classes), {why}"
    suspicious = _missing_marks(column)
    digits = shape == "number" or (shape == "date" and not is_string(column.type)) or judged.why or _has_codes(column)
    if task_kind is None and digits:
        what = "codes with leading zeros" if _has_codes(column) else "numbers"
        note += f"; its {what} are taken for classes, --task regression predicts them as numbers"
    if suspicious:
        note += f"; '{suspicious}' is taken for a class: leave the cell empty if it means missing"
    return Chosen(Column(name, "category", "target"), note)


def _are_lists(kind: pa.DataType) -> bool:
    """Lists of plain values, not of objects or of other lists."""
    lists = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return bool(lists and not pa.types.is_nested(kind.value_type))


_UNFIT: dict[Shape, str] = {"nested": "nested values"}


def _kind(data: pa.Table, name: str, judged: Judged, source: str) -> Kind:
    """Few whole numbers, and everything that is not a number, are classes; other numbers are to be predicted."""
    column, shape = data.column(name), judged.shape
    values = sample(data.select([name])).column(name).drop_null().to_pylist()
    if is_string(column.type):
        values = [value.strip() for value in values if value.strip()]
    elif shape in ("id", "date", "category") and _is_numeric(column.type) and not _is_marked(data, name):
        shape = "number"  # what makes codes, ids or dates of an input says nothing of what is to be predicted
    distinct = set(values)
    if shape in ("number", "id") and _has_codes(column):
        return "category"
    form = NumberForm.of(judged.form)
    numbers = [form.value(value) if isinstance(value, str) else value for value in distinct if not _is_mark(value)]
    if shape == "number" or (judged.why and not _has_codes(column)) or (shape == "id" and None not in numbers):
        known = [value for value in numbers if value is not None]
        few = len(distinct) <= MANY_CLASSES and (2 * len(distinct) <= len(values) or len(distinct) <= 2)
        whole = bool(judged.form) or all(_is_whole(value) for value in known)
        if not whole or (names_an_amount(name) and not judged.form):
            return "number"
        return "category" if few or _are_class_numbers(known, name, len(values)) else "number"
    if shape in ("text", "id") and len(values) >= 20 and len(distinct) > 0.7 * len(values):
        raise DataError(
            f"{source}: the target '{name}' has {len(distinct):,} different values in {len(values):,} rows, so it "
            "looks like free text, not like classes that repeat. Name another column with --target; if these are "
            f"classes, say --task classification.{_lists_hint(map(str, distinct))}"
        )
    return "category"


def _is_numeric(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _lists_hint(values: Iterable[str]) -> str:
    form = looks_like_lists(values)
    return "" if form is None else f" If they are lists of labels ({form.words}), say --task multilabel."


def _is_marked(data: pa.Table, name: str) -> bool:
    """Whether the table says itself that these are classes."""
    return (data.schema.field(name).metadata or {}).items() >= CLASSES.items()


def _is_mark(value: object) -> bool:
    return isinstance(value, str) and is_missing_number(value)


def _has_codes(column: pa.ChunkedArray) -> bool:
    """Whether a text is digits behind a zero (`007`): a number would lose it."""
    if not is_string(column.type):
        return False
    return bool(pc.any(pc.match_substring_regex(column, r"^\s*0\d+\s*$")).as_py())


def _are_class_numbers(numbers: Sequence[object], name: str, rows: int) -> bool:
    """Whether these are 0, 1, ... without a gap, or called a class, each of several rows."""
    count, called = len(numbers), bool(_CLASS_WORDS & set(words_of(name)))
    unbroken = {float(str(number)) for number in numbers} == set(map(float, range(count)))
    wanted = _ROWS_A_CLASS if unbroken else 2 * _ROWS_A_CLASS
    return MANY_CLASSES < count <= _MOST_CLASS_NUMBERS and (unbroken or called) and rows >= wanted * count


def _is_whole(value: object) -> bool:
    try:
        return float(str(value)) == int(float(str(value)))
    except (ValueError, OverflowError):
        return False


def _count_classes(column: pa.ChunkedArray, most: int = 10_000) -> str:
    found: set[object] = set()
    for part in slices(column):
        values = pc.unique(part.drop_null()).to_pylist()
        found |= {same_value(value) if isinstance(value, str) else value for value in values} - {""}
        if len(found) > most:
            return f"more than {most:,}"
    return f"{len(found):,}"


def _missing_marks(column: pa.ChunkedArray) -> str | None:
    """A class that is spelt like a missing value, if there is one."""
    if not is_string(column.type):
        return None
    values = pc.unique(sample(pa.table({"x": column})).column("x").drop_null()).to_pylist()
    marks = MISSING_NUMBERS - {"", "-", "none", "?"}
    return next((value for value in values if value.strip().lower() in marks), None)
