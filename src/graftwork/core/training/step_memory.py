"""How much memory steps take, found by trying two small ones on a copy of the network."""

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
from graftwork.core.training.optimizer import make_optimizer
from graftwork.core.training.sharded_run import trial_network

TRIED = 2
"""Rows of the first step that is tried; the second one has twice as many."""
COPIES = 4
"""Of each trained weight: its gradient, two moments, and the best one so far."""


def least_memory(run: Run) -> int:
    """Bytes that the steps of this run take beside the network whatever its rows are; 0 where there are none."""
    if run.plan.total_steps == 0:
        return 0
    return COPIES * sum(one.numel() * one.element_size() for one in run.network.parameters() if one.requires_grad)


def step_memory(run: Run) -> int:
    """Bytes that the steps of this run take beside the network: what is kept for the gradient of the batch with the
    most tokens, and `least_memory`. 0 where there are no steps. The run itself, its random streams included, stays
    untouched.

    What is kept is counted in steps on the batch's longest rows, so that what grows with the square of the length is
    there; what does not grow with the rows (weights in another precision) counts once. A batch of which no part can be
    taken for it (an episode, or one that is computed in parts anyway) is tried whole.
    """
    if run.plan.total_steps == 0:
        return 0
    trial = attach(replace(run, network=trial_network(run)))
    trial.stages.state.to(trial.network.device)
    batch = _largest_batch(trial)
    longest = batch[np.argsort(-run.train.lengths[batch], kind="stable")]
    with torch.random.fork_rng():
        trial.network.train()
        if _is_a_whole(trial):
            return _kept(trial, batch) + least_memory(run)
        some, more = _kept(trial, longest[:TRIED]), _kept(trial, longest[: 2 * TRIED])
    further = max(0, len(batch) - 2 * TRIED) * max(0, more - some) // TRIED
    return more + further + least_memory(run)


def _is_a_whole(run: Run) -> bool:
    """Whether fewer rows of a batch are something else, and not a smaller batch."""
    return any(one.splits_batches or "batch_parts" in one.drops for one in run.techniques)


def _largest_batch(run: Run) -> np.ndarray:
    """The rows of the batch with the most tokens, padding included, of a pass over the rows."""
    lengths, batches = run.train.lengths, (run.stages.sampler or run.sampler.epoch)(0)
    return max(batches, key=lambda rows: len(rows) * int(lengths[rows].max()))


def _kept(trial: Run, rows: np.ndarray) -> int:
    """Bytes that are kept at most between forward and backward of a step on these rows."""
    saved = _Saved({_place(tensor) for tensor in trial.network.state_dict(keep_vars=True).values()})
    with saved_tensors_hooks(saved.keep, saved.give):
        gradients(trial, make_optimizer(trial.network, trial.stages, trial.training), rows)
    return saved.most


class _Saved:
    """Bytes of what is kept between forward and backward. own: places of the network's own tensors, which don't
    count."""

    def __init__(self, own: set[int]) -> None:
        self.own, self.times = own, Counter[int]()
        self.now = self.most = 0

    def keep(self, tensor: Tensor) -> Any:
        place = _place(tensor)
        if place not in self.own:
            self.now += 0 if self.times[place] else tensor.untyped_storage().nbytes()
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
