"""A penalty on how the task's loss differs between domains: shared by the techniques that ask for one predictor that
suits all of them."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from graftwork.core.technique import Graft, Phase, Setup, Technique, Terms, per_batch
from graftwork.data.batch import Batch
from graftwork.data.tensors import each_tensor, floats
from graftwork.networks.network import Network, Output
from graftwork.tasks.task import Task
from graftwork.techniques.checks import check_range
from graftwork.techniques.domain.parts import labelled_parts

Measure = tuple[Task, str, Batch, Output]
"""A target's task, its name, and the rows that it is measured on."""


def mean_loss(measure: Measure, rows: Tensor, scale: Tensor | None = None) -> Tensor:
    """The task's mean loss on these rows, their weights included. scale: what predictions are multiplied by."""
    task, name, batch, output = measure
    predictions = each_tensor(lambda tensor: tensor[rows], output.predictions[name])
    target = each_tensor(lambda tensor: tensor[rows], batch.targets[name])
    value = task.loss(predictions if scale is None else floats(lambda tensor: tensor * scale, predictions), target)
    return (value if batch.weight is None else value * batch.weight[rows]).mean()


def scale_gradient(measure: Measure, rows: Tensor) -> Tensor:
    """How the mean loss changes with a factor on the predictions, at 1; can itself be differentiated."""
    scale = torch.ones((), device=rows.device, requires_grad=True)
    (gradient,) = torch.autograd.grad(mean_loss(measure, rows, scale), scale, create_graph=True)
    return gradient


@dataclass(frozen=True)
class Invariance(Technique):
    """Adds a penalty on how the loss differs between the domains, for every target.

    weight: factor on it, at least 0; 0 is off. warmup: share of the run, from 0 to 1, in which the weight is 1 at most,
    so that features are learned before they are made invariant.
    """

    weight: float = 1.0
    warmup: float = 0.3

    phase: ClassVar[Phase] = Phase.VIEWS
    least: ClassVar[int] = 1
    """Labelled rows of a domain that the penalty needs."""
    needs: ClassVar[frozenset[str]] = frozenset({"domain"})
    couples_rows: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_range(self.name, "weight", self.weight, 0.0, math.inf)
        check_range(self.name, "warmup", self.warmup, 0.0, 1.0)

    @property
    def off(self) -> bool:
        return self.weight == 0.0

    @abstractmethod
    def penalty(self, measure: Measure, parts: Sequence[Tensor]) -> Tensor:
        """parts: row numbers of each domain, one domain at least. A scalar."""

    def attach(self, network: Network, setup: Setup) -> Graft:
        def losses(batch: Batch, output: Output) -> Terms:
            weight = min(self.weight, 1.0) if batch.progress < self.warmup else self.weight
            terms = {}
            for name, task, parts in labelled_parts(batch, setup.tasks, self.least):
                found = self.penalty((task, name, batch, output), parts) if parts else output.features.rows.sum() * 0.0
                terms[f"{self.name} {name}"] = per_batch(found, batch, weight)
            return terms

        return Graft(losses=losses)
