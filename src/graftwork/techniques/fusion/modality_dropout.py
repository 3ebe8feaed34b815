"""Modality dropout: in training, an input of a row is now and then replaced by what stands in where it is missing.

The model learns to do without any one of its inputs: a row without its photo is predicted well, and no input is leaned
on alone. Where every row will always have everything, it costs a little accuracy. A row always keeps one input.

Source: Neverova et al. 2016 (ModDrop), with a learned stand-in rather than zeros.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from graftwork.core.technique import Graft, Phase, Setup, Technique
from graftwork.data.batch import Batch
from graftwork.networks.network import Network
from graftwork.spaces import Range, Spaces
from graftwork.techniques.checks import check_range


def kept(has: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Which of the inputs that each row has (B, inputs) it keeps: each is dropped with the chance `share`.

    A row that would lose all keeps the one that was nearest to being kept.
    """
    draws = torch.rand(has.shape, generator=generator).to(has.device)
    keep = has & (draws >= share)
    last = torch.where(has, draws, -1.0).argmax(dim=1, keepdim=True)
    saved = torch.zeros_like(has).scatter(1, last, has.any(dim=1, keepdim=True))
    return torch.where(keep.any(dim=1, keepdim=True), keep, saved)


@dataclass(frozen=True)
class ModalityDropout(Technique):
    """Drop whole inputs of rows in training.

    share: chance that an input of a row is dropped, from 0 (off) to below 1.
    """

    share: float = 0.2

    name: ClassVar[str] = "modality-dropout"
    phase: ClassVar[Phase] = Phase.PRESENCE
    summary: ClassVar[str] = "rows lose an input at times, so that the model can do without"
    searched: ClassVar[Spaces] = {"share": Range(0.05, 0.4)}
    needs: ClassVar[frozenset[str]] = frozenset({"several_inputs", "target_column"})

    def __post_init__(self) -> None:
        check_range(self.name, "share", self.share, 0.0, 1.0, below=True)

    @property
    def off(self) -> bool:
        return self.share == 0.0

    def adapt(self, network: Network, setup: Setup) -> Network:
        network.learn_without(network.columns)
        return network

    def attach(self, network: Network, setup: Setup) -> Graft:
        generator = setup.generator()

        def inputs(batch: Batch) -> Batch:
            whole = torch.ones(len(batch), dtype=torch.bool, device=batch.rows.device)
            has = torch.stack([batch.present.get(name, whole) for name in network.columns], dim=1)
            columns = kept(has, self.share, generator).unbind(dim=1)
            return replace(batch, present=dict(zip(network.columns, columns, strict=True)))

        return Graft(inputs=inputs, generators={"inputs": generator})
