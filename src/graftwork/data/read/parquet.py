"""parquet files: read in pieces, so that neither a damaged text nor a packed one of gigabytes ends in a raw error."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graftwork.data.columns.kinds import is_string
from graftwork.data.read.arrow_types import plain_types
from graftwork.data.read.files import open_bytes
from graftwork.data.store.spool import spool
from graftwork.data.table import refuse_repeated
from graftwork.errors import DataError

BATCH_ROWS = 16_384
MAX_VALUE = 256 << 20
"""Bytes of one value."""
MAX_PIECE = 256 << 20
"""Bytes of texts that are unpacked at a time."""
MAX_PACKED = 1 << 30
"""Bytes of a .parquet.gz once unpacked: it can't be read in pieces."""


def read_parquet(path: Path, name: str) -> pa.Table:
    """The table of a parquet file. Raises DataError for a damaged file, a text that is not UTF-8, a value of more than
    256 MiB, doubled column names, no rows."""
    import pyarrow.parquet as pq

    with open_bytes(path) as file:
        try:
            content = pa.py_buffer(_unpacked(file, name)) if path.suffix.lower() == ".gz" else None
            schema = pq.ParquetFile(str(path) if content is None else pa.BufferReader(content)).schema_arrow
            texts = [field.name for field in schema if is_string(field.type) or pa.types.is_binary(field.type)]
            refuse_repeated(schema.names, name)
            # Coded as in the file: a value of gigabytes that stands in each row is then held once
            source = str(path) if content is None else pa.BufferReader(content)
            parquet = pq.ParquetFile(source, read_dictionary=texts)
            table = spool(_pieces(parquet, schema, name), schema)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise DataError(f"{name} is not a sound parquet file ({reason}). Copy or export it again.") from error
        except (MemoryError, pa.ArrowMemoryError, pa.ArrowCapacityError) as error:
            raise DataError(f"{name} unpacks to more than memory holds. Write it in smaller row groups.") from error
    if not len(table):
        raise DataError(f"{name} has no rows (columns: {', '.join(schema.names)}). Expected at least one row.")
    return plain_types(table, name)


def _unpacked(file: Any, name: str) -> bytes:
    content: bytes = file.read(MAX_PACKED + 1)
    if len(content) > MAX_PACKED:
        raise DataError(f"{name} unpacks to more than {MAX_PACKED >> 20:,} MiB. Unpack it first: gunzip -k {name}")
    return content


def _pieces(parquet: Any, schema: pa.Schema, name: str) -> Iterator[pa.RecordBatch]:
    row = 0
    for batch in parquet.iter_batches(batch_size=BATCH_ROWS):
        sizes = np.zeros(len(batch), np.int64)
        for field, column in zip(batch.schema, batch.columns, strict=True):
            sizes += _checked_sizes(column, field.name, row, name)
        for start, end in _cuts(sizes):
            piece = batch.slice(start, end - start)
            yield pa.record_batch(
                [column.cast(field.type) for column, field in zip(piece.columns, schema, strict=True)], schema=schema
            )
        row += len(batch)


def _checked_sizes(column: pa.Array, name: str, before: int, source: str) -> np.ndarray:
    """Bytes of each value of a text column (N,); none of other columns."""
    coded = pa.types.is_dictionary(column.type)
    values = column.dictionary if coded else column
    if not (is_string(values.type) or pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type)):
        return np.zeros(len(column), np.int64)
    lengths = np.asarray(pc.fill_null(pc.binary_length(values), 0)).astype(np.int64)
    if len(lengths) and lengths.max() > MAX_VALUE:
        raise DataError(f"{source}, column '{name}': a value of {lengths.max() >> 20:,} MiB. Expected at most 256 MiB.")
    if is_string(values.type):
        _check_text(column, values, name, before, source)
    if not coded:
        return lengths
    codes = np.asarray(pc.fill_null(column.indices, 0)).astype(np.int64)
    found: np.ndarray = lengths[codes] if len(lengths) else np.zeros(len(column), np.int64)
    return found


def _check_text(column: pa.Array, values: pa.Array, name: str, before: int, source: str) -> None:
    try:
        values.validate(full=True)
    except pa.ArrowInvalid:
        wrong = [at for at, value in enumerate(values.cast(_bytes_of(values.type)).to_pylist()) if not _is_utf8(value)]
        codes = column.indices.to_pylist() if pa.types.is_dictionary(column.type) else range(len(column))
        rows = [before + at + 1 for at, code in enumerate(codes) if code in set(wrong)]
        if not rows:  # a value of the dictionary that no row has
            return
        more = f" and {len(rows) - 1:,} more rows" if len(rows) > 1 else ""
        raise DataError(
            f"{source}, row {rows[0]}{more}, column '{name}': a text that is not UTF-8, against what parquet promises. "
            f"Write the file again from texts that were decoded first: frame['{name}'].str.decode('cp1252') in pandas, "
            "with the encoding that they have."
        ) from None


def _bytes_of(kind: pa.DataType) -> pa.DataType:
    return pa.large_binary() if pa.types.is_large_string(kind) else pa.binary()


def _is_utf8(value: bytes | None) -> bool:
    try:
        (value or b"").decode()
    except UnicodeDecodeError:
        return False
    return True


def _cuts(sizes: np.ndarray) -> Iterator[tuple[int, int]]:
    """Slices of rows with at most `MAX_PIECE` bytes of text, but at least one row each."""
    if int(sizes.sum()) <= MAX_PIECE:
        yield 0, len(sizes)
        return
    start, held = 0, 0
    for at, size in enumerate(sizes.tolist()):
        if held and held + size > MAX_PIECE:
            yield start, at
            start, held = at, 0
        held += size
    yield start, len(sizes)
