"""A large tokenizer as far as it matters to some texts, against the whole of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer

import tiny
import tinye5
from graftwork.networks.text import vocabulary
from graftwork.networks.text.scripts import reading
from graftwork.networks.text.vocabulary import uncut

TEXTS = ["the cat is here", "qqq 酒店房间很好 zzz", "γάτα и день", "unknown 龘 letters", ""]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tinye5.tiny_e5(tmp_path / "base") / "tokenizer.json"


@pytest.mark.parametrize("least", [0, 1 << 30])
def test_texts_are_segmented_as_by_the_whole(file: Path, least: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "_LARGE", least)
    whole, some = Tokenizer.from_file(str(file)), uncut(file, TEXTS)
    assert (some.get_vocab_size() < whole.get_vocab_size()) == (least == 0)
    for text in TEXTS:
        expected, found = (one.encode(text, add_special_tokens=False) for one in (whole, some))
        assert (found.tokens, found.offsets) == (expected.tokens, expected.offsets)
    assert reading(some, TEXTS * 20) == reading(whole, TEXTS * 20)


def test_another_kind_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "_LARGE", 0)
    file = tiny.tiny_bert(tmp_path / "bert") / "tokenizer.json"
    assert uncut(file, TEXTS).get_vocab_size() == Tokenizer.from_file(str(file)).get_vocab_size()
