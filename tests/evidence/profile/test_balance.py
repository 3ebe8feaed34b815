"""What columns hold and how targets lie: numbers held against plain counting."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

import graftwork as gw
from graftwork.data.load import load
from graftwork.evidence.profile.balance import balance
from graftwork.evidence.profile.columns import columns, spread
from jobs import job_of

DRAW = np.random.default_rng(0)
LABELS = DRAW.choice(["card", "loan", "other"], 400, p=[0.9, 0.08, 0.02])


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "text": [" ".join(DRAW.choice(list("abcdefgh"), DRAW.integers(3, 9))) + f" {at}" for at in range(400)],
            "age": np.where(np.arange(400) % 2, DRAW.normal(40, 10, 400), np.nan),
            "town": DRAW.choice(["north", "south"], 400),
            "when": pd.date_range("2023-01-01", periods=400),
            "same": "yes",
            "label": LABELS,
        }
    )


def of(table: pd.DataFrame, target: str = "label", **options):
    job = job_of(table, gw.Recipe(base={"text": "gru:width=8"}), target=target, **options)
    return load(table, target=target, **options).table, job.tasks


def test_each_column_is_told_with_its_numbers():
    table, _ = of(frame())
    found = columns(table)
    told = found.numbers["columns"]
    assert told["text"]["kind"] == "text"
    lengths = [len(text) for text in table.values("text")]
    assert told["text"]["characters"]["most"] == max(lengths)
    assert told["text"]["characters"]["half"] == np.median(lengths)
    assert told["age"]["missing"] == 200
    assert told["town"]["most frequent"] == dict(Counter(table.values("town")).most_common())
    assert told["when"]["last"].startswith("2024-02-04")
    assert told["label"]["role"] == "target"
    assert "missing in 50 of 100 rows" in found.sentences[1]
    assert found.remedy.endswith("--ignore same.")


def test_columns_that_are_not_used_are_named():
    table, _ = of(frame(), ignore=["town", "same"])
    assert columns(table).numbers["unused"] == ["town", "same"]


def test_classes_are_counted_and_an_uneven_target_is_said():
    table, tasks = of(frame())
    (found,) = balance(table, tasks)
    assert found.numbers["classes"] == dict(Counter(LABELS.tolist()).most_common())
    assert "macro_f1" in found.remedy


def test_rare_classes_and_spellings_are_said_with_rows():
    labels = np.array(["card"] * 200 + ["loan"] * 195 + ["Loans", "loans", "loans", "Loans", "rare"])
    labels[-1] = "Loans"
    table, tasks = of(frame().assign(label=labels))
    (found,) = balance(table, tasks)
    assert any("differ only in" in one for one in found.sentences)
    assert found.rows


def test_numbers_are_told_by_their_spread():
    amounts = np.where(np.arange(400) % 3 == 0, 0.0, DRAW.lognormal(3, 1.5, 400))
    table, tasks = of(frame().assign(label=amounts))
    (found,) = balance(table, tasks)
    assert found.numbers["values"] == spread(amounts)
    assert any("are 0" in one for one in found.sentences)


def test_domains_are_told_with_how_much_they_tell_of_the_class():
    shops = np.where(LABELS == "card", "north", "south")
    table, tasks = of(frame().assign(town=shops), roles={"domain": "town"})
    found = list(balance(table, tasks))[1]
    assert found.about == "domains"
    assert found.numbers["rows"] == dict(Counter(shops.tolist()).most_common())
    assert found.numbers["label told"] > 0.5 * (LABELS == "loan").sum() / (LABELS != "card").sum()
    assert any("spares" in one for one in found.sentences)


def test_lists_of_labels_are_counted_by_label():
    labels = [["a", "b"], ["a"], [], ["c"]] * 100
    table, tasks = of(frame().assign(label=labels))
    (found,) = balance(table, tasks)
    assert found.numbers["labels"] == {"a": 200, "b": 100, "c": 100}
