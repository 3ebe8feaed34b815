"""What answers are rewarded with, and a metric as that."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from graftwork.core.technique import Aim
from graftwork.tasks.capabilities import Sampled
from graftwork.tasks.metrics.metric import Metric
from graftwork.tasks.metrics.one_changed import one_changed
from graftwork.tasks.metrics.registry import given_to
from graftwork.tasks.task import Task


@dataclass(frozen=True)
class Asked:
    """Answers of some training rows.

    rows: their numbers in the training table (B,). answers: encoded (A, B, ...). mode: the answers that would be given
    (B, ...). alike: the answers are the same for each row.
    """

    rows: np.ndarray
    answers: Tensor
    mode: Tensor
    alike: bool = False


class RowReward(Protocol):
    """Rewards of answers, more is better."""

    @property
    def needs_truth(self) -> bool:
        """Whether rows without a target have none."""

    @property
    def scale(self) -> float:
        """What rewards are multiplied by where they are learned from, so that they are of the size of 1."""

    @property
    def aim(self) -> Aim:
        """What it is that they are for."""

    def __call__(self, asked: Asked) -> Tensor:
        """Of each answer (A, B), in float32, where the answers are."""


@dataclass(frozen=True)
class MetricReward:
    """A metric as the reward of a row: B times what it changes if this row has that answer, and all other rows of the
    batch the most probable ones, on top of what it is then. The mean over rows is the expected metric where it is a
    mean over rows, and else its first-order estimate around the most probable answers.

    answering: the task once more, as what answers. targets: encoded, of all training rows.
    """

    metric: Metric
    task: Task
    answering: Sampled
    targets: Any
    scale: float = 1.0
    needs_truth: bool = True

    @property
    def aim(self) -> Aim:
        return Aim(self.metric.name, metric=self.metric)

    def __call__(self, asked: Asked) -> Tensor:
        every = np.arange(len(asked.rows))
        targets, modes = self.targets[asked.rows], asked.mode.cpu().numpy()
        first, kind, times = _distinct(targets, modes) if asked.alike else (every, every, np.ones(len(every)))
        picked = torch.from_numpy(first)
        answers = asked.answers[:, picked]
        truth, held = self._given(targets[first], asked.mode[picked])
        _, others = self._given(targets[np.tile(first, len(answers))], answers.reshape(-1, *answers.shape[2:]))
        base, changed = one_changed(self.metric.scorer, truth, held, others, times)
        found = base + len(every) * (changed[:, kind] - base)
        found = found if self.metric.higher_is_better else -found
        return torch.from_numpy(found).float().to(asked.answers.device)

    def _given(self, targets: Any, answers: Tensor) -> tuple[Any, Any]:
        """The truth, and what the metric reads of answers to it."""
        truth, compared = self.task.metric_inputs(targets, self.answering.as_kept(answers))
        return truth, given_to(self.metric, self.task, compared)


def _distinct(targets: np.ndarray, modes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of rows with the same target and the same most probable answer: the first one of each kind, the kind of each row,
    and how many there are of each."""
    if targets.ndim == 1:
        pairs, axis = targets * (int(modes.max()) + 1) + modes, None
    else:
        pairs, axis = np.concatenate([targets, modes], axis=1), 0
    found = np.unique(pairs, axis=axis, return_index=True, return_inverse=True, return_counts=True)
    return found[1], found[2].reshape(-1), found[3]


def metric_reward(metric: Metric, task: Task, answering: Sampled, targets: Any, labelled: np.ndarray) -> MetricReward:
    """targets, labelled: of all training rows. An error in the units of the target is learned in its deviations."""
    scale = 1.0
    if metric.unit == "own":
        spread = float(np.std(task.truth(targets[labelled])))
        scale = 1.0 / spread if math.isfinite(spread) and spread > 0 else 1.0
    return MetricReward(metric, task, answering, targets, scale)
