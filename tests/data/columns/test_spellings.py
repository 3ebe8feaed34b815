"""Class names in several writings: what becomes one class, what is only said."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from graftwork.data.columns.spellings import kept_spellings, likely_groups, one_spelling
from graftwork.data.load import load


def _column(counts: dict[str, int]) -> pa.ChunkedArray:
    values = [text for text, count in counts.items() for _ in range(count)]
    return pa.chunked_array([values[::2], values[1::2]], pa.string())


@pytest.mark.parametrize(
    ("counts", "classes"),
    [
        ({"1": 13, "1.0": 8, "0": 10, "0.0": 17}, {"1", "0.0"}),
        ({"pos": 8, "pos\u200b": 13, "neg": 27}, {"pos", "neg"}),
        ({"cafe\u0301": 8, "café": 13, "tea": 27}, {"café", "tea"}),
        ({"pos": 8, "\u00a0pos": 9, "neg": 2}, {"pos", "neg"}),
        ({"True": 3, "true": 9, "false": 2}, {"true", "false"}),
        ({"7": 8, "007": 13, "8": 3}, {"7", "007", "8"}),
        ({"pos\u200b": 3, "neg": 2}, {"pos\u200b", "neg"}),
    ],
)
def test_one_writing_stands_for_the_class(counts: dict[str, int], classes: set[str]) -> None:
    column = _column(counts)
    merged, notes = one_spelling(column, "label")
    assert set(merged.to_pylist()) == classes
    assert len(merged) == len(column)
    assert ("read as one class" in " ".join(notes)) == (len(classes) < len(counts))


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"neg": 15, "NEG": 12, "pos": 9}, r"'neg' (15 rows) and 'NEG' (12 rows) differ only in upper and lower case"),
        ({"7": 8, "007": 13, "8": 3}, "'007' (13 rows) and '7' (8 rows) differ only in leading zeros"),
        ({"not spam": 5, "not_spam": 4, "spam": 2}, "spaces, hyphens or underscores"),
        ({"not  spam": 5, "not spam": 4, "spam": 2}, "spaces, hyphens or underscores"),
        ({"e‑mail": 5, "e-mail": 4, "fax": 2}, "spaces, hyphens or underscores"),
        ({"R&B": 5, "R&amp;B": 4, "pop": 2}, "special characters"),
        ({"ＡＢ": 5, "AB": 4, "C": 2}, "full-width"),
        ({"pos.": 5, "pos": 4, "neg": 2}, "punctuation"),
        ({"café": 5, "cafe": 4, "tea": 2}, "accents"),
    ],
)
def test_what_is_perhaps_one_class_is_said_and_kept(counts: dict[str, int], words: str) -> None:
    column = _column(counts)
    kept, notes = one_spelling(column, "label")
    assert kept.equals(column)
    (note,) = notes
    assert note.startswith("warning: label: ")
    assert words in note
    assert "write them alike" in note


def test_classes_that_differ_are_not_warned_of() -> None:
    assert likely_groups(["C", "C++", "C#", "A+", "A-", "A", "-1", "1", "1.1", "1.10", "v2", "v 3"]) == []
    assert one_spelling(pa.chunked_array([[1, 2, 1]]), "label")[1] == []


def test_what_can_not_be_seen_is_spelt_out() -> None:
    column = _column({"pos": 8, "pos\u200b": 13, "neg": 27})
    assert r"'pos' (8 rows) is also written 'pos\u200b' (13)" in one_spelling(column, "label")[1][0]


def test_kept_spellings_keep_order_and_ties_are_settled() -> None:
    assert kept_spellings({"2.0": 1, "2": 1, "a": 3}) == {"2.0": "2", "2": "2", "a": "a"}


def test_a_table_with_one_row_in_another_writing_is_whole(tmp_path: Path) -> None:
    rows = [f"good {i},1" for i in range(5)] + [f"bad {i},0" for i in range(5)] + ["fine,1.0", "poor,0\u200b"]
    path = tmp_path / "a.csv"
    path.write_text("text,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    loaded = load(path)
    assert loaded.table.values("label") == ["1"] * 5 + ["0"] * 5 + ["1", "0"]
    assert any("read as one class each" in note for note in loaded.notes)
