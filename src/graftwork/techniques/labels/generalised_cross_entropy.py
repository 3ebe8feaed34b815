"""Generalised cross-entropy: rows that the network finds absurd pull less, since their labels may be wrong.

Cross-entropy goes on pulling at a wrongly labelled row until it is learned by heart. This loss lies between
cross-entropy (q near 0) and the mean absolute error (q = 1), whose pull fades for rows of low probability. Use it where
20 % of the labels or more are wrong and rows are many; on clean labels, with many classes or with few steps it learns
more slowly and loses a little.

Source: Zhang & Sabuncu 2018 (generalized cross entropy loss).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from graftwork.core.compose import task_losses
from graftwork.core.technique import Graft, Phase, Setup, TaskLoss, Technique, Term, Terms
from graftwork.data.batch import Batch
from graftwork.data.tensors import one_tensor
from graftwork.errors import RefusedError
from graftwork.networks.network import Network, Output
from graftwork.spaces import Range, Spaces
from graftwork.tasks.capabilities import softened
from graftwork.techniques.checks import check_range


def generalised(predictions: Tensor, target: Tensor, q: float) -> Tensor:
    """`sum over classes of target * (1 - p ** q) / q` of each row (B,), p being the softmax of the predictions (B, C).

    target: rows of probabilities (B, C); a row of zeros gives 0. q: above 0, up to 1. In float32.
    """
    log_p = torch.log_softmax(predictions.float(), dim=1)
    return (target * -torch.expm1(q * log_p) / q).sum(dim=1)


@dataclass(frozen=True)
class GeneralisedCrossEntropy(Technique):
    """Replace the loss of targets with one class a row; other targets of the same run keep theirs.

    q: from 0 (off: plain cross-entropy) to 1 (mean absolute error). The paper's is 0.7.
    """

    q: float = 0.7

    name: ClassVar[str] = "generalised-cross-entropy"
    phase: ClassVar[Phase] = Phase.LABELS
    summary: ClassVar[str] = "a loss that wrong labels pull less at (GCE)"
    searched: ClassVar[Spaces] = {"q": Range(0.2, 0.9)}
    needs: ClassVar[frozenset[str]] = frozenset({"classes"})
    claims: ClassVar[frozenset[str]] = frozenset({"task loss"})

    def __post_init__(self) -> None:
        check_range(self.name, "q", self.q, 0.0, 1.0)

    @property
    def off(self) -> bool:
        return self.q == 0.0

    def attach(self, network: Network, setup: Setup) -> Graft:
        return Graft(task=self._loss(setup))

    def _loss(self, setup: Setup) -> TaskLoss:
        chosen = {name: task for name, task in setup.tasks.items() if "hard_labels" in task.facts}
        if not chosen:
            raise RefusedError(
                f"{self.name} needs a target with one class a row, and this run has none. Drop it, or use --task "
                "classification."
            )
        others = task_losses({name: task for name, task in setup.tasks.items() if name not in chosen})

        def loss(batch: Batch, output: Output) -> Terms:
            terms = dict(others(batch, output))
            for name, task in chosen.items():
                value = generalised(one_tensor(output.predictions[name]), softened(task, batch.targets[name]), self.q)
                value = value * batch.labelled[name]
                value = value if batch.weight is None else value * batch.weight
                terms[name] = Term(value, batch.labelled_size[name])
            return {name: terms[name] for name in setup.tasks}

        return loss
