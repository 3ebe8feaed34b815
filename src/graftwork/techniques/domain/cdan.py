"""Conditional domain-adversarial training: the critic sees features together with what is predicted from them.

Aligning whole domains can pull wrong classes together; a critic that also sees the predicted class compares like with
like. It needs classes to predict, and predictions that are already of use: where the first ones are wrong, it confirms
them. Costs one small critic more than plain training.

Source: Long et al. 2018 (CDAN, with the entropy weights of CDAN+E). Where features times classes are too many, both are
projected at random first, as there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from graftwork.core.parallel.workers import ALONE, Workers
from graftwork.core.technique import Graft, Phase, Setup, Technique, Terms, per_row
from graftwork.data.batch import Batch
from graftwork.networks.network import Network, Output
from graftwork.spaces import Range, Spaces
from graftwork.tasks.capabilities import probabilities
from graftwork.techniques.checks import check_range
from graftwork.techniques.domain.adversary import domain_loss, make_critic, reverse_gradient, schedule

LARGEST = 4096
"""Numbers that the critic reads at most; beyond that features and probabilities are projected at random."""


class Joint(nn.Module):
    """Features (B, F) and probabilities (B, C) as one row: their outer product, or a random projection of it."""

    of_features: Tensor
    of_classes: Tensor

    def __init__(self, width: int, classes: int, generator: torch.Generator) -> None:
        super().__init__()
        self.width = min(width * classes, LARGEST)
        self.projects = width * classes > LARGEST
        for name, size in (("of_features", width), ("of_classes", classes)):
            rows = size if self.projects else 0
            self.register_buffer(name, torch.randn(rows, self.width, generator=generator))

    def forward(self, features: Tensor, probabilities: Tensor) -> Tensor:
        if not self.projects:
            return (features.unsqueeze(2) * probabilities.unsqueeze(1)).flatten(1)
        return (features @ self.of_features) * (probabilities @ self.of_classes) / math.sqrt(self.width)


@dataclass(frozen=True)
class CDAN(Technique):
    """Add the loss of a domain critic that reads features and predicted classes; its gradient is reversed.

    weight: factor on the critic's loss, at least 0; 0 is off. hidden: units of its hidden layer. entropy: rows whose
        prediction is sure count for more (CDAN+E). The classes are those of the first target with one class a row.
    """

    weight: float = 1.0
    hidden: int = 256
    entropy: bool = True

    name: ClassVar[str] = "cdan"
    phase: ClassVar[Phase] = Phase.VIEWS
    summary: ClassVar[str] = "as dann, and the critic sees the predicted class too"
    searched: ClassVar[Spaces] = {"weight": Range(0.1, 2.0, log=True)}
    # Not "hard_labels": it looks at predictions, so that mixed labels do no harm.
    needs: ClassVar[frozenset[str]] = frozenset({"domain", "trainable_features", "classes", "row_features"})
    uses_unlabelled: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_range(self.name, "weight", self.weight, 0.0, math.inf)
        check_range(self.name, "hidden", self.hidden, 1, 65_536)

    @property
    def off(self) -> bool:
        return self.weight == 0.0

    def attach(self, network: Network, setup: Setup) -> Graft:
        target = next(name for name, task in setup.tasks.items() if "classes" in task.facts)
        drawn = torch.Generator().manual_seed(setup.seed)
        joint = Joint(network.width, setup.tasks[target].outputs, drawn).to(setup.device)
        state = nn.ModuleDict({"joint": joint, "critic": make_critic(joint.width, self.hidden, setup)})

        def losses(batch: Batch, output: Output) -> Terms:
            given = probabilities(setup.tasks[target], output.predictions[target]).detach()
            read = reverse_gradient(state["joint"](output.features.rows, given), schedule(batch.progress))
            value = domain_loss(state["critic"](read), batch)
            return {
                self.name: per_row(
                    value * sureness(given, setup.workers) if self.entropy else value, batch, self.weight
                )
            }

        return Graft(losses=losses, state=state)


def sureness(probabilities: Tensor, workers: Workers = ALONE) -> Tensor:
    """`1 + exp(-entropy)` of each row's probabilities (B, C), 1 on average over the rows of all workers."""
    entropy = -(probabilities * probabilities.clamp_min(1e-12).log()).sum(1)
    weight = 1.0 + torch.exp(-entropy)
    if workers.count == 1:
        return weight / weight.mean()
    together = workers.sum(torch.stack([weight.sum(), weight.new_tensor(float(len(weight)))]))
    return weight * (together[1] / together[0])
