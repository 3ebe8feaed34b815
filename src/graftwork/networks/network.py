"""The network: encoders by column, fused features, one head a target. Batch in, `Output(predictions, features)` out."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from graftwork.data.batch import Batch, Tensors
from graftwork.data.samplers import sorted_batches
from graftwork.networks.encoder import Encoder, drops
from graftwork.networks.features import ColumnPlace, Features, Tokens
from graftwork.networks.film import Film
from graftwork.networks.forward import Forward as Forward
from graftwork.networks.forward import Heads as Heads
from graftwork.networks.forward import Output as Output
from graftwork.networks.fusion.fusion import Concat, FeatureStatistics, Fusion
from graftwork.networks.fusion.missing import MissingEmbedding
from graftwork.networks.heads.head import Head


class Network(nn.Module):
    """Encoders by input (inputs of one base share its encoder), what fuses them, and a head by target column.

    sources: by input, the table's columns that it reads; its own name where left out.
    Where a row lacks an input, `absent` stands in for its features; it is trained where rows lack something.
    missing_inputs: the inputs that training rows lacked, so that it has learned to do without.
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
        self.sources = {name: (sources or {}).get(name, (name,)) for name in encoders}
        unique = list(dict.fromkeys(encoders.values()))
        self.encoders = nn.ModuleList(unique)
        self.fusion = fusion or Concat([encoder.width for encoder in encoders.values()])
        self.set_heads(heads)
        several = encoders.values() if len(encoders) > 1 else ()
        self.absent = nn.ModuleList(MissingEmbedding(encoder.width) for encoder in several)
        self.film: Film | None = None
        """Modulates the fused features by the rows' domain, if set; of the fusion's width."""
        self.missing_inputs = frozenset[str]()
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

    def set_heads(self, heads: Mapping[str, Head]) -> None:
        """These heads in place of those it has, by target column."""
        self.targets = tuple(heads)
        self.heads = nn.ModuleList(heads.values())

    @property
    def width(self) -> int:
        """Features a row, as the heads read them."""
        return self.fusion.width

    def widths(self, *, tokens: bool = False) -> list[int]:
        """Width of each input's features, or of its tokens."""
        encoders = [self.encoder(name) for name in self.columns]
        return [encoder.token_width if tokens else encoder.width for encoder in encoders]

    def column_places(self) -> tuple[ColumnPlace, ...] | None:
        """Where a row's features hold the columns of a table; None where each is a number of its own."""
        found, start = list[ColumnPlace](), 0
        if self.film is not None or not self.fusion.side_by_side:
            return None
        for name in self.columns:
            encoder = self.encoder(name)
            plain = tuple(ColumnPlace(at) for at in range(encoder.width))
            places = encoder.column_places()
            found += [place.moved(start) for place in (plain if places is None else places)]
            start += encoder.width
        return tuple(found)

    @property
    def token_inputs(self) -> frozenset[str]:
        """The inputs of which a head reads tokens or maps."""
        return frozenset[str]().union(*(head.inputs for _, head in self.each_head()))

    @property
    def map_inputs(self) -> frozenset[str]:
        """The inputs of which a head reads what every block gives, so that none can be skipped."""
        return frozenset[str]().union(
            *(head.inputs for _, head in self.each_head() if head.reads not in ("rows", "tokens"))
        )

    @property
    def reads_tokens(self) -> bool:
        """Whether the fusion or a head reads more than one row of features an input."""
        return self.fusion.reads_tokens or bool(self.token_inputs)

    def with_fusion(self, fusion: Fusion) -> Network:
        """This network with another fusion; the heads that read its features begin anew."""
        device = self.device
        self.fusion = fusion.to(device)
        heads = (fusion.head(head.outputs, head.spec) if head.reads == "rows" else head for _, head in self.each_head())
        self.heads = nn.ModuleList(heads).to(device)
        self.learn_without(self.missing_inputs)
        return self

    def with_head(self, target: str, head: Head) -> Network:
        """A network with another head for one target, which shares all else with this one."""
        made = copy.copy(self)
        vars(made)["_modules"] = dict(self._modules)
        made.heads = nn.ModuleList(head if name == target else own for name, own in self.each_head())
        return made

    def learn_without(self, names: Iterable[str]) -> None:
        """Let what stands in for these inputs be trained, and for no other, as far as the fusion reads it."""
        self.missing_inputs = frozenset(names)
        for name, absent in zip(self.columns, self.absent, strict=False):
            absent.requires_grad_(name in self.missing_inputs and self.fusion.uses_absent)

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    @property
    def pass_tokens(self) -> int:
        """Padded tokens of a batch in a pass without gradient: as many as the processor's caches like."""
        return 4096 if self.device.type == "cpu" else 65536

    def pass_batches(self, lengths: np.ndarray, most: int, running: Iterable[str]) -> list[np.ndarray]:
        """The rows of each batch of a pass without gradient, at most so many, long rows first.

        lengths: tokens of each row (N,). running: the inputs whose encoders run; what is cached costs nothing.
        """
        rows = [self.encoder(name).pass_rows for name in running] if self.device.type == "cpu" else []
        return sorted_batches(lengths, min([most, *(each for each in rows if each)]), self.pass_tokens)

    @contextmanager
    def precision(self) -> Iterator[None]:
        """Where the encoders run: in `autocast`, if set."""
        if self.autocast is None:
            yield
        else:
            with torch.autocast(self.device.type, self.autocast):
                yield

    def features(self, batch: Batch) -> Features:
        parts, present, tokens = self._read(batch)
        fused: Tensor = self.fusion(parts, present)
        return Features(fused if self.film is None else self.film(fused, batch.domain), tokens)

    def parts(self, batch: Batch) -> tuple[list[Tensor], list[Tensor | None]]:
        """What the fusion reads of each input, and which rows (or tokens) of it count."""
        parts, present, _ = self._read(batch)
        return parts, present

    def _read(self, batch: Batch) -> tuple[list[Tensor], list[Tensor | None], dict[str, Tokens]]:
        """`parts`, and the tokens of the inputs that heads ask for."""
        asked, tokens = self.token_inputs, dict[str, Tokens]()
        if self.fusion.reads_tokens:
            every = {name: self._tokens(name, batch) for name in self.columns}
            states, counts = zip(*((one.states, one.counts) for one in every.values()), strict=True)
            return list(states), list(counts), {name: one for name, one in every.items() if name in asked}
        parts = []
        for index, name in enumerate(self.columns):
            part, found = self._part(index, name, batch, asked=name in asked)
            parts.append(part)
            if found is not None:
                tokens[name] = found
        return parts, [batch.present.get(name) for name in self.columns], tokens

    def set_statistics(self, statistics: Sequence[FeatureStatistics]) -> None:
        """Take in how the features of each input are distributed over the training rows, before training."""
        if not self.fusion.reads_tokens:
            for absent, (mean, _) in zip(self.each_absent(), statistics, strict=True):
                absent.usual.copy_(mean)
        known = zip(self.columns, statistics, strict=True)
        self.fusion.set_statistics([moment if self.encoder(name).pretrained else None for name, moment in known])

    def each_absent(self) -> list[MissingEmbedding]:
        """By input; none where there is one input only."""
        return [module for module in self.absent if isinstance(module, MissingEmbedding)]

    def _part(self, index: int, name: str, batch: Batch, *, asked: bool) -> tuple[Tensor, Tokens | None]:
        """Features of one input (B, width of its encoder), and its tokens where they are asked for."""
        encoder, present = self.encoder(name), batch.present.get(name)
        absent = self.each_absent()[index] if self.absent else None
        if absent is not None and self._is_missing(present) and not asked and not encoder.meets:
            return absent.row().expand(len(batch), -1), None
        inputs, hidden = batch.inputs.get(name, {}), batch.hidden.get(name)
        tokens: Tokens | None = None
        with self.precision():
            if asked:
                part, tokens = encoder.features_and_tokens(inputs, hidden)
            else:
                part = encoder(inputs, hidden)
        part = part.float()
        if absent is not None and self.training and part.requires_grad:
            absent.follow(part, present)
        if absent is not None and present is not None:
            part = absent(part, present)
        return part, None if tokens is None else tokens.of(present)

    def _tokens(self, name: str, batch: Batch) -> Tokens:
        """Tokens of one input."""
        encoder, present = self.encoder(name), batch.present.get(name)
        passed = name not in self.token_inputs and not encoder.meets
        if present is not None and passed and self._is_missing(present):
            nothing = torch.zeros(len(batch), 1, encoder.token_width, device=present.device)
            return Tokens(nothing, present.unsqueeze(1))
        with self.precision():
            tokens = encoder.tokens_of(batch.inputs.get(name, {}), batch.hidden.get(name))
        return tokens.of(present)

    def _is_missing(self, present: Tensor | None) -> bool:
        """Whether no row has the input, so that its encoder need not run; in training it does, for its gradients."""
        return present is not None and not self.training and not bool(present.any())

    def predictions(self, seen: Features, batch: Batch) -> dict[str, Tensors]:
        return {target: head(seen, batch) for target, head in self.each_head()}

    def generated(self, seen: Features, batch: Batch) -> dict[str, Tensors]:
        """The predictions of rows that are not trained on."""
        return {target: head.generate(seen, batch) for target, head in self.each_head()}

    def as_forward(self) -> Forward:
        return Forward(self.features, self.predictions, self.generated)

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
