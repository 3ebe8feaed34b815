"""Tables that are in memory already: pandas frames, `datasets.Dataset`, Arrow tables, lists and dicts."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from graftwork.data.images import encode, is_picture
from graftwork.data.list_cells import as_lists
from graftwork.data.media import MediaError
from graftwork.data.table import CLASSES
from graftwork.errors import DataError, UsageError


def from_memory(source: Any, name: str) -> pa.Table:
    """A table from an object in memory; UsageError, with what is accepted, for anything else."""
    if isinstance(source, pa.Table):
        return _checked(source, name)
    if isinstance(source, Mapping) and not _is_datasets(source):
        return from_columns(source, name)
    if _is_datasets(source):
        return _from_datasets(source, name)
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(source, pandas.DataFrame):
        return _from_pandas(source, name)
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
    try:
        return pa.array(items, from_pandas=True)
    except UnicodeEncodeError as error:
        raise _surrogate(items, key, name) from error
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        lists = as_lists(items)
        if lists is not None:
            return pa.array(lists, pa.list_(pa.string()))
        # NaN and NaT are the values that differ from themselves
        return pa.array([None if item is None or item != item else str(item) for item in items], pa.string())


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
    names = [" ".join(map(str, column)) if isinstance(column, tuple) else str(column) for column in frame.columns]
    _refuse_doubled(names, name)
    columns = {}
    for index, key in enumerate(names):
        series = frame.iloc[:, index]
        if series.dtype == object and any(is_picture(value) for value in series):
            columns[key] = _column(series, key, name)
            continue
        try:
            columns[key] = (
                pa.chunked_array([pa.Array.from_pandas(series)]) if len(series) else pa.array([], pa.string())
            )
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, UnicodeEncodeError, TypeError):
            columns[key] = _column(series, key, name)
    return _checked(pa.table(columns), name)


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


def _checked(table: pa.Table, name: str) -> pa.Table:
    _refuse_doubled(table.column_names, name)
    if not table.num_columns:
        raise DataError(f"{name} has no columns. Expected at least a text column.")
    if not table.num_rows:
        raise DataError(f"{name} has no rows (columns: {', '.join(table.column_names)}). Expected at least one row.")
    return plain_types(table)


def plain_types(table: pa.Table) -> pa.Table:
    """The table with dictionary-coded columns decoded, and columns without any value as text."""
    for index, column in enumerate(table.schema):
        if pa.types.is_dictionary(column.type):
            table = table.set_column(index, column.name, table.column(index).cast(column.type.value_type))
        elif pa.types.is_null(column.type) or pa.types.is_string_view(column.type):
            table = table.set_column(index, column.name, table.column(index).cast(pa.string()))
    return table


def _refuse_doubled(names: Sequence[str], name: str) -> None:
    doubled = sorted({key for key in names if list(names).count(key) > 1})
    if doubled:
        raise DataError(f"{name} has more than one column named {', '.join(map(repr, doubled))}. Rename one of them.")
