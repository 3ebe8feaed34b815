"""What changes while a run trains, how it goes into a checkpoint and comes back, and which weights are kept."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, field

import torch
from torch import Tensor

from graftwork.core.clock.course import Course
from graftwork.core.judging.held_out import scores
from graftwork.core.parallel.sharding import like, whole_for
from graftwork.core.run import Run
from graftwork.core.training import checkpoint
from graftwork.core.training.checkpoint import (
    Checkpointing,
    Snapshot,
    load_optimizer,
    optimizer_tensors,
    prefixed,
)
from graftwork.core.training.snapshots import own_streams, streams_of_all
from graftwork.core.training.told import Told, told_of
from graftwork.errors import CheckpointError
from graftwork.networks.network import Network


@dataclass(frozen=True)
class Evaluated:
    """A point of the learning curve. loss: mean since the last point. score: on validation, more is better, or None.
    watched: what the run is watched by, which then decides in place of the score; None where it is not."""

    step: int
    loss: float | None
    score: float | None
    watched: float | None = None

    @property
    def deciding(self) -> float | None:
        """By what the best weights are chosen, and a run is stopped."""
        return self.score if self.watched is None else self.watched


@dataclass
class State:
    """Everything that training changes, apart from the network, the optimizer and the grafts' own state.

    course: how the run goes on; whoever cuts it keeps that for a run that is resumed.
    """

    course: Course
    step: int = 0
    best_step: int = 0
    best_score: float | None = None
    best: dict[str, Tensor] = field(default_factory=dict)
    history: list[Evaluated] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    told: Told = field(default_factory=Told)

    @property
    def score(self) -> float | None:
        """On validation, of the best weights so far."""
        found = (point.score for point in reversed(self.history) if point.step == self.best_step)
        return next(found, self.best_score)

    def stalled(self, patience: int) -> bool:
        """True after `patience` evaluations in a row without a better score, whichever weights are kept."""
        found = [point.deciding for point in self.history if point.deciding is not None]
        return bool(found) and 0 < patience < len(found) - found.index(max(found))

    def reached(self, place: int | None) -> bool:
        """Whether the run has come to this place among the planned steps; never with None."""
        return place is not None and self.step >= self.course.step_at(place)


def kept_tensors(network: Network) -> dict[str, Tensor]:
    """Trained parameters and all buffers, by name: what a run can change."""
    trained = {name: parameter for name, parameter in network.named_parameters() if parameter.requires_grad}
    return {**trained, **dict(network.named_buffers())}


def evaluate(run: Run, state: State) -> None:
    """Score what would be saved now, add it to the history, and keep the weights if they are the ones to keep."""
    viewed = run.stages.view(run.network)
    score, watched = run.workers.same(scores(run, viewed))
    loss = sum(state.losses) / len(state.losses) if state.losses else None
    state.losses.clear()
    state.history.append(Evaluated(state.step, loss, score, watched))
    value = state.history[-1].deciding
    if run.plan.keeps_last or value is None or state.best_score is None or value > state.best_score:
        state.best_score, state.best_step = value, state.step
        state.best = {name: tensor.detach().clone() for name, tensor in kept_tensors(viewed).items()}


def course_of(run: Run) -> Course:
    """The course of a run before its first step."""
    return Course(run.plan.total_steps, run.plan.training.cuts)


def begun(run: Run) -> State:
    """The state of a run before its first step."""
    return State(course_of(run), told=told_of(run.stages.told, run.plan.total_steps))


def scoring_steps(run: Run, course: Course | None = None, also: Collection[int] = ()) -> frozenset[int]:
    """The steps after which validation is scored; the last one always. course: of a run that was shortened.
    also: further places among the planned steps."""
    total, wanted = run.plan.total_steps, run.plan.training.evaluations
    if wanted is None:
        wanted = min(10, max(1, round(run.plan.training.epochs or 1))) if run.valid else 1
    places = {round(total * (i + 1) / wanted) for i in range(wanted)} | {total}
    places |= {place for place in also if 0 < place <= total}
    if course is None or not course.cuts:
        return frozenset(places)
    return frozenset(course.step_at(place) for place in places) | {course.end}


def snapshot(run: Run, optimizer: torch.optim.Optimizer, state: State, fingerprint: str) -> Snapshot:
    """All that is needed to go on bit for bit. Of several workers each calls it: their streams are in it. What is
    sharded is whole in that of worker 0, and left out of the others'."""
    streams = {"torch": torch.get_rng_state()}
    streams.update({name: generator.get_state() for name, generator in run.stages.generators.items()})
    device = run.network.device
    if device.type != "cpu":
        streams[device.type] = torch.get_device_module(device).get_rng_state(device)
    tensors = {
        **prefixed("network", whole_for(run.workers.leads, kept_tensors(run.network))),
        **prefixed("grafts", run.stages.state.state_dict()),
        **prefixed("optimizer", whole_for(run.workers.leads, optimizer_tensors(optimizer))),
        **streams_of_all(streams, run.workers),
        **prefixed("best", whole_for(run.workers.leads, state.best)),
    }
    meta = {
        "fingerprint": fingerprint,
        "step": state.step,
        "total_steps": run.plan.total_steps,
        "best_step": state.best_step,
        "best_score": state.best_score,
        "history": [asdict(point) for point in state.history],
        "losses": state.losses,
        "told": state.told.points,
    }
    return Snapshot(tensors, meta)


def keep(run: Run, optimizer: torch.optim.Optimizer, state: State, kept: Checkpointing) -> None:
    """Write a checkpoint; worker 0 does."""
    found = snapshot(run, optimizer, state, kept.fingerprint)
    if run.workers.leads:
        checkpoint.write(kept.folder, found)


def restore(found: Snapshot, run: Run, optimizer: torch.optim.Optimizer) -> State:
    """Put a snapshot back into the run; the inverse of `snapshot`. Raises CheckpointError if the steps differ."""
    planned, total = found.meta["total_steps"], run.plan.total_steps
    if planned != total:
        raise CheckpointError(f"The checkpoint is of a run of {planned} steps, but {total} are planned now.")
    now = kept_tensors(run.network)
    loaded = {name: like(tensor, now.get(name)) for name, tensor in found.group("network").items()}
    run.network.load_state_dict(loaded, strict=False)
    run.stages.state.load_state_dict(found.group("grafts"))
    load_optimizer(optimizer, found.group("optimizer"))
    streams = own_streams(found, run.workers)
    if streams:  # else it was written by fewer workers
        torch.set_rng_state(streams["torch"])
        for name, generator in run.stages.generators.items():
            generator.set_state(streams[name])
        device = run.network.device
        if device.type != "cpu" and device.type in streams:
            torch.get_device_module(device).set_rng_state(streams[device.type], device)
    meta = found.meta
    history = [Evaluated(**point) for point in meta["history"]]
    best = {name: like(tensor.to(run.network.device), now.get(name)) for name, tensor in found.group("best").items()}
    state = begun(run)
    state.step, state.best_step, state.best_score = meta["step"], meta["best_step"], meta["best_score"]
    state.best, state.history, state.losses = best, history, list(meta["losses"])
    state.told.points.update(meta.get("told", {}))
    return state
