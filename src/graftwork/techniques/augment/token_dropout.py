"""Token dropout: some words of each text can't be read, so the network must not rely on any single one.

It regularises bases trained from scratch and small tables with give-away words. Tokens are replaced by the base's mask
token, else by its unknown token, else left out. Where a single word decides (negations, product numbers), it teaches
the base to guess; on pretrained bases with short fine-tuning it brings little.

Source: Iyyer et al. 2015 (word dropout, deep averaging networks); Dai & Le 2015 (semi-supervised sequence learning).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from graftwork.core.technique import Phase
from graftwork.data.batch import Inputs
from graftwork.data.table import Modality
from graftwork.networks.encoder import Encoder
from graftwork.spaces import Range, Spaces
from graftwork.techniques.augment.inputs import Augmentation, Change
from graftwork.techniques.augment.tokens import marks_of, sparing, text_of, texts_of, without
from graftwork.techniques.checks import check_range


@dataclass(frozen=True)
class TokenDropout(Augmentation):
    """Make tokens unreadable; start, end, separators and other special tokens stay, and of every text at least one
    token.

    rate: probability of each token, from 0 (off) to below 1.
    """

    rate: float = 0.1

    name: ClassVar[str] = "token-dropout"
    phase: ClassVar[Phase] = Phase.TOKENS
    summary: ClassVar[str] = "some tokens of each text can't be read"
    searched: ClassVar[Spaces] = {"rate": Range(0.05, 0.3)}
    modality: ClassVar[Modality] = "text"

    def __post_init__(self) -> None:
        check_range(self.name, "rate", self.rate, 0.0, 1.0, below=True)

    @property
    def off(self) -> bool:
        return self.rate == 0.0

    def change(self, encoder: Encoder) -> Change:
        marks = marks_of(encoder)

        def change(inputs: Inputs, generator: torch.Generator) -> Inputs:
            ids, text = inputs["input_ids"], text_of(inputs, marks)
            drawn = torch.rand(ids.shape, generator=generator).to(ids.device)
            gone = sparing(text & (drawn < self.rate), texts_of(inputs, marks), drawn)
            if marks.blank is None:
                return without(inputs, gone, marks.pad)
            return inputs | {"input_ids": ids.masked_fill(gone, marks.blank)}

        return change
