"""Weights of networks that started from one base, merged into one set of weights.

Average: the mean, also of runs of one task (Wortsman et al. 2022, "Model soups"). Task arithmetic: the base plus a
multiple of the sum of the task vectors, which are what fine-tuning added to the base (Ilharco et al. 2023, "Editing
models with task arithmetic"). TIES: task vectors are trimmed to their largest entries, a sign is elected for each
entry, and those that agree with it are averaged (Yadav et al. 2023, "TIES-Merging").

Merged weights predict well where the fine-tunes lie in one basin of the loss, which they do as long as training stayed
near the base. Networks that began with other random weights do not, and their mean is no better than chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from graftwork.errors import RefusedError
from graftwork.networks.heads.head import Head
from graftwork.networks.heads.layers.cosine import CosineLayer
from graftwork.networks.heads.layers.kernel import KernelLayer
from graftwork.networks.heads.rows import RowHead

Weights = Mapping[str, Tensor]
"""Tensors by name, as `state_dict` gives them."""


def average(models: Sequence[Weights]) -> dict[str, Tensor]:
    """The mean of each tensor; of tensors without a fraction (counters) the first model's."""
    return {name: _mean([one[name] for one in models]) for name in models[0]}


def task_arithmetic(base: Weights, models: Sequence[Weights], scale: float) -> dict[str, Tensor]:
    """`base + scale * sum(model - base)`, for the tensors that `base` has. scale: lambda in the paper."""
    return moved(base, sum_of_vectors(base, models), scale)


def ties(base: Weights, models: Sequence[Weights], density: float, scale: float) -> dict[str, Tensor]:
    """`base + scale * disjoint_mean(elect_sign(trim(model - base)))`, for the tensors that `base` has.

    density: share of each task vector's entries that is kept, of all tensors together, from above 0 to 1.
    """
    return moved(base, ties_vector(base, models, density), scale)


def moved(base: Weights, vector: Weights, scale: float) -> dict[str, Tensor]:
    """`base + scale * vector`."""
    return {name: value + scale * vector[name] for name, value in base.items()}


def sum_of_vectors(base: Weights, models: Sequence[Weights]) -> dict[str, Tensor]:
    """What all models added to the base, together."""
    return {name: torch.stack([one[name] - value for one in models]).sum(dim=0) for name, value in base.items()}


def ties_vector(base: Weights, models: Sequence[Weights], density: float) -> dict[str, Tensor]:
    """What TIES makes of that: trimmed, with elected signs, the mean of those that agree."""
    vectors = [torch.cat([(one[name] - value).flatten() for name, value in base.items()]) for one in models]
    merged = disjoint_mean(torch.stack([trimmed(vector, density) for vector in vectors]))
    pieces = torch.split_with_sizes(merged, [value.numel() for value in base.values()])
    parts = zip(base.items(), pieces, strict=True)
    return {name: piece.view_as(value) for (name, value), piece in parts}


def trimmed(vector: Tensor, density: float) -> Tensor:
    """The entries of the largest magnitude, 0 elsewhere; vector (P,). At least one is kept; of equal ones all are."""
    kept = max(1, round(density * len(vector)))
    if kept >= len(vector):
        return vector
    size = vector.abs()
    least = size.kthvalue(len(vector) - kept + 1).values
    return torch.where(size >= least, vector, torch.zeros_like(vector))


def disjoint_mean(vectors: Tensor) -> Tensor:
    """(models, P) -> (P,): the mean of the entries whose sign is that of the entries' sum; 0 where none has it."""
    agree = (vectors.sign() == vectors.sum(dim=0).sign()) & (vectors != 0)
    total = torch.where(agree, vectors, torch.zeros_like(vectors)).sum(dim=0)
    return total / agree.sum(dim=0).clamp(min=1)


def plain_head(head: Head) -> dict[str, Tensor]:
    """The state of a head that predicts the same, with its standardisation taken into its first layer.

    Heads that were solved on other rows standardise features in their own way; only without that do their weights mean
    the same. shift becomes 0 and scale 1. A head whose standardisation is the identity is given as it is.

    Raises RefusedError for a head that can't be written so (kernel; cosine and towers that standardise or project).
    """
    state = {name: value.detach().clone() for name, value in head.state_dict().items()}
    for path, member in head.named_modules():
        if isinstance(member, RowHead) and hasattr(member, "layers"):
            prefix = f"{path}." if path else ""
            _check_mergeable(member)
            if not _is_standard(member):
                state.update({f"{prefix}{name}": value for name, value in _taken_in(member).items()})
    return state


def _check_mergeable(head: RowHead) -> None:
    if not head.has_gradient:
        raise RefusedError(
            f"The head '{head.spec}' holds trees, which can't be averaged with others. Train the models with the head "
            "linear or mlp."
        )
    if any(isinstance(layer, KernelLayer) for layer in head.layers):
        raise RefusedError(
            f"The head '{head.spec}' holds training rows of its own, which can't be averaged with others. "
            "Train the models with the head linear or mlp."
        )
    projects = isinstance(head.layers[-1], CosineLayer) and head.layers[-1].weight.shape[1] != head.width
    if projects or not (_is_standard(head) or _first_linear(head) is not None):
        raise RefusedError(
            f"The head '{head.spec}' was solved in coordinates of its own rows, which others don't share. "
            "Train the models with the head linear or mlp, or without warm-start and probe."
        )


def _is_standard(head: RowHead) -> bool:
    return not bool(head.shift.any()) and bool((head.scale == 1).all())


def _first_linear(head: RowHead) -> tuple[int, nn.Linear] | None:
    """The first layer that computes, where it is linear."""
    for at, layer in enumerate(head.layers):
        if not isinstance(layer, nn.Dropout):
            return (at, layer) if isinstance(layer, nn.Linear) else None
    return None


def _taken_in(head: RowHead) -> dict[str, Tensor]:
    """`W ((x - shift) * scale) + b` as `W' x + b'`, in double precision on the way."""
    found = _first_linear(head)
    assert found is not None
    at, layer = found
    weight = layer.weight.detach().double() * head.scale.double()
    bias = layer.bias.detach().double() - weight @ head.shift.double()
    return {
        "shift": torch.zeros_like(head.shift),
        "scale": torch.ones_like(head.scale),
        f"layers.{at}.weight": weight.to(layer.weight.dtype),
        f"layers.{at}.bias": bias.to(layer.bias.dtype),
    }


def rescaled(head: Head, state: Weights, factor: float, shift: float) -> dict[str, Tensor]:
    """The state of a head whose predictions are `factor * predictions + shift`, where its last layer is linear.

    Raises RefusedError for another last layer.
    """
    changed = dict(state)
    for path, member in head.named_modules():
        if isinstance(member, RowHead) and hasattr(member, "layers"):
            at = len(member.layers) - 1
            if not isinstance(member.layers[at], nn.Linear):
                raise RefusedError(f"The head '{member.spec}' can't be brought to the units of another one.")
            prefix = f"{path}." if path else ""
            weight, bias = f"{prefix}layers.{at}.weight", f"{prefix}layers.{at}.bias"
            changed[weight], changed[bias] = state[weight] * factor, state[bias] * factor + shift
    return changed


def _mean(tensors: Sequence[Tensor]) -> Tensor:
    first = tensors[0]
    if not first.is_floating_point():
        return first.clone()
    return torch.stack([one.double() for one in tensors]).mean(dim=0).to(first.dtype)
