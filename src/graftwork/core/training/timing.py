"""How long a step takes here, found by trying a few on a copy of the network; and how many fit into a budget."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import torch

from graftwork.core.run import Run, attach
from graftwork.core.scoring import compared_targets, predict_examples
from graftwork.core.training.gradients import gradients
from graftwork.core.training.optimizer import make_optimizer
from graftwork.core.training.sharded_run import trial_network
from graftwork.core.training.state import scoring_steps

TRIED = 6
LONGEST = 2.0
"""Seconds after which no further step is tried."""


@dataclass(frozen=True)
class Timed:
    """steps: how many can be afforded, at most those planned. seconds: what those would take, validation included.
    step, evaluation: seconds of one step, and of scoring validation once."""

    steps: int
    seconds: float
    step: float = 0.0
    evaluation: float = 0.0


def affordable_steps(run: Run, seconds: float | None, clock: Callable[[], float] = time.monotonic) -> Timed:
    """Time a few steps and say how many of the planned ones fit into `seconds` (None: all). clock: what counts them."""
    total = run.plan.total_steps
    if total == 0:
        return Timed(0, 0.0)
    each, evaluation = _seconds_per_step(run, clock), _seconds_per_evaluation(run, clock)
    scoring = evaluation * len(scoring_steps(run))
    if seconds is None:
        return Timed(total, each * total + scoring, each, evaluation)
    steps = max(0, min(total, int((seconds - scoring) / each)))
    return Timed(steps, each * steps + scoring, each, evaluation)


def _seconds_per_evaluation(run: Run, clock: Callable[[], float]) -> float:
    """Of scoring all validation rows, found by predicting some of them; what techniques do to score is not counted."""
    if not run.valid:
        return 0.0
    rows = np.arange(len(run.valid))
    if len(rows) > run.training.batch:
        rows = np.sort(np.random.default_rng(0).choice(rows, run.training.batch, replace=False))
    with torch.random.fork_rng():
        begun = clock()
        predict_examples(
            run.network,
            run.valid,
            run.plan.techniques,
            run.valid_cached,
            compared_targets(run.tasks),
            rows,
            tasks=run.tasks,
            workers=run.workers,
        )
        return (clock() - begun) / len(rows) * len(run.valid)


def _seconds_per_step(run: Run, clock: Callable[[], float]) -> float:
    """Mean seconds of a step; the run itself, its random streams included, stays untouched."""
    trial = attach(replace(run, network=trial_network(run)))
    trial.stages.state.to(trial.network.device)
    optimizer = make_optimizer(trial.network, trial.stages, trial.training)
    step_seconds = []
    with torch.random.fork_rng():
        trial.network.train()
        for indices in islice((trial.stages.sampler or trial.sampler.epoch)(0), TRIED + 1):
            begun = clock()
            gradients(trial, optimizer, indices)
            optimizer.step()
            trial.stages.after_step(trial.network)
            step_seconds.append(clock() - begun)
            if len(step_seconds) > 1 and sum(step_seconds) > LONGEST:
                break
    timed = step_seconds[1:] or step_seconds  # the first step allocates
    return sum(timed) / len(timed)
