"""A table of costs as text, so that a recipe holds it and works without the file."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import pyarrow as pa

from graftwork.data.read.source import read
from graftwork.errors import DataError, UsageError
from graftwork.tasks.costs import CostMatrix, read_costs


def as_text(path: object) -> str:
    """The cells of a file, with tabs between them. Raises UsageError where it can't be read, or is not named as text,
    which a recipe keeps."""
    if not isinstance(path, str):
        raise UsageError(f"reward, setting 'costs' is a {type(path).__name__}. Expected a file's name, as text.")
    try:
        table, _ = read(path)
    except DataError as error:
        raise UsageError(f"reward, setting 'costs': {error}") from None
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(table.column_names)
    writer.writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))
    return text.getvalue()


def cost_matrix(text: str, called: str, classes: Sequence[str]) -> CostMatrix:
    """The costs of these classes from what `as_text` gave; called: the file, for messages. Raises as `read_costs`."""
    header, *rows = csv.reader(io.StringIO(text), delimiter="\t")
    columns = [pa.array([row[at] or None for row in rows], pa.string()) for at in range(len(header))]
    return read_costs(pa.Table.from_arrays(columns, header), classes, called)
