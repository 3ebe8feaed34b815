"""What is read as text or categories though it looks like numbers is said, once, with what to do."""

from __future__ import annotations

import pandas as pd
import pytest

import graftwork as gw
from graftwork.data.columns.near_numbers import near_numbers
from heard import Ear

AMOUNTS = [7 * value % 1000 + value / 10 for value in range(1, 121)]


@pytest.mark.parametrize(
    "form",
    ["~{:.1f} kg", "<{:.1f}", "{:.0f}:30", "{:.0f}-{:.0f}", "{:.1f} ± 2", "up to {:.0f}", "1:{:.0f}", "{:.1f}D+03"],
)
def test_values_that_differ_in_digits_alone_are_named(form: str) -> None:
    said = near_numbers("x", [form.format(value, value + 1) for value in AMOUNTS], "text")
    assert "digits alone" in said
    assert "--ignore x" in said


@pytest.mark.parametrize("form", ["10.0.0.{:.0f}", "1.{:.0f}.0", "+49 170 {:06.0f}", "{:.0f}/80", "48.{:03.0f},2.100"])
def test_what_is_no_number_is_not_called_one(form: str) -> None:
    assert "digits alone" in near_numbers("x", [form.format(value) for value in AMOUNTS], "text")


@pytest.mark.parametrize("form", ["{}*", "{} (p)", "{}[1]"])
def test_numbers_with_marks_at_some_are_named_with_the_way_to_read_them(form: str) -> None:
    values = [form.format(value) if row % 3 == 0 else str(value) for row, value in enumerate(AMOUNTS)]
    assert "67 % of its values are numbers" in near_numbers("x", values, "text")
    assert "--kind x=number" in near_numbers("x", values, "text")


@pytest.mark.parametrize(
    "values",
    [
        [f"a sentence with number {row} and other words {row}" for row in range(30)],
        ["good film", "bad film", "7", "12 angry men"],
        ["1-2", "3-4"] * 20,
        [f"{'ABCDEFGHIJ'[row % 10]}{row} {'KLMNO'[row % 5]}" for row in range(60)],
        ["", "NA"],
        [f"u{row}@site.org" for row in range(40)],
        [f"https://a.org/{row}" for row in range(40)],
    ],
)
def test_words_and_classes_need_no_line(values: list[str]) -> None:
    assert near_numbers("x", values, "text") == ""


def test_a_fit_says_it_unless_the_kind_is_named() -> None:
    frame = pd.DataFrame({"a": [f"~{value} kg" for value in AMOUNTS], "y": AMOUNTS, "b": AMOUNTS})
    recipe = gw.Recipe(base="cnn:width=16", techniques=(), training=gw.Training(steps=2))
    heard = Ear()
    gw.fit(frame, target="y", recipe=recipe, listener=heard)
    assert sum("digits alone" in note for note in heard.notes) == 1
    heard = Ear()
    gw.fit(frame, target="y", kinds={"a": "text"}, recipe=recipe, listener=heard)
    assert not any("digits alone" in note for note in heard.notes)
