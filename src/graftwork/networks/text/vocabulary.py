"""Which pieces of a unigram tokenizer are kept for the texts of a table: the table of tokens of a multilingual base is
most of its weights, and a table of rows uses a small part of it.

Kept are the pieces that the whole tokenizer makes of the training texts, all single characters of their scripts, so
that words that come later can be spelled, and as a margin the likeliest other pieces of these scripts. A text whose
pieces are all kept is segmented as by the whole tokenizer: its best segmentation is there, and none became likelier.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from graftwork.networks.hub.pieces import WORD, Pieces, characters_of, words_of
from graftwork.networks.hub.unigram import normaliser, segmenting
from graftwork.networks.text.likely_pieces import likeliest
from graftwork.networks.text.scripts import script_of, scripts

if TYPE_CHECKING:
    from tokenizers import Tokenizer

LEAST = 20_000
"""Pieces that are kept, if the scripts have so many: two thirds of what an English model of such a size has."""
MARGIN = 0.25
"""Of the pieces that have to be kept, how many more are."""
SCRIPT_SHARE = 0.001
"""Of all letters, from which a script counts; what rows hold of others is kept as well, but nothing beyond that."""
_CHUNK = 1000
_LARGE = 4_000_000
"""Bytes of a tokenizer.json from which it is worth while to look at what it holds first."""


Vocabulary = Sequence[tuple[str, float]]
"""Pieces with their scores, by id."""


def kept_pieces(plain: Mapping[str, Any], texts: Callable[[], Iterable[str]], always: Collection[int]) -> list[int]:
    """The ids that are kept, in order. plain: what tokenizer.json holds; texts: a fresh pass over those of the training
    rows; always: ids that are kept whatever the texts hold."""
    vocabulary: Vocabulary = plain["model"]["vocab"]
    needed = _needed(vocabulary, always)
    standing, letters = _standing(plain, texts())
    used = _used(plain, sorted(standing | needed), texts())
    read = {script for script, count in letters.items() if count >= SCRIPT_SHARE * letters.total()} | {"Latin"}
    readable = _readable(vocabulary, read)
    kept = {*used, *needed, *_single(vocabulary, readable)}
    wanted = max(LEAST, round((1 + MARGIN) * len(kept)))
    return sorted([*kept, *likeliest(vocabulary, used, readable - kept, wanted - len(kept))])


def uncut(file: Path, texts: Sequence[str]) -> Tokenizer:
    """The tokenizer of a file as far as it matters to these texts: it cuts and fills nothing, and a large unigram model
    has only the pieces that stand in them, which takes a fraction of the memory."""
    from tokenizers import Tokenizer

    if file.stat().st_size > _LARGE and (plain := _large_unigram(file)) is not None:
        standing, _ = _standing(plain, texts)
        return segmenting(plain, sorted(standing | _needed(plain["model"]["vocab"], [plain["model"]["unk_id"]])))
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _large_unigram(file: Path) -> dict[str, Any] | None:
    try:
        plain = json.loads(file.read_text(encoding="utf-8"))
        is_one = plain["model"]["type"] == "Unigram" and isinstance(plain["model"]["unk_id"], int)
        return plain if is_one and "Metaspace" in json.dumps(plain["pre_tokenizer"]) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _needed(vocabulary: Vocabulary, always: Collection[int]) -> set[int]:
    """What has to be there, whatever the texts hold: the score of an unknown character is set off from the lowest."""
    lowest = min(range(len(vocabulary)), key=lambda number: (vocabulary[number][1], number))
    return {*always, lowest, *_bytes(vocabulary)}


def _standing(plain: Mapping[str, Any], texts: Iterable[str]) -> tuple[set[int], Counter[str]]:
    """The pieces that stand in the texts, and how many letters of each script these hold."""
    pieces, normal = Pieces([piece for piece, _ in plain["model"]["vocab"]]), normaliser(plain)
    found, letters = set[int](), Counter[str]()
    for chunk in _chunks(texts):
        found |= pieces.within({word for text in chunk for word in words_of(normal(text))})
        letters.update(scripts("".join(chunk)))
    return found, letters


def _used(plain: Mapping[str, Any], ids: Sequence[int], texts: Iterable[str]) -> Counter[int]:
    """Of these pieces, among which are all that stand in the texts, those that the texts are segmented into, with how
    often."""
    whole, found = segmenting(plain, ids), Counter[int]()
    for chunk in _chunks(texts):
        for encoding in whole.encode_batch_fast(chunk, add_special_tokens=False):
            found.update(encoding.ids)
    return Counter({ids[place]: count for place, count in found.items()})


def _chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    stream = iter(texts)
    while chunk := list(islice(stream, _CHUNK)):
        yield chunk


def _readable(vocabulary: Vocabulary, read: Collection[str]) -> set[int]:
    """The pieces that hold letters of these scripts only, or none."""
    lengths = np.fromiter((len(piece) for piece, _ in vocabulary), np.int64, len(vocabulary))
    characters = characters_of("".join(piece for piece, _ in vocabulary))
    each, places = np.unique(characters, return_inverse=True)
    foreign = np.array([bool(found) and found not in read for found in map(script_of, map(chr, each.tolist()))])
    held = np.bincount(np.repeat(np.arange(len(vocabulary)), lengths), foreign[places], len(vocabulary))
    return set(np.flatnonzero(held == 0).tolist())


def _single(vocabulary: Vocabulary, readable: Iterable[int]) -> Iterator[int]:
    """Single characters, with and without a space before them."""
    return (number for number in readable if len(vocabulary[number][0].removeprefix(WORD)) <= 1)


def _bytes(vocabulary: Vocabulary) -> Iterator[int]:
    """What characters that are unknown fall back on, in tokenizers that have such pieces: `<0xE4>`."""
    for number, (piece, _) in enumerate(vocabulary):
        if len(piece) == 6 and piece.startswith("<0x") and piece.endswith(">"):
            yield number
