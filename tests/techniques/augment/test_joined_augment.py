"""Token dropout and EDA on several texts in one sequence: separators stay, and no text takes words from another."""

from __future__ import annotations

import pytest
import torch

from graftwork.networks.hub.tokenizer import TextTokenizer, train_tokenizer
from graftwork.networks.text.recurrent import RecurrentEncoder
from graftwork.techniques import EDA, TokenDropout
from graftwork.techniques.augment.tokens import marks_of, texts_of
from techniques.augment.conftest import stream

SEPARATOR = 2
PAIRS = [("a b c d", "e f g h i j"), ("k", "l"), ("", "a b"), ("c d e", ""), ("a b", "c", "d e f")]


def encoder() -> RecurrentEncoder:
    texts = ["a b c d e f g h i j k l"] * 2
    tokenizer: TextTokenizer = train_tokenizer(texts, "word", 100, 40, joined=True)
    return RecurrentEncoder(tokenizer, "gru", 4, 1, 0.0)


def parts(inputs: dict[str, torch.Tensor], row: int) -> list[list[int]]:
    """The ids of each text of a row, between its separators."""
    ids = inputs["input_ids"][row][inputs["attention_mask"][row].bool()].tolist()
    found: list[list[int]] = [[]]
    for token in ids:
        if token == SEPARATOR:
            found.append([])
        else:
            found[-1].append(token)
    return found


def test_each_text_of_a_row_is_told() -> None:
    made = encoder()
    inputs = made.collate([made.prepare([row])[0] for row in PAIRS])
    masks = texts_of(inputs, marks_of(made))
    assert [mask.sum(1).tolist() for mask in masks] == [[4, 1, 2, 3, 2], [6, 1, 0, 0, 1], [0, 0, 0, 0, 3]]


def test_single_texts_are_one_text_whatever_they_hold() -> None:
    made = encoder()
    inputs = made.collate(made.prepare(["a [SEP] b", "c"]))
    assert [mask.sum(1).tolist() for mask in texts_of(inputs, marks_of(made))] == [[2, 1]]


@pytest.mark.parametrize("technique", [TokenDropout(rate=0.9), EDA(swap=0.5, delete=0.9), EDA(swap=0.9, delete=0.0)])
def test_separators_stay_and_words_stay_in_their_text(technique: TokenDropout | EDA) -> None:
    made = encoder()
    inputs = made.collate([made.prepare([row])[0] for row in PAIRS])
    change, generator, changed = technique.change(made), stream(), 0
    for _ in range(20):
        found = change(inputs, generator)
        changed += found["input_ids"].shape != inputs["input_ids"].shape or bool(
            (found["input_ids"] != inputs["input_ids"]).any()
        )
        for row in range(len(PAIRS)):
            before, after = parts(inputs, row), parts(found, row)
            assert len(after) == len(before)
            for old, new in zip(before, after, strict=True):
                assert set(new) <= {*old, marks_of(made).blank}
                assert bool(new) == bool(old)  # of every text at least one word
                assert not new or set(new) - {marks_of(made).blank}
    assert changed > 10


def test_segments_move_with_their_tokens() -> None:
    made = encoder()
    inputs = made.collate([made.prepare([row])[0] for row in PAIRS])
    found = EDA(swap=0.0, delete=0.8).change(made)(inputs, stream())
    for row in range(len(PAIRS)):
        own = found["attention_mask"][row].bool()
        ids, segments = found["input_ids"][row][own].tolist(), found["segments"][row][own].tolist()
        first = ids.index(SEPARATOR)
        assert segments == [0] * (first + 1) + [1] * (len(ids) - first - 1)
