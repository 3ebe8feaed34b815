"""Whether rewards vary at all: what never does teaches nothing, and should not pass for training."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from graftwork.errors import UsageError

STEPS = 10
"""Steps in which a reward must have varied."""


class Variation(nn.Module):
    """What was seen of the rewards of one target; buffers, so that they are checkpointed.

    called: the reward, for messages.
    """

    first: Tensor
    steps: Tensor
    varied: Tensor

    def __init__(self, called: str) -> None:
        super().__init__()
        self.called = called
        self.register_buffer("first", torch.zeros(()))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.register_buffer("varied", torch.zeros((), dtype=torch.bool))

    @torch.no_grad()
    def see(self, rewards: Tensor) -> None:
        """Look at the rewards of a step. Raises UsageError where one is no finite number, or where all of so many steps
        were the same."""
        if not torch.isfinite(rewards).all():
            raise UsageError(f"reward: {self.called} is no finite number for some answers. Choose another reward.")
        if self.varied:
            return
        if not self.steps:
            self.first.copy_(rewards.flatten()[0])
        self.steps += 1
        if (rewards != self.first).any():
            self.varied.fill_(True)
        elif self.steps >= STEPS:
            raise UsageError(
                f"reward: {self.called} is {float(self.first):g} for every answer of {STEPS} steps, so that nothing "
                "can be learned from it. Expected one that tells answers apart: check that it reads the prediction."
            )
