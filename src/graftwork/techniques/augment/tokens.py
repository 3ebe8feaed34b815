"""Rows of token ids as augmentations change them: the texts of a row apart, and rows put together anew."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from graftwork.data.batch import Inputs
from graftwork.networks.text.marks import Marks as Marks
from graftwork.networks.text.marks import marks_of as marks_of
from graftwork.networks.text.marks import read_marks as read_marks
from graftwork.networks.text.marks import text_of as text_of


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
