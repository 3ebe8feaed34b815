"""Fits on numbers and categories from end to end: what is planned, what is read, and what bad rows do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from graftwork.core.training.optimizer import _slow
from graftwork.errors import DataError
from graftwork.runs.fit import DataArguments
from graftwork.runs.job.job import make_job
from graftwork.runs.single.run import build_network, plan_single
from heard import Ear

PROBE = gw.Recipe(base="columns", techniques=[gw.Probe()])


def made(rows=120):
    """The label follows from two columns together, the price from their sum."""
    draw = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "key": [f"r-{row}" for row in range(rows)],
            "size": draw.normal(50, 20, rows).round(2),
            "town": draw.choice(["Rome", "Oslo", "Bern"], rows),
            "same": 7,
            "gone": [None] * rows,
        }
    )
    table["label"] = np.where((table["size"] > 50) ^ (table["town"] == "Oslo"), "yes", "no")
    table["price"] = 3 * table["size"] + 40 * (table["town"] == "Bern")
    table.loc[::10, "size"] = np.nan
    return table


def test_classes_from_numbers_and_categories(tmp_path):
    ear, table = Ear(), made().drop(columns="price")
    recipe = gw.Recipe(base="table-mlp:width=32", techniques=[], training=gw.Training(epochs=25, lr=5e-3))
    model = gw.fit(table, target="label", recipe=recipe, listener=ear)
    notes = "\n".join(ear.notes)
    assert "ignored: key (row ids" in notes
    assert "not used: gone (no value in any row)" in notes
    assert model.network.sources == {"table": ("size", "town", "same")}
    whole = table.dropna(subset="size")
    assert (model.predict(whole) == whole["label"]).mean() > 0.9
    again = gw.load(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(again.predict_proba(table), model.predict_proba(table))


def test_numbers_from_a_csv_file(tmp_path):
    made().drop(columns="label").to_csv(tmp_path / "flats.csv", index=False)
    model = gw.fit(tmp_path / "flats.csv", target="price", recipe=PROBE)
    new = pd.DataFrame({"size": [10.0, 90.0, None, 1e30], "town": ["Rome", "Bern", "Atlantis", None], "same": [7] * 4})
    with pytest.warns(UserWarning, match="such as 'Atlantis'"):
        prices = model.predict(new).to_numpy()
    assert prices[0] == pytest.approx(30, abs=40)
    assert prices[1] == pytest.approx(310, abs=40)
    assert np.isfinite(prices).all()


def test_rows_without_any_value_are_named_and_answered_empty():
    table = made().drop(columns=["price", "same"])
    table.loc[2, ["size", "town"]] = None
    with pytest.raises(DataError, match=r"row 3, size, town: empty"):
        gw.fit(table, target="label", recipe=PROBE)
    model = gw.fit(table, target="label", recipe=PROBE, on_bad_rows="skip")
    found = model.predict_rows(table.head(4))
    assert [value is None for value in found.values] == [False, False, True, False]


def test_numbers_with_units_are_named_by_row():
    table = made().drop(columns="price").astype({"size": object})
    table.loc[[4, 6], "size"] = ["31 kg", "1,5"]
    with pytest.raises(DataError, match=r"(?s)row 5, size: '31 kg' is in kg, where.*row 7, size: '1,5'"):
        gw.fit(table, target="label", recipe=PROBE)


def job_of(table, recipe):
    return make_job(DataArguments(train=table, target="label"), recipe)


def test_the_default_of_a_table_has_nothing_to_tune():
    """Few rows validate: no network is trained from scratch, and a plain penalty begins."""
    table, recipe = made().drop(columns="price"), gw.Recipe()
    plans = dict(gw.plan(table, target="label", recipe=recipe))
    plain = ["plain linear probe", "plain linear probe, own l2"]
    assert list(plans) == [*plain, "kernel probe", "mlp probe", "linear probe", "boosting"]
    assert all(plan.total_steps == 0 for name, plan in plans.items() if name != "mlp probe")
    assert [name for name, _ in gw.plan(table, target="label", recipe=gw.Recipe(head="mlp"))] == ["probe"]
    assert [name for name, _ in gw.plan(table.head(24), target="label", recipe=recipe)] == ["probe"]


def test_the_default_of_a_long_table_trains_a_network_too():
    table, recipe = made(1000).drop(columns="price"), gw.Recipe()
    plans = dict(gw.plan(table, target="label", recipe=recipe))
    assert list(plans) == ["plain linear probe", "kernel probe", "mlp probe", "linear probe", "boosting", "train"]
    assert plans["train"].depths == {"table": 3}
    assert plans["train"].training.lr == 2e-3
    own = gw.plan(table, target="label", recipe=gw.Recipe(base="columns:numbers=standard"))
    assert [name for name, _ in own] == ["kernel probe", "mlp probe", "linear probe", "boosting"]


def test_a_head_on_columns_alone_learns_at_a_rate_of_its_own():
    table, recipe = made().drop(columns="price"), gw.Recipe(base="columns", techniques=[])
    plan = plan_single(job_of(table, recipe), recipe, timed=False)
    assert plan.training.head_lr == 1e-3
    assert plan.total_steps > 0


def test_beside_columns_another_base_learns_at_its_own_rate():
    table = made().drop(columns=["price", "same", "gone", "key"])
    table["note"] = [f"a {town} flat of size number {row}" for row, town in enumerate(table["town"])]
    recipe = gw.Recipe(base={"text": "gru:width=8", "table": "columns"}, techniques=[gw.Partial(1)])
    job = job_of(table, recipe)
    network = build_network(job, recipe)
    assert [encoder.architecture for encoder in _slow(network)] == ["recurrent"]
    plan = plan_single(job, recipe, timed=False)
    assert plan.training.lr == 2e-3
    assert plan.depths == {"note": 2, "table": 1}
