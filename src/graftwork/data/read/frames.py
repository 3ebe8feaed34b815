"""Tables that are in memory already: pandas frames, `datasets.Dataset`, Arrow tables, lists and dicts."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pyarrow as pa

from graftwork.data.media.images import encode, is_picture
from graftwork.data.media.media import MediaError
from graftwork.data.notes import noted
from graftwork.data.read.arrow_types import plain_types
from graftwork.data.read.list_cells import as_lists
from graftwork.data.table import CLASSES, refuse_repeated
from graftwork.errors import DataError, UsageError


def from_memory(source: Any, name: str) -> pa.Table:
    """A table from an object in memory; UsageError, with what is accepted, for anything else."""
    if isinstance(source, pa.Table):
        return _checked(_sound(source, name), name)
    if isinstance(source, pa.RecordBatch):
        return _checked(_sound(pa.table(source), name), name)
    if isinstance(source, Mapping) and not _is_datasets(source):
        return from_columns(source, name)
    if _is_datasets(source):
        return _from_datasets(source, name)
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(source, pandas.DataFrame):
        return _from_pandas(source, name)
    if hasattr(source, "__arrow_c_stream__") and hasattr(source, "columns"):  # a frame of polars, or the like
        return _checked(_sound(pa.table(source), name), name)
    if hasattr(source, "tolist") and hasattr(source, "shape"):  # a numpy array or a pandas Series
        if len(source.shape) in (3, 4):
            return from_columns({"image": source}, name)
        if len(source.shape) != 1:
            raise UsageError(
                f"{name} is an array of shape {tuple(source.shape)}. Expected one text a row: shape (rows,); or one "
                "image a row: (rows, height, width) or (rows, height, width, channels)."
            )
        source = source.tolist()
    if isinstance(source, Sequence) and not isinstance(source, str | bytes):
        return from_records(source, name)
    raise UsageError(
        f"{name} is no table. Expected a file, a pandas frame, a datasets.Dataset, an Arrow table, "
        "a list of dicts, a dict of lists, or a list of texts."
    )


def from_records(records: Sequence[Any], name: str) -> pa.Table:
    """From a list of dicts (a key that a dict lacks is missing there), of texts (one column `text`), or of images in
    memory (one column `image`)."""
    if not len(records):
        raise DataError(f"{name} is empty. Expected at least one row.")
    if any(is_picture(record) for record in records):
        return from_columns({"image": records}, name)
    if all(record is None or isinstance(record, str) or record != record for record in records):
        return from_columns({"text": records}, name)
    for index, record in enumerate(records, 1):
        if not isinstance(record, Mapping):
            what = f"is {record!r}, a {type(record).__name__}"
            raise DataError(f"{name}, row {index} {what}. Expected a dict for every row, or a text for every row.")
    keys = dict.fromkeys(key for record in records for key in record)
    return from_columns({key: [record.get(key) for record in records] for key in keys}, name)


def from_columns(columns: Mapping[Any, Any], name: str) -> pa.Table:
    """From a dict of lists of equal length."""
    values = {}
    for key, column in columns.items():
        if isinstance(column, str | bytes) or not hasattr(column, "__len__") or not hasattr(column, "__getitem__"):
            raise UsageError(f"{name}, column '{key}' is {column!r:.60}. Expected a list with one value a row.")
        values[str(key)] = column
    lengths = {key: len(column) for key, column in values.items()}
    if len(set(lengths.values())) > 1:
        listing = ", ".join(f"{key} {length}" for key, length in lengths.items())
        raise DataError(f"{name} has columns of unequal length: {listing}. Expected one value a row in each.")
    return _checked(pa.table({key: _column(column, key, name) for key, column in values.items()}), name)


def _column(values: Any, key: str, name: str) -> pa.Array | pa.ChunkedArray:
    """An Arrow column; values of mixed types become text."""
    if any(is_picture(value) for value in values):
        return _pictures(values, key, name)
    items = values.tolist() if hasattr(values, "tolist") else values
    if any(isinstance(item, complex) for item in items):
        raise DataError(
            f"{name}, column '{key}' holds complex numbers. Expected plain ones: make a column of the real part and "
            "one of the imaginary part."
        )
    try:
        return pa.array(items, from_pandas=True)
    except UnicodeEncodeError as error:
        raise _surrogate(items, key, name) from error
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        lists = as_lists(items)
        if lists is not None:
            return pa.array(lists, pa.list_(pa.string()))
        numbers = _as_floats(items)
        return _texts(items) if numbers is None else numbers


def _as_floats(items: Iterable[Any]) -> pa.Array | None:
    """Numbers of several types, or beyond 64 bits, as floating point; None where something else is among them."""
    if not all(_is_absent(item) or (isinstance(item, Real | Decimal) and not isinstance(item, bool)) for item in items):
        return None
    try:
        return pa.array([None if _is_absent(item) else float(item) for item in items], pa.float64())
    except (OverflowError, ValueError):
        return None


def _pictures(values: Iterable[Any], key: str, name: str) -> pa.Array:
    """Images in memory as encoded files; encoded ones stay as they are, missing ones missing."""
    encoded: list[bytes | None] = []
    for row, value in enumerate(values, 1):
        try:
            if value is None or isinstance(value, bytes) or (isinstance(value, float) and value != value):
                encoded.append(value if isinstance(value, bytes) else None)
            elif is_picture(value):
                encoded.append(encode(value))
            else:
                raise MediaError(f"{str(value)!r:.60} among images in memory. Expected an image in every row")
        except MediaError as error:
            raise DataError(f"{name}, row {row}, column '{key}': {error}.") from None
    return pa.array(encoded, pa.large_binary())


def _surrogate(items: Any, key: str, name: str) -> DataError:
    for index, item in enumerate(items, 1):
        try:
            str(item).encode()
        except UnicodeEncodeError:
            return DataError(f"{name}, row {index}, column '{key}': half of a surrogate pair, which is no character.")
    return DataError(f"{name}, column '{key}': a text that is not Unicode.")


def _from_pandas(frame: Any, name: str) -> pa.Table:
    names = [_joined(column) if isinstance(column, tuple) else str(column) for column in frame.columns]
    refuse_repeated(names, name)
    columns, fields = [], []
    for index, key in enumerate(names):
        array, marks = _from_series(frame.iloc[:, index], key, name)
        columns.append(array)
        fields.append(pa.field(key, array.type, metadata=marks))
    return noted(_checked(pa.table(columns, schema=pa.schema(fields)), name), _unread_index(frame, names))


def _joined(levels: tuple[Any, ...]) -> str:
    """The name of a column with several levels, of which some may be empty."""
    return " ".join(str(level) for level in levels if str(level))


def _unread_index(frame: Any, names: Sequence[str]) -> list[str]:
    """A line for an index with names, which looks like columns and is none."""
    levels = [str(level) for level in frame.index.names if level is not None and str(level) not in names]
    if not levels or type(frame.index).__name__ == "RangeIndex":
        return []
    return [f"not used: {', '.join(levels)} (the index of the frame); frame.reset_index() makes a column of it"]


def _from_series(series: Any, key: str, name: str) -> tuple[pa.Array | pa.ChunkedArray, dict[bytes, bytes] | None]:
    """A column of a frame, and its metadata: what pandas calls a category is one, whatever its values."""
    kind = type(series.dtype).__name__
    if kind == "CategoricalDtype":
        categories = series.cat.categories
        if not (categories.dtype.kind in "iufb" or categories.dtype == object or str(categories.dtype) == "str"):
            series = series.cat.rename_categories(categories.astype(str))
        held = _column(series.astype(object), key, name)
        return held, CLASSES
    if kind == "SparseDtype":
        series = series.sparse.to_dense()
    if kind == "IntervalDtype":
        return _texts(series), CLASSES
    if kind == "PeriodDtype":
        return _texts(series), None
    if not len(series):
        return pa.array([], pa.string()), None
    if series.dtype == object and any(is_picture(value) for value in series):
        return _column(series, key, name), None
    try:
        return pa.chunked_array([pa.Array.from_pandas(series)]), None
    except (pa.ArrowException, UnicodeEncodeError, TypeError, ValueError, OverflowError):
        return _column(series, key, name), None


def _texts(values: Iterable[Any]) -> pa.Array:
    """Values by their own names; NaN, NaT and NA are missing."""
    return pa.array([None if _is_absent(value) else str(value) for value in values], pa.string())


def _is_absent(value: Any) -> bool:
    """None, NaN, NaT and NA: the values that don't equal themselves."""
    return value is None or type(value).__name__ == "NAType" or bool(np.isscalar(value) and value != value)


def _is_datasets(source: Any) -> bool:
    """Known by its module, so that `datasets` need not be imported, nor installed."""
    return type(source).__module__.split(".")[0] == "datasets"


def _from_datasets(source: Any, name: str) -> pa.Table:
    kind = type(source).__name__
    if kind in ("DatasetDict", "IterableDatasetDict"):
        splits = ", ".join(source)
        raise UsageError(
            f"{name} is a {kind} with the splits {splits}. Give one of them: data['{next(iter(source), 'train')}']."
        )
    if kind != "Dataset":
        raise UsageError(f"{name} is a datasets.{kind}. Expected a datasets.Dataset; load it with streaming=False.")
    table = source.with_format("arrow")[:]
    for index, key in enumerate(table.column_names):
        names = getattr(source.features[key], "names", None)
        if type(source.features[key]).__name__ == "ClassLabel" and names:
            names_of = pa.field(key, pa.string(), metadata=CLASSES)
            table = table.set_column(index, names_of, _class_names(table.column(key), names))
    return _checked(table.replace_schema_metadata(None), name)


def _class_names(column: pa.ChunkedArray, names: list[str]) -> pa.ChunkedArray:
    """Class numbers as their names; -1 is how `datasets` writes a missing label."""
    known = pa.array(names, pa.string())
    taken = [[None if item is None or item < 0 else item for item in chunk.to_pylist()] for chunk in column.chunks]
    return pa.chunked_array([known.take(pa.array(chunk, pa.int64())) for chunk in taken], pa.string())


def _sound(table: pa.Table, name: str) -> pa.Table:
    """An Arrow table that another program made, its values looked at: a damaged one could end the process."""
    for column, values in zip(table.column_names, table.columns, strict=True):
        try:
            values.validate(full=True)
        except pa.ArrowException as error:
            raise DataError(
                f"{name}, column '{column}': values that its type {values.type} can't hold ({error}). Texts have to be "
                "UTF-8: make the column again, from texts that were decoded first."
            ) from error
    return table


def _checked(table: pa.Table, name: str) -> pa.Table:
    refuse_repeated(table.column_names, name)
    if not table.num_columns:
        raise DataError(f"{name} has no columns. Expected at least a text column.")
    if not table.num_rows:
        raise DataError(f"{name} has no rows (columns: {', '.join(table.column_names)}). Expected at least one row.")
    return plain_types(table, name)
