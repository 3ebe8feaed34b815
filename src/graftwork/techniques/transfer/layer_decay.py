"""Layer-wise learning-rate decay: the further a block is from the head, the slower it moves.

Lower blocks hold general features that should change little; the head and the top blocks are specific to the task.
It steadies fine-tuning on small tables and deep bases. It brings little where all blocks must move, as in a foreign
domain, or where the lower blocks are frozen anyway.

Source: Howard & Ruder 2018 (discriminative fine-tuning, ULMFiT); Clark et al. 2020 (ELECTRA, the geometric form).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from graftwork.core.technique import Graft, Multiplier, Phase, Setup, Technique
from graftwork.errors import UsageError
from graftwork.networks.network import Network
from graftwork.spaces import Range, Spaces


def factor(rate: float, blocks_above: int) -> float:
    """What the learning rate of a block is multiplied by; the head's factor is 1.

    >>> [round(factor(0.8, above), 3) for above in (0, 1, 2)]
    [0.8, 0.64, 0.512]
    """
    return float(rate ** (blocks_above + 1))


@dataclass(frozen=True)
class LayerDecay(Technique):
    """Learning rates that fall geometrically from the head downwards.

    rate: factor from one block to the one below it, above 0 and at most 1; 1 is off.
    """

    rate: float = 0.8

    name: ClassVar[str] = "layer-decay"
    phase: ClassVar[Phase] = Phase.PARAMETERS
    summary: ClassVar[str] = "lower blocks learn more slowly (ULMFiT, ELECTRA)"
    searched: ClassVar[Spaces] = {"rate": Range(0.6, 0.95)}
    needs: ClassVar[frozenset[str]] = frozenset({"trainable_features"})

    def __post_init__(self) -> None:
        if not 0.0 < self.rate <= 1.0:
            raise UsageError(f"layer-decay: rate is {self.rate}. Expected a number above 0 and at most 1 (1 is off).")

    @property
    def off(self) -> bool:
        return self.rate == 1.0

    def attach(self, network: Network, setup: Setup) -> Graft:
        above = network.blocks_above()

        def groups(name: str) -> Multiplier:
            return Multiplier(lr=factor(self.rate, above[name])) if name in above else Multiplier()

        return Graft(groups=groups)
