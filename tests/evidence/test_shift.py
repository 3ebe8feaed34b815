"""graftwork.evidence.shift: what differs is said in words; random splits of the same rows pass in silence."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from graftwork.data.table import Kind
from graftwork.evidence.shift import _LOOKS
from graftwork.runs.job.job import Job
from heard import Ear
from jobs import job_of
from pictures import encoded, picture
from tiny import tiny_texts


def rows(count: int, seed: int = 0) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    words = np.array(" ".join(tiny_texts(40)).split())
    return pd.DataFrame(
        {
            "text": [" ".join(draw.choice(words, 12)) for _ in range(count)],
            "age": draw.normal(40, 10, count),
            "town": draw.choice(["north", "south", "west"], count, p=[0.5, 0.3, 0.2]),
            "label": draw.choice(["a", "b", "oos"], count, p=[0.6, 0.38, 0.02]),
        }
    )


def job(train: pd.DataFrame, test: pd.DataFrame) -> Job:
    return job_of(train, gw.Recipe(base={"text": "gru:width=8"}), target="label", test=test)


def test_a_class_that_grows_is_said_in_numbers() -> None:
    test = rows(200, seed=1)
    test.loc[:35, "label"] = "oos"
    test.loc[36:, "label"] = test.loc[36:, "label"].replace("oos", "a")
    found = job(rows(800), test)
    assert "18 of 100 test rows are 'oos' in 'label', 2 of 100 in training" in found.shifts
    [note] = [note for note in found.notes if note.startswith("test differs: ")]
    assert "18 of 100" in note


def test_every_kind_of_column_is_looked_at() -> None:
    assert set(_LOOKS) == set(get_args(Kind))


def test_dates_that_are_later_are_said_and_the_same_ones_are_not() -> None:
    days, draw = pd.date_range("2020-01-01", periods=900, freq="D"), np.random.default_rng(0)
    train, test = rows(600).assign(sold=days[:600].strftime("%d/%m/%Y")), rows(300, seed=1)
    found = job(train, test.assign(sold=days[600:].strftime("%d/%m/%Y"))).shifts
    later = r"half of the test rows have 'sold' after 2022-01-\d\d, of training rows 2020-1\d-\d\d"
    assert any(re.fullmatch(later, one) for one in found), found
    drawn = test.assign(sold=draw.choice(days[:600], 300)).assign(
        sold=lambda frame: frame["sold"].dt.strftime("%d/%m/%Y")
    )
    assert not any("'sold'" in one for one in job(train, drawn).shifts)


@pytest.mark.parametrize(
    ("column", "change", "words"),
    [
        ("age", lambda values: values + 15, "half of the test rows have 'age' above"),
        (
            "town",
            lambda values: values.where(np.arange(200) % 4 > 0, "abroad"),
            "25 of 100 test rows have a value of 'town'",
        ),
        ("town", lambda values: values.replace("north", "west"), "none of the test rows have 'north' in 'town'"),
        ("text", lambda values: values.str[:12], "half of the test texts in 'text' have more than 12 characters"),
        (
            "text",
            lambda values: values.map(lambda _: "房间很大服务很好早餐也不错"),
            "100 of 100 test texts in 'text' are in Chinese",
        ),
        ("text", lambda values: values.str.replace("a", "u"), "of the words of test texts in 'text' are new"),
    ],
    ids=["number", "new category", "category", "length", "script", "words"],
)
def test_what_differs_is_named(column: str, change, words: str) -> None:  # type: ignore[no-untyped-def]
    test = rows(200, seed=1)
    test[column] = change(test[column])
    [finding, *more] = job(rows(800), test).shifts
    assert words in finding
    assert all(f"'{column}'" in other for other in more)


@pytest.mark.slow
def test_random_splits_pass_in_silence() -> None:
    """The column of codes has values that only one side has, as such columns do."""
    for seed in range(30):
        table = rows(600, seed).assign(code=[f"c{row % 290}" for row in range(600)])
        table["label"] = table["label"].replace("oos", "b")
        mixed = table.sample(frac=1, random_state=seed)
        cut = (80, 150, 300)[seed % 3]
        assert job(mixed[cut:], mixed[:cut]).shifts == ()


def test_a_few_rows_say_nothing() -> None:
    test = rows(30, seed=1).assign(age=1000.0, town="abroad")
    assert job(rows(800), test).shifts == ()


def test_small_photos_against_large_ones(tmp_path: Path) -> None:
    for row in range(100):
        size = 20 if row < 50 else 64
        (tmp_path / f"{row}.png").write_bytes(encoded(picture(row, size, size)))
    table = pd.DataFrame({"photo": [str(tmp_path / f"{row}.png") for row in range(100)], "label": ["a", "b"] * 50})
    found = job_of(table[:50], gw.Recipe(), target="label", test=table[50:]).shifts
    assert found == ("half of the test images in 'photo' are larger than 64 pixels, of training images 20",)


def test_the_report_and_the_terminal_have_it() -> None:
    ear, test = Ear(), rows(100, seed=1).assign(age=90.0)
    recipe = gw.Recipe(techniques=(gw.Probe(),))
    model = gw.fit(
        rows(300)[["age", "label"]], target="label", test=test[["age", "label"]], recipe=recipe, listener=ear
    )
    assert any(note.startswith("test differs: half of the test rows have 'age' above 90") for note in ear.notes)
    assert model.report is not None
    assert "other rows" in {warning.kind for warning in model.report.warnings}
