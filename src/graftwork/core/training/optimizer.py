"""AdamW over the trained parameters, with the learning rate and decay of each one."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from graftwork.core.compose import Stages
from graftwork.core.settings import Training, rate_at
from graftwork.networks.encoder import Encoder
from graftwork.networks.network import Network


def make_optimizer(network: Network, stages: Stages, training: Training) -> torch.optim.AdamW:
    """One group for each learning rate and decay. Vectors (biases, norms) are not decayed.

    What begins at random beside a pretrained base (heads, fusion, another base) learns at the heads' rate.
    """
    in_base = network.blocks_above(_slow(network))
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            factor = stages.groups(name)
            lr = (training.lr if name in in_base else training.head_lr) or 0.0
            decay = training.weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((lr * factor.lr, decay * factor.decay), []).append(parameter)
    own = [parameter for parameter in stages.state.parameters() if parameter.requires_grad]
    for parameter in own:
        decay = training.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((training.head_lr or 0.0, decay), []).append(parameter)
    nothing: dict[tuple[float, float], list[nn.Parameter]] = {(0.0, 0.0): []}  # all is solved: no step is made
    return torch.optim.AdamW(
        [
            {"params": params, "lr": lr, "base_lr": lr, "weight_decay": decay}
            for (lr, decay), params in (groups or nothing).items()
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


def clip(optimizer: torch.optim.Optimizer, largest: float) -> Tensor:
    """Scale the whole gradient down to the norm `largest`; 0 leaves it as it is. Returns the norm that it had."""
    trained = trained_by(optimizer)
    if largest > 0:
        return nn.utils.clip_grad_norm_(trained, largest)
    return nn.utils.get_total_norm([parameter.grad for parameter in trained if parameter.grad is not None])
