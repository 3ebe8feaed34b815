"""Triplet loss: a row lies closer to every row of its class than to any row of another class, by a margin.

Of each row in a batch the hardest triplet counts: the farthest row of its own class and the nearest of another one, by
the distance of their normalised features. What it learns, a distance, carries over to classes that training never had
(faces, speakers, products). It needs several rows of a class in one batch, so batches are made of small groups of one
class each. On noisy labels the hardest rows are the wrong ones; a contrastive loss over all pairs is milder there.

Source: Schroff et al. 2015 (FaceNet, the loss); Hermans et al. 2017 (hardest triplets of a batch).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from graftwork.spaces import Range, Spaces
from graftwork.techniques.checks import check_range
from graftwork.techniques.metric.class_groups import ClassGroups


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
class Triplet(ClassGroups):
    """Add the triplet loss on the normalised features, for every target with one class a row.

    margin: by which another class must be farther, of distances from 0 to 2. group: 1 leaves the batches as they are.
    The loss is the mean over the rows that meet both their own and another class in the batch.
    """

    margin: float = 0.2

    name: ClassVar[str] = "triplet"
    summary: ClassVar[str] = "the hardest triplets of a batch keep a margin (faces, speakers)"
    searched: ClassVar[Spaces] = {"weight": Range(0.1, 2.0, log=True), "margin": Range(0.1, 0.5)}

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.name, "margin", self.margin, 0.0, 2.0)

    def loss(self, features: Tensor, classes: Tensor, used: Tensor) -> tuple[Tensor, Tensor]:
        return hardest(features, classes, used, self.margin)
