"""graftwork.networks.hub.tokenizer: ids, padding, and the training of a tokenizer."""

from __future__ import annotations

import copy
import dataclasses
import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graftwork.errors import DataError, ModelError
from graftwork.networks.hub.tokenizer import TextTokenizer, choose_tokens, train_tokenizer
from tiny import tiny_texts

CHINESE = ["房间很大，服务很好。", "房间很小，服务不好！", "酒店很好，wifi 很快。"]


def words(**changes) -> TextTokenizer:
    return train_tokenizer(**({"texts": tiny_texts(), "tokens": "word", "vocabulary": 1000, "max_length": 8} | changes))


def vocabulary(tokenizer: TextTokenizer) -> dict[str, int]:
    return tokenizer.backend.get_vocab()


def test_words_are_lower_case_and_frequent_ones_come_first():
    tokenizer = words(texts=["The cat, the CAT and the dog", "the dog?", "once"])
    ids = vocabulary(tokenizer)
    assert ids == {"[PAD]": 0, "[UNK]": 1, "the": 2, "cat": 3, "dog": 4}
    assert tokenizer.encode(["the Dog never"])[0].tolist() == [2, 4, 1]


def test_ties_are_broken_in_the_same_way_every_time():
    texts = [" ".join(f"w{number}" for number in order) for order in (range(300), range(299, -1, -1))]
    for how in ("word", "subword", "character"):
        assert len({words(texts=texts, vocabulary=30, tokens=how).files["tokenizer.json"] for _ in range(5)}) == 1


@pytest.mark.parametrize("how", ["word", "subword", "character"])
def test_vocabulary_is_a_limit(how):
    limit = 20 if how != "subword" else 60
    assert words(tokens=how, vocabulary=limit).size <= limit


def test_characters_where_there_are_no_spaces():
    tokenizer = words(texts=CHINESE, tokens="auto")
    assert {"房", "间", "很"} <= set(vocabulary(tokenizer))
    assert "房间" not in vocabulary(tokenizer)
    assert len(tokenizer.encode(["房间 很大"])[0]) == 4
    assert choose_tokens(["ホテルはとても良い"]) == "character"
    assert choose_tokens(["Das Zimmer war groß"]) == "word"
    assert choose_tokens([]) == "word"


def test_subwords_spell_words_that_training_never_had():
    tokenizer = words(tokens="subword", vocabulary=200)
    assert 1 not in tokenizer.encode(["catdog"])[0]


def test_texts_that_hold_nothing_are_refused():
    for texts in ([], ["", "  "], ["each word once"]):
        with pytest.raises(DataError, match="hold no token that occurs twice"):
            words(texts=texts)


def test_long_texts_are_cut_and_empty_ones_are_not_empty():
    tokenizer = words()
    assert [len(row) for row in tokenizer.encode(["cat " * 50, "", " "])] == [8, 1, 1]
    assert tokenizer.encode([""])[0].dtype == np.int32
    left = TextTokenizer(tokenizer.files, 0, 1, 2, side="left")
    assert left.encode(["the cat is here"])[0].tolist() == tokenizer.encode(["is here"])[0].tolist()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=6))
def test_collate_keeps_every_row(texts):
    tokenizer = words()
    rows = tokenizer.encode(texts)
    batch = tokenizer.collate(rows)
    ids, mask = batch["input_ids"].numpy(), batch["attention_mask"].numpy()
    assert ids.shape == mask.shape == (len(texts), max(map(len, rows)))
    for row, padded, valid in zip(rows, ids, mask, strict=True):
        assert padded[valid == 1].tolist() == row.tolist()
        assert valid.tolist() == [1] * len(row) + [0] * (len(valid) - len(row))
        assert (padded[valid == 0] == tokenizer.pad).all()


def test_a_saved_tokenizer_is_the_same(tmp_path):
    tokenizer = words()
    tokenizer.save_files(tmp_path)
    again = TextTokenizer.from_config(json.loads(json.dumps(tokenizer.config())), tmp_path)
    assert again.fingerprint == tokenizer.fingerprint
    assert again.encode(["no rain , cat"])[0].tolist() == tokenizer.encode(["no rain , cat"])[0].tolist()
    assert copy.deepcopy(tokenizer) is tokenizer


def test_fingerprint_follows_everything_that_changes_ids():
    one = words()
    others = [words(max_length=9), words(texts=[*tiny_texts(), "new new"]), TextTokenizer(one.files, 0, 1, 8, "left")]
    assert len({tokenizer.fingerprint for tokenizer in (one, *others)}) == 4


def test_a_broken_or_missing_file_is_named(tmp_path):
    tokenizer = words()
    with pytest.raises(ModelError, match=r"tokenizer\.json"):
        TextTokenizer.from_config(tokenizer.config(), tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match="is not a tokenizer"):
        TextTokenizer.from_config(tokenizer.config(), tmp_path)


def test_ten_thousand_texts_take_well_under_two_seconds():
    texts = [f"{text} {number}" for number, text in enumerate(tiny_texts(10_000))]
    tokenizer = words()
    start = time.process_time()
    tokenizer.encode(texts)
    assert time.process_time() - start < 2


@pytest.mark.parametrize("how", ["word", "subword", "character"])
@pytest.mark.parametrize("text", ["The Cat, and a dog!", "  two  spaces", "", "naïve café ☕ 🇫🇷", "unheard-of xyzzy"])
def test_places_are_those_of_the_tokens(how, text):
    tokenizer = words(tokens=how, vocabulary=200, max_length=64)
    places, ids = tokenizer.places(text), tokenizer.encode([text])[0]
    assert places.shape == (len(ids), 2)
    names = {number: name for name, number in vocabulary(tokenizer).items()}
    assert all(0 <= start < end or (start, end) == (-1, -1) for start, end in places)
    for one, (start, end) in zip(ids, places, strict=True):
        spelled = names[one].lstrip("▁")  # the mark of a word's beginning stands where the word does
        assert start < 0 or names[one] == "[UNK]" or not spelled or spelled == text[start:end].strip().lower()
    held = {at for start, end in places if start >= 0 for at in range(start, end)}
    assert {at for at, character in enumerate(text) if not character.isspace()} <= held


def test_places_of_what_is_cut_off_are_left_out():
    text = "the cat is here and the dog is there"
    for side in ("right", "left", "middle"):
        tokenizer = dataclasses.replace(words(max_length=4), side=side)
        places = tokenizer.places(text)
        assert len(places) == len(tokenizer.encode([text])[0]) == 4
        kept = [text[start:end] for start, end in places]
        assert (
            kept
            == {
                "right": ["the", "cat", "is", "here"],
                "left": ["the", "dog", "is", "there"],
                "middle": ["the", "dog", "is", "there"],
            }[side]
        )
    windows = dataclasses.replace(words(max_length=4), windows=2)
    assert [text[start:end] for start, end in windows.places(text)] == text.split()[:8]
