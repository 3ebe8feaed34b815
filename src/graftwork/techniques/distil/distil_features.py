"""Distillation of features: a trained projection of the student's features should be the teacher's features.

Features hold more than predictions do, above all where classes are few, and they don't depend on labels, so that
unlabelled rows take part. The projection bridges different widths; it is not saved. It helps most beside `distil`;
where the teacher's features were made for something else, they cost the student capacity.

Source: Romero et al. 2015 (FitNets: hints and their regressor; here learned together with the task, in one run).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from torch import Tensor, nn
from torch.nn import functional as F

from graftwork.core.technique import Graft, Phase, Setup, Technique, Terms, per_row
from graftwork.data.batch import Batch
from graftwork.networks.network import Network, Output
from graftwork.spaces import Range, Spaces
from graftwork.techniques.checks import check_range
from graftwork.techniques.distil.answers import check_teacher, of_rows
from graftwork.techniques.streams import own_stream

_SAMPLED = 4096
"""Rows from which the spread of the teacher's features is taken."""


def hint_distance(projected: Tensor, hint: Tensor, measure: Literal["mse", "cosine"]) -> Tensor:
    """How far each row (B, W) is from the teacher's (B,): the mean square over the numbers, or 1 less the cosine."""
    if measure == "cosine":
        return 1.0 - F.cosine_similarity(projected, hint, dim=1)
    return (projected - hint).square().mean(dim=1)


@dataclass(frozen=True)
class DistilFeatures(Technique):
    """Add the distance between the projected features and the teacher's to the loss, on all rows, labelled or not.

    teacher: as in `distil`. weight: factor on the distance, at least 0; 0 is off. measure: mse (of features divided by
    the teacher's standard deviation, so that guessing their mean costs about 1) or cosine.
    """

    teacher: str
    weight: float = 1.0
    measure: Literal["mse", "cosine"] = "mse"

    name: ClassVar[str] = "distil-features"
    phase: ClassVar[Phase] = Phase.DISTIL
    summary: ClassVar[str] = "let projected features be those of a larger model (FitNets)"
    searched: ClassVar[Spaces] = {"weight": Range(0.1, 10.0, log=True)}
    needs: ClassVar[frozenset[str]] = frozenset({"row_identity", "trainable_features", "row_features"})
    uses_unlabelled: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_teacher(self.name, self.teacher)
        check_range(self.name, "weight", self.weight, 0.0, math.inf)

    @property
    def off(self) -> bool:
        return self.weight == 0.0

    @property
    def teachers(self) -> tuple[str, ...]:
        return (self.teacher,)

    def attach(self, network: Network, setup: Setup) -> Graft:
        hints = setup.teacher_outputs[self.teacher].features
        with own_stream(setup.seed, setup.device):
            projection = nn.Linear(network.width, hints.shape[1])
        sampled = hints[:: max(1, len(hints) // _SAMPLED)]
        scale = float(np.sqrt(np.mean(np.var(sampled, axis=0)))) or 1.0  # a plan is made with zeros

        def losses(batch: Batch, output: Output) -> Terms:
            hint = of_rows(hints, batch) / scale
            value = hint_distance(projection(output.features.rows.float()), hint, self.measure)
            return {self.name: per_row(value, batch, self.weight)}

        return Graft(losses=losses, state=projection)
