"""AugMix: three versions of an image, the plain one and two mixtures of mild edits, should be given one prediction.

It holds accuracy under noise, blur, weather and compression that training never saw, and calibrates better, for three
times the cost of a step. Use it where photos to be predicted are worse than those to train on. It is no defence against
an attacker (see adversarial), and in short runs it can cost some accuracy on clean images.

Source: Hendrycks et al. 2020 (AugMix), with its Jensen-Shannon consistency loss and its nine operations, none of which
is among the corruptions that it is measured by.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from graftwork.core.technique import Cost, Graft, LossOutput, Objective, Phase, Setup, Technique, per_row
from graftwork.data.batch import Batch
from graftwork.data.table import Modality
from graftwork.data.tensors import Tensors
from graftwork.networks.network import Forward, Network
from graftwork.spaces import Range, Spaces
from graftwork.tasks.capabilities import probabilities
from graftwork.tasks.task import Task
from graftwork.techniques.adversarial.perturbed_inputs import IMAGES, attackable
from graftwork.techniques.augment.operations import Operation, operations
from graftwork.techniques.augment.pixels import check_installed, one_thread
from graftwork.techniques.checks import check_range
from graftwork.techniques.streams import StepStream, own_stream

_OPERATIONS = (
    *("autocontrast", "equalize", "posterize", "rotate", "solarize"),
    *("shear-x", "shear-y", "translate-x", "translate-y"),
)
_WIDTH, _DEPTH, _VIEWS = 3, 3, 2


def jensen_shannon(probabilities: Sequence[Tensor]) -> Tensor:
    """Mean over V distributions (each (B, ..., C)) of their divergence from their mean; summed, (B,)."""
    stacked = torch.stack(list(probabilities)).clamp_min(1e-7)
    mean = stacked.mean(0)
    return (stacked * (stacked.log() - mean.log())).mean(0).flatten(1).sum(1)


def distribution(task: Task, predictions: Tensors) -> Tensor:
    """Probabilities that add up to 1: (B, C) of one class a row, (B, C, 2) of several."""
    found = probabilities(task, predictions)
    return found if "hard_labels" in task.facts else torch.stack([found, 1 - found], dim=2)


def chains(pixels: Tensor, known: Sequence[Operation], strength: float, draws: torch.Generator) -> Tensor:
    """Each image (B, 3, H, W) after one to three operations drawn for it."""
    rows = len(pixels)
    depths = torch.randint(1, _DEPTH + 1, (rows,), generator=draws)
    pixels = pixels.clone()
    for step in range(_DEPTH):
        chosen = torch.randint(len(known), (rows,), generator=draws)
        signs = torch.where(torch.rand(rows, generator=draws) < 0.5, 1.0, -1.0)
        amounts = signs * (0.01 + (strength - 0.01) * torch.rand(rows, generator=draws)).clamp(min=0)
        for index in sorted(set(chosen.tolist())):
            at = ((chosen == index) & (step < depths)).nonzero().flatten()
            if len(at):
                pixels[at.to(pixels.device)] = known[index](pixels[at.to(pixels.device)], amounts[at])
    return pixels.clamp(0, 1)


def mixtures(pixels: Tensor, known: Sequence[Operation], strength: float, draws: torch.Generator) -> list[Tensor]:
    """Two mixtures of each image (B, 3, H, W): evenly drawn shares of itself and of three chains of operations."""
    rows, many = len(pixels), _VIEWS * _WIDTH
    edited = chains(pixels.repeat(many, 1, 1, 1), known, strength, draws).view(many, rows, *pixels.shape[1:])
    shares = -torch.log(1 - torch.rand(_VIEWS, _WIDTH, rows, generator=draws))  # Dirichlet(1, 1, 1), once scaled
    shares = (shares / shares.sum(1, keepdim=True)).to(pixels).view(_VIEWS, _WIDTH, rows, 1, 1, 1)
    own = torch.rand(_VIEWS, rows, generator=draws).to(pixels).view(_VIEWS, rows, 1, 1, 1)
    mixed = own * pixels + (1 - own) * (shares * edited.view(_VIEWS, _WIDTH, *pixels.shape)).sum(1)
    return list(mixed)


@dataclass(frozen=True)
class AugMix(Technique):
    """Add the Jensen-Shannon divergence of three versions of an image to the loss, on all rows, labelled or not.

    weight: factor on it, at least 0; 0 is off. The paper's is 12 for photos and long training.
    magnitude: how strong the operations are at most, from 0 to 10; the paper's is 3.
    columns: which image columns; empty for all of them.
    """

    weight: float = 12.0
    magnitude: float = 3.0
    columns: tuple[str, ...] = ()

    name: ClassVar[str] = "augmix"
    phase: ClassVar[Phase] = Phase.VIEWS
    summary: ClassVar[str] = "mixtures of mild edits get one prediction (AugMix)"
    whole_weights: ClassVar[str] = ""
    searched: ClassVar[Spaces] = {"weight": Range(1.0, 12.0, log=True), "magnitude": Range(1.0, 5.0)}
    needs: ClassVar[frozenset[str]] = frozenset({"image_inputs", "classes", "row_targets"})
    depth: ClassVar[int] = 0
    uses_unlabelled: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_range(self.name, "weight", self.weight, 0.0, math.inf)
        check_range(self.name, "magnitude", self.magnitude, 0.0, 10.0)

    @property
    def off(self) -> bool:
        return self.weight == 0.0

    def changes(self, column: str, modality: Modality) -> bool:
        return modality == "image" and (not self.columns or column in self.columns)

    def cost(self, inner: Cost) -> Cost:
        return inner.plus(_VIEWS, _VIEWS)

    def attach(self, network: Network, setup: Setup) -> Graft:
        check_installed(self.name)
        names = attackable(network, IMAGES, self.columns, self.name)
        known, stream = [operations()[name] for name in _OPERATIONS], StepStream(setup.generator())
        tasks = {name: task for name, task in setup.tasks.items() if "classes" in task.facts}

        def objective(inner: Objective) -> Objective:
            def measure(forward: Forward, batch: Batch) -> LossOutput:
                first = inner(forward, batch)
                draws = torch.Generator().manual_seed(stream.seed(batch))
                with one_thread(), torch.no_grad():
                    pixels = {name: batch.inputs[name]["pixels"] for name in names}
                    views = {n: mixtures(p, known, self.magnitude / 10, draws) for n, p in pixels.items()}
                outputs = [first.output.predictions]
                for view in range(_VIEWS):
                    changed = {name: {"pixels": views[name][view]} for name in names}
                    with own_stream(stream.seed(batch) + view, setup.device):
                        outputs.append(forward(replace(batch, inputs=batch.inputs | changed)).predictions)
                terms = dict(first.terms)
                for name, task in tasks.items():
                    value = jensen_shannon([distribution(task, output[name]) for output in outputs])
                    terms[f"{self.name} {name}"] = per_row(value, batch, self.weight)
                return LossOutput(terms, first.output)

            return measure

        return Graft(inputs=stream.renew, objective=objective, generators={"views": stream.generator})
