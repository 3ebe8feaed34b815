"""ArcFace: every row must be closer to its own class by an angle, not only closer than to the others.

The head compares directions (a cosine head), and in training the angle between a row and its own class counts as
`margin` radians wider than it is. Rows of one class are so drawn into a narrow cone, which carries over to classes that
training never had: faces and speakers are told apart by the cosine of their embeddings. For a fixed set of classes
with many rows plain cross-entropy does as well. There is no setting at which it does nothing: with a margin of 0 the
head still compares directions (a normalised softmax).

Source: Deng et al. 2019 (ArcFace: additive angular margin loss); its scale of 64 is for a million classes, few classes
want a smaller one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from graftwork.core.compose import task_losses
from graftwork.core.technique import Graft, Phase, Setup, TaskLoss, Technique, Terms
from graftwork.data.batch import Batch
from graftwork.data.tensors import one_tensor
from graftwork.networks.network import Network, Output
from graftwork.spaces import Range, Spaces
from graftwork.techniques.checks import check_range
from graftwork.techniques.labels.classes import hard
from graftwork.techniques.streams import own_stream


def widened(predictions: Tensor, classes: Tensor, margin: float, scale: float) -> Tensor:
    """`scale * cos(angle + margin)` at each row's own class, `scale * cos(angle)` elsewhere (B, C).

    predictions (B, C) are `scale * cos(angle)`; classes (B,), rows below 0 stay as they are. Beyond an angle of
    pi - margin, where the cosine would rise again, it goes on falling in a straight line.
    """
    known = classes >= 0
    own = classes.clamp(min=0).unsqueeze(1)
    cosine = (predictions.gather(1, own) / scale).clamp(-1 + 1e-6, 1 - 1e-6)
    sine = (1 - cosine.square()).sqrt()
    wider = torch.where(
        cosine > -math.cos(margin),
        cosine * math.cos(margin) - sine * math.sin(margin),
        cosine - margin * math.sin(margin),
    )
    moved = torch.where(known.unsqueeze(1), scale * wider, predictions.gather(1, own))
    return predictions.scatter(1, own, moved)


@dataclass(frozen=True)
class ArcFace(Technique):
    """Train with an additive angular margin; the heads become cosine heads.

    margin: radians by which a row's angle to its own class is widened in training, from 0 to below pi / 2.
    scale: factor on the cosines before the softmax, above 0.
    """

    margin: float = 0.3
    scale: float = 16.0

    name: ClassVar[str] = "arcface"
    phase: ClassVar[Phase] = Phase.PARAMETERS
    summary: ClassVar[str] = "angular margin between classes (faces, speakers)"
    searched: ClassVar[Spaces] = {"margin": Range(0.1, 0.5), "scale": Range(8.0, 64.0, log=True)}
    needs: ClassVar[frozenset[str]] = frozenset({"hard_labels"})
    claims: ClassVar[frozenset[str]] = frozenset({"task loss", "head kind"})

    def __post_init__(self) -> None:
        check_range(self.name, "margin", self.margin, 0.0, 1.57)
        check_range(self.name, "scale", self.scale, 1e-3, math.inf)

    def adapt(self, network: Network, setup: Setup) -> Network:
        """Cosine heads in place of others; the only change of predictions, and before anything is trained."""
        spec = f"cosine:scale={self.scale:g}"
        with own_stream(setup.seed, network.device):
            heads = [
                head
                if head.spec == spec or "hard_labels" not in setup.tasks[target].facts
                else network.fusion.head(head.outputs, spec).to(network.device)
                for target, head in network.each_head()
            ]
        network.heads = nn.ModuleList(heads)
        return network

    def attach(self, network: Network, setup: Setup) -> Graft:
        return Graft(task=self._loss(setup))

    def _loss(self, setup: Setup) -> TaskLoss:
        plain = task_losses(setup.tasks)
        names = [name for name, task in setup.tasks.items() if "hard_labels" in task.facts]

        def loss(batch: Batch, output: Output) -> Terms:
            predictions = dict(output.predictions)
            for name in names:
                classes = hard(one_tensor(batch.targets[name]))
                predictions[name] = widened(one_tensor(predictions[name]), classes, self.margin, self.scale)
            return plain(batch, Output(predictions, output.features))

        return loss
