"""How much memory a step takes, found by trying one on a few rows with a copy of the network."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from graftwork.core.run import Run, attach
from graftwork.core.training.gradients import gradients
from graftwork.core.training.optimizer import make_optimizer, trained_by
from graftwork.core.training.sharded_run import trial_network

TRIED = 2
"""Rows of the step that is tried."""


def step_memory(run: Run) -> int:
    """Bytes that a step takes at its peak beside the network: what is kept for the gradient of the batch with the most
    tokens, or, where it is more, the gradient that it becomes; and the optimizer's state. 0 where there are no steps.
    The run itself, its random streams included, stays untouched.

    The batch is counted from its longest rows, so that what grows with the square of the length is there.
    """
    if run.plan.total_steps == 0:
        return 0
    trial = attach(replace(run, network=trial_network(run)))
    trial.stages.state.to(trial.network.device)
    optimizer = make_optimizer(trial.network, trial.stages, trial.training)
    batch = _largest(trial)
    tried = batch[np.argsort(-run.train.lengths[batch], kind="stable")[:TRIED]]
    saved = _Saved({_place(tensor) for tensor in trial.network.state_dict(keep_vars=True).values()})
    with torch.random.fork_rng(), saved_tensors_hooks(saved.keep, saved.give):
        trial.network.train()
        gradients(trial, optimizer, tried)
        optimizer.step()
    trained = [one for one in trained_by(optimizer) if one.grad is not None]
    state = sum(_size(value) for one in trained for value in optimizer.state[one].values() if isinstance(value, Tensor))
    return max(saved.most * len(batch) // len(tried), sum(_size(one) for one in trained)) + state


def _largest(run: Run) -> np.ndarray:
    """The rows of the batch with the most tokens, padding included, of a pass over the rows."""
    batches = (run.stages.sampler or run.sampler.epoch)(0)
    return max(batches, key=lambda rows: len(rows) * int(run.train.lengths[rows].max()))


class _Saved:
    """Bytes of what is kept between forward and backward. places: of the network's own tensors, which don't count."""

    def __init__(self, places: set[int]) -> None:
        self.places, self.times = places, Counter[int]()
        self.now = self.most = 0

    def keep(self, tensor: Tensor) -> Any:
        place = _place(tensor)
        if place not in self.places:
            if not self.times[place]:
                self.now += tensor.untyped_storage().nbytes()
            self.times[place] += 1
            self.most = max(self.most, self.now)
        return tensor

    def give(self, tensor: Tensor) -> Any:
        place = _place(tensor)
        if self.times[place]:
            self.times[place] -= 1
            self.now -= 0 if self.times[place] else tensor.untyped_storage().nbytes()
        return tensor


def _place(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _size(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
