"""Token ids as text encoders read them: what of a row is its text, and rows put together anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

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


def texts_of(inputs: Inputs, marks: Marks) -> list[Tensor]:
    """The same for each text of the rows: one (B, length) a text; one in all where rows are single texts."""
    text = text_of(inputs, marks)
    if "segments" not in inputs:
        return [text]
    begins = text & ~functional.pad(text, (1, 0))[:, :-1]
    begins |= text & (functional.pad(inputs["segments"], (1, 0))[:, :-1] != inputs["segments"])
    number = begins.cumsum(1)
    return [text & (number == one) for one in range(1, int(number.max()) + 1)] or [text]


def without(inputs: Inputs, gone: Tensor, pad: int) -> Inputs:
    """The rows less the places `gone` (B, length), moved together; no row loses all of its tokens."""
    stays = inputs["attention_mask"].bool() & ~gone
    order = (~stays).to(torch.int8).argsort(dim=1, stable=True)
    mask = stays.gather(1, order)
    longest = max(1, int(mask.sum(1).max()))
    ids = inputs["input_ids"].gather(1, order).masked_fill(~mask, pad)
    kept = {"input_ids": ids[:, :longest], "attention_mask": mask[:, :longest].to(inputs["attention_mask"].dtype)}
    if "segments" in inputs:
        kept["segments"] = inputs["segments"].gather(1, order).masked_fill(~mask, 0)[:, :longest]
    return kept


def sparing(gone: Tensor, texts: Sequence[Tensor], scores: Tensor) -> Tensor:
    """`gone` (B, length) without the place of the highest score in each text (B, length) that would vanish whole."""
    for text in texts:
        vanished = (text.any(1) & ~(text & ~gone).any(1)).unsqueeze(1)
        spared = scores.masked_fill(~text, -1.0).argmax(1, keepdim=True)
        gone = gone & ~(vanished & torch.zeros_like(gone).scatter(1, spared, True))
    return gone
