"""Supervised contrastive tuning: features of one class are drawn together, those of other classes pushed apart.

Every pair of rows in a batch is a training signal, which makes much of few labelled rows; this is the job for which
SetFit tunes a sentence encoder. It is added to the task's own loss, from the same forward pass. It needs several rows
of a class in one batch, so batches are made of small groups of one class each.

Source: Khosla et al. 2020 (supervised contrastive learning, L_out); Gunel et al. 2021 (for fine-tuning language
models); Tunstall et al. 2022 (SetFit, the use case).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from graftwork.spaces import Range, Spaces
from graftwork.techniques.checks import check_range
from graftwork.techniques.metric.class_groups import ClassGroups


def contrast(features: Tensor, classes: Tensor, used: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """The loss of each row (B,), and which rows have it (B,): those that are used and meet another of their class.

    features (B, width) of any length; classes (B,); used (B,) is False for rows that take no part. Rows without the
    loss have the value 0. Computed in float32.
    """
    directions = F.normalize(features.float(), dim=1)
    with torch.autocast(features.device.type, enabled=False):
        logits = directions @ directions.T / temperature
    pairs = used.unsqueeze(0) & used.unsqueeze(1)
    pairs = pairs & ~torch.eye(len(classes), dtype=torch.bool, device=features.device)
    positive = pairs & (classes.unsqueeze(0) == classes.unsqueeze(1))
    # A large negative number, not -inf: a row without any pair must not become NaN.
    log_share = F.log_softmax(logits.masked_fill(~pairs, -1e9), dim=1)
    count = positive.sum(dim=1)
    loss = -torch.where(positive, log_share, 0.0).sum(dim=1) / count.clamp_min(1)
    return loss, count > 0


@dataclass(frozen=True)
class SupervisedContrastive(ClassGroups):
    """Add the supervised contrastive loss on the features, for every target with one class a row.

    temperature: of the cosines, above 0; smaller is stricter. group: 1 leaves the batches as they are.
    The loss is the mean over the rows that meet another of their class in the batch.
    """

    temperature: float = 0.1

    name: ClassVar[str] = "supervised-contrastive"
    summary: ClassVar[str] = "draw features of one class together (few-shot tuning)"
    searched: ClassVar[Spaces] = {"weight": Range(0.1, 2.0, log=True), "temperature": Range(0.05, 0.5, log=True)}

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.name, "temperature", self.temperature, 1e-3, math.inf)

    def loss(self, features: Tensor, classes: Tensor, used: Tensor) -> tuple[Tensor, Tensor]:
        return contrast(features, classes, used, self.temperature)
