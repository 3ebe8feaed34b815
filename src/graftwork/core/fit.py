"""The training loop. It reads from top to bottom; everything that a technique does comes in through `run.stages`."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import torch

from graftwork.core.clock.pace import Pace
from graftwork.core.run import Run
from graftwork.core.training.checkpoint import Checkpointing
from graftwork.core.training.finite import finite_loss
from graftwork.core.training.gradients import gradients
from graftwork.core.training.optimizer import make_optimizer, set_rates
from graftwork.core.training.sharded_run import ended, sharded
from graftwork.core.training.snapshots import found_by_all
from graftwork.core.training.state import Evaluated, State, begun, evaluate, keep, kept_tensors, restore, scoring_steps
from graftwork.core.training.together import read
from graftwork.networks.network import Network


@dataclass(frozen=True)
class Progress:
    """What an observer sees after each step. score and best are those of the last validation, more is better; watched:
    what the run is watched by, then. validated: whether that was after this very step."""

    step: int
    total: int
    loss: float
    score: float | None
    best: float | None
    watched: float | None = None
    validated: bool = False


Observer = Callable[[Progress], None]
"""Called after each step; it only looks."""


@dataclass(frozen=True)
class Fitted:
    """The result. network holds the kept weights, not folded; best_step, best_score: theirs. cuts: of the `Course`.
    paused: it ended at `until`, with steps still to be made. told: by name, the terms that a technique wants to be told
    (`Graft.told`), as points (step, mean over the steps since the point before)."""

    network: Network
    history: tuple[Evaluated, ...]
    best_step: int
    best_score: float | None
    steps: int
    interrupted: bool
    cuts: tuple[int, ...] = ()
    paused: bool = False
    told: Mapping[str, tuple[tuple[int, float], ...]] = field(default_factory=dict)


def fit(
    run: Run,
    *,
    observers: Sequence[Observer] = (),
    checkpoints: Checkpointing | None = None,
    pace: Pace | None = None,
    until: int | None = None,
    scored_at: Collection[int] = (),
) -> Fitted:
    """Train `run.network` in place and leave the kept weights in it. Ctrl-C ends the run with the best so far.

    pace: shortens a run that would end too late.
    until: where the run pauses, with a checkpoint and the best so far. Resumed, with the same `scored_at`, it has the
    bits of one that never paused. scored_at: where validation is scored beside the usual steps. Both are places among
    the planned steps, as of `Course`, so that a shortened run meets them too.

    Of several workers (`Run.workers`) each calls it, and worker 0 writes; all end with the same.

    Raises NonFiniteLossError where the loss is not finite; the last checkpoint stays.
    """
    run.stages.state.to(run.network.device)
    run.workers.same_tensors([*kept_tensors(run.network).values(), *run.stages.state.state_dict().values()])
    given, run = run, sharded(run)
    optimizer = make_optimizer(run.network, run.stages, run.plan.training)
    state, interrupted, paused = begun(run), False, False
    with torch.random.fork_rng():
        torch.manual_seed(run.workers.seed(run.seed))
        found = found_by_all(checkpoints, run.workers) if checkpoints and checkpoints.resume else None
        if found:
            state = restore(found, run, optimizer)
        elif run.valid and (run.plan.starts_well or run.plan.total_steps == 0):
            evaluate(run, state)
        try:
            paused = _train(run, state, optimizer, observers, checkpoints, pace, until, scored_at)
        except KeyboardInterrupt:
            interrupted = True
    kept = state.best or kept_tensors(run.stages.view(run.network))
    best_step = state.best_step if state.best else state.step
    network, told = ended(given, run, kept), state.told.curves()
    score, history, cuts = state.score, tuple(state.history), state.course.cuts
    return Fitted(network, history, best_step, score, state.step, interrupted, cuts, paused, told)


def _train(
    run: Run,
    state: State,
    optimizer: torch.optim.Optimizer,
    observers: Sequence[Observer],
    checkpoints: Checkpointing | None,
    pace: Pace | None,
    until: int | None,
    scored_at: Collection[int],
) -> bool:
    """Whether it paused."""
    network, training, total, workers = run.network, run.plan.training, run.plan.total_steps, run.workers
    evaluate_at, saved = scoring_steps(run, state.course, scored_at), time.monotonic()
    network.train()
    for indices in run.rows_from(state.step):
        if state.step >= state.course.end or state.stalled(training.patience):
            return False
        if state.reached(until):
            return True
        place = state.course.place(state.step)
        measured, norm = gradients(run, optimizer, indices, place / total)
        late = checkpoints is not None and time.monotonic() - saved >= checkpoints.seconds
        reading = read(measured, state.told.names, workers, due=late)
        state.losses.append(finite_loss(reading.loss, measured, norm, state.step, checkpoints))
        state.told.measured(state.step + 1, reading.told)
        set_rates(optimizer, training, place, total)
        optimizer.step()
        run.stages.after_step(network)
        state.step += 1
        if reading.stop:
            raise KeyboardInterrupt
        loss = state.losses[-1]
        if pace:
            state.course = pace.after_step(state.step, state.course, evaluate_at)
            evaluate_at = scoring_steps(run, state.course, scored_at)
        if state.step in evaluate_at:
            evaluate(run, state)
            if pace:
                pace.after_evaluation()
        last = state.history[-1] if state.history else Evaluated(0, None, None)
        validated = state.step in evaluate_at
        for observer in observers:
            observer(Progress(state.step, state.course.end, loss, last.score, state.score, last.watched, validated))
        due = reading.due or state.step == state.course.end or state.reached(until)
        due |= validated and not (checkpoints and checkpoints.sparing)
        if checkpoints and due:
            keep(run, optimizer, state, checkpoints)
            saved = time.monotonic()
    return False
