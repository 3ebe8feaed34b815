"""The way from a batch to predictions, in two halves: features, and heads on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from graftwork.data.batch import Batch, Tensors
from graftwork.data.tensors import detached, joined
from graftwork.networks.features import Features

Heads = Callable[[Features, Batch], dict[str, Tensors]]
"""By target column, what its head gives."""


@dataclass(frozen=True)
class Output:
    """predictions: by target column, what its head gives: (B, outputs) before softmax, or several tensors by name.
    features: what the heads read."""

    predictions: dict[str, Tensors]
    features: Features

    def detached(self) -> Output:
        """Without a graph, and without the tokens."""
        predictions = {name: detached(values) for name, values in self.predictions.items()}
        return Output(predictions, Features(self.features.rows.detach()))

    @staticmethod
    def joined(parts: Sequence[Output]) -> Output:
        """The rows of all parts, one after the other; detached."""
        alone = [part.detached() for part in parts]
        predictions = {name: joined([part.predictions[name] for part in alone]) for name in alone[0].predictions}
        return Output(predictions, Features(torch.cat([part.features.rows for part in alone])))


@dataclass(frozen=True)
class Forward:
    """The way from a batch to an output, in two halves, so that a technique can step in between.

    heads: see the batch too, for what reads its targets in training. generate: in place of `heads` where rows are
    predicted; None for what predicts as it trains.
    """

    features: Callable[[Batch], Features]
    heads: Heads
    generate: Heads | None = None

    def __call__(self, batch: Batch) -> Output:
        features = self.features(batch)
        return Output(self.heads(features, batch), features)

    def predict(self, batch: Batch) -> Output:
        """The output where rows are predicted, not trained on."""
        features = self.features(batch)
        return Output((self.generate or self.heads)(features, batch), features)
