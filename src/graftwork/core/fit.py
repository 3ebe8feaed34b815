"""The training loop. It reads from top to bottom; everything that a technique does comes in through `run.stages`."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from graftwork.core import checkpoint
from graftwork.core.examples import make_batch
from graftwork.core.optimizer import clip, make_optimizer, set_rates
from graftwork.core.run import Run
from graftwork.core.state import Evaluated, State, evaluate, evaluation_steps, kept_tensors, restore, snapshot
from graftwork.core.technique import Measured
from graftwork.errors import NonFiniteLossError
from graftwork.networks.network import Network


@dataclass(frozen=True)
class Progress:
    """What an observer sees after each step. score and best are those of the last validation, more is better."""

    step: int
    total: int
    loss: float
    score: float | None
    best: float | None


Observer = Callable[[Progress], None]
"""Called after each step; it only looks."""


@dataclass(frozen=True)
class Fitted:
    """The result. network holds the kept weights, not folded; best_step and best_score are those of these weights."""

    network: Network
    history: tuple[Evaluated, ...]
    best_step: int
    best_score: float | None
    steps: int
    interrupted: bool


@dataclass(frozen=True)
class Checkpointing:
    """Where checkpoints go and which run they belong to; written at each evaluation and every `seconds`."""

    folder: Path
    fingerprint: str
    resume: bool = False
    seconds: float = 60.0


def fit(run: Run, *, observers: Sequence[Observer] = (), checkpoints: Checkpointing | None = None) -> Fitted:
    """Train `run.network` in place and leave the kept weights in it. Ctrl-C ends the run with the best so far.

    Raises NonFiniteLossError where the loss is not finite; the last checkpoint stays.
    """
    run.stages.state.to(run.network.device)
    optimizer = make_optimizer(run.network, run.stages, run.plan.training)
    state, interrupted = State(), False
    with torch.random.fork_rng():
        torch.manual_seed(run.seed)
        found = checkpoint.read(checkpoints.folder, checkpoints.fingerprint) if _resumes(checkpoints) else None
        if found:
            state = restore(found, run, optimizer)
        elif run.valid and run.plan.starts_well:
            evaluate(run, state)
        try:
            _train(run, state, optimizer, observers, checkpoints)
        except KeyboardInterrupt:
            interrupted = True
    run.network.load_state_dict(state.best or kept_tensors(run.stages.view(run.network)), strict=False)
    run.network.eval()
    return Fitted(run.network, tuple(state.history), state.best_step, state.best_score, state.step, interrupted)


def _train(
    run: Run,
    state: State,
    optimizer: torch.optim.Optimizer,
    observers: Sequence[Observer],
    checkpoints: Checkpointing | None,
) -> None:
    network, stages, training, total = run.network, run.stages, run.plan.training, run.plan.total_steps
    evaluate_at, saved = evaluation_steps(run), time.monotonic()
    network.train()
    for indices in _rows(run, state.step, total):
        batch = make_batch(run.train, network, indices, run.cached, progress=state.step / total)
        optimizer.zero_grad(set_to_none=True)
        measured = stages.gradient(stages.objective, network, stages.inputs(batch))
        state.losses.append(_finite(measured, state.step, checkpoints))
        set_rates(optimizer, training, state.step, total)
        clip(optimizer, training.clip)
        optimizer.step()
        stages.after_step(network)
        state.step += 1
        loss = state.losses[-1]
        if state.step in evaluate_at:
            evaluate(run, state)
        score = next((point.score for point in reversed(state.history)), None)
        for observer in observers:
            observer(Progress(state.step, total, loss, score, state.best_score))
        if checkpoints and (state.step in evaluate_at or time.monotonic() - saved >= checkpoints.seconds):
            checkpoint.write(checkpoints.folder, snapshot(run, optimizer, state, checkpoints.fingerprint))
            saved = time.monotonic()
        if state.stalled(training.patience):
            return


def _rows(run: Run, start: int, total: int) -> Iterator[np.ndarray]:
    """The rows of each step from `start` on: a function of the seed alone, so that a resumed run sees the same."""
    epoch_of = run.stages.sampler or run.sampler.epoch
    step = epoch = 0
    while step < total:
        for indices in epoch_of(epoch):
            if start <= step < total:
                yield indices
            step += 1
        epoch += 1


def _resumes(checkpoints: Checkpointing | None) -> bool:
    return checkpoints is not None and checkpoints.resume


def _finite(measured: Measured, step: int, checkpoints: Checkpointing | None) -> float:
    loss = float(measured.total.detach())
    if math.isfinite(loss):
        return loss
    parts = ", ".join(f"{name} = {float(term.mean.detach()):g}" for name, term in measured.terms.items())
    kept = ""
    if checkpoints and (checkpoints.folder / checkpoint.NAME).exists():
        kept = f" The last good checkpoint is in {checkpoints.folder}."
    raise NonFiniteLossError(
        f"The loss is not a finite number at step {step + 1} ({parts}). "
        f"Try a smaller learning rate (--set lr=…) or --set precision=fp32.{kept}"
    )
