"""AdamW over the trained parameters, with the learning rate and decay of each one."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from graftwork.core.compose import Stages
from graftwork.core.parallel.sharding import is_sharded, squared_norm
from graftwork.core.parallel.workers import ALONE, Workers
from graftwork.core.settings import Training, rate_at
from graftwork.networks.encoder import Encoder
from graftwork.networks.network import Network


def make_optimizer(network: Network, stages: Stages, training: Training) -> torch.optim.AdamW:
    """One group for each learning rate and decay; what is sharded has its own. Vectors (biases, norms) are not decayed.

    What begins at random beside a pretrained base (heads, fusion, another base) learns at the heads' rate.
    """
    in_base = network.blocks_above(_slow(network))
    groups: dict[tuple[float, float, bool], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            factor = stages.groups(name)
            lr = (training.lr if name in in_base else training.head_lr) or 0.0
            decay = training.weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((lr * factor.lr, decay * factor.decay, is_sharded(parameter)), []).append(parameter)
    own = [parameter for parameter in stages.state.parameters() if parameter.requires_grad]
    for parameter in own:
        decay = training.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((training.head_lr or 0.0, decay, False), []).append(parameter)
    nothing: dict[tuple[float, float, bool], list[nn.Parameter]] = {(0.0, 0.0, False): []}  # all is solved: no steps
    return torch.optim.AdamW(
        [
            {"params": params, "lr": lr, "base_lr": lr, "weight_decay": decay}
            for (lr, decay, _), params in (groups or nothing).items()
        ],
        betas=(training.beta1, training.beta2),
        eps=training.eps,
        fused=True,
    )


def _slow(network: Network) -> list[Encoder]:
    """The encoders that learn at the base's rate: the pretrained ones, or all if none is."""
    encoders = [encoder for encoder in network.each_encoder() if any(True for _ in encoder.parameters())]
    return [encoder for encoder in encoders if encoder.pretrained] or encoders


def set_rates(optimizer: torch.optim.Optimizer, training: Training, step: float, total: int) -> None:
    """The learning rates of this step."""
    factor = rate_at(training, step, total)
    for group in optimizer.param_groups:
        group["lr"] = group["base_lr"] * factor


def trained_by(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    """The parameters that it moves, in its order."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def clip(optimizer: torch.optim.Optimizer, largest: float, workers: Workers = ALONE) -> Tensor:
    """Scale the whole gradient down to the norm `largest`; 0 leaves it as it is. Returns the norm that it had.

    workers: each of which holds a part of what is sharded; a meeting where anything is."""
    trained = trained_by(optimizer)
    if any(map(is_sharded, trained)):
        return _clip_sharded([one.grad for one in trained if one.grad is not None], largest, workers)
    if largest > 0:
        return nn.utils.clip_grad_norm_(trained, largest)
    return nn.utils.get_total_norm([parameter.grad for parameter in trained if parameter.grad is not None])


@torch.no_grad()
def _clip_sharded(gradients: list[Tensor], largest: float, workers: Workers) -> Tensor:
    """As torch clips, the norm taken over the parts of all workers."""
    parts = [gradient for gradient in gradients if is_sharded(gradient)]
    own = squared_norm(parts) if parts else torch.zeros((), device=gradients[0].device if gradients else None)
    rest = nn.utils.get_total_norm([gradient for gradient in gradients if not is_sharded(gradient)])
    norm = (workers.sum(own) + rest.square()).sqrt()
    if largest > 0:
        factor = (largest / (norm + 1e-6)).clamp(max=1.0).item()
        for gradient in gradients:
            gradient.mul_(factor)
    return norm
