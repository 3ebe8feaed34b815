"""Test-time entropy minimisation: the network is made surer of the very rows that it predicts, without labels.

At prediction, the scales and shifts of the normalisation layers take a few steps that lower the entropy of the
predictions; batch norms are also normalised by these rows. It can win back a part of what a new domain costs (noise,
blur, another camera), and most where predictions are mostly right already: where they are wrong, it makes them surer.
Leave it where rows come one by one, where a table holds one class, or where probabilities must stay calibrated: it
makes them too certain by design. It costs a training step for every batch that it looks at.

The weights begin anew at every call: what is learned of one table is not kept, and the saved model does not change.

Source: Wang et al. 2021 (Tent), in its episodic form; all rows of a call are then predicted by the same weights.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle, islice
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from graftwork.core.technique import Phase, Predictor, Rows, Technique
from graftwork.data.tensors import Tensors, one_tensor
from graftwork.networks.network import Forward, Network
from graftwork.networks.norms import batch_norms, norms, separate
from graftwork.techniques.checks import check_range
from graftwork.techniques.domain.statistics import enough, measure, shuffled


def entropy(predictions: Mapping[str, Tensors]) -> Tensor:
    """Mean entropy of the rows' probabilities, before softmax (B, C), summed over the targets: a scalar."""
    found = []
    for logits in predictions.values():
        log_p = one_tensor(logits).log_softmax(dim=1)
        found.append(-(log_p.exp() * log_p).sum(dim=1).mean())
    return torch.stack(found).sum()


@dataclass(frozen=True)
class Tent(Technique):
    """Adapt the normalisation layers to the rows that are predicted together, by the entropy of the predictions.

    steps: on batches of 64 rows, from 0 (off); the rows are gone through again where there are fewer. lr: of Adam,
        above 0. Fewer than 8 rows are predicted as without it, with a warning.
    """

    steps: int = 10
    lr: float = 1e-3

    name: ClassVar[str] = "tent"
    phase: ClassVar[Phase] = Phase.VIEWS
    summary: ClassVar[str] = "norm layers adapt to the rows that are predicted, by entropy (test-time adaptation)"
    whole_weights: ClassVar[str] = "predicts by a copy of the network, and sharded layers can't be copied"
    needs: ClassVar[frozenset[str]] = frozenset({"norm_layers", "only_class_targets"})
    claims: ClassVar[frozenset[str]] = frozenset({"statistics"})
    predict_depth: ClassVar[int] = 0

    def __post_init__(self) -> None:
        check_range(self.name, "steps", self.steps, 0, math.inf)
        check_range(self.name, "lr", self.lr, 1e-9, math.inf)

    @property
    def off(self) -> bool:
        return self.steps == 0

    def predict(self, predictor: Predictor, rows: Rows) -> Predictor:

        def adapted(network: Network) -> Forward:
            return predictor(self.adapted(network, rows) if enough(rows.count, self.name) else network)

        return adapted

    def adapted(self, network: Network, rows: Rows) -> Network:
        """A copy of the network, adapted to these rows; deterministic, and in eval mode as `network` is."""
        own = separate(network, norms(network))
        layers = list(norms(own))
        parameters = [value.requires_grad_(True) for layer in layers for value in layer.parameters(recurse=False)]
        optimizer = torch.optim.Adam(parameters, self.lr)
        _use_batches(own, True)
        everything = np.arange(rows.count)
        for picked in islice(cycle(shuffled(everything)), self.steps):
            batch = rows.batch(picked)
            optimizer.zero_grad()
            with torch.enable_grad():
                entropy(own.as_forward()(batch).predictions).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        optimizer.zero_grad()
        _use_batches(own, False)
        if any(True for _ in batch_norms(own)):
            measure(own, rows, everything)
        return own


def _use_batches(network: Network, on: bool) -> None:
    """Whether batch norms normalise by the batch at hand; their statistics stay."""
    for layer in norms(network):
        if isinstance(layer, _BatchNorm):
            layer.train(on)
