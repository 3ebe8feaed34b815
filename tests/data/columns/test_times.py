"""The role `time`: what can be ordered is read as such, and what can't is named."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from graftwork.data.columns.times import moment_text, moments
from graftwork.data.load import load, load_like
from graftwork.errors import DataError, UsageError


def rows(times, **more):
    return [
        {"text": f"a text number {at}", "when": when, "label": "ab"[at % 2], **more} for at, when in enumerate(times)
    ]


def read(times, **options):
    return load(rows(times), target="label", roles={"time": "when"}, **options)


@pytest.mark.parametrize(
    ("times", "kind"),
    [
        ([f"2024-01-{day:02d}" for day in range(1, 21)], "date"),
        ([f"{day}/01/2024" for day in range(1, 21)], "date"),
        ([f"2024-01-01 {hour:02d}:30" for hour in range(20)], "date"),
        ([2000 + at // 2 for at in range(20)], "number"),
        ([str(at) for at in range(20)], "number"),
        ([f"{at}.5" for at in range(20)], "number"),
    ],
)
def test_times_in_many_forms_are_in_order(times, kind):
    table = read(times).table
    column = table.schema.role("time")
    assert column is not None
    assert column.kind == kind
    assert [each.name for each in table.schema.inputs] == ["text"]
    found = moments(table.column("when"))
    assert np.array_equal(np.argsort(found, kind="stable"), np.arange(20))


def test_a_time_that_does_not_parse_is_named():
    times = [f"2024-01-{day:02d}" for day in range(1, 21)]
    times[6] = "yesterday"
    with pytest.raises(DataError, match=r"row 7, when: 'yesterday' is not a date"):
        read(times)
    assert len(read(times, on_bad_rows="skip").table) == 19


def test_a_time_that_is_missing_is_named():
    times = [f"2024-01-{day:02d}" for day in range(1, 21)]
    times[3] = None
    with pytest.raises(DataError, match=r"row 4, when: missing"):
        read(times)


def test_what_is_no_time_is_refused():
    with pytest.raises(UsageError, match=r"time=when: its values are no times, such as 'spring'.*2024-01-31"):
        read(["spring", "summer"] * 10)
    with pytest.raises(UsageError, match=r"read as date or number"):
        read(["2024-01-01", "2024-01-02"] * 10, kinds={"when": "category"})


def test_later_tables_need_no_time_to_be_predicted():
    schema = read([f"2024-01-{day:02d}" for day in range(1, 21)]).table.schema
    assert len(load_like([{"text": "only this"}], schema, with_target=False).table) == 1


def test_a_moment_is_shown_as_the_column_has_it():
    days = pa.chunked_array([pa.array(["2024-01-01", "2024-06-01"]).cast(pa.timestamp("ms"))])
    hours = pa.chunked_array([pa.array(["2024-01-01 10:00:00", "2024-01-01 12:00:00"]).cast(pa.timestamp("ms"))])
    assert moment_text(days, moments(days)[1]) == "2024-06-01"
    assert moment_text(hours, moments(hours)[1]) == "2024-01-01 12:00"
