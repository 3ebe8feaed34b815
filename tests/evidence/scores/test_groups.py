"""graftwork.evidence.scores.groups: a group is named only where it is clearly worse."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from graftwork.data.table import Column, Schema, Table
from graftwork.evidence.scores.groups import Group, worse_groups


def table(**columns: list[str]) -> Table:
    schema = Schema(tuple(Column(name, "category") for name in columns))
    return Table(pa.table(columns), schema, "t", np.arange(len(next(iter(columns.values())))))


def test_the_worse_group_is_found() -> None:
    # 25 of 50 rows of 'there' are wrong, 10 of 150 of 'here': 35 of 200 in all.
    city = ["there"] * 50 + ["here"] * 150
    bad = np.array([1.0] * 25 + [0.0] * 25 + [1.0] * 10 + [0.0] * 140)
    assert worse_groups(table(city=city), bad) == (Group("city", "there", 50, 0.5, 0.175),)


def test_chance_makes_no_group() -> None:
    rng = np.random.default_rng(0)
    named = table(**{f"c{at}": [f"v{value}" for value in rng.integers(4, size=400)] for at in range(20)})
    assert worse_groups(named, (rng.random(400) < 0.3).astype(float)) == ()


def test_few_rows_and_many_values_are_left_alone() -> None:
    bad = np.array([1.0] * 10 + [0.0] * 200)
    assert worse_groups(table(city=["there"] * 10 + ["here"] * 200), bad) == ()
    assert worse_groups(table(name=[f"n{at}" for at in range(210)]), bad) == ()


def test_rows_that_were_not_scored_do_not_count() -> None:
    bad = np.array([np.nan] * 30 + [1.0] * 30 + [0.0] * 100)
    (found,) = worse_groups(table(city=["there"] * 60 + ["here"] * 100), bad)
    assert (found.rows, found.bad) == (30, 1.0)
    assert worse_groups(table(city=["a"] * 160), np.full(160, np.nan)) == ()
