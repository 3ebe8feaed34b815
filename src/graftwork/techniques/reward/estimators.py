"""How the gradient of the expected reward is estimated: pure functions of log-probabilities and rewards.

Each gives a loss of each row (B,), whose value is less the reward that is expected, and whose gradient is the one that
it is named for. log_probs, rewards: (K, B) of all answers that there are, or (S, B) of answers that were drawn.
"""

from __future__ import annotations

import torch
from torch import Tensor


def exact(log_probs: Tensor, rewards: Tensor) -> Tensor:
    """The expectation summed over all answers (K, B): no draws, no variance."""
    return -(log_probs.exp() * rewards).sum(dim=0)


def policy_gradient(log_probs: Tensor, rewards: Tensor, advantages: Tensor) -> Tensor:
    """REINFORCE (Williams 1992): each answer that was drawn (S, B) gets more probable by its advantage."""
    moved = advantages.detach() * (log_probs - log_probs.detach())
    return -(moved + rewards).mean(dim=0)


def leave_one_out(rewards: Tensor) -> Tensor:
    """Advantage over the mean of the row's other answers (RLOO; Kool et al. 2019); two answers (S, B) at least.

    >>> leave_one_out(torch.tensor([[1.0], [0.0], [0.5]])).squeeze(1).tolist()
    [0.75, -0.75, 0.0]
    """
    count = len(rewards)
    return (rewards - rewards.mean(dim=0)) * (count / (count - 1))


def self_critical(rewards: Tensor, of_mode: Tensor) -> Tensor:
    """Advantage over the answer that would be given, whose reward is (B,) (Rennie et al. 2017)."""
    return rewards - of_mode


def group(rewards: Tensor) -> Tensor:
    """Advantage over the mean of the row's answers, in their standard deviations (GRPO; Shao et al. 2024).

    A step follows each draw, so that the paper's clipped ratio is 1 and left out. It weighs all rows alike, however
    much there is to gain: unlike the others it does not estimate the gradient of the mean reward.
    """
    centred = rewards - rewards.mean(dim=0)
    spread = centred.square().mean(dim=0).sqrt()
    return torch.where(spread > 1e-8, centred / spread.clamp_min(1e-8), 0.0)
