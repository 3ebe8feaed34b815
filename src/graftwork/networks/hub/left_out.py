"""The pieces that a trimmed unigram tokenizer was left without, and how much of later texts is read otherwise for it.

They are kept beside the tokenizer in a small file of their own, no part of it: by them it can be said exactly which
pieces the whole tokenizer would have made of a text.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graftwork.data.store.typed import misfit
from graftwork.errors import ModelError
from graftwork.networks.hub.pieces import Pieces, words_of
from graftwork.networks.hub.unigram import normaliser, segmenting

LEFT_OUT = "pieces-left-out.zlib"
"""The file beside a tokenizer.json."""
_DIGITS = 4
"""Of the scores: they only rank segmentations."""
_LARGEST = 1 << 26
"""Bytes of the file's content at most."""
_LOOKED_AT = 200_000
"""Characters at most, of texts evenly spread."""


@dataclass(frozen=True)
class Otherwise:
    """pieces: that the whole tokenizer makes of the texts looked at; missing: of them, those that the trimmed one lacks
    and reads as several shorter ones, or as unknown."""

    pieces: int = 0
    missing: int = 0

    def __add__(self, other: Otherwise) -> Otherwise:
        return Otherwise(self.pieces + other.pieces, self.missing + other.missing)


def packed(left: Mapping[str, float]) -> bytes:
    """What the file holds. left: pieces with their scores."""
    rounded = {piece: round(score, _DIGITS) for piece, score in left.items()}
    return zlib.compress(json.dumps(rounded, ensure_ascii=False, separators=(",", ":")).encode(), 1)


def unpacked(content: bytes) -> dict[str, float]:
    """Pieces with their scores. Raises ModelError where the file is damaged."""
    try:
        told = json.loads(zlib.decompressobj().decompress(content, _LARGEST))
    except (zlib.error, ValueError, RecursionError) as error:
        raise ModelError(f"{LEFT_OUT} is damaged ({error}). Copy or train the model again.") from None
    wrong = misfit(told, dict[str, float])
    if wrong:
        raise ModelError(f"{LEFT_OUT} is damaged: {wrong}. Copy or train the model again.")
    return dict(told)


def otherwise(tokenizer: str, left: Mapping[str, float], texts: Sequence[str]) -> Otherwise:
    """How much of the texts is segmented otherwise. tokenizer: the trimmed tokenizer.json; left: what it lacks."""
    some, plain = _spread(texts), json.loads(tokenizer)
    normal, pieces = normaliser(plain), list(left)
    # The whole tokenizer as far as these texts go: other pieces don't stand in them.
    missing = {pieces[at] for at in Pieces(pieces).within({word for text in some for word in words_of(normal(text))})}
    plain["model"]["vocab"] += [[piece, left[piece]] for piece in sorted(missing)]
    whole = segmenting(plain, range(len(plain["model"]["vocab"])))
    found = [one.tokens for one in whole.encode_batch(some, add_special_tokens=False)]
    return Otherwise(sum(map(len, found)), sum(piece in missing for pieces in found for piece in pieces))


def _spread(texts: Sequence[str]) -> list[str]:
    """So many of the texts that they can be looked at closely."""
    step = -(-sum(map(len, texts)) // _LOOKED_AT)
    return [text[:_LOOKED_AT] for text in texts[:: max(1, step)]]
