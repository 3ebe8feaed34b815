"""Partial fine-tuning: only the top blocks of each encoder are trained.

Lower blocks hold general features; leaving them as they are saves most of the time, because their output is computed
once and kept (frozen-layer cache), and guards against forgetting on small tables. It helps less where the domain's
words are foreign to the base: then the lower blocks must move too.

Source: Yosinski et al. 2014 (transferability of layers); Lee, Tang & Lin 2019 (a quarter of BERT's layers suffices).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from graftwork.core.technique import Phase, Setup, Technique
from graftwork.errors import UsageError
from graftwork.networks.encoder import Encoder
from graftwork.networks.network import Network
from graftwork.techniques.checks import check_range


def freeze_below(encoder: Encoder, blocks: int) -> None:
    """Freeze all but the top `blocks` blocks. A parameter that a trained block shares stays trained."""
    layers = encoder.blocks()
    kept = {id(p) for block in layers[len(layers) - blocks :] for module in block for p in module.parameters()}
    for parameter in encoder.parameters():
        if id(parameter) not in kept:
            parameter.requires_grad_(False)


@dataclass(frozen=True)
class Partial(Technique):
    """Train the top blocks only.

    blocks: how many blocks of each encoder are trained, counted from the top; at least 1, at most its depth.
    """

    blocks: int = 2

    name: ClassVar[str] = "partial"
    phase: ClassVar[Phase] = Phase.PARAMETERS
    summary: ClassVar[str] = "train only the top blocks of the base"
    claims: ClassVar[frozenset[str]] = frozenset({"trainable parameters"})

    def __post_init__(self) -> None:
        check_range(self.name, "blocks", self.blocks, 1, float("inf"))

    def adapt(self, network: Network, setup: Setup) -> Network:
        encoders = [encoder for encoder in network.each_encoder() if any(True for _ in encoder.parameters())]
        for encoder in encoders:
            if self.blocks > encoder.depth:
                raise UsageError(
                    f"partial: blocks is {self.blocks}, but the base ({encoder.architecture}) has {encoder.depth} "
                    f"blocks, the embedding included. Expected 1 to {encoder.depth}; for all of them, use 'full'."
                )
        for encoder in encoders:
            freeze_below(encoder, self.blocks)
        return network
