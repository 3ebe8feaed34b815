"""Which writings are one value, which probably are, and which never."""

from __future__ import annotations

import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftwork.data.columns.values import is_blank, likely_same, same_value, same_values


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("7", "7.0"),
        ("-3", "-3.00"),
        ("café", "cafe\u0301"),
        ("한국", unicodedata.normalize("NFD", "한국")),
        ("pos", "pos\u200b"),
        ("pos", "\ufeffpos"),
        ("pos", "p\u2060os"),
        ("pos", "\u00a0pos\u00a0"),
        ("pos", "\u3000pos\t"),
        ("not spam", "not\u00a0spam"),
        ("pos", "pos\u200e"),
        ("True", "true"),
        ("FALSE", "false"),
        ("👍", "👍\ufe0f"),
        ("pos", "\u200b pos \u200b"),
    ],
)
def test_certainly_the_same(one: str, other: str) -> None:
    assert same_value(one) == same_value(other)
    assert likely_same(one) == likely_same(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pos", "POS"),
        ("7", "07"),
        ("not spam", "not_spam"),
        ("not spam", "not-spam"),
        ("not-spam", "not–spam"),
        ("not spam", "not  spam"),
        ("pos", "pos."),
        ("ＰＯＳ", "pos"),
        ("R&B", "R&amp;B"),
        ("café", "cafe"),
        ("don't", "don’t"),
        ("Straße", "STRASSE"),
        ("'pos'", "pos"),
        ("ёлка", "елка"),
        ("می‌خواهم", "میخواهم"),
    ],
)
def test_probably_the_same_is_not_certain(one: str, other: str) -> None:
    assert same_value(one) != same_value(other)
    assert likely_same(one) == likely_same(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("C", "C++"),
        ("A", "A+"),
        ("A", "A-"),
        ("1", "-1"),
        ("1.1", "1.10"),
        ("7", "70"),
        ("1.5", "15"),
        ("が", "か"),
        ("й", "и"),
        ("हिंदी", "हद"),
        ("yes", "no"),
        ("-", "+"),
        (".", "!"),
        ("👨‍👩‍👧", "👨👩"),
    ],
)
def test_never_the_same(one: str, other: str) -> None:
    assert likely_same(one) != likely_same(other)


@given(st.text(max_size=12))
def test_doing_it_twice_changes_nothing(text: str) -> None:
    assert same_value(same_value(text)) == same_value(text)


def test_arrays_and_blanks() -> None:
    part = pa.array(["7.0", None, "7", "\u200b"])
    assert same_values(part).to_pylist() == ["7", None, "7", ""]
    assert is_blank(part).to_pylist() == [False, None, False, True]
    blanks = ["", " ", "\u200b\u2060", "\u3164", "\u2800", "\ufe0f", "\t\n", "\u00ad", "\U000e0001"]
    assert all(is_blank(pa.array(blanks)).to_pylist())
    assert not any(is_blank(pa.array(["a", ".", "👍", "\u0301", "한"])).to_pylist())
    assert all(same_value(text) == "" for text in blanks[:-1] if text != "\u2800")
