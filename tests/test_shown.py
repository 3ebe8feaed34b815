"""graftwork.shown: nothing from a file acts on a terminal."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftwork.shown import shown, shown_json, shown_line

ANY = st.text(alphabet=st.characters(codec=None, exclude_categories=()), max_size=60)
DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def acts(character: str) -> bool:
    """By the Unicode database: controls, halves of pairs, separators of lines, marks of direction."""
    return (
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(character) in DIRECTIONS
    )


@given(ANY)
def test_nothing_acts_on_the_terminal(text: str) -> None:
    assert not any(acts(character) for character in shown(text).replace("\n", "").replace("\t", ""))
    assert not any(acts(character) for character in shown_line(text))
    shown(text).encode("utf-8")  # can be written


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S", "Zs", "Mn", "Mc"]), max_size=60))
def test_what_people_write_stays(text: str) -> None:
    assert shown(text) == shown_line(text) == text


@pytest.mark.parametrize("text", ["می‌خواهم", "👩‍👩‍👧", "naïve · 你好"])
def test_joiners_stay(text: str) -> None:
    assert shown(text) == text


@given(st.recursive(ANY | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(ANY, inner)))
def test_json_says_the_same(data: object) -> None:
    written = shown_json(data)
    assert json.loads(written) == data
    assert not any(acts(character) for character in written)


def test_examples() -> None:
    assert shown("\x1b]0;title\x07") == "\\x1b]0;title\\x07"
    assert shown("\x9b31m") == "\\x9b31m"
    assert shown("one\r\ntwo") == "one\\r\ntwo"
    assert shown_line("photo‮gpj.exe") == "photo\\u202egpj.exe"
    assert shown_line("a\nb\tc") == "a\\nb\\tc"
    assert shown("a​b") == "a\\u200bb"
