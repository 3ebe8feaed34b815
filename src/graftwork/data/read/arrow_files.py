"""Arrow and feather files: the columns as they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from graftwork.data.read.arrow_types import plain_types
from graftwork.data.store.spool import spool
from graftwork.errors import DataError


def read_arrow(path: Path, name: str) -> pa.Table:
    """The table of an Arrow file, an Arrow stream (as `datasets` writes it) or a feather file.

    Raises DataError for a damaged file, a text that is not UTF-8, no rows.
    """
    import pyarrow.feather

    try:
        with open(path, "rb") as file:
            start = file.read(6)
        if start.startswith(b"FEA1"):
            table = pyarrow.feather.read_table(path)
            table.validate(full=True)
        else:
            with pa.memory_map(str(path)) as mapped:
                reader = pa.ipc.open_file(mapped) if start == b"ARROW1" else pa.ipc.open_stream(mapped)
                table = spool(sound(reader), reader.schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(f"{name} is not a sound Arrow file ({reason}). Copy or export it again.") from error
    if not len(table):
        names = ", ".join(table.column_names)
        raise DataError(f"{name} has no rows (columns: {names}). Expected at least one row.")
    return plain_types(table, name)


def sound(reader: Any) -> Iterator[pa.RecordBatch]:
    """The batches of an Arrow file or stream, each looked through: what leads out of its memory ends the process.

    Raises ArrowInvalid for a damaged one.
    """
    places = range(reader.num_record_batches) if hasattr(reader, "num_record_batches") else None
    for batch in iter(reader) if places is None else map(reader.get_batch, places):
        batch.validate(full=True)
        yield batch
