"""How long a step takes here, found by trying a few on a copy of the network; and how many fit into a budget."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass, replace
from itertools import islice

import torch

from graftwork.core.examples import make_batch
from graftwork.core.optimizer import clip, make_optimizer
from graftwork.core.run import Run, attach
from graftwork.core.state import evaluation_steps

TRIED = 6
EVALUATION_SHARE = 0.35
"""A row costs about this share of a training step's row when it is only scored."""


@dataclass(frozen=True)
class Timed:
    """steps: how many can be afforded, at most those planned. seconds: what those would take, validation included."""

    steps: int
    seconds: float


def affordable_steps(run: Run, seconds: float | None) -> Timed:
    """Time a few steps and say how many of the planned ones fit into `seconds` (None: all)."""
    total = run.plan.total_steps
    if total == 0:
        return Timed(0, 0.0)
    each = _seconds_per_step(run)
    rows = len(run.valid) if run.valid else 0
    scoring = each * EVALUATION_SHARE * len(evaluation_steps(run)) * rows / run.training.batch
    if seconds is None:
        return Timed(total, each * total + scoring)
    steps = max(0, min(total, int((seconds - scoring) / each)))
    return Timed(steps, each * steps + scoring)


def _seconds_per_step(run: Run) -> float:
    """Mean wall seconds of a step; the run itself, its random streams included, stays untouched."""
    trial = attach(replace(run, network=copy.deepcopy(run.network)))
    trial.stages.state.to(trial.network.device)
    optimizer = make_optimizer(trial.network, trial.stages, trial.training)
    spent = []
    with torch.random.fork_rng():
        trial.network.train()
        for indices in islice((trial.stages.sampler or trial.sampler.epoch)(0), TRIED + 1):
            begun = time.perf_counter()
            batch = make_batch(trial.train, trial.network, indices, trial.cached)
            optimizer.zero_grad(set_to_none=True)
            trial.stages.gradient(trial.stages.objective, trial.network, trial.stages.inputs(batch))
            clip(optimizer, trial.training.clip)
            optimizer.step()
            trial.stages.after_step(trial.network)
            spent.append(time.perf_counter() - begun)
    timed = spent[1:] or spent  # the first step allocates
    return sum(timed) / len(timed)
