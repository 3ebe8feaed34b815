"""A loss that compares rows of one class with others, and batches that hold several rows of a class: shared by the
contrastive and the triplet loss."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from graftwork.core.technique import Graft, Phase, Setup, Technique, Term, Terms
from graftwork.data.batch import Batch
from graftwork.data.tensors import one_tensor
from graftwork.networks.network import Network, Output
from graftwork.techniques.checks import check_range
from graftwork.techniques.labels.classes import class_groups, hard


@dataclass(frozen=True)
class ClassGroups(Technique):
    """Adds a loss on the features for every target with one class a row; batches are made of small groups of a class.

    weight: factor on the loss, at least 0; 0 is off. group: rows of one class that come together in a batch.
    """

    weight: float = 1.0
    group: int = 4

    phase: ClassVar[Phase] = Phase.VIEWS
    needs: ClassVar[frozenset[str]] = frozenset({"hard_labels", "trainable_features", "row_features"})
    couples_rows: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_range(self.name, "weight", self.weight, 0.0, math.inf)
        check_range(self.name, "group", self.group, 1, 1024)

    @property
    def off(self) -> bool:
        return self.weight == 0.0

    @abstractmethod
    def loss(self, features: Tensor, classes: Tensor, used: Tensor) -> tuple[Tensor, Tensor]:
        """The loss of each row (B,) and which rows have one (B,); `used` (B,) is False for rows that take no part."""

    @property
    def drops(self) -> frozenset[str]:
        return frozenset({"row_sampling"}) if self.group > 1 else frozenset()

    @property
    def claims(self) -> frozenset[str]:
        return frozenset({"sampler"}) if self.group > 1 else frozenset()

    def attach(self, network: Network, setup: Setup) -> Graft:
        names = [name for name, task in setup.tasks.items() if "hard_labels" in task.facts]

        def losses(batch: Batch, output: Output) -> Terms:
            return {f"{self.name} {name}": self._term(batch, output, name) for name in names}

        return Graft(losses=losses, sampler=self._sampler(setup, names[0]) if self.group > 1 and names else None)

    def _sampler(self, setup: Setup, name: str) -> Callable[[int], list[np.ndarray]]:
        classes = np.where(setup.labelled[name], setup.targets[name], -1)
        return lambda epoch: class_groups(classes, self.group, setup.batch, np.random.default_rng([setup.seed, epoch]))

    def _term(self, batch: Batch, output: Output, name: str) -> Term:
        value, counted = self.loss(output.features.rows, hard(one_tensor(batch.targets[name])), batch.labelled[name])
        # A mean over the counted rows, of which a part of a batch brings its share.
        return Term(value, float(counted.sum()) * batch.size / max(len(batch), 1), self.weight)
