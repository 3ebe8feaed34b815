"""Class weights: the rows of rare classes count for more in the loss.

Without them a network trained on unbalanced rows neglects rare classes; with them macro-averaged scores rise, at some
cost in plain accuracy and in calibration (probabilities no longer follow the classes' frequencies). With a few very
rare classes, weights of full power are noisy: a power of 0.5 is a usual compromise.

Source: King & Zeng 2001 (rare events); the formula is that of scikit-learn's `class_weight="balanced"`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch

from graftwork.core.technique import Graft, Phase, Setup, Technique
from graftwork.data.batch import Batch
from graftwork.data.tensors import one_tensor
from graftwork.networks.network import Network
from graftwork.spaces import Range, Spaces
from graftwork.techniques.checks import check_range
from graftwork.techniques.labels.classes import class_tables, hard, row_weights


@dataclass(frozen=True)
class ClassWeights(Technique):
    """Multiply the weight of each labelled row by that of its class.

    power: the weight of a class is `(rows / (classes * its rows)) ** power`, 1 on average over the training rows.
        0 is off, 1 gives every class the same say; from 0 to 2. With several targets the weights of a row multiply.
    """

    power: float = 1.0

    name: ClassVar[str] = "class-weights"
    phase: ClassVar[Phase] = Phase.LABELS
    summary: ClassVar[str] = "rows of rare classes count for more in the loss"
    searched: ClassVar[Spaces] = {"power": Range(0.25, 1.0)}
    # Not "hard_labels": rows are weighted before any technique mixes them.
    needs: ClassVar[frozenset[str]] = frozenset({"classes"})

    def __post_init__(self) -> None:
        check_range(self.name, "power", self.power, 0.0, 2.0)

    @property
    def off(self) -> bool:
        return self.power == 0.0

    def importance(self, network: Network, setup: Setup) -> np.ndarray:
        weights = row_weights(setup, class_tables(self.name, setup, self.power))
        return np.asarray(weights / weights.mean())

    def attach(self, network: Network, setup: Setup) -> Graft:
        tables = class_tables(self.name, setup, self.power)
        usual = float(1.0 / row_weights(setup, tables).mean())
        by_class = {name: torch.from_numpy(table).float().to(setup.device) for name, table in tables.items()}

        def inputs(batch: Batch) -> Batch:
            weight = torch.full((len(batch),), usual, device=setup.device)
            for name, table in by_class.items():
                own = table[hard(one_tensor(batch.targets[name])).clamp(min=0)]
                weight = weight * torch.where(batch.labelled[name], own, 1.0)
            return replace(batch, weight=weight if batch.weight is None else batch.weight * weight)

        return Graft(inputs=inputs)
