"""Groups of rows, by the categories they were given, in which a model does clearly worse than in the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graftwork.data.table import Table

_FEWEST_ROWS = 20
_MOST_VALUES = 50
"""A column with more values is a name of rows rather than of groups."""
_CLEARLY = 3.0
"""Standard errors by which a group must be worse than the rest: many groups are looked at."""
_WORSE = 1.25
"""And so many times as bad as all rows, so that it is worth a reader's time."""


@dataclass(frozen=True)
class Group:
    """Rows whose `column` holds `value`. bad: how far off they are on average, or the share that is wrong; overall: the
    same of all rows."""

    column: str
    value: str
    rows: int
    bad: float
    overall: float


def worse_groups(table: Table, bad: np.ndarray) -> tuple[Group, ...]:
    """The worst first. bad (N,): of each row how far off it is, or whether it is wrong; NaN for rows not scored."""
    scored = ~np.isnan(bad)
    if not scored.any():
        return ()
    overall, found = float(bad[scored].mean()), list[Group]()
    for column in table.schema.inputs:
        if column.kind != "category":
            continue
        values = np.array(["" if value is None else str(value) for value in table.values(column.name)], dtype=object)
        names = [name for name in dict.fromkeys(values.tolist()) if name]
        if len(names) > _MOST_VALUES:
            continue
        for name in names:
            here, rest = bad[scored & (values == name)], bad[scored & (values != name)]
            if _stands_out(here, rest, overall):
                found.append(Group(column.name, name, len(here), float(here.mean()), overall))
    return tuple(sorted(found, key=lambda one: -one.bad))


def _stands_out(here: np.ndarray, rest: np.ndarray, overall: float) -> bool:
    if min(len(here), len(rest)) < _FEWEST_ROWS or here.mean() < _WORSE * overall:
        return False
    error = np.sqrt(here.var(ddof=1) / len(here) + rest.var(ddof=1) / len(rest))
    return bool(here.mean() - rest.mean() > _CLEARLY * error)
