"""graftwork.networks.table.columns: what training rows tell of their columns, and values that they never held."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.preprocessing import QuantileTransformer, StandardScaler

from graftwork.networks.table.columns import Category, Reader, dated, learn_category, learn_date, learn_number, level


def number(values, scaling="standard"):
    return learn_number("x", pa.chunked_array([pa.array(values, pa.float64())]), scaling)


def category(values, levels=10, min_rows=1):
    return learn_category("c", pa.chunked_array([pa.array(values)]), levels, min_rows)


def test_standard_equals_scikit_learn():
    values = np.random.default_rng(0).lognormal(3, 2, 200)
    expected = StandardScaler().fit_transform(values[:, None])[:, 0]
    np.testing.assert_allclose(number(values).read(values), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(number(values, "bins").read(values), expected, rtol=1e-5, atol=1e-6)


def test_quantiles_are_close_to_scikit_learn():
    draw = np.random.default_rng(0)
    values, new = draw.lognormal(3, 2, 1000), draw.lognormal(3, 1, 100)
    peer = QuantileTransformer(n_quantiles=100, output_distribution="normal").fit(values[:, None])
    np.testing.assert_allclose(number(values, "quantile").read(new), peer.transform(new[:, None])[:, 0], atol=0.06)


def test_a_value_that_fills_several_quantiles_stands_in_their_middle():
    values = [0.0] * 50 + [1.0] * 50
    low, high = number(values, "quantile").read(np.array([0.0, 1.0]))
    assert low == pytest.approx(-high)
    assert 0.5 < high < 3


@pytest.mark.parametrize("scaling", ["standard", "quantile", "bins"])
@pytest.mark.parametrize(
    "values", [[1.0, 2.0, 4.0], [7.0, 7.0], [1e308, -1e308, 3.0], [1e-308, 2e-308], [None, None], [0.0, None], [5.0]]
)
def test_whatever_comes_is_finite(values, scaling):
    column = number(values, scaling)
    assert column.missing == (None in values)
    read = column.read(np.array([np.inf, -np.inf, 1e308, -1e308, 0.0, 3e-308, *[v or 0.0 for v in values]]))
    assert read.dtype == np.float32
    assert np.isfinite(read).all()
    assert np.abs(read).max() < 1e3
    assert np.isnan(column.read(np.array([np.nan]))).all()


def test_a_constant_column_says_nothing():
    assert number([7.0, 7.0, 7.0]).read(np.array([7.0, 8.0, -1e9])).tolist() == [0, 0, 0]
    assert number([0.1] * 30).spread == 0  # the mean of equal values is off by its last bit


def test_far_values_are_clipped_at_the_training_range_widened():
    column = number([0.0, 10.0])
    assert column.read(np.array([10.0, 20.0, 1000.0])).tolist() == [1.0, 3.0, 3.0]


def test_bins_hold_equal_shares_and_keep_few_values_apart():
    edges = number(np.arange(1000.0), "bins").edges
    assert len(edges) == 17
    assert np.allclose(np.diff(edges), np.mean(np.diff(edges)), rtol=0.03)
    years = number([2011.0, 2012.0, 2013.0] * 100, "bins")
    np.testing.assert_allclose(years.edges, years.read(np.array([2011.0, 2012.0, 2013.0])))


def test_categories_rare_missing_and_unknown():
    column = category(["a"] * 5 + ["b"] * 3 + ["c"] + [None], min_rows=2)
    assert (column.levels, column.rare, column.missing, column.size) == (("a", "b"), True, True, 4)
    assert column.read(["a", "b", "c", "never seen", None]).tolist() == [1, 2, 0, 0, 3]
    whole = category(["a", "b", "a"])
    assert (whole.rare, whole.missing, whole.size) == (False, False, 3)
    assert whole.read([None, "?"]).tolist() == [0, 0]
    assert category(list("aaabbc"), levels=1).levels == ("a",)


def test_the_most_frequent_levels_come_first_and_ties_by_name():
    assert category(["b", "a", "c", "c"]).levels == ("c", "a", "b")


def test_a_category_is_the_same_in_every_type():
    assert category([1, 2, 2]).read([1.0, "2", 2, True]).tolist() == [2, 1, 1, 0]
    assert [level(value) for value in (3, 3.0, "3 ", 2.5, True)] == ["3", "3", "3", "2.5", "true"]


def test_a_reader_is_saved_and_restored():
    reader = Reader((number([1.0, 2.0, None], "quantile"), category(["ä", None]), number([1.0, 3.0] * 50, "bins")))
    again = Reader.from_json(reader.to_json())
    assert again == reader
    assert again.fingerprint == reader.fingerprint
    assert again.fingerprint != Reader((reader.columns[0],)).fingerprint
    assert reader.read([(1.0, "ä", None), (None, None, 3.0)])[:, 2].tolist() == [1, 2]  # codes stand last


def test_columns_without_a_level():
    assert category(["a", "b"], min_rows=2) == Category("c", (), rare=True, missing=False)


def test_values_that_training_never_had_are_named():
    reader = Reader((number([1.0, 2.0]), category(["a", "b", None]), category(["a", "a", "b"], min_rows=2)))
    assert reader.unseen([(1.0, "a", "z"), (2.0, "y", "z"), (3.0, "x", None), (None, None, "b")]) == {"c": "x"}
    assert reader.unseen([(5.0, "b", "a")]) == {}


def test_one_value_in_two_forms_is_one_category() -> None:
    column = pa.chunked_array([["1", "2.0", "True", "cafe\u0301", "po\u200bs", "07"] * 3])
    learned = learn_category("x", column, 100, 1)
    forms = [["1", 1, 1.0, "1.0", " 1 "], ["2", 2.0], ["true", True], ["caf\u00e9"], ["pos"], ["07"]]
    codes = [{float(code) for code in learned.read([form])} for values in forms for form in values]
    assert all(code != {0.0} for code in codes)
    assert len({frozenset(code) for code in codes}) == len(forms)
    assert learned.read(["7", "007"]).tolist() == [0.0, 0.0]


def test_levels_of_older_models_are_found() -> None:
    old = Category("x", ("True", "False", "1.0", "1"), rare=False, missing=False)
    assert old.read([True, "true", False, 1]).tolist() == [1.0, 1.0, 2.0, 3.0]


def test_dates_are_taken_apart_as_pandas_takes_them() -> None:
    draw = np.random.default_rng(0)
    when = pd.to_datetime("1950-01-01") + pd.to_timedelta(draw.integers(0, 40_000 * 24, 300), unit="h")
    found = dated([*when.to_pydatetime(), None])
    for part, expected in (
        ("year", when.year),
        ("month", when.month),
        ("weekday", when.day_of_week + 1),
        ("hour", when.hour),
        ("days", (when - pd.Timestamp(0)) / pd.Timedelta(days=1)),
    ):
        assert list(found[part][:-1]) == list(expected), part
    assert np.isnan(found["days"][-1])
    assert found["month"][-1] is None


def test_a_date_column_is_read_by_what_it_varies_in() -> None:
    column = pa.chunked_array([pa.array([0, 86_400_000 * 40, None], pa.timestamp("ms"))])
    learned = learn_date("when", column, "standard")
    assert [part.name for part in learned.parts] == ["when: days", "when: month", "when: weekday"]
    reader = Reader((learned,))
    rows = reader.read([(value,) for value in column.to_pylist()])
    assert rows.shape == (3, 3)
    assert np.isnan(rows[2, 0])
    assert Reader.from_json(reader.to_json()) == reader
    assert reader.unseen([(datetime.datetime(1970, 7, 1),)]).keys() >= {"when: month"}
