"""Supervised contrastive tuning: features of one class are drawn together, those of other classes pushed apart.

Every pair of rows in a batch is a training signal, which makes much of few labelled rows; this is the job for which
SetFit tunes a sentence encoder. It is added to the task's own loss, from the same forward pass. It needs several rows
of a class in one batch, so batches are made of small groups of one class each.

Source: Khosla et al. 2020 (supervised contrastive learning, L_out); Gunel et al. 2021 (for fine-tuning language
models); Tunstall et al. 2022 (SetFit, the use case).
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
class SupervisedContrastive(Technique):
    """Add the supervised contrastive loss on the features, for every target with one class a row.

    weight: factor on the loss, at least 0; 0 is off. temperature: of the cosines, above 0; smaller is stricter.
    group: rows of one class that come together in a batch; 1 leaves the batches as they are.
    The loss is the mean over the rows that meet another of their class in the batch.
    """

    weight: float = 1.0
    temperature: float = 0.1
    group: int = 4

    name: ClassVar[str] = "supervised-contrastive"
    phase: ClassVar[Phase] = Phase.VIEWS
    summary: ClassVar[str] = "draw features of one class together (few-shot tuning)"

    def __post_init__(self) -> None:
        check_range(self.name, "weight", self.weight, 0.0, math.inf)
        check_range(self.name, "temperature", self.temperature, 1e-3, math.inf)
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
        classes, used = hard(batch.targets[name]), batch.labelled[name]
        value, counted = contrast(output.features, classes, used, self.temperature)
        # A mean over the counted rows, of which a part of a batch brings its share.
        count = float(counted.sum()) * batch.size / max(len(batch), 1)
        return Term(value, count, self.weight)
