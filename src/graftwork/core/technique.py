"""The contract: what a technique is, and what it may do in one run.

A technique is a frozen dataclass of settings. In a run it does two things: `adapt` changes the network before the
optimizer exists, and `attach` returns a `Graft`, which takes part in the stages of a training step. A technique never
names another one: order comes from `phase`, refusals from `needs`, `drops` and `claims`.

In a run the core calls, each for all techniques in order: `adapt`, then `start`, then `attach`. A plan calls `adapt`
and `attach` only, so those two are quick and leave the slow work, if there is any, to `start`.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from graftwork.core.contract.aim import Aim as Aim
from graftwork.core.contract.cost import Cost as Cost
from graftwork.core.contract.multiplier import Multiplier as Multiplier
from graftwork.core.contract.phases import Phase as Phase
from graftwork.core.contract.setup import Setup as Setup
from graftwork.core.contract.setup import TeacherOutputs as TeacherOutputs
from graftwork.data.batch import Batch
from graftwork.data.table import Modality
from graftwork.networks.network import Forward, Network, Output
from graftwork.spaces import Spaces


@dataclass(frozen=True)
class Term:
    """One part of the loss. The core adds `weight * value.sum() / count`.

    value: one number a row (B,), or a scalar for a term of the whole batch.
    count: what the sum is divided by; taken from the whole batch (`Batch.size`), so that parts add up to the whole.
    """

    value: Tensor
    count: float
    weight: float = 1.0

    @property
    def mean(self) -> Tensor:
        """The term as it enters the loss, less its weight."""
        return self.value.sum() / max(self.count, 1e-12)


Terms = dict[str, Term]


def per_row(value: Tensor, batch: Batch, weight: float = 1.0) -> Term:
    """A term with one number for every row of the batch, labelled or not."""
    return Term(value, float(batch.size), weight)


def per_batch(value: Tensor, batch: Batch, weight: float = 1.0) -> Term:
    """A term that is one number for the rows seen together; a part of a batch counts for its share of the rows."""
    return Term(value * (len(batch) / batch.size), 1.0, weight)


@dataclass(frozen=True)
class LossOutput:
    """What an objective measured: named terms, and the output they came from."""

    terms: Terms
    output: Output

    @property
    def total(self) -> Tensor:
        parts = [term.mean if term.weight == 1.0 else term.mean * term.weight for term in self.terms.values()]
        return parts[0] if len(parts) == 1 else torch.stack(parts).sum()


Predictor = Callable[[Network], Forward]
"""How predictions come from a network; a technique that changes the network gives a changed copy to the inner one."""
Objective = Callable[[Forward, Batch], LossOutput]
Gradient = Callable[[Objective, Network, Batch], LossOutput]
TaskLoss = Callable[[Batch, Output], Terms]


@dataclass(frozen=True)
class Rows:
    """The rows that are predicted together: a table, or a chunk of a large one.

    batch: these rows (indices) as a batch, without gradient unless it is switched on. domain: as in `Setup`.
    """

    count: int
    batch: Callable[[np.ndarray], Batch]
    domain: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True)
class Graft:
    """What one technique does in one run; every stage it leaves out stays as it was.

    rows: sampling weights of the training rows (N,); weights of several techniques multiply.
    sampler: replaces how rows make a batch; exclusive.
    replays: how many times each batch comes in a row; numbers of several techniques multiply. Steps stay as many.
    inputs: Batch -> Batch, once a step, before everything else.
    task: replaces the tasks' own loss; exclusive.
    losses: terms added to the task's, from the same forward.
    objective: wraps what is measured; may run the forward again.
    combine: changes the terms before they are added.
    gradient: wraps how the objective is descended; fills `.grad`.
    groups: learning-rate and decay factors by parameter name; factors of several techniques multiply.
    after_step: called after each optimizer step.
    view: the network that validation scores and that is saved.
    fold: at save only; changes no output.
    reference: of a network of the run, a copy as it was when the technique began to act: what it is held against.
    aims: by target, what it raises in place of the loss; what it reached is judged by that, beside its reference.
    told: names of terms whose means the history keeps.
    state: trained where it requires a gradient, and checkpointed with the network.
    generators: the technique's random streams, checkpointed.
    cost: what a step costs with it, where that depends on the run; else `Technique.cost` says it.
    """

    rows: np.ndarray | None = None
    sampler: Callable[[int], list[np.ndarray]] | None = None
    replays: int | None = None
    inputs: Callable[[Batch], Batch] | None = None
    task: TaskLoss | None = None
    losses: TaskLoss | None = None
    objective: Callable[[Objective], Objective] | None = None
    combine: Callable[[Batch, Terms], Terms] | None = None
    gradient: Callable[[Gradient], Gradient] | None = None
    groups: Callable[[str], Multiplier] | None = None
    after_step: Callable[[Network], None] | None = None
    view: Callable[[Network], Network] | None = None
    fold: Callable[[Network], Network] | None = None
    reference: Callable[[Network], Network] | None = None
    aims: Mapping[str, Aim] | None = None
    told: tuple[str, ...] | None = None
    state: nn.Module | None = None
    generators: Mapping[str, torch.Generator] | None = None
    cost: Callable[[Cost], Cost] | None = None


@dataclass(frozen=True, kw_only=True)
class Technique(ABC):
    """Settings of one thing that can be grafted onto a run. Subclasses are frozen dataclasses without `**kwargs`.

    What stands below as properties are data for the plan. A subclass sets them as plain class attributes
    (`needs: ClassVar[frozenset[str]] = frozenset({"dropout"})`), or as properties where they depend on its settings.
    """

    name: ClassVar[str]
    phase: ClassVar[Phase]
    summary: ClassVar[str]
    """One line for `graft list techniques`."""
    searched: ClassVar[Spaces] = {}
    """Where `graft tune` searches its settings: those that are worth it, by name. The others stay at their defaults."""

    @property
    def off(self) -> bool:
        """True at the setting that means "nothing" (amount 0): plans and predictions leave the technique out, so that
        the run is bit-identical to one without it. Nothing else is asked of it then."""
        return False

    @property
    def needs(self) -> frozenset[str]:
        """Facts that must hold (`graftwork.core.contract.facts.FACTS`)."""
        return frozenset()

    @property
    def drops(self) -> frozenset[str]:
        """Facts that no longer hold for the other techniques."""
        return frozenset()

    @property
    def gives(self) -> frozenset[str]:
        """Facts that hold because of this technique."""
        return frozenset()

    @property
    def claims(self) -> frozenset[str]:
        """Things a run has one of (`graftwork.core.contract.facts.CLAIMS`)."""
        return frozenset()

    @property
    def teachers(self) -> tuple[str, ...]:
        """Models to be asked about the training rows, by folder or hub id; see `Setup.teacher_outputs`."""
        return ()

    @property
    def old_tables(self) -> Mapping[str, float]:
        """By path, tables of the task that the base, a saved model, was trained for before, whose rows are put behind
        the training rows, and the share of all that they are to be; see `Setup.old_rows`."""
        return {}

    @property
    def code(self) -> tuple[str, ...]:
        """Modules of the user's that it imports when it trains, never when a model is loaded or predicts."""
        return ()

    @property
    def class_texts(self) -> Mapping[str, str]:
        """Classes that it knows of, which a target may have though no training row shows them, and what tells each."""
        return {}

    @property
    def uses_unlabelled(self) -> bool:
        """True where rows without a target teach the run something."""
        return False

    @property
    def keeps_last(self) -> bool:
        """True where validation does not score what it is for, so that the last weights are kept, not the best."""
        return False

    @property
    def couples_rows(self) -> bool:
        """True where the loss of a row depends on the others, so that parts don't add up to the whole."""
        return False

    @property
    def splits_batches(self) -> bool:
        """True where a batch is computed in parts, so that a loss which compares rows sees those of a part only."""
        return False

    @property
    def one_worker(self) -> str:
        """Why it is right in one process only, as what follows "it"; empty where several workers, each with its part of
        the batch, end as one does. A technique with a `gradient` stage has to say it."""
        return "compares the rows of a batch, of which a worker sees its part only" if self.couples_rows else ""

    @property
    def whole_weights(self) -> str:
        """Why it is not right where each worker holds a part of the base's weights (`Training.sharded`), as follows
        "it"; empty where it is. One that measures, descends, keeps weights or predicts in its own way has to say it."""
        return ""

    @property
    def depth(self) -> int | None:
        """The shallowest block whose input it changes in training; the frozen-layer cache ends there. None: none."""
        return None

    @property
    def predict_depth(self) -> int | None:
        """The same for `predict`: the frozen-layer cache of the validation rows ends there."""
        return None

    @property
    def acts_at_prediction(self) -> bool:
        """Whether it does anything in `predict`."""
        return type(self).predict is not Technique.predict

    def changes(self, column: str, modality: Modality) -> bool:
        """Whether these depths hold for this input; an input that it leaves alone is cached as it would be."""
        return True

    def cost(self, inner: Cost) -> Cost:
        """What a step costs with this technique around what it cost without."""
        return inner

    def adapt(self, network: Network, setup: Setup) -> Network:
        """Surgery before the optimizer exists: freeze, add adapters. Changes no prediction, unless it makes new heads
        (another fusion)."""
        return network

    def start(self, network: Network, setup: Setup) -> Mapping[str, np.ndarray] | None:
        """Starting values that must be computed from the training rows (a head solved on frozen features). What it
        gives, by name, `attach` finds in `Setup.began`; a resumed run computes it anew, before its weights are loaded.
        """
        return None

    def importance(self, network: Network, setup: Setup) -> np.ndarray | None:
        """What each training row counts for (N,), where the technique says no more than that: heads that are solved
        without a gradient honour it, too. Asked once, before `start`; `attach` finds it as `Setup.importance`."""
        return None

    def attach(self, network: Network, setup: Setup) -> Graft:
        """What the technique does in this run."""
        return Graft()

    @property
    def acts_in_steps(self) -> bool:
        """Whether it needs steps to act in, which heads without a gradient don't make."""
        cls = type(self)
        return cls.attach is not Technique.attach and cls.importance is Technique.importance

    @property
    def learns_features(self) -> bool:
        """Whether `learn` changes what the heads read, so that features can't be computed once for all episodes."""
        return False

    def learn(self, network: Network, support: Batch, target: str) -> Network | None:
        """At use: a network whose head of `target` tells the classes of a few rows apart (0, 1, ... in the batch's
        targets), which training never had; from the settings alone. None for a technique that has no way of its own.
        The network that is given stays as it is; what is not learned may be shared with it."""
        return None

    def predict(self, predictor: Predictor, rows: Rows) -> Predictor:
        """At validation, evaluation and prediction, from the settings and the rows at hand: a loaded model has no
        training rows. The network that a predictor is given stays as it is: adapt a copy."""
        return predictor
