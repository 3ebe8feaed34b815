"""Leaks: a column, an order, an id and a time that give the target away are said; others are not."""

from __future__ import annotations

import numpy as np
import pandas as pd

import graftwork as gw
from graftwork.data.load import load, load_like
from graftwork.evidence.profile.leaks import leaks, times
from jobs import job_of
from tiny import tiny_rows


def frame(rows: int = 300, seed: int = 0) -> pd.DataFrame:
    table = pd.DataFrame(tiny_rows(rows), columns=["text", "label"])
    table["text"] += [f" {at}" for at in range(rows)]
    return table.sample(frac=1, random_state=seed).reset_index(drop=True)


def both(train: pd.DataFrame, test: pd.DataFrame | None = None, **options):
    job = job_of(train, gw.Recipe(base={"text": "gru:width=8"}), target="label", **options)
    table = load(train, target="label", **options).table
    asked = None if test is None else load_like(test, table.schema, with_target=True).table
    return leaks(table, asked, job.tasks, job.leaks), list(times(table, asked, job.tasks))


def test_nothing_is_said_of_an_honest_table():
    found, when = both(frame())
    assert not found.remedy
    assert found.sentences == ("No column and no order of the rows gives the target away.",)
    assert not when


def test_a_column_that_tells_is_named_with_what_to_do():
    train = frame().assign(status=lambda table: table.label.str[:2])
    found, _ = both(train)
    assert found.numbers["column status"] == 1.0
    assert "--ignore status" in found.remedy


def test_rows_sorted_by_the_target_are_said():
    found, _ = both(frame().sort_values("label"))
    assert "sorted by 'label'" in found.sentences[0]


def test_an_id_that_is_an_input_is_said_with_how_many_test_rows_are_new():
    customers = np.random.default_rng(0).integers(1000, 1040, 300)
    train, test = frame().assign(customer_id=customers), frame(60, 1).assign(customer_id=range(1030, 1090))
    found, _ = both(train, test)
    assert "--role group=customer_id" in found.remedy
    assert "test rows have one that training never had" in found.sentences[0]


def test_groups_of_the_test_that_training_has_are_said():
    train, test = frame().assign(customer=lambda table: np.arange(len(table)) % 50), frame(60, 1).assign(customer=40)
    found, _ = both(train, test, roles={"group": "customer"})
    assert found.numbers["test rows of known groups"] == 60


def test_a_target_that_changes_with_time_is_said():
    days = pd.date_range("2024-01-01", periods=300)
    train = frame().sort_values("label").assign(created=days)
    train.label = np.where(np.random.default_rng(0).random(300) < 0.2, "food", train.label)
    _, (when,) = both(train)
    assert when.sentences[0] == "'created' goes from 2024-01-01 to 2024-10-26."
    assert "changes with it" in when.sentences[1]
    assert "--role time=created" in when.remedy


def test_test_rows_that_come_later_are_said_and_those_within_too():
    train = frame().assign(created=pd.date_range("2024-01-01", periods=300))
    _, (later,) = both(train, frame(60, 1).assign(created=pd.date_range("2025-01-01", periods=60)))
    assert later.numbers["test rows later"] == 1.0
    assert later.remedy == "Validate on the latest rows: --role time=created."
    _, (within,) = both(train, frame(60, 1).assign(created=pd.date_range("2024-03-01", periods=60)))
    assert within.numbers["test rows within"] == 1.0
    assert not within.remedy
    _, (known,) = both(train, roles={"time": "created"})
    assert known.numbers["column"] == "created"
