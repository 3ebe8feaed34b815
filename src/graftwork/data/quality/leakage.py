"""Inputs that give a target away: a column that predicts it nearly without fault all by itself.

Such a column often holds what is only known once the target is (a finer label, a status set afterwards), and then the
scores promise what the model can't keep. The check is cheap: on a sample, each value of the column answers with what
half of the rows with that value have as their target, and the other half is scored. Values that hardly repeat (texts,
row ids) have nothing to answer with, so a column of them is never suspected. Kaufman et al. 2012 describe the problem.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from graftwork.data.store.spool import slices
from graftwork.data.table import Column, Table

SAMPLE = 4000
FEWEST = 40
"""Rows that have the target: with fewer, a lucky column looks like a leak."""
NEARLY = 0.97
"""Share of the rows answered right (of the variance explained, for numbers) from which a column is suspected."""
GAIN = 0.9
"""Share of the mistakes of always giving the most frequent answer that the column must spare."""
BINS = 50
"""Numbers that hardly repeat are told apart by so many steps of equal numbers of rows."""


@dataclass(frozen=True)
class Leak:
    """share: of held-out rows that `column` alone answers right; of the variance explained for a number target."""

    column: str
    target: str
    share: float
    number: bool

    @property
    def sentence(self) -> str:
        """What was found, and what to do, for a reader."""
        what = "of the variance" if self.number else "of the rows"
        return (
            f"the column {self.column} alone predicts {self.target} ({100 * self.share:.0f} % {what}). If it is not "
            f"known yet when predictions are made, leave it out with --ignore {self.column}."
        )


def find_leaks(table: Table) -> tuple[Leak, ...]:
    """The suspects, by target. None where there is a single input: without it nothing would be left to learn from.

    Image and audio columns are not looked at.
    """
    inputs = [column for column in table.schema.inputs if column.kind in ("category", "number", "text")]
    if len(table.schema.inputs) < 2 or not inputs:
        return ()
    rows = np.random.default_rng(0).permutation(len(table))[:SAMPLE]
    values = {column.name: _taken(table, column.name, rows) for column in inputs}
    found = []
    for target in table.schema.targets:
        truth = _taken(table, target.name, rows)
        known = [at for at, value in enumerate(truth) if value is not None]
        if len(known) < FEWEST:
            continue
        for column in inputs:
            given = [values[column.name][at] for at in known]
            share = _share(column, given, [truth[at] for at in known], target.kind == "number")
            found += [Leak(column.name, target.name, share, target.kind == "number")] if share >= NEARLY else []
    return tuple(found)


def _share(column: Column, given: list[Any], truth: list[Any], number: bool) -> float:
    """How well the column alone answers the second half of the rows, from what it learned on the first; 0 for a column
    that hardly repeats, and for one that is hardly better than no column at all."""
    half = len(given) // 2
    keys = _binned(given, half) if column.kind == "number" else _codes(given)
    if len(np.unique(keys)) > len(keys) / 2:
        return 0.0
    if number:
        return explained(keys, np.array(truth, np.float64), half)
    return _answered(keys, _codes(truth), half)


def _answered(keys: np.ndarray, truth: np.ndarray, half: int) -> float:
    right, plain = answered(keys, truth, half)
    return right if right - plain >= GAIN * (1 - plain) > 0 else 0.0


def answered(keys: np.ndarray, truth: np.ndarray, half: int) -> tuple[float, float]:
    """Shares of the rows from `half` on whose class is answered right: by what most rows with the same key before
    `half` have, and by the most frequent class of all.

    keys, truth: numbers of what a row has and of its class, from 0 on (N,), in random order.
    """
    usual = np.bincount(truth[:half]).argmax()
    counts = np.zeros((keys.max() + 1, truth.max() + 1), np.int64)
    np.add.at(counts, (keys[:half], truth[:half]), 1)
    best = np.where(counts.any(axis=1), counts.argmax(axis=1), usual)
    return float((best[keys[half:]] == truth[half:]).mean()), float((truth[half:] == usual).mean())


def explained(keys: np.ndarray, truth: np.ndarray, half: int) -> float:
    """Share of the variance of the numbers from `half` on (N,) that the means by key before `half` explain."""
    rows = np.bincount(keys[:half], minlength=keys.max() + 1)
    sums = np.bincount(keys[:half], weights=truth[:half], minlength=keys.max() + 1)
    guess = np.where(rows > 0, sums / np.maximum(rows, 1), truth[:half].mean())
    held = truth[half:]
    spread = float(np.square(held - held.mean()).sum())
    return 1 - float(np.square(held - guess[keys[half:]]).sum()) / spread if spread > 0 else 0.0


def _binned(given: list[Any], half: int) -> np.ndarray:
    """Numbers as codes: each value where they repeat, else by steps; a missing one is a code of its own."""
    numbers = np.array([np.nan if value is None else float(value) for value in given])
    distinct = np.unique(numbers[~np.isnan(numbers)])
    if len(distinct) > BINS:
        edges = np.unique(np.nanquantile(numbers[:half], np.linspace(0, 1, BINS + 1)[1:-1]))
        codes = np.searchsorted(edges, numbers)
    else:
        codes = np.searchsorted(distinct, numbers)
    result: np.ndarray = np.where(np.isnan(numbers), BINS + 1, codes)
    return result


def _codes(given: list[Any]) -> np.ndarray:
    seen: dict[object, int] = {}
    keys = (tuple(map(str, value)) if isinstance(value, list) else str(value).strip().casefold() for value in given)
    return np.fromiter((seen.setdefault(key, len(seen)) for key in keys), np.int64, len(given))


def _taken(table: Table, name: str, rows: np.ndarray) -> list[Any]:
    """The values of these rows; missing ones as None."""
    column = table.column(name).take(pa.array(rows))
    values = [value for part in slices(column) for value in part.to_pylist()]
    return [None if value is None or value != value or value == "" else value for value in values]
