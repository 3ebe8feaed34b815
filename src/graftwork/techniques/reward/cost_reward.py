"""Costs of answers as a reward: less what an answer costs where a class is true."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from graftwork.core.technique import Aim
from graftwork.errors import RefusedError
from graftwork.tasks.costs import CostMatrix
from graftwork.techniques.reward.rewards import Asked


@dataclass(frozen=True)
class CostReward:
    """costs: (C, C), of the true class and the answer. truth: class indices of all training rows, on the device. aim:
    the whole matrix."""

    aim: Aim
    costs: Tensor
    truth: Tensor
    scale: float
    needs_truth: bool = True

    def __call__(self, asked: Asked) -> Tensor:
        rows = torch.from_numpy(np.asarray(asked.rows, np.int64)).to(self.truth.device)
        return -self.costs[self.truth[rows], asked.answers]


def cost_reward(costs: CostMatrix, called: str, targets: np.ndarray, device: torch.device) -> CostReward:
    """Of the classes alone: to abstain is no answer that a network gives. They are learned in units of the mean that
    a worse answer costs more than the best one.

    called: their file. targets: class indices of all training rows (N,). Raises RefusedError where no answer costs more
    than another.
    """
    matrix = costs.costs[:, : len(costs.classes)]
    more = matrix - matrix.min(axis=1, keepdims=True)
    if not more.any():
        raise RefusedError("reward: all answers cost the same, whatever is true, so that nothing can be learned.")
    truth = torch.from_numpy(np.asarray(targets, np.int64)).to(device)
    scale = 1.0 / float(more[more > 0].mean())
    aim = Aim(called, costs=costs)
    return CostReward(aim, torch.tensor(matrix, dtype=torch.float32, device=device), truth, scale)
