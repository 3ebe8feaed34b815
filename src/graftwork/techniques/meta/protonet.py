"""Prototypical networks: features are trained so that a class is found by the mean of a few of its rows.

Each step draws small tasks, makes a prototype of each class from its support, and asks for the nearest one of every
query. New classes are then learned at use by averaging, without any training: quick, stable, and the first thing to
try for classes that come later. With a fixed set of classes and many rows of each, plain training is better.
Training with more classes in an episode (`way` 20 to 60) than at use makes it harder, and usually better; the number of
shots should be that of use.

Source: Snell et al. 2017 (prototypical networks); cosines as in Vinyals et al. 2016 (matching networks).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch

from graftwork.core.judging.prototypes import SCALE, Distance, logits_of, means, with_prototypes
from graftwork.core.technique import Cost, Gradient, LossOutput, Objective
from graftwork.data.batch import Batch
from graftwork.data.tensors import one_tensor
from graftwork.networks.network import Forward, Network
from graftwork.techniques.checks import check_range
from graftwork.techniques.meta.episodic import Episode, Episodic, with_logits


@dataclass(frozen=True)
class ProtoNet(Episodic):
    """Train features by episodes so that the mean of a class's support is near its queries.

    distance: squared Euclidean distance to the means, or the cosine, times `scale` (above 0, of cosines only).
    """

    distance: Distance = "euclidean"
    scale: float = SCALE

    name: ClassVar[str] = "protonet"
    summary: ClassVar[str] = "learn features in which a class is found by the mean of a few rows"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.name, "scale", self.scale, 1e-3, math.inf)

    @property
    def head_spec(self) -> str:
        return f"cosine:scale={self.scale:g}" if self.distance == "cosine" else "linear"

    def cost(self, inner: Cost) -> Cost:
        again = self.descents(inner)
        return Cost(self.shared(inner.forwards, 1), self.shared(inner.backwards, again), self.shared(inner.probes, 0))

    def descend(self, inner: Gradient, objective: Objective, network: Network, episode: Episode) -> LossOutput:
        def asked(forward: Forward, batch: Batch) -> LossOutput:
            known = forward.features(episode.support).rows
            prototypes = means(known, one_tensor(episode.support.targets[episode.target]), episode.way)
            read = with_logits(
                network,
                forward.features,
                episode.target,
                lambda seen: logits_of(seen, prototypes, self.distance, self.scale),
            )
            return objective(read, batch)

        return inner(asked, network, episode.asked)

    def learn(self, network: Network, support: Batch, target: str) -> Network:
        classes = one_tensor(support.targets[target])
        with torch.no_grad():
            prototypes = means(network.features(support).rows, classes, int(classes.max()) + 1)
        return with_prototypes(network, target, prototypes, self.distance, self.scale)
