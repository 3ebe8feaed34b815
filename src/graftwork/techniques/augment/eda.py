"""EDA: easy edits of texts. Each text has some of its tokens swapped, or some of them left out.

For small tables (hundreds of rows) and bases from scratch; the paper found next to nothing with pretrained bases or
many rows. Order and single words must not decide what the label is. Two of the paper's four edits are left out: synonym
replacement and random insertion (of synonyms) need a dictionary of the language. Edits are of tokens, which for a
subword tokenizer are pieces of words.

Source: Wei & Zou 2019 (EDA).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from graftwork.core.technique import Phase
from graftwork.data.batch import Inputs
from graftwork.data.table import Modality
from graftwork.networks.encoder import Encoder
from graftwork.spaces import Range, Spaces
from graftwork.techniques.augment.inputs import Augmentation, Change, chance
from graftwork.techniques.augment.tokens import marks_of, sparing, text_of, texts_of, without
from graftwork.techniques.checks import check_range


def swapped(ids: Tensor, text: Tensor, times: Tensor, generator: torch.Generator) -> Tensor:
    """ids (B, length) where two places of a text (B, length) have changed their tokens, so many times (B,)."""
    ids, text = ids.clone(), text.cpu()
    for done in range(max([0, *times.tolist()])):
        rows = ((times > done) & (text.sum(1) > 1)).nonzero().flatten()
        if len(rows) == 0:
            break
        pair = torch.multinomial(text[rows].double(), 2, generator=generator).to(ids.device)
        rows = rows.to(ids.device).unsqueeze(1)
        ids[rows, pair] = ids[rows, pair.flip(1)]
    return ids


@dataclass(frozen=True)
class EDA(Augmentation):
    """Edit each text in one way: swap pairs of its tokens, or delete some; which of the two is drawn for each row.

    swap: pairs that are swapped, a share of the text's tokens (at least one pair). delete: probability that a token is
    left out; at least one stays. From 0 to below 1; one that is 0 is never drawn, both 0 is off.
    """

    swap: float = 0.1
    delete: float = 0.1

    name: ClassVar[str] = "eda"
    phase: ClassVar[Phase] = Phase.WORDS
    summary: ClassVar[str] = "swap or leave out tokens of texts (EDA)"
    searched: ClassVar[Spaces] = {"swap": Range(0.02, 0.2), "delete": Range(0.02, 0.2)}
    modality: ClassVar[Modality] = "text"
    moves: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_range(self.name, "swap", self.swap, 0.0, 1.0, below=True)
        check_range(self.name, "delete", self.delete, 0.0, 1.0, below=True)

    @property
    def off(self) -> bool:
        return self.swap == self.delete == 0.0

    def change(self, encoder: Encoder) -> Change:
        marks = marks_of(encoder)
        deleting = 0.0 if self.delete == 0.0 else 1.0 if self.swap == 0.0 else 0.5

        def change(inputs: Inputs, generator: torch.Generator) -> Inputs:
            ids, text, texts = inputs["input_ids"], text_of(inputs, marks), texts_of(inputs, marks)
            rows = chance(len(ids), deleting, generator)
            for one in texts:
                times = (one.sum(1).cpu() * self.swap).round().clamp(min=1).long() * ~rows
                ids = swapped(ids, one, times, generator)
            drawn = torch.rand(ids.shape, generator=generator).to(ids.device)
            gone = text & (drawn < self.delete) & rows.to(ids.device).unsqueeze(1)
            return without(inputs | {"input_ids": ids}, sparing(gone, texts, drawn), marks.pad)

        return change
