"""The column that says when a row was: dates, or numbers that grow with time; and as numbers that can be ordered."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graftwork.data.columns.convert import read_dates
from graftwork.data.columns.ids import whole_numbers
from graftwork.data.columns.kinds import Judged, is_string
from graftwork.data.table import Column, Kind, Role
from graftwork.errors import UsageError

ORDERED: tuple[Role, ...] = ("time", "step")
"""Roles whose columns hold such times."""
_FORMS = ("", "dmy", "mdy")
_MOSTLY = 0.5
"""Share of the values that have to be dates; the others are then named row by row."""


def time_column(
    name: str,
    values: pa.ChunkedArray,
    judged: Judged,
    kinds: Mapping[str, Kind],
    form: str,
    *,
    role: Role = "time",
) -> Column:
    """The column of times, whose kind is `date` or `number`. form: how the user says that it writes dates.
    role: what it orders, all rows or those of a rollout.

    Raises UsageError where its values are no times.
    """
    if kinds.get(name, "date") not in ("date", "number"):
        raise UsageError(f"--kind {name}={kinds[name]}: a column of times is read as date or number.")
    if name in kinds:
        return Column(name, kinds[name], role, form=form)
    if judged.shape in ("date", "number"):
        return Column(name, judged.shape, role)
    known = values.drop_null()
    if judged.shape == "id" and whole_numbers(known.slice(0, 1000).to_pylist()) is not None:
        return Column(name, "number", role)
    read = {way: _share_read(known, way) for way in _FORMS} if len(known) and is_string(known.type) else {}
    best = max(read, key=lambda way: read[way], default="")
    if read.get(best, 0.0) < _MOSTLY:
        shown = f", such as '{str(known[0].as_py())[:40]}'" if len(known) else ""
        raise UsageError(
            f"--role {role}={name}: its values are no times{shown}. Expected dates like 2024-01-31, or numbers that "
            "grow with time. Name another column, or write them so."
        )
    return Column(name, "date", role, form=best)


def moments(column: pa.ChunkedArray) -> np.ndarray:
    """Times as numbers that can be ordered (N,), float64: dates in milliseconds since 1970; NaN where missing."""
    if pa.types.is_temporal(column.type):
        column = column.cast(pa.timestamp("ms"), safe=False).cast(pa.int64())
    numbers = column.cast(pa.float64(), safe=False)
    values: np.ndarray = np.asarray(pc.fill_null(numbers, float("nan")), np.float64)
    return values


def moment_text(column: pa.ChunkedArray, moment: float) -> str:
    """A time of this column for a reader: a day, with the hour where all rows are of few days, or the number.

    >>> moment_text(pa.chunked_array([[2019.0]]), 2019.0)
    '2019'
    """
    if not pa.types.is_temporal(column.type):
        return f"{moment:.10g}"
    when = np.datetime64(round(moment), "ms")
    ends = moments(column)
    few = np.nanmax(ends) - np.nanmin(ends) < 3 * 86_400_000
    return str(when.astype("datetime64[m]")).replace("T", " ") if few else str(when.astype("datetime64[D]"))


def _share_read(values: pa.ChunkedArray, form: str) -> float:
    return 1 - len(read_dates(values, form)[1]) / len(values)
