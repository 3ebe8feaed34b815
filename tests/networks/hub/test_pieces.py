"""Pieces that stand in texts, against looking each of them up; segmentations by them, against the whole tokenizer."""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

import tinye5
from graftwork.bases import unigram as described
from graftwork.networks.hub.pieces import Pieces, words_of
from graftwork.networks.hub.unigram import normaliser, segmenting

LETTERS = "ab\u2581酒😀"


@given(
    pieces=st.lists(st.text(LETTERS, min_size=1, max_size=6), unique=True, max_size=30),
    words=st.lists(st.text(LETTERS, max_size=20), max_size=5),
)
def test_all_pieces_are_found_that_stand_in_a_word(pieces: list[str], words: list[str]) -> None:
    found = Pieces(pieces).within(words)
    assert found == {place for place, piece in enumerate(pieces) if any(piece in word for word in words)}


def test_words_are_found_in_long_texts_chunk_by_chunk() -> None:
    pieces = Pieces(["needle", "absent", "hay"])
    assert pieces.within(["hay" * 300_000, "a needle", "hay" * 10]) == {0, 2}


def test_words_are_what_stands_between_spaces() -> None:
    assert words_of("a b\tc") == {"\u2581a", "\u2581b\tc", "\u2581b", "\u2581c"}


def _made(scores: random.Random) -> dict[str, Any]:
    letters = [(letter, -8 - scores.random()) for letter in "abcde\u2581"]
    words = {"".join(scores.choice("\u2581abcde") for _ in range(scores.randrange(2, 5))) for _ in range(60)}
    pieces = [*((name, 0.0) for name in described.SPECIAL), *letters]
    pieces += [(word, -3 - 4 * scores.random()) for word in sorted(words)]
    return described.tokenizer([piece for piece, _ in pieces], [score for _, score in pieces])


def test_the_pieces_that_stand_in_texts_segment_them_as_the_whole_vocabulary_does() -> None:
    for seed in range(30):
        draw = random.Random(seed)
        plain = _made(draw)
        texts = [" ".join("".join(draw.choices("abcdexz", k=5)) for _ in range(4)) for _ in range(5)]
        whole = Tokenizer.from_str(json.dumps(plain))
        vocabulary = [piece for piece, _ in plain["model"]["vocab"]]
        lowest = min(range(len(vocabulary)), key=lambda at: plain["model"]["vocab"][at][1])
        standing = Pieces(vocabulary).within(word for text in texts for word in words_of(normaliser(plain)(text)))
        some = segmenting(plain, sorted({*standing, 3, lowest}))
        for text in texts:
            expected = whole.encode(text, add_special_tokens=False)
            assert [vocabulary[at] for at in expected.ids] == [
                some.id_to_token(at) for at in some.encode(text, add_special_tokens=False).ids
            ]


def test_the_normaliser_is_that_of_the_file() -> None:
    vocabulary = tinye5.pieces()
    plain = described.tokenizer([piece for piece, _ in vocabulary], [score for _, score in vocabulary])
    assert normaliser(plain)("ｃａｔ  ～") == "cat ～"
    assert normaliser({**plain, "normalizer": None})("ｃａｔ") == "ｃａｔ"
