"""graftwork.evidence.slices: by what the rows of a table are divided, and what the parts are called."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
import pytest

from graftwork.data.table import Column, Schema, Table
from graftwork.errors import UsageError
from graftwork.evidence.slices.columns import asked_partition, table_partitions
from graftwork.evidence.slices.partition import Partition, where


def table(schema: tuple[Column, ...] = (), **columns: object) -> Table:
    data = pa.table(columns)
    return Table(data, Schema(schema), "t.csv", np.arange(1, len(data) + 1))


def sizes(found: Partition) -> dict[str, int]:
    return {group: int((found.codes == at).sum()) for at, group in enumerate(found.groups)}


def test_values_and_empty_cells() -> None:
    found = asked_partition(table(city=["a", None, "b", "a", "", "b"] * 3), "city")
    assert sizes(found) == {"(empty)": 6, "a": 6, "b": 6}
    assert where(found.kind, found.name, "(empty)") == "'city' is empty"


def test_numbers_are_cut_in_quarters() -> None:
    found = asked_partition(table(price=[*map(float, range(100)), None, float("nan")]), "price")
    assert sizes(found) == {"0 to 24": 25, "25 to 49": 25, "50 to 74": 25, "75 to 99": 25, "(empty)": 2}


def test_a_few_different_numbers_stay_as_they_are() -> None:
    assert sizes(asked_partition(table(stars=[1, 2, 2, 5] * 5), "stars")) == {"1": 5, "2": 10, "5": 5}


def test_most_numbers_equal() -> None:
    found = asked_partition(table(sold=[0] * 90 + list(range(1, 21))), "sold")
    assert sum(sizes(found).values()) == 110
    assert min(sizes(found).values()) > 0


def test_dates_are_cut_in_quarters_of_the_rows() -> None:
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(days=at) for at in range(40)]
    found = asked_partition(table(day=[*days, None]), "day")
    assert found.groups[0] == "2024-01-01 to 2024-01-10"
    assert found.groups[-1] == "(empty)"
    assert sizes(found)["(empty)"] == 1


def test_what_a_csv_writes_is_read() -> None:
    days = [f"{1 + at % 28:02}.{1 + at // 28:02}.2024" for at in range(100)]
    given = table(price=[f"{at},50 €" for at in range(100)], day=days, code=[f"X{at:03}" for at in range(100)])
    assert asked_partition(given, "price").groups[0] == "0.5 to 24.5"
    assert asked_partition(given, "day").groups[0] == "2024-01-01 to 2024-01-25"
    assert "code" not in {one.name for one in table_partitions(given)}


def test_truths_and_falsehoods() -> None:
    assert sizes(asked_partition(table(paid=[True, False, True, None]), "paid")) == {
        "(empty)": 1,
        "False": 1,
        "True": 2,
    }


def test_lengths_of_texts() -> None:
    schema = (Column("text", "text"), Column("label", "category", "target"))
    texts = ["x" * at for at in range(1, 41)]
    given = table(schema, text=texts, label=["a", "b"] * 20)
    found = asked_partition(given, "length(text)")
    assert found.groups[0] == "1 to 10"
    assert where(found.kind, found.name, "1 to 10") == "'text' has 1 to 10 characters"
    (only,) = table_partitions(given, "label")
    assert (only.kind, only.name) == ("length", "text")


def test_the_search_takes_what_groups_rows_whether_it_is_read_or_not() -> None:
    schema = (Column("age", "number"), Column("place", "category", "domain"), Column("w", "number", "weight"))
    given = table(
        schema,
        age=list(range(120)),
        place=["a", "b"] * 60,
        w=[1.0] * 120,
        source=["web", "shop", "post"] * 40,
        id=[f"n{at}" for at in range(120)],
        tags=[["a"], ["b"]] * 60,
        only=["same"] * 120,
    )
    found = {one.name: one.kind for one in table_partitions(given)}
    assert found == {"place": "domain", "source": "column"}  # ages that all differ may be ids


def test_columns_that_are_not_there_or_do_not_group() -> None:
    given = table(city=["a", "b"] * 30, name=[f"n{at}" for at in range(60)], tags=[["a"]] * 60, number=[1.5, 2.5] * 30)
    with pytest.raises(UsageError, match=r"t\.csv has no column 'citty' to score by.*city"):
        asked_partition(given, "citty")
    with pytest.raises(UsageError, match=r"60 different values in 60 rows: too many.*'length\(name\)'"):
        asked_partition(given, "name")
    with pytest.raises(UsageError, match="no single values"):
        asked_partition(given, "tags")
    with pytest.raises(UsageError, match="holds no texts"):
        asked_partition(given, "length(number)")
    with pytest.raises(UsageError, match="no column 'nam'"):
        asked_partition(given, "length(nam)")
