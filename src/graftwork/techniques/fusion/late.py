"""Late fusion: every input has a head of its own, and a row's prediction is the mean of theirs.

The sturdiest of the fusions: each head also learns by itself, so that a row with one input only is predicted as well as
that input allows, and it needs no more rows than a single input does. It sees nothing that shows only when inputs are
read together. Predictions are averaged before softmax: for classes that is the normalised geometric mean of the
probabilities, so that an input that rules a class out is heard.

Sources: Snoek et al. 2005 (early and late fusion); Hinton 2002 (products of experts).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from graftwork.core.technique import Graft, Setup, Term, Terms
from graftwork.data.batch import Batch
from graftwork.data.tensors import Tensors
from graftwork.networks.fusion.fusion import Fusion
from graftwork.networks.fusion.late import LateFusion, LateHead
from graftwork.networks.network import Network, Output
from graftwork.spaces import Range, Spaces
from graftwork.tasks.task import Task
from graftwork.techniques.checks import check_range
from graftwork.techniques.fusion.fusing import Fusing


def own_loss(task: Task, each: Tensor, has: Tensor, targets: Tensors) -> Tensor:
    """The mean loss (B,) of the heads by themselves, over the inputs that a row has.

    each (inputs, B, outputs), has (B, inputs).
    """
    losses = torch.stack([task.loss(predictions, targets) for predictions in each], dim=1)
    mean: Tensor = (losses * has).sum(dim=1) / has.sum(dim=1).clamp(min=1e-6)
    return mean


@dataclass(frozen=True)
class Late(Fusing):
    """Fuse the predictions of several inputs.

    own: factor on the loss of each head by itself, which is added to that of their mean; at least 0.
    """

    own: float = 1.0

    name: ClassVar[str] = "late"
    summary: ClassVar[str] = "a head for each input, their predictions averaged"
    searched: ClassVar[Spaces] = {"own": Range(0.1, 2.0)}
    # Classes that come later are learned by one head over all inputs.
    needs: ClassVar[frozenset[str]] = Fusing.needs | {"known_classes"}

    def __post_init__(self) -> None:
        check_range(self.name, "own", self.own, 0.0, math.inf)

    def fusion(self, network: Network) -> Fusion:
        return LateFusion(network.widths())

    @property
    def acts_in_steps(self) -> bool:
        """A head that is solved is solved by itself, which is all that the losses of its own are for."""
        return False

    def attach(self, network: Network, setup: Setup) -> Graft:
        if self.own == 0.0 or not any(parameter.requires_grad for parameter in network.parameters()):
            return Graft()
        return Graft(losses=lambda batch, output: self._terms(network, setup.tasks, batch, output))

    def _terms(self, network: Network, tasks: Mapping[str, Task], batch: Batch, output: Output) -> Terms:
        terms = {}
        for name, head in network.each_head():
            assert isinstance(head, LateHead)
            value = own_loss(tasks[name], *head.each(output.features.rows), batch.targets[name]) * batch.labelled[name]
            value = value if batch.weight is None else value * batch.weight
            terms[f"{self.name} {name}"] = Term(value, batch.labelled_size[name], self.own)
        return terms
