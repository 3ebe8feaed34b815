"""What a task can do beyond predicting, as protocols that techniques ask for; a fact is derived from each.

A task that lacks one need not say so: a technique that needs it names the fact, and is refused in words
(`core/contract/facts.py`). Add a method to a task, and everything that needs it works with the task.
"""

from __future__ import annotations

from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from graftwork.data.batch import Batch
from graftwork.data.episodes import Episodes
from graftwork.data.tensors import Tensors, in_float32
from graftwork.errors import RefusedError
from graftwork.networks.heads.solving.problem import NamedLoss
from graftwork.networks.network import Network
from graftwork.tasks.labels import Labels
from graftwork.tasks.metrics.pair_calibration import PairCalibration


@runtime_checkable
class Mixable(Protocol):
    """Targets of several rows can be mixed by weight, or smoothed: the fact `mixable_targets`."""

    def soften(self, target: Any) -> Tensor:
        """Targets as floating-point numbers that can be mixed, and that `loss` takes in place of what was encoded:
        class indices become rows of probabilities (B, C)."""


@runtime_checkable
class Comparable(Protocol):
    """Two predictions of a row can be held against each other: the fact `comparable_predictions`."""

    def divergence(self, predictions: Any, reference: Any) -> Tensor:
        """How far each row's predictions are from the reference predictions (B,): KL of probabilities, or squares."""


@runtime_checkable
class Calibrated(Protocol):
    """Predictions say how probable each output is, and a temperature makes that honest: the fact `probabilities`."""

    def probabilities(self, predictions: Any, temperature: float = 1.0) -> Tensor:
        """Probabilities (B, outputs) of predictions (B, outputs)."""


@runtime_checkable
class Sampled(Protocol):
    """Answers can be drawn from its predictions, each as probable as they say: the fact `sampled_answers`.

    Answers are encoded targets, several of each row (S, B, ...), or one (N, ...).
    """

    def draw(self, predictions: Any, count: int, generator: torch.Generator) -> Tensor:
        """So many answers of each row. `generator` is on the CPU, so that a run on a GPU draws the same."""

    def log_prob(self, predictions: Any, answers: Tensor) -> Tensor:
        """Logarithms of how probable (or dense, of numbers) these answers are, by row (S, B); with a gradient."""

    def entropy(self, predictions: Any) -> Tensor:
        """Of the answers of each row, in nats (B,)."""

    def relative_entropy(self, predictions: Any, reference: Any) -> Tensor:
        """KL(predictions || reference) of the answers of each row, in nats (B,)."""

    def mode(self, predictions: Any) -> Tensor:
        """The answer of each row that would be given (B, ...)."""

    def as_kept(self, answers: Tensor) -> Any:
        """Answers (N, ...) as sure predictions, in the form of `Task.scored`, so that any metric scores them."""


@runtime_checkable
class Enumerated(Sampled, Protocol):
    """All the answers that there are can be listed, so that nothing need be drawn."""

    @property
    def choice_count(self) -> int:
        """How many there are; a row at a time."""

    def choices(self, predictions: Any) -> Tensor:
        """All of them, the same for each row (K, B, ...)."""

    def choice_log_probs(self, predictions: Any) -> Tensor:
        """`log_prob` of all of them (K, B)."""


@runtime_checkable
class Spreading(Protocol):
    """Predicts numbers, around which answers are drawn."""

    def spread_by(self, spread: float) -> Self:
        """The same task, whose answers have this standard deviation, in those of the training target."""


@runtime_checkable
class Measures(Protocol):
    """Predicts numbers, and knows a scale on which errors of all sizes of them are alike."""

    def on_scale(self, numbers: np.ndarray) -> np.ndarray:
        """Numbers in the units of the column on that scale."""

    def off_scale(self, scaled: np.ndarray) -> np.ndarray:
        """The inverse of `on_scale`."""


@runtime_checkable
class Labelled(Protocol):
    """Its classes are labels that stand in the target column."""

    @property
    def labels(self) -> Labels:
        """Those, in the order of the outputs."""


@runtime_checkable
class Decides(Protocol):
    """A class is predicted from a probability on, which can be moved."""

    @property
    def threshold(self) -> float:
        """That probability: of the second one of two classes, or of any one of a label set."""

    def deciding_from(self, threshold: float) -> Self:
        """The same task with another one."""


@runtime_checkable
class Weighs(Protocol):
    """Of several classes, the one is predicted whose probability times a weight of its own is highest."""

    @property
    def weights(self) -> tuple[float, ...]:
        """Those of the classes, above 0; empty where the most probable class is predicted."""

    def weighing(self, weights: tuple[float, ...]) -> Self:
        """The same task with other ones."""


@runtime_checkable
class Named(Protocol):
    """Its loss is known elsewhere too, so that a head can be solved by another library: the fact `named_loss`."""

    @property
    def named_loss(self) -> NamedLoss | None:
        """What it is called there; None, and no fact, where such a head would be no help."""


@runtime_checkable
class Verifies(Protocol):
    """Says from which likeness on two rows show the same one."""

    @property
    def calibration(self) -> PairCalibration | None:
        """The thresholds that held-out rows taught; None where too little was held out."""


@runtime_checkable
class Episodic(Protocol):
    """Is scored by episodes, each of which learns new classes from a few rows."""

    @property
    def shape(self) -> Episodes:
        """How the episodes are drawn."""


@runtime_checkable
class Corrupts(Protocol):
    """Makes its targets of the inputs themselves: it hides some of what a row holds, or shows each row twice
    (`core/rows/corruption.py` says when)."""

    @property
    def shows_twice(self) -> bool:
        """Whether each row comes twice, one right behind the other, so that whatever augments makes two views of it.
        `corrupt` is not called then."""

    def corrupt(self, batch: Batch, name: str, network: Network, generator: torch.Generator) -> Batch:
        """The batch with some of its inputs hidden, and what is asked for as the targets of `name`. All draws come
        from `generator`, which is on the CPU, so that a run on a GPU draws the same."""


@runtime_checkable
class Logs(Protocol):
    """Learns which of K actions to choose from a log of choices: the fact `logged_choices`. Targets are (N, 3): the
    logged action, its reward and its propensity, 0 where none is logged."""

    @property
    def actions(self) -> int:
        """K."""

    @property
    def clip(self) -> float:
        """The largest weight of a row, 1 / propensity."""

    def standardised(self, rewards: Any) -> Any:
        """Rewards (N,), an array or a tensor, as `expected` has them."""

    def expected(self, predictions: Any) -> Tensor:
        """The reward to expect of each action (B, K), standardised."""

    def logging_policy(self, predictions: Any) -> Tensor | None:
        """How probable each action is in the log (B, K); None where propensities are logged."""

    def improvement_loss(self, predictions: Any, rewards: Tensor) -> Tensor:
        """Less the reward that the policy brings where each action brings so much (B, K); (B,)."""

    def reward_and_choice_loss(self, predictions: Any, target: Any) -> Tensor:
        """The loss of what is learned beside the policy (B,): `expected`, and where needed `logging_policy`."""


@runtime_checkable
class Accompanied(Protocol):
    """Is learned best beside techniques of its own."""

    @property
    def usual_techniques(self) -> tuple[str, ...]:
        """Their names: `techniques: auto` takes them in every run, beside those that it tries."""


@runtime_checkable
class LeadsOn(Protocol):
    """Its model is for something else than predicting new rows."""

    @property
    def leads_to(self) -> tuple[str, str]:
        """What that is, as a sentence, and the command to copy, with `{folder}` for where the model lies."""


FACTS: dict[str, type] = {
    "mixable_targets": Mixable,
    "comparable_predictions": Comparable,
    "probabilities": Calibrated,
    "sampled_answers": Sampled,
    "logged_choices": Logs,
}
"""The facts that a task has by what it can do."""


def facts_of(task: object) -> frozenset[str]:
    """Those of one task."""
    named = frozenset({"named_loss"} if isinstance(task, Named) and task.named_loss else ())
    return named | frozenset(fact for fact, capability in FACTS.items() if isinstance(task, capability))


def softened(task: object, target: Tensors) -> Tensor:
    """`Mixable.soften` of a task. Raises RefusedError where it has none."""
    if not isinstance(task, Mixable):
        raise _lacks(task, "its targets can't be mixed or smoothed")
    return task.soften(target)


def divergence(task: object, predictions: Tensors, reference: Tensors) -> Tensor:
    """`Comparable.divergence` of each row (B,), in float32. Raises RefusedError where the task has none."""
    if not isinstance(task, Comparable):
        raise _lacks(task, "two of its predictions can't be held against each other")
    return task.divergence(in_float32(predictions), in_float32(reference))


def probabilities(task: object, predictions: Tensors) -> Tensor:
    """`Calibrated.probabilities` (B, outputs), in float32. Raises RefusedError where the task has none."""
    if not isinstance(task, Calibrated):
        raise _lacks(task, "it has no probabilities")
    return task.probabilities(in_float32(predictions)).float()


def _lacks(task: object, what: str) -> RefusedError:
    return RefusedError(f"The task {getattr(task, 'name', task)} does not do this: {what}. Drop the technique.")
