"""What the training rows tell of each number, category and date column, and how a value becomes a number for a network.

Everything here is plain numpy: it is done once a row, in float64, and what it gives is finite for any value.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graftwork.data.columns.values import same_value
from graftwork.data.store.cache import digest
from graftwork.data.table import Column, Table

Scaling = Literal["standard", "quantile", "bins"]
GRID = 256
"""Quantiles kept of a number column at most; one for every 10 rows, and at least 10."""

BINS, BIN_ROWS = 16, 20
"""Bins of a number column at most, and training rows a bin at least."""


@dataclass(frozen=True)
class Number:
    """A number column. Values are divided by `peak` first, so that no sum of them overflows.

    mean, spread: of the training rows. low, high: what standardised values are clipped to, the range of the training
    rows widened by its own width on both sides. grid: values at evenly spaced quantiles, for quantile scaling, else
    empty. edges: of bins that hold about as many training rows each, in standardised values; for bins, else empty.
    missing: whether training rows miss it.
    """

    name: str
    peak: float
    mean: float
    spread: float
    low: float
    high: float
    grid: tuple[float, ...]
    edges: tuple[float, ...]
    missing: bool

    def read(self, values: np.ndarray) -> np.ndarray:
        """values (N,) float64 -> (N,) float32 of mean 0 and variance about 1; NaN stays NaN (missing)."""
        if self.spread == 0:  # one value in all training rows says nothing; what another one means was not learned
            return np.where(np.isnan(values), np.nan, 0.0).astype(np.float32)
        with np.errstate(over="ignore"):
            scaled = values / self.peak
            if not self.grid:
                return np.clip((scaled - self.mean) / self.spread, self.low, self.high).astype(np.float32)
        grid, scores = np.array(self.grid), self._scores
        # From both sides, so that a value that fills several quantiles stands in their middle.
        found = 0.5 * (np.interp(scaled, grid, scores) - np.interp(-scaled, -grid[::-1], -scores[::-1]))
        return np.where(np.isnan(values), np.nan, found).astype(np.float32)

    @cached_property
    def _scores(self) -> np.ndarray:
        """What the normal distribution has at the grid's quantiles; the ends stand for half a step from 0 and 1."""
        edge = 0.5 / len(self.grid)
        shares = np.clip(np.linspace(0, 1, len(self.grid)), edge, 1 - edge)
        return np.array([NormalDist().inv_cdf(share) for share in shares])


@dataclass(frozen=True)
class Category:
    """A category column. levels: those with a place of their own, the most frequent first.

    rare: whether training rows hold others, which share the place of what is unknown. missing: whether they miss some.
    """

    name: str
    levels: tuple[str, ...]
    rare: bool
    missing: bool

    @property
    def size(self) -> int:
        """Codes: 0 for what is unknown, then the levels, then, where training rows miss some, what is missing."""
        return len(self.levels) + 1 + self.missing

    def read(self, values: Sequence[Any]) -> np.ndarray:
        """(N,) float32 codes."""
        absent, known = self.size - 1 if self.missing else 0, {}
        for kind, value in {(type(value), value) for value in values}:  # True equals 1, and is another category
            known[kind, value] = absent if value is None else self.codes.get(level(value), 0)
        return np.array([known[type(value), value] for value in values], np.float32)

    @cached_property
    def codes(self) -> dict[str, int]:
        """The code of each level, by the level as it is compared."""
        found: dict[str, int] = {}
        for code, name in enumerate(self.levels, 1):
            found.setdefault(level(name), code)  # a model of before `1` and `1.0` were one may have both
        return found


def level(value: Any) -> str:
    """A category as it is compared: 3, 3.0 and "3" are one, true and True, é as one or two characters; 03 is not 3."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else same_value(str(value))


@dataclass(frozen=True)
class Date:
    """A date column. parts: what is read of a date, by the names of `dated`; those that training rows vary in."""

    name: str
    parts: tuple[Number | Category, ...]


def dated(values: Sequence[Any]) -> dict[str, np.ndarray]:
    """Of dates with a time (None where missing): days since 1970 and the year, as numbers (N,) with NaN where missing;
    month (1 to 12), weekday (1 for Monday) and hour as categories, with None where missing."""
    when = np.array(values, "datetime64[ms]")
    missing, days = np.isnat(when), when.astype("datetime64[D]")
    plain = np.where(missing, np.datetime64(0, "D"), days)
    weekday, hour = (plain.astype(np.int64) + 3) % 7 + 1, (when - days).astype("timedelta64[h]").astype(np.int64)
    month = plain.astype("datetime64[M]").astype(np.int64) % 12 + 1
    numbers = {
        "days": (np.where(missing, np.datetime64(0, "ms"), when) - np.datetime64(0, "ms")) / np.timedelta64(1, "D"),
        "year": plain.astype("datetime64[Y]").astype(np.int64) + 1970.0,
    }
    classes = {"month": month, "weekday": weekday, "hour": hour}
    read: dict[str, np.ndarray] = {name: np.where(missing, np.nan, found) for name, found in numbers.items()}
    for name, found in classes.items():
        read[name] = found.astype(object)
        read[name][missing] = None
    return read


@dataclass(frozen=True)
class Reader:
    """Reads rows of a table whose columns it has learned, in the table's order."""

    columns: tuple[Number | Category | Date, ...]

    @cached_property
    def parts(self) -> tuple[Number | Category, ...]:
        """The columns, with what is read of its dates in the place of a date column."""
        return tuple(
            part for column in self.columns for part in (column.parts if isinstance(column, Date) else (column,))
        )

    @cached_property
    def numbers(self) -> tuple[Number, ...]:
        return tuple(column for column in self.parts if isinstance(column, Number))

    @cached_property
    def categories(self) -> tuple[Category, ...]:
        return tuple(column for column in self.parts if isinstance(column, Category))

    def read(self, rows: Sequence[Sequence[Any]]) -> np.ndarray:
        """Rows with a value for each column -> (N, parts) float32: the numbers, then the codes of the categories."""
        numbers, codes = [], []
        for column, values in self._columns_of(rows):
            if isinstance(column, Number):
                plain = np.array([np.nan if value is None else value for value in values], np.float64)
                numbers.append(column.read(plain))
            else:
                codes.append(column.read(values))
        return np.stack([*numbers, *codes], axis=1)

    def _columns_of(self, rows: Sequence[Sequence[Any]]) -> Iterator[tuple[Number | Category, Sequence[Any]]]:
        """Each part with its values; dates are taken apart."""
        for column, values in zip(self.columns, zip(*rows, strict=True), strict=True):
            if not isinstance(column, Date):
                yield column, values
                continue
            found = dated(values)
            for part in column.parts:
                yield part, list(found[_part_of(part.name)])

    def unseen(self, rows: Sequence[Sequence[Any]]) -> dict[str, str]:
        """By category column, a value of these rows that no training row had.

        Columns with rare categories are left out: theirs have no place of their own and can't be told from unseen ones.
        """
        found = {}
        for column, values in self._columns_of(rows) if len(rows) else ():
            if isinstance(column, Category) and not column.rare:
                new = {level(value) for _, value in {(type(one), one) for one in values} if value is not None}
                new.difference_update(column.codes)
                if new:
                    found[column.name] = min(new)
        return found

    @cached_property
    def fingerprint(self) -> str:
        return digest("table", self.to_json())

    def to_json(self) -> str:
        return json.dumps([asdict(column) for column in self.columns], ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Reader:
        """The inverse of `to_json`. Raises ValueError, KeyError or TypeError for anything else."""
        made: list[Number | Category | Date] = []
        for plain in json.loads(text):
            parts = tuple(_restored(part) for part in plain.get("parts", ()))
            made.append(Date(plain["name"], parts) if "parts" in plain else _restored(plain))
        return cls(tuple(made))


def _restored(plain: dict[str, Any]) -> Number | Category:
    if "levels" in plain:
        return Category(**{**plain, "levels": tuple(plain["levels"])})
    return Number(**{**plain, "grid": tuple(plain["grid"]), "edges": tuple(plain["edges"])})


def _part_of(name: str) -> str:
    return name.rpartition(": ")[2]


def learn(columns: Sequence[Column], table: Table, *, scaling: Scaling, levels: int, min_rows: int) -> Reader:
    """What the rows of `table` tell of these columns.

    scaling: standard (mean 0, variance 1) or quantile (each value at its rank, as a normal distribution has it).
    levels: categories with a place of their own a column at most. min_rows: rows that such a category has at least.
    """
    made: list[Number | Category | Date] = []
    for column in columns:
        values = table.column(column.name)
        if column.kind == "number":
            made.append(learn_number(column.name, values, scaling))
        elif column.kind == "date":
            made.append(learn_date(column.name, values, scaling))
        else:
            made.append(learn_category(column.name, values, levels, min_rows))
    return Reader(tuple(made))


def learn_date(name: str, column: pa.ChunkedArray, scaling: Scaling) -> Date:
    """A date column by what its rows vary in; at least the days, so that there is something to read."""
    parts = list[Number | Category]()
    for part, found in dated(column.to_pylist()).items():
        values, called = pa.chunked_array([pa.array(found, from_pandas=True)]), f"{name}: {part}"
        if part == "days" or len(pc.unique(values.drop_null())) > 1:
            number = part in ("days", "year")
            parts.append(learn_number(called, values, scaling) if number else learn_category(called, values, 366, 1))
    return Date(name, tuple(parts))


def learn_number(name: str, column: pa.ChunkedArray, scaling: Scaling) -> Number:
    values = column.to_numpy().astype(np.float64)
    seen = values[np.isfinite(values)]
    peak = float(np.abs(seen).max(initial=0.0)) or 1.0
    scaled = seen / peak
    mean, spread = (float(scaled.mean()), float(scaled.std())) if len(seen) else (0.0, 0.0)
    missing = len(seen) < len(values)
    if spread <= 1e-12 * abs(mean) or spread == 0:
        return Number(name, peak, mean, 0.0, 0.0, 0.0, (), (), missing)
    low, high = (float(scaled.min()) - mean) / spread, (float(scaled.max()) - mean) / spread
    width, grid, edges = high - low, tuple[float, ...](), tuple[float, ...]()
    if scaling == "quantile":
        shares = np.linspace(0, 1, max(10, min(GRID, len(seen) // 10)))
        grid = tuple(np.maximum.accumulate(np.quantile(scaled, shares)).tolist())
    if scaling == "bins":
        shares = np.linspace(0, 1, 1 + max(2, min(BINS, len(seen) // BIN_ROWS)))
        # Values that are there, not between them, so that few distinct ones (years) have an edge each.
        found = np.quantile(scaled, shares, method="inverted_cdf")
        edges = tuple(np.unique(((found - mean) / spread).astype(np.float32)).tolist())
    return Number(name, peak, mean, spread, low - width, high + width, grid, edges, missing)


def learn_category(name: str, column: pa.ChunkedArray, levels: int, min_rows: int) -> Category:
    counts: dict[str, int] = {}
    for found in pc.value_counts(column.drop_null()).to_pylist():
        key = level(found["values"])
        counts[key] = counts.get(key, 0) + found["counts"]
    ranked = sorted((key for key, count in counts.items() if count >= min_rows), key=lambda key: (-counts[key], key))
    kept = tuple(ranked[:levels])
    return Category(name, kept, rare=len(kept) < len(counts), missing=column.null_count > 0)
