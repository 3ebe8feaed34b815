"""A prompt before each text, against texts that hold it already."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tiny
import tinye5
from graftwork.errors import UsageError
from graftwork.networks.hub.prompts import with_prompt
from graftwork.networks.hub.tokenizer import LongTexts, TextTokenizer
from graftwork.networks.text.transformer import TransformerEncoder

TEXTS = ["the cat is here", "no rain today , only sun", "酒店很好", "", "i like the dog and the fish " * 12]


@pytest.fixture(params=["e5", "bert", "roberta"])
def plain(request: pytest.FixtureRequest, tmp_path: Path) -> TextTokenizer:
    """Of a unigram model, and of BERT and RoBERTa with whole words; none has a prompt."""
    made = tmp_path / "base"
    folder = tinye5.tiny_e5(made) if request.param == "e5" else tiny.tiny_model(made, request.param)
    return TransformerEncoder.from_pretrained(folder).tokenizer


@pytest.mark.parametrize("prompt", ["the: ", "i like the "])
def test_texts_are_read_as_if_it_stood_before_them(plain: TextTokenizer, prompt: str) -> None:
    made = with_prompt(plain, prompt)
    for text in TEXTS[:3]:
        assert made.encode([text])[0].tolist() == plain.encode([prompt + text])[0].tolist()
    first = [(TEXTS[0], TEXTS[1]), (TEXTS[1], TEXTS[2])]
    behind = [(prompt + one, other) for one, other in first]
    for found, expected in zip(made.encode(first), plain.encode(behind), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_no_prompt_changes_nothing(plain: TextTokenizer) -> None:
    assert with_prompt(plain, "") is plain


def test_another_prompt_is_another_fingerprint(plain: TextTokenizer) -> None:
    assert len({with_prompt(plain, prompt).fingerprint for prompt in ("", "the: ", "a: ")}) == 3


def test_places_are_those_of_the_text(plain: TextTokenizer) -> None:
    made = with_prompt(plain, "the: ")
    own = [tuple(place) for place in plain.places(TEXTS[0]).tolist() if place[0] >= 0]
    assert [tuple(place) for place in made.places(TEXTS[0]).tolist() if place[0] >= 0] == own
    assert len(made.places(TEXTS[0])) == len(made.encode([TEXTS[0]])[0])


def test_it_counts_in_lengths_and_is_never_cut_off(plain: TextTokenizer) -> None:
    made, longest = with_prompt(plain, "the: "), TEXTS[4]
    begin = made.encode([longest])[0]
    tokens = len(plain.encode(["the: the"])[0]) - len(plain.encode(["the"])[0])
    assert made.room() == plain.room() - tokens
    assert len(begin) == made.max_length
    head = plain.encode(["the: the"])[0][: 1 + tokens]
    np.testing.assert_array_equal(begin[: 1 + tokens], head)
    tail = LongTexts(keep="tail").applied(made).encode([longest])[0]
    np.testing.assert_array_equal(tail[: 1 + tokens], head)
    windows = LongTexts(windows=3).applied(made).encode([longest])[0]
    for start in range(0, len(windows), made.max_length):
        np.testing.assert_array_equal(windows[start : start + 1 + tokens], head)


def test_it_is_saved_with_the_tokenizer(plain: TextTokenizer, tmp_path: Path) -> None:
    made = with_prompt(plain, "the: ")
    (tmp_path / "saved").mkdir()
    made.save_files(tmp_path / "saved")
    loaded = TextTokenizer.from_config(made.config(), tmp_path / "saved")
    np.testing.assert_array_equal(loaded.encode(TEXTS[:1])[0], made.encode(TEXTS[:1])[0])


def test_a_prompt_that_would_run_into_the_text_is_refused(tmp_path: Path) -> None:
    plain = TransformerEncoder.from_pretrained(tiny.tiny_model(tmp_path / "gpt2", "gpt2")).tokenizer
    with pytest.raises(UsageError, match="joins 'the: ' with the first word"):
        with_prompt(plain, "the: ")
    made = with_prompt(plain, "the:")
    assert made.encode(["the cat"])[0].tolist() == plain.encode(["the:the cat"])[0].tolist()
    own = [place for place in plain.places("the cat").tolist() if place[0] >= 0]
    assert [place for place in made.places("the cat").tolist() if place[0] >= 0] == own


def test_a_prompt_that_leaves_no_room_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="leaves none for a text"):
        TransformerEncoder.from_pretrained(tinye5.tiny_e5(tmp_path / "base"), max_length=5, prompt="the cat is here: ")
