"""Triplet loss: a row lies closer to every row of its class than to any row of another class, by a margin.

Of each row in a batch the hardest triplet counts: the farthest row of its own class and the nearest of another one, by
the distance of their normalised features. What it learns, a distance, carries over to classes that training never had
(faces, speakers, products). It needs several rows of a class in one batch, so batches are made of small groups of one
class each. On noisy labels the hardest rows are the wrong ones; a contrastive loss over all pairs is milder there.

Source: Schroff et al. 2015 (FaceNet, the loss); Hermans et al. 2017 (hardest triplets of a batch).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from graftwork.core.technique import Graft, Phase, Setup, Technique, Term, Terms
from graftwork.data.batch import Batch
from graftwork.networks.network import Network, Output
from graftwork.techniques.checks import check_range
from graftwork.techniques.robust.classes import class_groups, hard


def hardest(features: Tensor, classes: Tensor, used: Tensor, margin: float) -> tuple[Tensor, Tensor]:
    """`max(0, farthest of its class - nearest of another + margin)` of each row (B,), and which rows have it (B,).

    features (B, width) of any length; classes (B,); used (B,) is False for rows that take no part. A row has the loss
    if it meets another row of its class and one of another class. Distances are Euclidean, from 0 to 2; in float32.
    """
    directions = F.normalize(features.float(), dim=1)
    with torch.autocast(features.device.type, enabled=False):
        squared = (2 - 2 * directions @ directions.T).clamp_min(1e-8)  # the root of 0 has no gradient
    distance = squared.sqrt()
    pairs = used.unsqueeze(0) & used.unsqueeze(1)
    alike = classes.unsqueeze(0) == classes.unsqueeze(1)
    itself = torch.eye(len(classes), dtype=torch.bool, device=features.device)
    own, other = pairs & alike & ~itself, pairs & ~alike
    counted = own.any(dim=1) & other.any(dim=1)
    farthest = distance.masked_fill(~own, 0.0).amax(dim=1)
    nearest = distance.masked_fill(~other, 2.0).amin(dim=1)
    loss = torch.where(counted, F.relu(farthest - nearest + margin), 0.0)
    return loss, counted


@dataclass(frozen=True)
class Triplet(Technique):
    """Add the triplet loss on the normalised features, for every target with one class a row.

    weight: factor on the loss, at least 0; 0 is off. margin: by which another class must be farther, of distances
        from 0 to 2. group: rows of one class that come together in a batch; 1 leaves the batches as they are.
    The loss is the mean over the rows that meet both their own and another class in the batch.
    """

    weight: float = 1.0
    margin: float = 0.2
    group: int = 4

    name: ClassVar[str] = "triplet"
    phase: ClassVar[Phase] = Phase.VIEWS
    summary: ClassVar[str] = "the hardest triplets of a batch keep a margin (faces, speakers)"

    def __post_init__(self) -> None:
        check_range(self.name, "weight", self.weight, 0.0, math.inf)
        check_range(self.name, "margin", self.margin, 0.0, 2.0)
        check_range(self.name, "group", self.group, 1, 1024)

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"hard_labels", "trainable_features"}) if self.weight else frozenset()

    @property
    def drops(self) -> frozenset[str]:
        return frozenset({"row_sampling"}) if self._groups else frozenset()

    @property
    def claims(self) -> frozenset[str]:
        return frozenset({"sampler"}) if self._groups else frozenset()

    @property
    def couples_rows(self) -> bool:
        return self.weight > 0

    def attach(self, network: Network, setup: Setup) -> Graft:  # noqa: ARG002
        if self.weight == 0.0:
            return Graft()
        names = [name for name, task in setup.tasks.items() if "hard_labels" in task.facts]

        def losses(batch: Batch, output: Output) -> Terms:
            return {f"{self.name} {name}": self._term(batch, output, name) for name in names}

        return Graft(losses=losses, sampler=self._sampler(setup, names[0]) if self._groups and names else None)

    @property
    def _groups(self) -> bool:
        return self.weight > 0 and self.group > 1

    def _sampler(self, setup: Setup, name: str) -> Callable[[int], list[np.ndarray]]:
        classes = np.where(setup.labelled[name], setup.targets[name], -1)
        return lambda epoch: class_groups(classes, self.group, setup.batch, np.random.default_rng([setup.seed, epoch]))

    def _term(self, batch: Batch, output: Output, name: str) -> Term:
        value, counted = hardest(output.features, hard(batch.targets[name]), batch.labelled[name], self.margin)
        # A mean over the counted rows, of which a part of a batch brings its share.
        count = float(counted.sum()) * batch.size / max(len(batch), 1)
        return Term(value, count, self.weight)
