"""A run made ready: the network adapted, the frozen blocks cached, the techniques attached and composed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np
import torch

from graftwork.core.compose import Stages, compose
from graftwork.core.contract.setup import Check, unhurried
from graftwork.core.frozen.cache import Watch, build_cache, cache_depths
from graftwork.core.frozen.features import features_of as features_of
from graftwork.core.frozen.streamed import first_cached
from graftwork.core.parallel.workers import ALONE, Workers
from graftwork.core.plan import (
    Plan,
    all_stages,
    base_facts,
    check,
    check_adapted,
    check_labels,
    off_notes,
    order,
    run_notes,
    stages_of,
    step_cost,
)
from graftwork.core.planning.domains import domain_notes
from graftwork.core.planning.refusals import check_stages, check_workers
from graftwork.core.planning.sharded import check_sharded, check_sharded_stages, sharded_notes
from graftwork.core.planning.solved_heads import check_heads, importance, trained_below, without_steps
from graftwork.core.rows.corruption import corruption, corrupts
from graftwork.core.rows.examples import Cached, Examples, make_batch
from graftwork.core.rows.feature_statistics import input_moments
from graftwork.core.settings import Training, fitted_epochs
from graftwork.core.technique import Setup, TeacherOutputs, Technique
from graftwork.data.batch import Batch
from graftwork.data.samplers import LengthBuckets
from graftwork.data.store.cache import digest
from graftwork.errors import RefusedError
from graftwork.networks.network import Network
from graftwork.tasks.task import Task

Ask = Callable[[str], TeacherOutputs]
"""What the teacher of this name says of the training rows."""
Judge = Callable[[Network], float]
"""What a run is watched by beside its validation, more is better; it decides which weights are the best."""


@dataclass(frozen=True)
class Ready:
    """Adapted and started, with nothing attached yet. `network` is changed in place by training.

    techniques: in order. training: resolved. epochs: what the base suggests. cached, valid_cached: by input, the
        output of frozen blocks. metrics: by target, what validation is scored by. importance: what each training row
        counts for, see `Setup.weight`; said, began: by technique, what it said of that, and what its `start` gave.
    """

    network: Network
    tasks: Mapping[str, Task]
    techniques: tuple[Technique, ...]
    training: Training
    epochs: int
    train: Examples
    valid: Examples | None
    cached: Mapping[str, Cached]
    valid_cached: Mapping[str, Cached]
    cache_depths: Mapping[str, int]
    notes: tuple[str, ...]
    metrics: Mapping[str, str]
    seed: int
    teacher_outputs: Mapping[str, TeacherOutputs] = field(default_factory=dict)
    hurry: Check = unhurried
    judge: Judge | None = None
    importance: np.ndarray | None = None
    said: Mapping[str, np.ndarray | None] = field(default_factory=dict)
    began: Mapping[str, Mapping[str, np.ndarray] | None] = field(default_factory=dict)
    workers: Workers = ALONE

    @property
    def cached_shares(self) -> dict[str, float]:
        """By input, the share of its blocks that is computed once for all and kept."""
        depths = {name: self.network.encoder(name).depth for name in self.network.columns}
        return {name: self.cache_depths.get(name, 0) / depth for name, depth in depths.items()}

    def setup(self, technique: Technique, total_steps: int = 0) -> Setup:
        """What this technique may know of the run."""
        return Setup(
            tasks=self.tasks,
            targets=self.train.targets,
            labelled=self.train.labelled,
            features=lambda network: features_of(network, self.train, self.cached, self.workers),
            batches=lambda: _batches(self.network, self.train, self.cached),
            total_steps=total_steps,
            seed=technique_seed(technique.name, self.seed),
            device=self.network.device,
            batch=self.training.batch,
            weight=self.importance,
            importance=self.said.get(technique.name),
            rollouts=self.train.rollouts,
            domain=self.train.domain,
            domains=self.train.domains,
            teacher_outputs={name: self.teacher_outputs[name] for name in technique.teachers},
            old_rows={name: self.train.old_rows[name] for name in technique.old_tables if name in self.train.old_rows},
            check=self.hurry,
            began=self.began.get(technique.name) or {},
            table=self.train.table,
            workers=self.workers,
        )


@dataclass(frozen=True, kw_only=True)
class Run(Ready):
    """All that `fit` needs."""

    plan: Plan
    stages: Stages
    sampler: LengthBuckets

    def rows_from(self, start: int) -> Iterator[np.ndarray]:
        """The rows of each step from `start` on: a function of the seed alone, so that a resumed run sees the same."""
        epoch_of, total = self.stages.sampler or self.sampler.epoch, self.plan.total_steps
        step = epoch = 0
        while step < total:
            for indices in epoch_of(epoch):
                for _ in range(self.stages.replays):
                    if start <= step < total:
                        yield indices
                    step += 1
            epoch += 1

    def with_steps(self, steps: int) -> Run:
        """The same run for another number of steps."""
        return attach(replace(self, training=replace(self.training, steps=steps)))


def make_run(
    network: Network,
    tasks: Mapping[str, Task],
    techniques: Sequence[Technique],
    training: Training,
    train: Examples,
    valid: Examples | None,
    *,
    metrics: Mapping[str, str],
    epochs: int = 3,
    seed: int = 0,
    started: bool = True,
    watch: Watch | None = None,
    ask: Ask | None = None,
    hurry: Check = unhurried,
    judge: Judge | None = None,
    workers: Workers = ALONE,
) -> Run:
    """Check the techniques, adapt the network, cache what stays frozen, and compose the stages.

    training must be resolved (`settings.resolve`). With `started=False` nothing slow is done (no cache, no head
    initialisation): enough for a plan. ask: what a teacher that a technique names says of the training rows. hurry:
    `Setup.check`. workers: those that compute the run; each of them makes it.
    Raises RefusedError before anything is changed where the techniques can't run together.
    """
    ordered = order(techniques)
    roles = [role for role in ("domain", "group", "rollouts") if getattr(train, role) is not None]
    check(ordered, base_facts(network, tasks, roles))
    check_workers(ordered, tasks, workers.count)
    if training.sharded and workers.count > 1:
        check_sharded(ordered)
    of_domains = domain_notes(ordered, train.domain, train.domains)
    check_labels(train, valid)
    check_heads(network, ordered)
    network.learn_without(train.present)
    network.autocast = torch.bfloat16 if training.precision == "bf16" else None
    teacher_outputs = _asked(ordered, ask)
    given = (network, tasks, ordered, training, epochs, train, valid)
    ready = Ready(*given, {}, {}, {}, (), metrics, seed, teacher_outputs, hurry, judge, workers=workers)
    for technique in ordered:
        ready = replace(ready, network=technique.adapt(ready.network, ready.setup(technique)))
    check_adapted(ordered, ready.network)
    training, of_steps = without_steps(ready.network, training)
    depths, notes = _cached_depths(ready) if train.first is None else ({}, [])
    valid_depths, valid_notes = _cached_depths(ready, predicting=True)
    ready = replace(
        ready,
        cache_depths=depths,
        training=training,
        notes=(
            *off_notes(techniques),
            *of_steps,
            *notes,
            *valid_notes,
            *of_domains,
            *sharded_notes(ready.network, training, workers.count),
            *run_notes(ordered, tasks, train.labelled),
        ),
    )
    if started:
        cached = build_cache(ready.network, train, depths, watch, workers)
        valid_cached = build_cache(ready.network, valid, valid_depths, watch, workers) if valid else {}
        stored = {name: store.depth for name, store in cached.items()}
        ready = replace(ready, cached=cached, valid_cached=valid_cached, cache_depths=stored)
        first = train.first  # where the others are streamed, starting values are computed on these
        before = ready
        if first is not None:
            before = replace(ready, train=first, cached=first_cached(network, first, watch, workers))
        if len(network.columns) > 1:
            ready.network.set_statistics(input_moments(ready.network, before.train, before.cached))
        said = {t.name: t.importance(ready.network, ready.setup(t)) for t in ordered}
        ready = replace(ready, importance=importance(train.weight, *said.values()), said=said)
        before = replace(before, importance=None if ready.importance is None else ready.importance[: len(before.train)])
        ready = replace(ready, began={t.name: t.start(ready.network, before.setup(t)) for t in ordered})
    return attach(ready)


def attach(ready: Ready) -> Run:
    """Attach the techniques and compose their grafts; quick, so it can be done again for another number of steps."""
    ready = replace(ready, training=_with_epochs(ready))
    total = _total_steps(_sampler(ready, None), ready.training)
    grafts = [t.attach(ready.network, ready.setup(t, total)) for t in ready.techniques]
    check_stages(ready.techniques, grafts, ready.workers.count)
    if ready.training.sharded and ready.workers.count > 1:
        check_sharded_stages(ready.techniques, grafts)
    hiding = corruption(ready.tasks, ready.network, ready.workers.seed(ready.seed))
    stages = compose([technique.name for technique in ready.techniques], grafts, ready.tasks, hiding)
    sampler = _sampler(ready, stages.rows)
    network = ready.network
    used = {t.name: all_stages(t, graft) for t, graft in zip(ready.techniques, grafts, strict=True)}
    plan = Plan(
        techniques=ready.techniques,
        stages=used,
        training=ready.training,
        rows=len(ready.train),
        total_steps=total,
        cost=step_cost(ready.techniques, grafts),
        cache=dict(ready.cache_depths),
        depths={name: network.encoder(name).depth for name in network.columns},
        trained=sum(p.numel() for p in network.parameters() if p.requires_grad),
        parameters=sum(p.numel() for p in network.parameters()),
        notes=ready.notes,
        step_rows=max(map(len, stages.sampler(0)), default=0) if stages.sampler else 0,
        replays=stages.replays,
    )
    made = {f.name: getattr(ready, f.name) for f in fields(Ready)}
    return Run(**made, plan=plan, stages=stages, sampler=sampler)


def technique_seed(name: str, seed: int) -> int:
    """Each technique's own random stream, by a stable digest of its name."""
    return int(digest("technique", name, str(seed))[:15], 16)


def _asked(techniques: Sequence[Technique], ask: Ask | None) -> dict[str, TeacherOutputs]:
    found: dict[str, TeacherOutputs] = {}
    for technique in techniques:
        for name in technique.teachers:
            if ask is None:
                raise RefusedError(f"{technique.name} needs a teacher, and there is none to be asked here. Drop it.")
            if name not in found:
                found[name] = ask(name)
    return found


def _sampler(ready: Ready, weights: np.ndarray | None) -> LengthBuckets:
    return LengthBuckets(ready.train.lengths, ready.training.batch, ready.training.max_tokens, ready.seed, weights)


def _with_epochs(ready: Ready) -> Training:
    """Settings with the passes fitted to rows and classes; none where every trained head has been solved already and
    no technique changes what is trained for."""
    if ready.training.epochs is not None:
        return ready.training
    grafts = [t.attach(ready.network, ready.setup(t)) for t in ready.techniques]
    idle = all(not stages_of(graft) for graft in grafts)
    heads_only = not trained_below(ready.network)
    solved = any("head initialisation" in t.claims for t in ready.techniques)
    solved = solved and all(head.can_be_solved for _, head in ready.network.each_head())
    if idle and heads_only and solved:
        return replace(ready.training, epochs=0.0)
    outputs = max(max(1, len(task.classes)) for task in ready.tasks.values())
    epochs = fitted_epochs(ready.training, rows=len(ready.train), outputs=outputs, epochs=ready.epochs)
    return replace(ready.training, epochs=epochs)


def _total_steps(sampler: LengthBuckets, training: Training) -> int:
    return training.steps if training.steps is not None else sampler.steps(training.epochs or 0.0)


def _cached_depths(ready: Ready, *, predicting: bool = False) -> tuple[dict[str, int], list[str]]:
    """`cache_depths`; nothing where a task changes its inputs anew at each step."""
    return ({}, []) if corrupts(ready.tasks) else cache_depths(ready.network, ready.techniques, predicting=predicting)


def _batches(network: Network, train: Examples, cached: Mapping[str, Cached]) -> Iterator[Batch]:
    for start in range(0, len(train), 256):
        yield make_batch(train, network, np.arange(start, min(start + 256, len(train))), cached)
