"""A unigram tokenizer as the plain data of its tokenizer.json, and tokenizers with some of its pieces."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tokenizers import Tokenizer


def normaliser(plain: Mapping[str, Any]) -> Callable[[str], str]:
    """What is done to a text before it is cut into words."""
    normal = Tokenizer.from_str(json.dumps({**plain, **_BARE, "model": {"type": "Unigram", "vocab": []}})).normalizer
    return (lambda text: text) if normal is None else normal.normalize_str


def segmenting(plain: Mapping[str, Any], ids: Sequence[int]) -> Tokenizer:
    """The tokenizer with these pieces alone, whose ids are their places in `ids`; it frames nothing, cuts nothing."""
    model = plain["model"]
    vocabulary, unknown = [model["vocab"][number] for number in ids], model.get("unk_id")
    place = None if unknown is None else list(ids).index(unknown)
    return Tokenizer.from_str(json.dumps({**plain, **_BARE, "model": {**model, "vocab": vocabulary, "unk_id": place}}))


_BARE: dict[str, Any] = {"added_tokens": [], "post_processor": None, "truncation": None, "padding": None}
