"""A target column with several labels a row as Arrow lists, whether it holds lists or texts that write them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graftwork.data.columns.label_form import LabelForm, NotThisForm, called
from graftwork.data.columns.labels import AUTO, WORDS, are_marks, find_form, named_form, seen_separators
from graftwork.data.columns.spellings import likely_note, merged_note
from graftwork.errors import DataError
from graftwork.shown import counted, shortened_text
from graftwork.tasks.labels import Labels, normal, row_list

_NAME = "--task multilabel:separator=TEXT (or a word: comma, space, tab, newline)"


def is_list(column: pa.ChunkedArray) -> bool:
    kind = column.type
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def distinct_texts(column: pa.ChunkedArray) -> list[str]:
    found: list[str] = pc.unique(normal(column)).drop_null().cast(pa.string()).to_pylist()
    return found


def form_of(column: pa.ChunkedArray, source: str, separator: str) -> LabelForm:
    """How the texts of a column write lists, with a separator that the user named, or `auto`.

    Raises DataError where no text holds it, or none can be told.
    """
    if pa.types.is_nested(column.type):
        raise DataError(f"{source}: the target holds {column.type}. Expected lists of labels, or text.")
    texts = distinct_texts(column)
    form = find_form(texts) if separator == AUTO else named_form(texts, WORDS.get(separator, separator))
    if form is not None:
        return form
    if are_marks(texts):
        raise _marks(source, texts)
    seen = seen_separators(texts)
    example = f"such as '{shortened_text(texts[0])}'" if texts else "all empty"
    if separator != AUTO:
        other = f"They may be parted by {' or '.join(seen[:3])}." if seen else "Each row seems to have one label."
        raise DataError(
            f"{source}: no row has {called(WORDS.get(separator, separator))} between labels ({example}). {other} Name "
            f"it: {_NAME}; or say --task classification if each row has one label."
        )
    raise DataError(
        f"{source}: no separator between labels can be told in {counted(len(texts), 'different value')} of the target, "
        f"{example}. Name it: {_NAME}. If each row has one label, say --task classification."
    )


def as_lists(column: pa.ChunkedArray, form: LabelForm | None, source: str, rows: np.ndarray) -> pa.ListArray:
    """The column as one array of lists of labels, null where a row has no target; form: how texts write them.

    rows: numbers of the rows in their source. Raises DataError, with the rows, for texts of another form.
    """
    if is_list(column):
        lists = column.combine_chunks()
        if pa.types.is_nested(lists.type.value_type):
            raise DataError(f"{source}: the target holds {column.type}. Expected lists of labels.")
        return lists
    if form is None or pa.types.is_nested(column.type):
        raise DataError(f"{source}: the target holds {column.type}. Expected lists of labels, or text.")
    coded = pc.dictionary_encode(normal(column).cast(pa.string()).combine_chunks())
    found: list[list[str] | None] = []
    for text in coded.dictionary.to_pylist():
        try:
            found.append(form.read(text))
        except NotThisForm as error:
            at = np.flatnonzero(np.asarray(pc.equal(coded.cast(pa.string()), text).fill_null(False)))
            raise DataError(
                f"{source}, {row_list(rows[at].tolist())}: '{shortened_text(text)}' can't be read ({error}), while the "
                f"other rows of the target are {form.words}. Write it alike."
            ) from None
    return pa.array(found, pa.list_(pa.string())).take(coded.indices)


def check_marks(flat: pa.Array, lists: pa.ListArray, source: str) -> None:
    """Raise DataError where the labels are zeros and ones: a vector in each cell, or a column a label."""
    texts = pc.unique(flat).drop_null().cast(pa.string()).to_pylist()
    if len(flat) and are_marks(texts):
        width = Counter(pc.list_value_length(lists).drop_null().to_pylist()).most_common(1)[0][0]
        raise _marks(source, texts, width)


def how_read(lists: pa.ListArray, form: LabelForm | None, labels: Labels, named: str) -> tuple[str, ...]:
    """What is said of the reading: the separator found, and labels in several writings."""
    flat = pc.list_flatten(lists)
    known = len(lists) - lists.null_count
    lines = []
    if form is not None:
        mean = len(flat) / max(1, known)
        other = "" if named else "; another separator: --task multilabel:separator=TEXT"
        said = f", {named}" if named else ""
        lines.append(f"labels: {form.words}{said}: {len(labels.texts):,} labels, {mean:.2g} a row{other}")
    if pa.types.is_string(flat.type):
        counted = pc.value_counts(flat.drop_null())
        counts = dict(zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True))
        lines += merged_note(counts, "labels")
        kept = {text: counts.get(text, 0) for text in labels.texts}
        lines += likely_note(kept, "labels")
    return tuple(lines)


def _marks(source: str, texts: list[str], width: int = 1) -> DataError:
    shown = " and ".join(sorted(texts)[:2])
    if width > 1:
        what = f"each row of the target holds {width} marks ({shown}), not names of labels"
        mend = "Write the names of the labels that a row has, such as 'red;round'; or make a column of each mark"
    else:
        what = f"the target holds marks ({shown}), not names of labels: it looks like one column of several"
        mend = "Name each of these columns as a target of its own"
    return DataError(f"{source}: {what}. {mend}: --target red --target round, without --task multilabel.")
