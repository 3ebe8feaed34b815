"""One run of one recipe on a job: build the network, make the plan, fit, and keep what the next stage needs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch

from graftwork.core.clock.pace import OutOfTime
from graftwork.core.fit import Fitted, fit
from graftwork.core.judging.few_shot import with_training_classes
from graftwork.core.judging.held_out import held_out_views
from graftwork.core.parallel.workers import ALONE, Workers
from graftwork.core.plan import Plan
from graftwork.core.rows.corruption import corrupts
from graftwork.core.rows.examples import Examples, prepare
from graftwork.core.rows.sketch import sketch
from graftwork.core.run import Run, make_run
from graftwork.core.scoring import compared_targets, predict_examples
from graftwork.core.settings import resolve
from graftwork.core.training.compiled import compile_encoders
from graftwork.core.training.timing import affordable_steps
from graftwork.data.table import Input, Table
from graftwork.devices import chosen
from graftwork.errors import RefusedError
from graftwork.evidence.workers import WorkerCost
from graftwork.networks.bases.registry import build
from graftwork.networks.encoder import Encoder
from graftwork.networks.network import Network
from graftwork.networks.text.encoder import TextEncoder
from graftwork.recipe import Recipe
from graftwork.runs.clock import Deadline
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.single.begun import as_begun, remember_begun
from graftwork.runs.single.fingerprint import fingerprint
from graftwork.runs.single.old_rows import with_old_rows
from graftwork.runs.single.paced import paced
from graftwork.runs.single.speed import Speed
from graftwork.runs.single.starting_model import StartingModel, starting_model
from graftwork.runs.single.training_rows import training_rows
from graftwork.runs.teachers.teachers import answers
from graftwork.runs.workspace import Workspace
from graftwork.shown import counted
from graftwork.tasks.registry import head_of

HEAD_LR = 1e-3
"""Learning rate of the heads where no base has anything to train."""


@dataclass(frozen=True)
class Candidate:
    """A finished run. network: folded, in eval mode. predictions: on validation, by target (of open sets embeddings),
    None without validation.

    score: on validation, more is better. across: the same on training rows, each predicted without its fold, where few
    validate; else None. beaten: by a simpler one, as far as can be told from these. wall, cpu: seconds from building
    the network to the last step. starting: what a technique that climbs an aim of its own began from. workers: what
    each cost, where several made it.
    """

    name: str
    recipe: Recipe
    plan: Plan
    network: Network
    fitted: Fitted
    score: float | None
    predictions: Mapping[str, np.ndarray] | None
    wall: float
    cpu: float
    across: float | None = None
    beaten: bool = False
    starting: StartingModel | None = None
    workers: tuple[WorkerCost, ...] = ()


class RunOne(Protocol):
    """What makes a run of a call: `run_single`, or what has several workers do the same."""

    def __call__(
        self,
        job: Job,
        recipe: Recipe,
        *,
        name: str,
        workspace: Workspace,
        listener: Listener,
        deadline: Deadline | None = None,
        limit: Deadline | None = None,
    ) -> Candidate: ...


def plan_single(job: Job, recipe: Recipe, *, timed: bool = True) -> Plan:
    """The plan of a recipe with its techniques listed; nothing is trained. timed: of its steps, without a cache."""
    run = make_ready(job, recipe)
    return run.plan if not timed else replace(run.plan, seconds=affordable_steps(run, None).seconds)


def make_ready(
    job: Job, recipe: Recipe, *, sketched: bool = False, started: bool = False, workers: Workers = ALONE
) -> Run:
    """The run of a recipe with its techniques listed, checked and adapted, with nothing slow begun unless it is
    `started`. sketched: of a large table only some rows are prepared."""
    return _make_run(job, recipe, started=started, listener=Listener(), sketched=sketched, workers=workers)


def run_single(
    job: Job,
    recipe: Recipe,
    *,
    name: str,
    workspace: Workspace,
    listener: Listener,
    deadline: Deadline | None = None,
    limit: Deadline | None = None,
    until: int | None = None,
    scored_at: Callable[[int], Mapping[int, int]] | None = None,
) -> Candidate:
    """Run `recipe`, whose techniques are listed.

    deadline: when training should be over. It is turned into a number of steps before the first one, and a run that is
    slower than that is shortened; both are kept in the workspace. limit: `OutOfTime` is raised where the first step is
    not reached by then; None for a run that has to be.
    scored_at: of so many planned steps, by level, those at which it is scored beside the usual ones. until: the level
    at which it pauses (`Fitted.paused`). Called again it goes on, and `deadline` is when the rest should be over.
    """
    wall, cpu = time.monotonic(), time.process_time()
    begun, asked = as_begun(recipe, name, workspace), recipe
    if begun is not None:
        recipe, limit, deadline = begun, None, deadline if scored_at else None
    listener.doing(f"{name}: making ready")
    run = _make_run(job, recipe, started=True, listener=listener, limit=limit, workers=workspace.workers)
    run, pace = paced(run, name, asked, workspace, listener, deadline, limit, begun=begun is not None)
    if begun is None:
        remember_begun(workspace, name, asked, run.plan.total_steps)
    resolved = replace(recipe, training=replace(run.plan.training, steps=run.plan.total_steps))
    uncut = replace(resolved, training=replace(resolved.training, cuts=()))  # what is decided later names no other run
    listener.began(name, resolved.to_dict())
    listener.planned(name, run.plan.explain())
    speed, rungs = Speed(), scored_at(run.plan.total_steps) if scored_at else {}
    if corrupts(run.tasks) and run.network.device.type == "cuda":
        compile_encoders(run.network)
    fitted = fit(
        run,
        observers=[lambda progress: listener.stepped(name, progress), speed],
        checkpoints=workspace.checkpoints(name, fingerprint(uncut, run)),
        pace=pace,
        until=None if until is None else min((at for level, at in rungs.items() if level >= until), default=None),
        scored_at=rungs.values(),
    )
    if fitted.cuts and begun is None and not recipe.training.cuts:
        listener.note(f"{name}: ended after {fitted.steps} of {run.plan.total_steps} steps, so that the budget is kept")
    resolved = replace(resolved, training=replace(resolved.training, cuts=fitted.cuts))
    if corrupts(run.tasks) and speed.text(run):
        listener.note(f"{name}: {speed.text(run)}, validation included")
    seen = held_out_views(run)
    starting = starting_model(run, fitted.network)
    if run.stages.aims and starting is None and fitted.steps and not fitted.paused:
        listener.note(f"{name}: ended after {counted(fitted.steps, 'step')}, before a reward began to act (warm=)")
    network = run.stages.fold(fitted.network)
    network = with_training_classes(network, run.train, run.tasks, run.plan.techniques)
    predictions = None
    if run.valid:
        predictions = predict_examples(
            network,
            run.valid,
            run.plan.techniques,
            run.valid_cached,
            compared_targets(run.tasks),
            changed=seen,
            tasks=run.tasks,
            workers=run.workers,
        )
    seconds = time.monotonic() - wall
    listener.finished(name, fitted.best_score, seconds)
    spent = time.process_time() - cpu
    best = fitted.best_score
    return Candidate(name, resolved, run.plan, network, fitted, best, predictions, seconds, spent, starting=starting)


def build_network(job: Job, recipe: Recipe) -> Network:
    """Encoders and heads of a recipe, with seeded random weights where there are no pretrained ones."""
    read, bases = recipe.read(job.train.schema), recipe.bases(job.train.schema)
    readers: dict[str, list[Input]] = {}
    for one in read:
        readers.setdefault(bases[one.name].spec, []).append(one)
    encoders: dict[str, Encoder] = {}
    for inputs in readers.values():
        base = bases[inputs[0].name]
        encoder = build(base, job.rows(inputs, recipe), recipe.seed)
        encoder.pretrained = base.pretrained
        for one in inputs:
            if isinstance(encoder, TextEncoder) and len(one.columns) > 1:
                encoder.check_joined(one.name, base.spec)
        encoders.update(dict.fromkeys((one.name for one in inputs), encoder))
    ordered = {one.name: encoders[one.name] for one in read}
    network = Network(ordered, {}, sources={one.name: one.columns for one in read})
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        network.set_heads(
            {target: task.make_head(network, head_of(task, recipe.head)) for target, task in job.tasks.items()}
        )
    return network.to(chosen())


def _make_run(
    job: Job,
    recipe: Recipe,
    *,
    started: bool,
    listener: Listener,
    limit: Deadline | None = None,
    sketched: bool = False,
    workers: Workers = ALONE,
) -> Run:
    network = build_network(job, recipe)
    _check_scored(job, network)
    job, old_rows = with_old_rows(job, recipe)

    def examples(table: Table) -> Examples:
        if sketched:
            return sketch(table, network, job.tasks, recipe.text)
        return prepare(table, network, job.tasks, recipe.text, in_blocks=recipe.rows is not None)

    train = replace(training_rows(job, recipe, network, examples, sketched=sketched), old_rows=old_rows)
    valid = examples(job.valid) if job.valid else None
    bases = list(recipe.bases(job.train.schema).values())
    learning = [base for base in bases if base.suggested_lr]
    slow = [base for base in learning if base.pretrained] or learning

    watched = job.watched if started else None
    judge = None if watched is None else watched.judge(network, recipe.text, recipe.seed)

    def hurry() -> None:
        if limit is not None and limit.left() < 0:
            raise OutOfTime

    def computed(done: int, rows: int) -> None:
        hurry()
        listener.computed(done, rows)

    return make_run(
        network,
        job.tasks,
        recipe.named,
        resolve(recipe.training, lr=min((base.suggested_lr for base in slow), default=HEAD_LR)),
        train,
        valid,
        metrics=job.metrics,
        epochs=max(base.suggested_epochs for base in bases),
        seed=recipe.seed,
        started=started,
        watch=computed,
        ask=lambda teacher: answers(job, teacher, listener if started else None),
        hurry=hurry,
        judge=judge,
        workers=workers,
    )


def _check_scored(job: Job, network: Network) -> None:
    """Raise RefusedError where nothing is held out and a head can't be cross-validated in its place."""
    slow = [head.spec for _, head in network.each_head() if not head.can_be_solved]
    if slow and job.valid is None and job.test is None:
        raise RefusedError(
            f"The head '{slow[0]}' is trained in steps, so that it can't be cross-validated, and no rows are held out: "
            "they are few. Give validation rows (--valid FILE), or more rows."
        )
