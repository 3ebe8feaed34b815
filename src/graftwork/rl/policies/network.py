"""The network of a policy: what it sees with, hidden layers, and an output an action."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from graftwork.rl.sight.seeing import Seeing

Spread = Literal["none", "fixed", "seen"]
"""Of numbers as actions, how far they are drawn from their means: nothing, by number, or by number and observation."""
ACTIVATIONS: Mapping[str, type[nn.Module]] = {"tanh": nn.Tanh, "relu": nn.ReLU}


class PolicyNetwork(nn.Module):
    """hidden: widths of the layers. outputs: numbers that it gives. spread: see `Spread`."""

    def __init__(
        self, sees: Seeing, hidden: Sequence[int], activation: str, outputs: int, spread: Spread = "none"
    ) -> None:
        super().__init__()
        self.sees, self.spread = sees, spread
        self.hidden_widths, self.activation = tuple(hidden), activation
        layers = [
            layer
            for below, above in pairwise((sees.width, *hidden))
            for layer in (nn.Linear(below, above), ACTIVATIONS[activation]())
        ]
        self.hidden = nn.Sequential(*layers)
        last = (sees.width, *hidden)[-1]
        self.head = nn.Linear(last, outputs)
        self.log_std = nn.Parameter(torch.zeros(outputs)) if spread == "fixed" else None
        self.spreads = nn.Linear(last, outputs) if spread == "seen" else None

    def forward(self, stored: Mapping[str, Tensor]) -> tuple[Tensor, Tensor | None]:
        """Outputs (B, outputs), and the logarithm of the standard deviations of numbers, as wide, where it says one."""
        states = self.hidden(self.sees(stored))
        outputs = self.head(states)
        if self.log_std is not None:
            return outputs, self.log_std.expand_as(outputs)
        return outputs, None if self.spreads is None else self.spreads(states).clamp(-20, 2)
