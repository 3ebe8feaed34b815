"""A run made ready: the network adapted, the frozen blocks cached, the techniques attached and composed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from graftwork.core.cache import Watch, build_cache, cache_depths
from graftwork.core.compose import Stages, compose
from graftwork.core.examples import Cached, Examples, make_batch
from graftwork.core.plan import Plan, base_facts, check, coupling_notes, order, stages_of, step_cost
from graftwork.core.settings import Training
from graftwork.core.technique import Setup, Technique
from graftwork.data.batch import Batch
from graftwork.data.cache import digest
from graftwork.data.samplers import LengthBuckets, sorted_batches
from graftwork.errors import DataError, UsageError
from graftwork.networks.network import Network
from graftwork.tasks.task import Task

FEATURE_ROWS = 4096


@dataclass(frozen=True)
class Run:
    """All that `fit` needs. `network` is changed in place by training."""

    network: Network
    tasks: Mapping[str, Task]
    train: Examples
    valid: Examples | None
    plan: Plan
    stages: Stages
    sampler: LengthBuckets
    cached: Mapping[str, Cached]
    valid_cached: Mapping[str, Cached]
    metric: str
    seed: int


def make_run(
    network: Network,
    tasks: Mapping[str, Task],
    techniques: Sequence[Technique],
    training: Training,
    train: Examples,
    valid: Examples | None,
    *,
    metric: str,
    seed: int = 0,
    started: bool = True,
    watch: Watch | None = None,
) -> Run:
    """Check the techniques, adapt the network, cache what stays frozen, and compose the stages.

    training must be resolved (`settings.resolve`). With `started=False` nothing slow is done (no cache, no head start):
    enough for a plan. Raises RefusedError before anything is changed where the techniques can't run together.
    """
    ordered = order(techniques)
    roles = [role for role in ("domain", "group") if getattr(train, role) is not None]
    check(ordered, base_facts(network, tasks, roles))
    _check_rows(train)
    network.autocast = torch.bfloat16 if training.precision == "bf16" else None
    setups = {technique.name: _setup(technique, network, tasks, train, seed) for technique in ordered}
    for technique in ordered:
        network = technique.adapt(network, setups[technique.name])
    depths, notes = cache_depths(network, ordered)
    cached = build_cache(network, train, depths, training.max_tokens, watch) if started else {}
    valid_cached = build_cache(network, valid, depths, training.max_tokens, watch) if started and valid else {}
    sampler = LengthBuckets(train.lengths, training.batch, training.max_tokens, seed, None)
    total = _total_steps(sampler, training)
    grafts = []
    for technique in ordered:
        setups[technique.name] = setup = replace(
            setups[technique.name],
            features=lambda net: features_of(net, train, cached, training.max_tokens),
            batches=lambda: _batches(network, train, cached),
            total_steps=total,
        )
        if started:
            technique.start(network, setup)
    for technique in ordered:
        grafts.append(technique.attach(network, setups[technique.name]))
    stages = compose([technique.name for technique in ordered], grafts, tasks)
    if stages.rows is not None:
        sampler = LengthBuckets(train.lengths, training.batch, training.max_tokens, seed, stages.rows)
        total = _total_steps(sampler, training)
    plan = Plan(
        techniques=ordered,
        stages={t.name: stages_of(graft, t) for t, graft in zip(ordered, grafts, strict=True)},
        training=training,
        rows=len(train),
        total_steps=total,
        cost=step_cost(ordered),
        cache={name: store.depth for name, store in cached.items()} if started else depths,
        depths={name: network.encoder(name).depth for name in network.columns},
        trained=sum(p.numel() for p in network.parameters() if p.requires_grad),
        parameters=sum(p.numel() for p in network.parameters()),
        notes=tuple([*notes, *coupling_notes(ordered)]),
    )
    return Run(network, tasks, train, valid, plan, stages, sampler, cached, valid_cached, metric, seed)


def features_of(network: Network, examples: Examples, cached: Mapping[str, Cached], max_tokens: int) -> np.ndarray:
    """What the heads read, for every row in order (N, width), without gradient and in eval mode."""
    if len(cached) == 1 and len(network.columns) == 1:
        store = cached[network.columns[0]]
        if isinstance(store.states, np.ndarray):
            return store.states
    features = np.zeros((len(examples), network.width), np.float32)
    training = network.training
    network.eval()
    with torch.inference_mode():
        for indices in sorted_batches(examples.lengths, FEATURE_ROWS, max_tokens):
            batch = make_batch(examples, network, indices, cached)
            features[indices] = network.features(batch).cpu().numpy()
    network.train(training)
    return features


def technique_seed(name: str, seed: int) -> int:
    """Each technique's own random stream, by a stable digest of its name."""
    return int(digest("technique", name, str(seed))[:15], 16)


def _setup(technique: Technique, network: Network, tasks: Mapping[str, Task], train: Examples, seed: int) -> Setup:
    def too_early(_: Network) -> np.ndarray:
        raise UsageError(f"{technique.name} asks for features in adapt; they are there from start on.")

    return Setup(
        tasks=tasks,
        targets=train.targets,
        labelled=train.labelled,
        features=too_early,
        batches=lambda: iter(()),
        total_steps=0,
        seed=technique_seed(technique.name, seed),
        device=network.device,
    )


def _batches(network: Network, train: Examples, cached: Mapping[str, Cached]) -> Iterator[Batch]:
    for start in range(0, len(train), 256):
        yield make_batch(train, network, np.arange(start, min(start + 256, len(train))), cached)


def _total_steps(sampler: LengthBuckets, training: Training) -> int:
    if training.steps is not None:
        return training.steps
    return sampler.steps(training.epochs or 0.0)


def _check_rows(train: Examples) -> None:
    if not train.targets:
        raise DataError("The training table has no target column.")
    if not any(mask.any() for mask in train.labelled.values()):
        raise DataError("No training row has a label.")
