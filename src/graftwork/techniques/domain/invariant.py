"""The penalty of each domain on its own: shared by the techniques that ask for one predictor that suits all domains."""

from __future__ import annotations

import torch
from torch import Tensor

from graftwork.data.batch import Batch
from graftwork.networks.network import Output
from graftwork.tasks.task import Task


def mean_loss(task: Task, name: str, batch: Batch, output: Output, rows: Tensor, scale: Tensor | None = None) -> Tensor:
    """The task's mean loss on these rows, their weights included. scale: what predictions are multiplied by."""
    predictions = output.predictions[name][rows]
    value = task.loss(predictions if scale is None else predictions * scale, batch.targets[name][rows])
    return (value if batch.weight is None else value * batch.weight[rows]).mean()


def scale_gradient(task: Task, name: str, batch: Batch, output: Output, rows: Tensor) -> Tensor:
    """How the mean loss changes with a factor on the predictions, at 1; can itself be differentiated."""
    scale = torch.ones((), device=output.features.device, requires_grad=True)
    loss = mean_loss(task, name, batch, output, rows, scale)
    (gradient,) = torch.autograd.grad(loss, scale, create_graph=True)
    return gradient
