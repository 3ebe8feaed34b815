"""Token dropout and EDA on token ids."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from tokenizers import Tokenizer, models, processors

from graftwork import specs
from graftwork.errors import UsageError
from graftwork.networks.hub.tokenizer import TextTokenizer, train_tokenizer
from graftwork.techniques import EDA, TECHNIQUES, TokenDropout
from graftwork.techniques.augment import eda, token_dropout
from graftwork.techniques.augment.tokens import Marks, read_marks, text_of, without
from techniques.augment.conftest import stream

PAD, START, END, MASK, UNKNOWN = range(5)
MARKS = Marks(frozenset({PAD, START, END, MASK}), MASK, PAD)
BARE = Marks(frozenset({PAD}), None, PAD)


def texts(lengths: list[int]) -> dict[str, torch.Tensor]:
    """Rows [START, 10, 11, ..., END, PAD...] of so many words."""
    longest = max(lengths) + 2
    ids = torch.full((len(lengths), longest), PAD)
    for row, words in zip(ids, lengths, strict=True):
        row[: words + 2] = torch.tensor([START, *range(10, 10 + words), END])
    return {"input_ids": ids, "attention_mask": (ids != PAD).long()}


def words(inputs: dict[str, torch.Tensor]) -> list[list[int]]:
    """The ids of each row's own tokens, those that frame it apart."""
    rows = zip(inputs["input_ids"].tolist(), inputs["attention_mask"].tolist(), strict=True)
    return [[token for token, own in zip(*row, strict=True) if own and token not in (START, END)] for row in rows]


@pytest.fixture
def marked(monkeypatch):
    """`marked(MARKS)`: what the techniques take for the marks of a tokenizer."""

    def use(marks: Marks) -> None:
        for module in (eda, token_dropout):
            monkeypatch.setattr(module, "marks_of", lambda _: marks)

    return use


def build(special: list[str], unknown: str | None, frame: bool = True) -> TextTokenizer:
    names = [*special, "a", "b"]
    backend = Tokenizer(models.WordLevel({name: at for at, name in enumerate(names)}, unk_token=unknown or "[none]"))
    backend.add_special_tokens(special)
    if frame:
        backend.post_processor = processors.TemplateProcessing(
            single=f"{special[1]} $0 {special[2]}",
            special_tokens=[(name, names.index(name)) for name in special[1:3]],
        )
    return TextTokenizer({"tokenizer.json": backend.to_str().encode()}, pad=0, empty=1, max_length=9)


def test_marks_of_a_bert_like_tokenizer():
    marks = read_marks(build(["[PAD]", "[CLS]", "[SEP]", "[MASK]", "[UNK]"], "[UNK]"))
    assert marks == Marks(frozenset({0, 1, 2, 3}), 3, 0)


def test_marks_without_a_mask_take_the_unknown_token():
    assert read_marks(train_tokenizer(["one two", "one two"], "word", 99, 8)) == Marks(frozenset({0}), 1, 0)


def test_an_unknown_token_for_all_purposes_is_no_blank():
    marks = read_marks(build(["<|endoftext|>", "x", "y"], "<|endoftext|>", frame=False))
    assert marks.blank is None
    assert 0 in marks.special


def test_text_is_what_is_neither_padding_nor_special():
    inputs = texts([2, 1])
    assert text_of(inputs, MARKS).tolist() == [[False, True, True, False], [False, True, False, False]]


def test_gone_tokens_are_closed_up():
    inputs = texts([3, 2])
    gone = torch.tensor([[0, 1, 0, 1, 0], [0, 1, 0, 0, 0]]).bool()
    found = without(inputs, gone, PAD)
    assert found["input_ids"].tolist() == [[START, 11, END], [START, 11, END]]
    assert found["attention_mask"].tolist() == [[1, 1, 1], [1, 1, 1]]
    shorter = without(texts([3, 1]), torch.zeros(2, 5).bool(), PAD)
    assert shorter["attention_mask"].tolist() == [[1] * 5, [1] * 3 + [0] * 2]


def test_dropped_tokens_become_masks_at_the_given_rate(marked):
    marked(MARKS)
    inputs = texts([50] * 100)
    found = TokenDropout(0.3).change(None)(inputs, stream())
    masked = found["input_ids"] == MASK
    assert torch.equal(found["attention_mask"], inputs["attention_mask"])
    assert torch.equal(found["input_ids"].masked_fill(masked, 0), inputs["input_ids"].masked_fill(masked, 0))
    assert not masked[:, [0, -1]].any()
    assert float(masked[:, 1:-1].float().mean()) == pytest.approx(0.3, abs=0.02)


def test_without_a_mask_they_are_left_out(marked):
    marked(Marks(frozenset({PAD, START, END}), None, PAD))
    found = words(TokenDropout(0.5).change(None)(texts([20] * 40), stream()))
    assert all(row == sorted(row) for row in found)
    assert 7 < sum(map(len, found)) / 40 < 13


@pytest.mark.parametrize("technique", [TokenDropout(0.95), EDA(0.0, 0.95)], ids=lambda technique: technique.name)
def test_of_every_text_something_stays(technique, marked):
    marked(MARKS)
    found = technique.change(None)(texts([1, 2, 3, 8] * 50), stream())
    assert all(set(row) - {MASK} for row in words(found))


def test_swaps_keep_the_words_and_as_many_are_out_of_place(marked):
    marked(MARKS)
    inputs = texts([20] * 60 + [1])
    found = EDA(0.1, 0.0).change(None)(inputs, stream())
    assert torch.equal(found["attention_mask"], inputs["attention_mask"])
    assert (found["input_ids"][:, 0] == START).all()
    moved = (found["input_ids"] != inputs["input_ids"]).sum(1)
    for before, after in zip(words(inputs), words(found), strict=True):
        assert Counter(before) == Counter(after)
    assert set(moved[:-1].tolist()) <= {0, 3, 4}  # two swaps; the second may undo or share the first
    assert moved[-1] == 0
    assert float(moved[:-1].float().mean()) > 3


def test_a_text_is_swapped_or_thinned_out_but_not_both(marked):
    marked(MARKS)
    inputs = texts([30] * 200)
    found = words(EDA(0.2, 0.2).change(None)(inputs, stream()))
    thinned = [len(row) < 30 for row in found]
    assert 70 < sum(thinned) < 130
    for row, thin in zip(found, thinned, strict=True):
        assert (row == sorted(row)) == thin


@pytest.mark.parametrize("spec", ["token-dropout:rate=1", "eda:swap=1", "eda:delete=-0.5"])
def test_a_share_is_below_1(spec: str):
    with pytest.raises(UsageError, match="from 0 to below 1"):
        specs.parse(spec, TECHNIQUES, "technique")
