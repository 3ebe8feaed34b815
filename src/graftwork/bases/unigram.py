"""A unigram tokenizer as a tokenizer.json: pieces with scores, special tokens and normalisation of XLM-RoBERTa."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
"""The first pieces."""
MASK = "<mask>"
"""The last piece, where there is one."""
WAVE_DASH, APART = "\uff5e", "\ufdd0"
"""SentencePiece leaves the first as it is, against NFKC: the second, which is no character, stands in for it."""


def tokenizer(pieces: Sequence[str], scores: Sequence[float]) -> dict[str, Any]:
    """A tokenizer.json as transformers makes one of XLM-RoBERTa's SentencePiece model (Kudo 2018, Conneau et al. 2020).

    Its normalisation, nmt_nfkc, is written as what it consists of. pieces: as they stand in the model, their place is
    their id; scores: the logarithms of their probabilities.
    """
    special = [*SPECIAL, *([MASK] if MASK in pieces[-1:] else [])]
    ids = {name: pieces.index(name) for name in special}
    begin, end = ({"SpecialToken": {"id": name, "type_id": 0}} for name in ("<s>", "</s>"))
    first, second = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
    words = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True}
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": place, "content": name, **plain} for name, place in ids.items()],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "Nmt"},
                {"type": "Replace", "pattern": {"String": WAVE_DASH}, "content": APART},
                {"type": "NFKC"},
                {"type": "Replace", "pattern": {"String": APART}, "content": WAVE_DASH},
                {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
            ],
        },
        "pre_tokenizer": words,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [begin, first, end],
            "pair": [begin, first, end, end, second, end],
            "special_tokens": {name: {"id": name, "ids": [ids[name]], "tokens": [name]} for name in ("<s>", "</s>")},
        },
        "decoder": words,
        "model": {
            "type": "Unigram",
            "unk_id": ids["<unk>"],
            "vocab": [list(pair) for pair in zip(pieces, scores, strict=True)],
            "byte_fallback": False,
        },
    }


def tokenizer_config(positions: int) -> dict[str, Any]:
    """What says to transformers how to read it. positions: tokens that the model reads at most."""
    roles = {"bos": "<s>", "eos": "</s>", "unk": "<unk>", "sep": "</s>", "pad": "<pad>", "cls": "<s>", "mask": MASK}
    named = {f"{role}_token": name for role, name in roles.items()}
    return {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": positions, **named}
