"""The network: encoders by column, fused features, one head a target. Batch in, `Output(predictions, features)` out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from graftwork.data.batch import Batch
from graftwork.networks.encoder import Encoder, drops
from graftwork.networks.fusion import Concat, Fusion
from graftwork.networks.head import Head


@dataclass(frozen=True)
class Output:
    """predictions: by target column, (B, outputs), before softmax. features: (B, width), what the heads read."""

    predictions: dict[str, Tensor]
    features: Tensor


@dataclass(frozen=True)
class Forward:
    """The way from a batch to an output, in two halves, so that a technique can step in between."""

    features: Callable[[Batch], Tensor]
    heads: Callable[[Tensor], dict[str, Tensor]]

    def __call__(self, batch: Batch) -> Output:
        features = self.features(batch)
        return Output(self.heads(features), features)


class Network(nn.Module):
    """Encoders by input (inputs of one base share its encoder), what fuses them, and a head by target column.

    sources: by input, the table's columns that it reads; its own name where left out.
    Where a row lacks an input, `absent` stands in for its features; it is trained where rows lack something.
    """

    def __init__(
        self,
        encoders: Mapping[str, Encoder],
        heads: Mapping[str, Head],
        fusion: Fusion | None = None,
        sources: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        super().__init__()
        self.columns = tuple(encoders)
        self.targets = tuple(heads)
        self.sources = {name: (sources or {}).get(name, (name,)) for name in encoders}
        unique = list(dict.fromkeys(encoders.values()))
        self.encoders = nn.ModuleList(unique)
        self.fusion = fusion or Concat([encoder.width for encoder in encoders.values()])
        self.heads = nn.ModuleList(heads.values())
        several = encoders.values() if len(encoders) > 1 else ()
        self.absent = nn.ParameterList(nn.Parameter(torch.zeros(e.width), requires_grad=False) for e in several)
        self.autocast: torch.dtype | None = None
        """Lower precision in which the encoders compute; features come out in float32 whatever it is."""
        self._encoder_of = {column: unique.index(encoder) for column, encoder in encoders.items()}

    def encoder(self, column: str) -> Encoder:
        module = self.encoders[self._encoder_of[column]]
        assert isinstance(module, Encoder)
        return module

    def each_encoder(self) -> Iterator[Encoder]:
        for module in self.encoders:
            assert isinstance(module, Encoder)
            yield module

    def each_head(self) -> Iterator[tuple[str, Head]]:
        for target, module in zip(self.targets, self.heads, strict=True):
            assert isinstance(module, Head)
            yield target, module

    @property
    def width(self) -> int:
        """Features a row, as the heads read them."""
        return self.fusion.width

    def with_fusion(self, fusion: Fusion) -> Network:
        """This network with another fusion; its heads begin anew where their width changes."""
        self.fusion = fusion
        heads = (fusion.head(head.outputs, head.spec) for _, head in self.each_head())
        self.heads = nn.ModuleList(heads).to(self.device)
        return self

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    @property
    def pass_tokens(self) -> int:
        """Padded tokens of a batch in a pass without gradient: as many as the processor's caches like."""
        return 4096 if self.device.type == "cpu" else 65536

    @contextmanager
    def precision(self) -> Iterator[None]:
        """Where the encoders run: in `autocast`, if set."""
        if self.autocast is None:
            yield
        else:
            with torch.autocast(self.device.type, self.autocast):
                yield

    def features(self, batch: Batch) -> Tensor:
        parts = [self._part(index, name, batch) for index, name in enumerate(self.columns)]
        fused: Tensor = self.fusion(parts, [batch.present.get(name) for name in self.columns])
        return fused

    def _part(self, index: int, name: str, batch: Batch) -> Tensor:
        """Features of one input (B, width of its encoder)."""
        encoder, inputs, hidden = self.encoder(name), batch.inputs.get(name, {}), batch.hidden.get(name)
        with self.precision():
            part = encoder(inputs, hidden).float()
        present = batch.present.get(name)
        return part if present is None else torch.where(present.unsqueeze(1), part, self.absent[index])

    def predictions(self, features: Tensor) -> dict[str, Tensor]:
        return {target: head(features) for target, head in self.each_head()}

    def as_forward(self) -> Forward:
        return Forward(self.features, self.predictions)

    def forward(self, batch: Batch) -> Output:
        return self.as_forward()(batch)

    def train(self, mode: bool = True) -> Network:
        """As usual, but a block without a trainable parameter stays in eval mode, cached or not."""
        super().train(mode)
        if mode:
            for encoder in self.each_encoder():
                for block in encoder.blocks():
                    if not any(parameter.requires_grad for module in block for parameter in module.parameters()):
                        for module in block:
                            module.eval()
        return self

    @property
    def drops_in_training(self) -> bool:
        """Whether two passes over the same rows differ in training: frozen blocks don't drop anything."""
        training = self.training
        self.train()
        found = any(drops(module) for module in self.modules() if module.training)
        self.train(training)
        return found

    def blocks_above(self, encoders: Sequence[Encoder] | None = None) -> dict[str, int]:
        """For each parameter of these encoders (None: all), how many blocks stand above it: 0 for the last block."""
        above: dict[int, int] = {}
        for encoder in self.each_encoder() if encoders is None else encoders:
            for index, block in enumerate(reversed(encoder.blocks())):
                above.update({id(parameter): index for module in block for parameter in module.parameters()})
        return {name: above[id(parameter)] for name, parameter in self.named_parameters() if id(parameter) in above}


def frozen_depth(encoder: Encoder) -> int:
    """How many blocks from below have no trainable parameter."""
    for index, block in enumerate(encoder.blocks()):
        if any(parameter.requires_grad for module in block for parameter in module.parameters()):
            return index
    return encoder.depth
