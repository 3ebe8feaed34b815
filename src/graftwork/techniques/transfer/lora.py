"""LoRA: the base stays as it is, and each of its linear layers learns a low-rank correction beside it.

A hundredth of the parameters are trained, which saves optimizer memory and guards against forgetting; at save the
corrections are merged, so that prediction costs nothing more. On small bases it is no quicker than full tuning (the
backward pass still goes through every layer), wants a larger learning rate, and can stay a little below full tuning
when rows are many.

Source: Hu et al. 2022 (LoRA); Liu et al. 2024 (DoRA); Kalajdzievski 2023 (rank-stabilised LoRA). Computed by peft.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from graftwork.core.technique import Graft, Multiplier, Phase, Setup, Technique
from graftwork.errors import RefusedError
from graftwork.networks.encoder import Encoder, is_pointwise
from graftwork.networks.network import Network
from graftwork.spaces import Range, Spaces
from graftwork.techniques.checks import check_range
from graftwork.techniques.streams import own_stream

ALL = "all-linear"


def candidates(encoder: Encoder) -> list[str]:
    """Names of the linear, 1-d and pointwise (1 x 1) convolution layers inside the encoder's blocks."""
    inside = {id(module) for block in encoder.blocks() for top in block for module in top.modules()}
    return [
        name
        for name, module in encoder.named_modules()
        if id(module) in inside and (type(module) in (nn.Linear, nn.Conv1d) or is_pointwise(module))
    ]


def merge(network: Network) -> Network:
    """A copy of the network in which every adapter is added to its layer, and the layers are plain again."""
    merged = copy.deepcopy(network)
    for parent, name, layer in list(_adapted(merged)):
        layer.merge()
        setattr(parent, name, layer.get_base_layer())
    return merged


@dataclass(frozen=True)
class LoRA(Technique):
    """Train low-rank adapters in the base, and nothing else of it.

    rank: of the correction, at least 1. alpha: its scale is alpha / rank (alpha / sqrt(rank) with rslora), above 0.
    dropout: share of an adapter's inputs that are dropped in training, from 0 to below 1.
    dora: learn the length of each weight row apart from its direction. rslora: scale for high ranks.
    targets: ends of the names of the layers that are adapted, joined by "+" ("query+value"); "all-linear" takes every
        linear, 1-d and pointwise convolution layer of the blocks. The heads are always trained in full.
    rate: learning rate of the adapters as a multiple of the base's, above 0: adapters start from nothing and want to
        move faster than weights that are already good.
    """

    rank: int = 8
    alpha: float = 16.0
    dropout: float = 0.0
    dora: bool = False
    rslora: bool = False
    targets: str = ALL
    rate: float = 3.0

    name: ClassVar[str] = "lora"
    phase: ClassVar[Phase] = Phase.PARAMETERS
    summary: ClassVar[str] = "train low-rank adapters, merged at save (also DoRA, rsLoRA)"
    searched: ClassVar[Spaces] = {"rank": Range(4, 32, log=True), "rate": Range(1.0, 10.0, log=True)}
    needs: ClassVar[frozenset[str]] = frozenset({"linear_layers"})
    claims: ClassVar[frozenset[str]] = frozenset({"trainable parameters"})

    def __post_init__(self) -> None:
        check_range(self.name, "rank", self.rank, 1, float("inf"))
        check_range(self.name, "alpha", self.alpha, 1e-6, float("inf"))
        check_range(self.name, "rate", self.rate, 1e-6, float("inf"))
        check_range(self.name, "dropout", self.dropout, 0.0, 1.0, below=True)

    @property
    def gives(self) -> frozenset[str]:
        return frozenset({"dropout"}) if self.dropout > 0 else frozenset()

    def adapt(self, network: Network, setup: Setup) -> Network:
        with own_stream(setup.seed, setup.device):
            for encoder in network.each_encoder():
                self._inject(encoder)
        return network

    def attach(self, network: Network, setup: Setup) -> Graft:
        def groups(name: str) -> Multiplier:
            return Multiplier(lr=self.rate) if ".lora_" in name else Multiplier()

        return Graft(groups=groups, fold=merge)

    def _inject(self, encoder: Encoder) -> None:
        from peft import LoraConfig, inject_adapter_in_model

        names = self._matched(encoder)
        if not names:
            encoder.requires_grad_(False)
            return
        config = LoraConfig(
            r=self.rank,
            lora_alpha=self.alpha,  # type: ignore[arg-type]  # any number will do
            lora_dropout=self.dropout,
            use_dora=self.dora,
            use_rslora=self.rslora,
            target_modules="encoder[.](?:" + "|".join(map(re.escape, names)) + ")",
        )
        # The shell takes the attributes that peft leaves on the model it is given.
        shell = nn.Module()
        shell.encoder = encoder
        inject_adapter_in_model(config, shell)
        for _, _, layer in _adapted(shell):  # MobileNet pads by the strides of a convolution before it calls it
            for name in {"stride", "kernel_size", "dilation", "padding"} & vars(layer.base_layer).keys():
                setattr(layer, name, getattr(layer.base_layer, name))

    def _matched(self, encoder: Encoder) -> list[str]:
        known = candidates(encoder)
        if self.targets == ALL:
            return known
        wanted = self.targets.split("+")
        for target in wanted:
            if not any(_ends_with(name, target) for name in known):
                ends = sorted({re.sub(r"^.*\d+\.", "", name) for name in known})
                raise RefusedError(
                    f"lora: no layer of the base ({encoder.architecture}) has a name that ends with '{target}'. "
                    f"Expected one of: {', '.join(ends) or 'none'}; or targets={ALL}."
                )
        return [name for name in known if any(_ends_with(name, target) for target in wanted)]


def _ends_with(name: str, target: str) -> bool:
    return name == target or name.endswith(f".{target}")


def _adapted(network: nn.Module) -> Iterator[tuple[nn.Module, str, Any]]:
    from peft.tuners.lora import LoraLayer

    for parent in network.modules():
        for name, child in parent.named_children():
            if isinstance(child, LoraLayer):
                yield parent, name, child
