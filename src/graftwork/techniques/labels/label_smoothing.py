"""Label smoothing: the target is not quite certain, so the network need not be either.

Instead of all its probability on one class, a target gives a small share evenly to all classes. It keeps logits from
growing without end, calibrates better and often adds a little accuracy; it softens the harm of wrong labels. It hurts
where the predicted probabilities are to be distilled into another network, and can make well-calibrated models timid.

Source: Szegedy et al. 2016 (rethinking the Inception architecture); Müller, Kornblith & Hinton 2019 (when it helps).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor

from graftwork.core.technique import Graft, Phase, Setup, Technique
from graftwork.data.batch import Batch
from graftwork.networks.network import Network
from graftwork.spaces import Range, Spaces
from graftwork.tasks.capabilities import softened
from graftwork.techniques.checks import check_range


def smooth(target: Tensor, amount: float, even: float) -> Tensor:
    """Probabilities (B, C) moved by `amount` towards `even`, the probability without knowledge (1/C, or 1/2)."""
    return target * (1.0 - amount) + amount * even


@dataclass(frozen=True)
class LabelSmoothing(Technique):
    """Soften the targets of tasks with classes; other targets of the same run stay as they are.

    amount: share of each target that is given evenly to all classes, from 0 (off) to below 1. The most probable class
        stays the true one. In a multi-label task each yes-or-no gives its share to both answers.
    """

    amount: float = 0.1

    name: ClassVar[str] = "label-smoothing"
    phase: ClassVar[Phase] = Phase.LABELS
    summary: ClassVar[str] = "targets give a small share to all classes"
    searched: ClassVar[Spaces] = {"amount": Range(0.02, 0.2)}
    needs: ClassVar[frozenset[str]] = frozenset({"classes"})

    def __post_init__(self) -> None:
        check_range(self.name, "amount", self.amount, 0.0, 1.0, below=True)

    @property
    def off(self) -> bool:
        return self.amount == 0.0

    def attach(self, network: Network, setup: Setup) -> Graft:
        tasks = {name: task for name, task in setup.tasks.items() if "classes" in task.facts}

        def inputs(batch: Batch) -> Batch:
            targets = dict(batch.targets)
            for name, task in tasks.items():
                even = 1.0 / task.outputs if "hard_labels" in task.facts else 0.5
                targets[name] = smooth(softened(task, batch.targets[name]), self.amount, even)
            return replace(batch, targets=targets)

        return Graft(inputs=inputs)
