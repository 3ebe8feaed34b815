"""The reader of dates: a table of forms with their right values, what it refuses, and what is learned from a date."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import graftwork as gw
from command import graft
from graftwork.data.columns.dates import DateForm, find_dates, find_number_dates, to_dates
from graftwork.data.load import load, load_like
from graftwork.errors import DataError

JAN, FEB = datetime(2024, 1, 31), datetime(2024, 2, 1)
FORMS: list[tuple[list[str], list[datetime]]] = [
    (["2024-01-31", "2024-02-01"], [JAN, FEB]),
    (["2024/1/31", "2024/2/1"], [JAN, FEB]),
    (["2024.01.31 10:30"], [datetime(2024, 1, 31, 10, 30)]),
    (["2024-01-31T10:30:15Z"], [datetime(2024, 1, 31, 10, 30, 15)]),
    (["2024-01-31T10:30:15.123+02:00"], [datetime(2024, 1, 31, 10, 30, 15)]),
    (["2024-01-31 10:30:15 UTC"], [datetime(2024, 1, 31, 10, 30, 15)]),
    (["2024-01", "2024-02"], [datetime(2024, 1, 1), FEB]),
    (["31/1/2024", "1/2/2024"], [JAN, FEB]),
    (["1/31/2024", "2/1/2024"], [JAN, FEB]),
    (["31.01.2024", "01.02.2024"], [JAN, FEB]),
    (["31-01-24", "01-02-24"], [JAN, FEB]),
    (["1/31/2024 10:30 PM", "2/1/2024 12:05 AM"], [datetime(2024, 1, 31, 22, 30), datetime(2024, 2, 1, 0, 5)]),
    (["31 Jan 2024", "1 February 2024"], [JAN, FEB]),
    (["January 31, 2024", "Feb 1, 2024"], [JAN, FEB]),
    (["31-Jan-24", "01-Feb-24"], [JAN, FEB]),
    (["Jan-2024", "February 2024"], [datetime(2024, 1, 1), FEB]),
    (["31st January 2024", "1st of February 2024"], [JAN, FEB]),
    (["Wed, 31 Jan 2024 10:30:00 GMT"], [datetime(2024, 1, 31, 10, 30)]),
    (["Wed Jan 31 2024 10:30"], [datetime(2024, 1, 31, 10, 30)]),
    (["31. Januar 2024", "1. Februar 2024"], [JAN, FEB]),
    (["31 janvier 2024", "1 février 2024"], [JAN, FEB]),
    (["31 de enero de 2024", "1 de febrero de 2024"], [JAN, FEB]),
    (["31 gennaio 2024", "1 febbraio 2024"], [JAN, FEB]),
    (["31 januari 2024", "1 februari 2024"], [JAN, FEB]),
    (["2024年1月31日", "2024年2月1日"], [JAN, FEB]),
    (["2024年1月31日 10:30"], [datetime(2024, 1, 31, 10, 30)]),
    (["2024년 1월 31일"], [JAN]),
    (["2024Q1", "Q2 2024"], [datetime(2024, 1, 1), datetime(2024, 4, 1)]),
    (["10:30", "23:45:10"], [datetime(1970, 1, 1, 10, 30), datetime(1970, 1, 1, 23, 45, 10)]),
    (["２０２４-０１-３１"], [JAN]),
    (["1/2/2024", "2/2/2024", "1/3/2024", "2/3/2024"], [datetime(2024, m, d) for m in (2, 3) for d in (1, 2)]),
]


@pytest.mark.parametrize(("texts", "expected"), FORMS, ids=[texts[0] for texts, _ in FORMS])
def test_forms(texts: list[str], expected: list[datetime]) -> None:
    found = find_dates(texts)
    assert found is not None
    assert not found.unclear
    dates, bad = to_dates(pa.array([*texts, "NA", None]), found.form)
    assert [None if one is None else one.replace(microsecond=0) for one in dates.to_pylist()] == [*expected, None, None]
    assert not bad.any()


@pytest.mark.parametrize(
    ("name", "values", "form"),
    [
        ("x", [20240131, 20240201, 20231231], "digits"),
        ("x", [20240131, 20240201, 20231331], None),
        ("x", [1_700_000_000, 1_700_000_500, 1_600_000_000], "seconds"),
        ("x", [1_700_000_000_000, 1_600_000_000_000], "milliseconds"),
        ("x", [1_700_000_000_000_000, 1_600_000_000_000_000], "microseconds"),
        ("created_at", [0 + 86_400, 1_600_000_000], "seconds"),
        ("x", [86_400, 1_600_000_000], None),
        ("phone", [2_125_551_234, 9_995_551_234], None),
        ("order date", [45_000, 45_001], "excel"),
        ("x", [45_000, 45_001], None),
        ("year", [2019, 2020], None),
        ("period", [202311, 202312, 202401], "months"),
        ("x", [*range(202305, 202313), 202401, 202402], "months"),
        ("x", [202311, 202312, 202401], None),
        ("x", [*range(202305, 202313), 202401, 202413], None),
        ("month", [1, 12], None),
        ("when", [45_000, 45_001], "excel"),
    ],
)
def test_numbers_that_are_dates(name: str, values: list[int], form: DateForm | None) -> None:
    found = find_number_dates(name, values)
    assert (found.form if found else None) == form


def test_numbers_as_dates() -> None:
    for form, value in (
        ("digits", 20240131),
        ("seconds", 1706659200),
        ("milliseconds", 1706659200000),
        ("excel", 45322),
    ):
        assert to_dates(pa.array([value, None]), form)[0].to_pylist() == [JAN, None]  # type: ignore[arg-type]
    assert to_dates(pa.array(["202401", None]), "months")[0].to_pylist() == [datetime(2024, 1, 1), None]
    assert to_dates(pa.array([1706659200.0]), "seconds")[0].to_pylist() == [JAN]


@pytest.mark.parametrize(
    "texts",
    [["good"], ["1", "2"], ["30/2/2024"], ["1.5"], ["120/80"], ["192.168.1.1"], ["1.2.3"], ["2024-13-01"], ["NA"]],
)
def test_what_is_no_date(texts: list[str]) -> None:
    assert find_dates(texts) is None


def test_an_open_order_is_said_with_the_remedy() -> None:
    found = find_dates(["1/2/2021 10:00", "5/4/2021 11:30", "3/3/2021 9:00"])
    assert found is not None
    assert found.unclear
    assert "--kind when=date:mdy if it is month before day" in found.note("when")
    rows = {"when": ["1/2/2021", "5/4/2021"] * 10, "y": ["a", "b"] * 10}
    assert load(rows, target="y").table.values("when")[0] == datetime(2021, 2, 1)
    assert load(rows, target="y", kinds={"when": "date:mdy"}).table.values("when")[0] == datetime(2021, 1, 2)


def test_a_later_table_is_read_in_the_order_of_training_or_by_its_own_evidence() -> None:
    schema = load({"when": ["31/1/2024", "1/2/2024"] * 10, "y": ["a", "b"] * 10}, target="y").table.schema
    assert schema.inputs[0].form == "dmy"
    later = load_like({"when": ["2/1/2024", "2024-05-06"]}, schema, with_target=False, on_bad_rows="keep")
    assert later.table.values("when") == [datetime(2024, 1, 2), datetime(2024, 5, 6)]
    later = load_like({"when": ["1/31/2024"]}, schema, with_target=False, on_bad_rows="keep")
    assert later.table.values("when") == [JAN]
    assert "not as in the training table" in later.notes[0]
    later = load_like({"when": ["soon"]}, schema, with_target=False, on_bad_rows="keep")
    assert [bad.reason for bad in later.bad] == ["'soon' is not a date (day before month)"]
    with pytest.raises(DataError, match="is to be read as dates, but its values are none, such as 'a'"):
        load({"x": ["a", "b"] * 9, "y": ["a", "b"] * 9}, target="y", kinds={"x": "date"})


DATES = pd.to_datetime("2021-01-01") + pd.to_timedelta(np.random.default_rng(0).integers(0, 900 * 24, 240), unit="h")
COLUMNS: dict[str, Callable[[], Any]] = {
    "text": lambda: DATES.strftime("%d/%m/%Y %H:%M"),
    "months": lambda: DATES.strftime("%d %b %Y"),
    "digits": lambda: DATES.strftime("%Y%m%d").astype(int),
    "year and month": lambda: DATES.strftime("%Y%m").astype(int),
    "seconds": lambda: DATES.as_unit("s").astype("int64"),
    "datetime": lambda: DATES,
    "zone": lambda: DATES.tz_localize("UTC").tz_convert("Asia/Tokyo"),
    "period": lambda: DATES.to_period("D"),
}


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_where_the_month_decides_it_is_learned(column: Callable[[], Any], tmp_path: Path) -> None:
    summer = ["summer" if month in (6, 7, 8) else "other" for month in DATES.month]
    frame = pd.DataFrame({"when": column(), "y": summer})
    model = gw.fit(frame[:160], target="y", recipe=gw.Recipe(techniques=["probe"]), verbose=False)
    assert model.schema.inputs[0].kind == "date"
    assert model.evaluate(frame[160:]).scores["accuracy"].value > 0.95
    again = gw.load(model.save(tmp_path / "m"))
    assert list(again.predict(frame)) == list(model.predict(frame))


def test_the_plan_says_what_is_read_of_a_date(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = zip(DATES.strftime("%m/%d/%Y"), ["u", "v"] * 120, strict=True)
        csv.writer(file).writerows([["when", "y"], *rows])
    said = graft("plan", path, "--target", "y", "--with", "probe").works().err
    assert "input: when (dates, read as year, month, weekday, hour and days)" in said
    assert "(month before day)" in said


@given(st.datetimes(datetime(1900, 1, 1), datetime(2099, 12, 31)))
def test_dates_of_python_are_read_back(when: datetime) -> None:
    for form, order in (("%Y-%m-%d %H:%M:%S", ""), ("%d.%m.%Y %H:%M:%S", "dmy"), ("%m/%d/%Y %H:%M:%S", "mdy")):
        dates, _ = to_dates(pa.array([when.strftime(form)]), order)  # type: ignore[arg-type]
        assert dates.to_pylist() == [when.replace(microsecond=0)]


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    find_dates([text])
    to_dates(pa.array([text.encode(errors="replace").decode()]), "dmy")


def test_iso_dates_are_read_whatever_training_had() -> None:
    schema = load({"when": [1_700_000_000 + at for at in range(20)], "y": ["a", "b"] * 10}, target="y").table.schema
    assert schema.inputs[0].form == "seconds"
    later = load_like({"when": ["2024-01-31"]}, schema, with_target=False, on_bad_rows="keep")
    assert (later.table.values("when"), later.bad) == ([JAN], [])
