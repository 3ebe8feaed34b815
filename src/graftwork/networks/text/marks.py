"""Token ids as text encoders read them: which of a row are text, and what stands for a token that is not to be read."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from graftwork.data.batch import Inputs
from graftwork.networks.encoder import Encoder
from graftwork.networks.hub.tokenizer import TextTokenizer
from graftwork.networks.text.encoder import TextEncoder

_MASKS = ("[MASK]", "<mask>")
_ALL_PURPOSE = "<|endoftext|>"


@dataclass(frozen=True)
class Marks:
    """Ids with a meaning of their own. special: those that are not text (start, end, padding). blank: what stands for a
    token that is not to be read, the mask or else the unknown token; None where there is neither. pad: fills rows."""

    special: frozenset[int]
    blank: int | None
    pad: int


def marks_of(encoder: Encoder) -> Marks:
    """The marks of a text encoder's tokenizer."""
    assert isinstance(encoder, TextEncoder)
    return read_marks(encoder.tokenizer)


def read_marks(tokenizer: TextTokenizer) -> Marks:
    """The same for a tokenizer. An unknown token that also frames texts (GPT-2 has one for all purposes) stays."""
    backend = tokenizer.backend
    frame = {*backend.encode("").ids, *backend.encode("", "").ids, tokenizer.pad}
    name = getattr(backend.model, "unk_token", None)
    unknown = None if name is None else backend.token_to_id(name)
    added = {number for number, token in backend.get_added_tokens_decoder().items() if token.special}
    if unknown in frame or name == _ALL_PURPOSE:
        unknown = None
    blanks = (*(backend.token_to_id(token) for token in _MASKS), unknown)
    blank = next((found for found in blanks if found is not None), None)
    return Marks(frozenset((added | frame) - {unknown}), blank, tokenizer.pad)


def text_of(inputs: Inputs, marks: Marks) -> Tensor:
    """Which places (B, length) hold text: neither padding nor special."""
    special = torch.tensor(sorted(marks.special), device=inputs["input_ids"].device)
    return inputs["attention_mask"].bool() & ~torch.isin(inputs["input_ids"], special)
