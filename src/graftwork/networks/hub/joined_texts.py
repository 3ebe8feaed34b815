"""Several texts in one sequence, as a tokenizer itself joins a pair; a token's id and segment packed into one number.

A tokenizer takes two texts. From the third on they stand in the second one, with what the tokenizer sets between the
two of a pair between them as well.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tokenizers import Encoding, Tokenizer

_BITS = 24
"""Of a packed number, those of the id; above them stands the segment, which is 0 for a text by itself."""
_IDS = (1 << _BITS) - 1


def separator_of(backend: Tokenizer) -> str:
    """What the tokenizer (which should cut nothing off) sets between the texts of a pair, written out: `[SEP]` for
    BERT, `</s></s>` for RoBERTa, nothing for GPT-2."""
    encoding = backend.encode("a", "a")
    sequences = encoding.sequence_ids
    if 0 not in sequences or 1 not in sequences:
        return ""
    begin = len(sequences) - sequences[::-1].index(0)
    return "".join(encoding.tokens[begin : sequences.index(1)])


def pair_of(texts: Sequence[str], separator: str) -> tuple[str, str]:
    """The texts of a row as a tokenizer takes them; a space stands where the tokenizer has no separator.

    >>> pair_of(("a", "b", "c"), "[SEP]"), pair_of(("a", "b", "c"), "")
    (('a', 'b[SEP]c'), ('a', 'b c'))
    """
    return texts[0], (separator or " ").join(texts[1:])


def templates(separator: str, start: str = "") -> dict[str, str]:
    """How a text, and a pair of them, is written in tokens (`tokenizers.processors.TemplateProcessing`). start: what
    stands before each row, which the separator then ends; with neither, it stands between two texts alone."""
    if not start:
        return {"single": "$A", "pair": f"$A {separator} $B:1"}
    return {"single": f"{start} $A {separator}", "pair": f"{start} $A {separator} $B:1 {separator}:1"}


def pack(encoding: Encoding) -> np.ndarray:
    """The ids of a pair with their segments (L,), int32. Where the tokenizer numbers none, the second one begins at the
    first token of the second text."""
    ids, segments = np.array(encoding.ids, np.int32), np.array(encoding.type_ids, np.int32)
    if not segments.any():
        segments = np.maximum.accumulate(np.array([one == 1 for one in encoding.sequence_ids], np.int32))
    return ids | segments << _BITS


def unpack(packed: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Ids and segments; None where every token is of the first segment, as those of single texts are."""
    segments = packed >> _BITS
    return (packed & _IDS, segments) if segments.any() else (packed, None)
