"""A head solved on given features; shared by the techniques that start, or end, with a solved head.

A linear head is the solution of a convex problem (`solve`), with a penalty chosen on held-out rows; a kernel head
(`kernel`), a cosine head (`whiten`) and linear towers (`correlation`) are solved in closed form; an MLP head is
trained on the features for some hundred steps. Features are standardised through the head's own shift and scale.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from graftwork import specs
from graftwork.core.setup import Check, unhurried
from graftwork.core.technique import Setup
from graftwork.errors import RefusedError
from graftwork.networks.heads.head import HEADS, CosineLayer, Head, Kernel, KernelLayer, Projection
from graftwork.networks.heads.two_towers import TwoTowersLayer
from graftwork.networks.network import Network
from graftwork.tasks.capabilities import softened
from graftwork.tasks.task import Task
from graftwork.techniques.checks import check_range
from graftwork.techniques.streams import own_stream
from graftwork.techniques.transfer import correlation, whiten
from graftwork.techniques.transfer.kernel import USED, Solved, rows_of, solve_kernel
from graftwork.techniques.transfer.solve import Linear, Rows, solve_linear, solve_path, standardise

L2 = float | Literal["auto"]

STRENGTHS = (4.0, 1.0, 1 / 4, 1 / 16, 1 / 64, 1 / 256)
"""Penalties that "auto" tries, on features of mean squared length 1."""
USUAL = 1 / 16
"""The penalty where rows are too few to hold some out: the best one of few-shot trials on four text data sets."""
SMOOTHING = 0.1
ENOUGH = 10
"""Rows a class (five times as many in all, without classes) from which a fifth is held out to choose the penalty."""
CHOOSE_ON = 5_000
"""Rows on which the penalty is chosen at most."""


def check_l2(technique: str, l2: L2) -> None:
    if l2 != "auto":
        check_range(technique, "l2", l2, 0.0, math.inf)


def start_heads(network: Network, setup: Setup, l2: L2 = "auto") -> None:
    """Solve every head on the features of the network as it stands; rows without a target take no part."""
    features = setup.features(network)
    for target, head in network.each_head():
        for member, read, has in head.members(features):
            labelled = setup.labelled[target] if has is None else setup.labelled[target] & has
            if labelled.any():
                _start_head(member, read, target, setup, l2, labelled.astype(np.float32))


def _start_head(head: Head, features: np.ndarray, target: str, setup: Setup, l2: L2, weight: np.ndarray) -> None:
    args = (head, features, setup.targets[target], setup.tasks[target])
    if head.must_be_solved:
        fit_kernel(*args, weight=weight, seed=setup.seed, check=setup.check)
    elif isinstance(head.layers[-1], CosineLayer):
        fit_cosine(*args, weight=weight, seed=setup.seed)
    elif isinstance(head.layers[0], TwoTowersLayer) and head.layers[0].is_linear:
        fit_towers(*args, weight=weight, l2=l2, seed=setup.seed)
    elif _is_linear(head):
        fit_linear(*args, weight=weight, l2=l2, seed=setup.seed, check=setup.check)
    else:
        fit_mlp(*args, weight=weight, seed=setup.seed, check=setup.check)


def fit_linear(
    head: Head,
    features: np.ndarray,
    targets: np.ndarray,
    task: Task,
    *,
    weight: np.ndarray | None = None,
    l2: L2 = "auto",
    seed: int = 0,
    check: Check = unhurried,
) -> float:
    """Write the solution of the linear problem into the head, and return the penalty that was used.

    features (N, F) float32, targets (N, ...) as the task encodes them, weight (N,) of the rows."""
    shift, scale = _standardise_head(head, features, weight)
    # The penalty means the same for every width if the squared length of the features is 1 on average.
    length = math.sqrt(features.shape[1])
    rows = Rows(features, targets, _weights(features, weight), shift, scale / length)
    start: Linear | None = None
    if l2 == "auto":
        l2, start = choose_l2(rows, task, seed, check)
    solution = solve_linear(rows, task, l2=l2, start=start, check=check)
    layer = _last_layer(head)
    with torch.no_grad():
        layer.weight.copy_(solution.weight / length)
        layer.bias.copy_(solution.bias)
    return l2


def choose_l2(rows: Rows, task: Task, seed: int, check: Check = unhurried) -> tuple[float, Linear | None]:
    """The penalty of lowest loss on a fifth of the rows, and its solution on the others."""
    generator = np.random.default_rng(seed)
    held_out = _fifth(rows, task, generator)
    if held_out is None:
        return USUAL, None
    kept, held = (_picked(rows, chosen) for chosen in held_out)
    return solve_path(kept, held, task, STRENGTHS, check)


def fit_kernel(
    head: Head,
    features: np.ndarray,
    targets: np.ndarray,
    task: Task,
    *,
    weight: np.ndarray | None = None,
    seed: int = 0,
    check: Check = unhurried,
) -> Solved:
    """Solve a kernel head on the rows of weight above 0; see `graftwork.techniques.transfer.kernel`."""
    settings, layer = specs.parse(head.spec, HEADS, "head"), head.layers[0]
    assert isinstance(settings, Kernel)
    assert isinstance(layer, KernelLayer)
    shift, scale = _standardise_head(head, features, weight)
    used = np.flatnonzero(_weights(features, weight) > 0)
    if len(used) > USED:
        used = np.sort(np.random.default_rng(seed).choice(used, USED, replace=False))
    rows = rows_of(features[used], shift, scale)
    truth = torch.from_numpy(targets[used]).to(shift.device)
    with torch.no_grad():
        return solve_kernel(layer, settings, rows, truth, task, seed, check)


def fit_towers(
    head: Head,
    features: np.ndarray,
    targets: np.ndarray,
    task: Task,  # noqa: ARG001
    *,
    weight: np.ndarray | None = None,
    l2: L2 = "auto",
    seed: int = 0,
) -> float:
    """Solve linear towers on the rows of weight above 0, and return the penalty that was used; see `correlation`."""
    layer = head.layers[0]
    assert isinstance(layer, TwoTowersLayer)
    used = np.flatnonzero(_weights(features, weight) > 0)
    shift, scale = _standardise_head(head, features, weight)
    sides = correlation.Sides(features[used], shift.cpu().numpy(), scale.cpu().numpy(), layer.parts[0])
    return correlation.solve_towers(layer, sides, targets[used], None if l2 == "auto" else l2, seed)


def fit_cosine(
    head: Head,
    features: np.ndarray,
    targets: np.ndarray,
    task: Task,
    *,
    weight: np.ndarray | None = None,
    seed: int = 0,
) -> float:
    """Solve a cosine head on the rows of weight above 0, and return the penalty that was chosen; see `whiten`.

    Raises RefusedError for a task without one class a row.
    """
    if "hard_labels" not in task.facts:
        raise RefusedError(
            f"The head 'cosine' can't be solved for the task {task.name}, whose rows don't have one class each. "
            "Use the head linear, or the task classification or identity."
        )
    projection, layer = head.layers[0], head.layers[-1]
    assert isinstance(projection, Projection)
    assert isinstance(layer, CosineLayer)
    used = np.flatnonzero(_weights(features, weight) > 0)
    if len(used) > whiten.USED:
        used = np.sort(np.random.default_rng(seed).choice(used, whiten.USED, replace=False))
    # Not scaled: whitening does that, and features that hardly vary at all would become mere noise.
    shift = torch.from_numpy(features[used].mean(axis=0, dtype=np.float64).astype(np.float32)).to(head.shift.device)
    head.shift.copy_(shift)
    head.scale.fill_(1.0)
    rows, classes = features[used] - shift.cpu().numpy(), targets[used]
    penalty = whiten.choose_penalty(rows, classes, seed)
    matrix = whiten.spread_within(rows, classes).whitening(penalty)
    directions = whiten.class_directions(rows @ matrix, classes, head.outputs)
    projection.matrix = torch.from_numpy(matrix).to(shift.device)
    layer.weight = nn.Parameter(torch.from_numpy(directions).to(shift.device), layer.weight.requires_grad)
    return penalty


def fit_mlp(
    head: Head,
    features: np.ndarray,
    targets: np.ndarray,
    task: Task,
    *,
    weight: np.ndarray | None = None,
    seed: int = 0,
    lr: float = 2e-3,
    batch: int = 128,
    epochs: int = 10,
    check: Check = unhurried,
) -> None:
    """Train a head of any shape on fixed features: AdamW with cosine decay, at least 400 and at most 20,000 steps.

    Hard labels are smoothed by 0.1: without that, some hundred steps on few features end too sure of themselves.
    """
    _standardise_head(head, features, weight)
    importance = _weights(features, weight)
    labelled = np.flatnonzero(importance > 0)
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
    training, generator = head.training, np.random.default_rng(seed)
    head.train()
    with own_stream(seed, device), _one_thread():
        order = np.zeros(0, np.int64)
        for _ in range(steps):
            check()
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


def _smoothed(task: Task, target: Tensor) -> Tensor:
    if "hard_labels" not in task.facts:
        return target
    return softened(task, target) * (1 - SMOOTHING) + SMOOTHING / task.outputs


def _fifth(rows: Rows, task: Task, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray] | None:
    """Rows to keep and a fifth to hold out, by class where there is one; None where rows are too few."""
    labelled = np.flatnonzero(rows.weight > 0)
    if len(labelled) > CHOOSE_ON:
        labelled = np.sort(generator.choice(labelled, CHOOSE_ON, replace=False))
    by_class = "hard_labels" in task.facts
    classes = rows.targets[labelled] if by_class else np.zeros(len(labelled), np.int64)
    if np.median(np.unique_counts(classes).counts) < (ENOUGH if by_class else 5 * ENOUGH):
        return None
    shuffled = generator.permutation(len(labelled))
    order = shuffled[np.argsort(classes[shuffled], kind="stable")]
    held = np.zeros(len(labelled), bool)
    held[order[2::5]] = True
    return labelled[~held], labelled[held]


def _picked(rows: Rows, chosen: np.ndarray) -> Rows:
    return Rows(rows.features[chosen], rows.targets[chosen], rows.weight[chosen], rows.shift, rows.scale)


def _standardise_head(head: Head, features: np.ndarray, weight: np.ndarray | None) -> tuple[Tensor, Tensor]:
    shift, scale = standardise(features, _weights(features, weight))
    head.shift.copy_(torch.from_numpy(shift))
    head.scale.copy_(torch.from_numpy(scale))
    return head.shift, head.scale


def _weights(features: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    return np.ones(len(features), np.float32) if weight is None else weight.astype(np.float32)


def _linear_layers(head: Head) -> list[nn.Linear]:
    return [layer for layer in head.layers if isinstance(layer, nn.Linear)]


def _is_linear(head: Head) -> bool:
    return len(_linear_layers(head)) == 1


def _last_layer(head: Head) -> nn.Linear:
    return _linear_layers(head)[-1]
