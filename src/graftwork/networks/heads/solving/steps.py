"""A head of any shape, trained on fixed features for some hundred steps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from graftwork.networks.heads.solving.problem import Problem, SolvableHead, Solved, softened
from graftwork.networks.streams import own_stream

SMOOTHING = 0.1


def fit_in_steps(head: SolvableHead, problem: Problem, lr: float = 2e-3, batch: int = 128, epochs: int = 10) -> None:
    """Train a head of any shape on fixed features: AdamW with cosine decay, at least 400 and at most 20,000 steps.

    Hard labels are smoothed by 0.1: without that, some hundred steps on few features end too sure of themselves.
    """
    head.standardise(problem)
    features, targets, task, importance = problem.features, problem.targets, problem.task, problem.importance
    labelled = problem.used()
    per_epoch = math.ceil(len(labelled) / batch)
    steps = min(max(epochs * per_epoch, 400), 20_000)
    device = head.shift.device
    matrices = [p for p in head.parameters() if p.ndim > 1]
    vectors = [p for p in head.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": 0.05}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, lr, total_steps=steps, pct_start=0.1, cycle_momentum=False
    )
    training, generator = head.training, np.random.default_rng(problem.seed)
    head.train()
    with own_stream(problem.seed, device), _one_thread():
        order = np.zeros(0, np.int64)
        for _ in range(steps):
            problem.check()
            order = order if len(order) else generator.permutation(labelled)
            picked, order = order[:batch], order[batch:]
            inputs, target, share = (torch.from_numpy(v[picked]).to(device) for v in (features, targets, importance))
            loss = (task.loss(head.of_rows(inputs), _smoothed(task, target)) * share).sum() / share.sum()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    head.zero_grad(set_to_none=True)
    head.train(training)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Steps this small gain nothing from a second thread, and beside another busy process they wait for it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _smoothed(task: Solved, target: Tensor) -> Tensor:
    if "hard_labels" not in task.facts:
        return target
    return softened(task, target) * (1 - SMOOTHING) + SMOOTHING / task.outputs
