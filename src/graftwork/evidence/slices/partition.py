"""Rows divided by one thing, such as a column's values, so that a model can be scored on each part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from graftwork.evidence.words import line, quoted
from graftwork.shown import shown_number

Kind = Literal["column", "domain", "class", "length", "cluster"]
EMPTY = "(empty)"
QUARTERS = 4
_VALUES = 8
"""Numbers with no more different values than this are taken as they are."""


@dataclass(frozen=True)
class Partition:
    """kind: what divides the rows. name: of the column, the input or the target. groups: their names, in order.
    codes (N,): the group of each row, -1 for none."""

    kind: Kind
    name: str
    groups: tuple[str, ...]
    codes: np.ndarray

    def take(self, rows: np.ndarray) -> Partition:
        """Of these rows alone."""
        return Partition(self.kind, self.name, self.groups, self.codes[rows])


def where(kind: Kind, name: str, group: str) -> str:
    """A group in a sentence.

    >>> where("column", "city", "Bern"), where("length", "text", "1 to 20"), where("cluster", "text", "card, fee")
    ("'city' is 'Bern'", "'text' has 1 to 20 characters", "'text' is of the kind 'card, fee'")
    """
    if kind == "length" and group != EMPTY:
        return f"{quoted(name)} has {line(group)} characters" if group[:1].isdigit() else f"{quoted(name)} is {group}"
    if group == EMPTY:
        return f"{quoted(name)} is empty"
    return (
        f"{quoted(name)} is of the kind {quoted(group)}" if kind == "cluster" else f"{quoted(name)} is {quoted(group)}"
    )


def of_values(kind: Kind, name: str, values: Sequence[str | None]) -> Partition:
    """A group for each different value, in the order of their names; None is a group of its own."""
    found = np.array([EMPTY if value is None or value == "" else value for value in values], dtype=object)
    groups, codes = np.unique(found.astype(str), return_inverse=True)
    return Partition(kind, name, tuple(map(str, groups)), codes)


def of_numbers(kind: Kind, name: str, values: np.ndarray, labels: Sequence[str] = ()) -> Partition:
    """Quarters of the rows by their number, or the numbers themselves where they are few. values (N,): NaN for none.
    labels: what the quarters are called; else from where to where they go."""
    there = ~np.isnan(values)
    known = np.unique(values[there])
    if len(known) <= (1 if labels else _VALUES):
        groups = [shown_number(value) for value in known]
        codes = np.searchsorted(known, values)
    else:
        inner = np.quantile(values[there], np.arange(1, QUARTERS) / QUARTERS, method="lower")
        cuts = np.unique(inner[inner < known[-1]])
        codes = np.searchsorted(cuts, values)
        parts = [values[there & (codes == at)] for at in range(len(cuts) + 1)]
        groups = [f"{shown_number(part.min())} to {shown_number(part.max())}" for part in parts]
        if len(labels) == len(groups):
            groups = list(labels)
    codes = np.where(there, codes, len(groups))
    return Partition(kind, name, tuple(groups) + ((EMPTY,) if not there.all() else ()), codes)
