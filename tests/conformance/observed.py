"""What the stages of a run do to the bit, seen over two batches, so that two runs can be compared stage by stage."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor

from graftwork.core.rows.examples import make_batch
from graftwork.core.run import Run
from graftwork.core.scoring import predict_examples
from graftwork.core.training.optimizer import make_optimizer
from graftwork.data.batch import Batch
from tinyrun import SEED, weights

BATCHES = 2
ROUNDING = 1e-5
"""By which sums of the same numbers may differ, as a share of the largest."""

Seen = dict[str, Any]


def observed(run: Run) -> Seen:
    """By what it is. Weights move alike in every run between the batches, so that what differs is not carried on.

    Everything is to be the same to the bit but for what begins with `gradient`, which adds up the terms in their order.
    """
    network, stages = run.network, run.stages
    seen: Seen = {"plan": (run.plan.total_steps, run.plan.cost, run.plan.claims), "sampling": stages.rows}
    seen |= {f"start of {name}": value for name, value in weights(network).items()}
    rates = make_optimizer(network, stages, run.training).param_groups
    seen["rates"] = sorted(
        (group["lr"], group["weight_decay"], sum(map(torch.numel, group["params"]))) for group in rates
    )
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        network.train()
        for at, indices in enumerate(itertools.islice(run.rows_from(0), BATCHES)):
            batch = stages.inputs(make_batch(run.train, network, indices, run.cached, progress=at / BATCHES))
            seen |= {f"batch {at}: {name}": value for name, value in _tensors(batch)}
            seen |= _descended(run, batch, at)
            _move(network)
            stages.after_step(network)
    seen |= {f"state of {name}": value for name, value in weights(stages.state).items()}
    viewed = stages.view(network)
    seen |= {f"viewed {name}": value for name, value in weights(viewed).items()}
    predictions = predict_examples(viewed, run.valid, run.techniques) if run.valid else {}
    return seen | {f"predictions of {name}": torch.from_numpy(value) for name, value in predictions.items()}


def _descended(run: Run, batch: Batch, at: int) -> Seen:
    """The terms of the loss, and the gradients."""
    learning = dict(run.network.named_parameters()) | dict(run.stages.state.named_parameters(prefix="state"))
    for parameter in learning.values():
        parameter.grad = None
    measured = run.stages.gradient(run.stages.objective, run.network, batch)
    seen: Seen = {}
    for name, term in measured.terms.items():
        seen[f"term {at}: {name}"] = term.value.detach().clone()
        seen[f"term {at}: {name}, counted"] = (term.count, term.weight)
    gradients = {name: value.grad.clone() for name, value in learning.items() if value.grad is not None}
    return seen | {f"gradient {at}: {name}": value for name, value in gradients.items()}


@torch.no_grad()
def _move(network: torch.nn.Module) -> None:
    for parameter in network.parameters():
        if parameter.requires_grad:
            parameter.mul_(0.9)


def _tensors(value: Any, name: str = "") -> list[tuple[str, Tensor]]:
    if isinstance(value, Tensor):
        return [(name, value.clone())]
    if isinstance(value, Mapping):
        return [found for key, item in value.items() for found in _tensors(item, f"{name} {key}")]
    if hasattr(value, "__dataclass_fields__"):
        return [found for f in fields(value) for found in _tensors(getattr(value, f.name), f"{name} {f.name}")]
    return []


def differences(first: Seen, second: Seen) -> list[str]:
    """What is not the same: to the bit, or for gradients to rounding."""
    if first.keys() != second.keys():
        return sorted(first.keys() ^ second.keys())
    largest = max((float(value.abs().max()) for name, value in first.items() if name.startswith("gradient")), default=0)
    return [name for name, value in first.items() if not _same(name, value, second[name], largest)]


def _same(name: str, first: Any, second: Any, largest: float) -> bool:
    if not isinstance(first, Tensor):
        return bool((first == second).all()) if hasattr(first, "all") else bool(first == second)
    if name.startswith("gradient"):
        return first.shape == second.shape and float((first - second).abs().max()) <= ROUNDING * largest
    return torch.equal(first, second)
