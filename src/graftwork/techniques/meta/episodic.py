"""What the meta-learning techniques share: batches that are episodes, each learned from its support and asked its
queries; and how a step descends them, one episode at a time.

In an episode the classes are numbered anew, and the head of the run takes no part: what is learned has to serve for
classes that training never had. One target is learned so, the first with one class a row; others go on as they are.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from graftwork.core.judging.prototypes import plain_head
from graftwork.core.technique import Cost, Gradient, Graft, LossOutput, Objective, Phase, Setup, Technique, Term
from graftwork.data.batch import Batch, whole
from graftwork.data.episodes import Episodes, draw, lacking, rows_by_class
from graftwork.errors import RefusedError
from graftwork.networks.features import Features
from graftwork.networks.network import Forward, Network, Output
from graftwork.techniques.checks import check_range


@dataclass(frozen=True)
class Episodic(Technique):
    """Train by episodes.

    way: classes of an episode, at least 2. shot: rows of a class to learn from. query: rows of a class that are asked.
    episodes: of a step. Batches and steps: a step has `episodes * way * (shot + query)` rows, whatever `batch` says.
    """

    way: int = 5
    shot: int = 1
    query: int = 5
    episodes: int = 1

    phase: ClassVar[Phase] = Phase.INNER_LOOP
    needs: ClassVar[frozenset[str]] = frozenset({"episodes", "hard_labels", "trainable_features"})
    drops: ClassVar[frozenset[str]] = frozenset({"row_sampling", "row_identity", "classes", "batch_parts"})
    claims: ClassVar[frozenset[str]] = frozenset({"sampler", "head kind", "head initialisation", "final head"})
    couples_rows: ClassVar[bool] = True
    one_worker: ClassVar[str] = "trains by episodes, and a part of one is none"

    def __post_init__(self) -> None:
        check_range(self.name, "way", self.way, 2, 1000)
        check_range(self.name, "shot", self.shot, 1, 1000)
        check_range(self.name, "query", self.query, 1, 1000)
        check_range(self.name, "episodes", self.episodes, 1, 1000)

    @abstractmethod
    def descend(self, inner: Gradient, objective: Objective, network: Network, episode: Episode) -> LossOutput:
        """Add the gradient of one episode, a share of the step, to `.grad`; what was measured, without that share."""

    def shared(self, asked: float, support: float) -> float:
        """So much for each query and each row of the support, as a mean over the rows of a step."""
        return (asked * self.query + support * self.shot) / (self.shot + self.query)

    @staticmethod
    def descents(inner: Cost) -> int:
        """How often the loss of an episode is descended, by however many passes it is measured: more than once where
        each target is descended by itself."""
        return max(1, round((inner.backwards - inner.probes) / max(1.0, inner.forwards - inner.probes)))

    @property
    def shape(self) -> Episodes:
        return Episodes(self.way, self.shot, self.query)

    @property
    def head_spec(self) -> str:
        """The head that finds the classes of training, and of a support, in the saved model."""
        return "linear"

    def adapt(self, network: Network, setup: Setup) -> Network:
        """The head takes no part in training, so that nothing is trained in vain."""
        target = episodic_target(setup)
        outputs = setup.tasks[target].outputs
        heads = [
            plain_head(network, outputs, self.head_spec) if name == target else head
            for name, head in network.each_head()
        ]
        network.heads = torch.nn.ModuleList(heads)
        return network

    def attach(self, network: Network, setup: Setup) -> Graft:
        target = episodic_target(setup)

        def gradient(inner: Gradient) -> Gradient:
            def descend(objective: Objective, network: Network, batch: Batch) -> LossOutput:
                share = 1.0 / self.episodes
                parts = [
                    self.descend(inner, scaled(objective, share), network, one)
                    for one in split(batch, self.shape, target)
                ]
                return merged(parts)

            return descend

        return Graft(sampler=self._sampler(setup, target), gradient=gradient)

    def _sampler(self, setup: Setup, target: str) -> Callable[[int], list[np.ndarray]]:
        classes = np.where(setup.labelled[target], setup.targets[target], -1)
        by_class = rows_by_class(classes)
        names = [setup.tasks[target].classes[int(classes[rows[0]])] for rows in by_class]
        lack = lacking(names, [len(rows) for rows in by_class], self.shape, self.shot + self.query)
        if lack:
            raise RefusedError(f"{self.name} can't draw an episode from '{target}' of the training rows. {lack}")
        steps = max(1, round(int((classes >= 0).sum()) / (self.episodes * self.shape.rows)))

        def epoch(index: int) -> list[np.ndarray]:
            generator = np.random.default_rng([setup.seed, index])
            return [
                np.concatenate([draw(by_class, self.shape, generator) for _ in range(self.episodes)])
                for _ in range(steps)
            ]

        return epoch


@dataclass(frozen=True)
class Episode:
    """One episode of a step, whose classes are numbered anew in `target`. layers: its rows, one of each class a layer,
    in batches of `shot` layers; the first of them is the support. asked: the queries."""

    support: Batch
    asked: Batch
    layers: tuple[Batch, ...]
    target: str
    way: int


def episodic_target(setup: Setup) -> str:
    """The target that is learned by episodes."""
    return next(name for name, task in setup.tasks.items() if "episodes" in task.facts)


def split(batch: Batch, shape: Episodes, target: str) -> list[Episode]:
    """The episodes of a step, in order."""
    step = shape.shot * shape.way
    found = []
    for start in range(0, len(batch), shape.rows):
        stop = start + shape.rows
        layers = tuple(
            _renumbered(batch, at, min(at + step, stop), shape.way, target) for at in range(start, stop, step)
        )
        asked = _renumbered(batch, start + step, stop, shape.way, target)
        found.append(Episode(layers[0], asked, layers, target, shape.way))
    return found


def _renumbered(batch: Batch, start: int, stop: int, way: int, target: str) -> Batch:
    part = batch.part(torch.arange(start, stop, device=batch.rows.device))
    classes = torch.arange(stop - start, device=batch.rows.device) % way
    return whole(replace(part, targets=part.targets | {target: classes}))


def with_logits(
    network: Network, features: Callable[[Batch], Features], target: str, logits: Callable[[Tensor], Tensor]
) -> Forward:
    """A forward with these features, and these predictions (B, way) of `target` made of them."""
    return Forward(features, lambda seen, batch: network.predictions(seen, batch) | {target: logits(seen.rows)})


def scaled(objective: Objective, share: float) -> Objective:
    """The objective times `share`."""

    def measure(forward: Forward, batch: Batch) -> LossOutput:
        found = objective(forward, batch)
        terms = {name: replace(term, weight=term.weight * share) for name, term in found.terms.items()}
        return LossOutput(terms, found.output)

    return measure if share != 1.0 else objective


def merged(parts: Sequence[LossOutput]) -> LossOutput:
    """What was measured on all episodes, each a share of it; without a graph."""
    names = dict.fromkeys(name for part in parts for name in part.terms)
    terms = {}
    for name in names:
        each = [part.terms[name] for part in parts if name in part.terms]
        terms[name] = Term(torch.stack([one.mean.detach() for one in each]).sum(), 1.0, each[0].weight)
    return LossOutput(terms, Output.joined([part.output for part in parts]))
