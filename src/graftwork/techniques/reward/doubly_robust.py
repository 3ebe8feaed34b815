"""Doubly robust policy learning: the policy is moved towards what each action would have brought, told in two ways.

What an action that was not logged would have brought is said by a model of the rewards; where the logged action is the
one, that is put right by the reward itself, divided by the chance that it had. The sum is right on average where either
the propensities or the model of the rewards are (doubly robust), and varies less than propensities alone. The model is
cross-fitted on the features of the base as they are before the first step: what is said of a row is learned from other
rows. Where no propensities are logged, they are estimated in the same way.

The policy's expected value is then raised directly, over all actions, so that no action has to be drawn.

Sources: Dudik, Langford & Li 2011 (doubly robust policy evaluation and learning); Chernozhukov et al. 2018
(cross-fitting); Horvitz & Thompson 1952 (inverse propensities).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from graftwork.core.compose import task_losses
from graftwork.core.technique import Graft, Phase, Setup, TaskLoss, Technique, Term, Terms
from graftwork.data.batch import Batch
from graftwork.data.tensors import one_tensor
from graftwork.networks.network import Network, Output
from graftwork.tasks.capabilities import Logs
from graftwork.techniques.checks import check_range
from graftwork.techniques.reward.cross_fit import choice_propensities, dealt, expected_rewards, scaled


@dataclass(frozen=True)
class DoublyRobust(Technique):
    """Replace the loss of targets that are logged choices; other targets of the same run keep theirs.

    folds: into which the training rows are dealt for cross-fitting, 2 or more.
    """

    folds: int = 5

    name: ClassVar[str] = "doubly-robust"
    phase: ClassVar[Phase] = Phase.LABELS
    summary: ClassVar[str] = "a policy from logged choices, by a cross-fitted model of their rewards"
    needs: ClassVar[frozenset[str]] = frozenset({"logged_choices", "row_identity", "row_features"})
    claims: ClassVar[frozenset[str]] = frozenset({"task loss"})

    def __post_init__(self) -> None:
        check_range(self.name, "folds", self.folds, 2, 100)

    def start(self, network: Network, setup: Setup) -> Mapping[str, np.ndarray]:
        found, features = dict[str, np.ndarray](), setup.features(network)
        for target, task in logged(setup).items():
            log, known = setup.targets[target], setup.labelled[target]
            action = np.where(known, log[:, 0], -1).astype(np.int64)
            seen, fold = scaled(features, known), dealt(len(log), self.folds, setup.seed)
            reward = task.standardised(log[:, 1].astype(np.float64))
            found[f"rewards {target}"] = expected_rewards(seen, action, reward, task.actions, fold, setup.check)
            propensity = log[:, 2].astype(np.float64)
            if not (propensity[known] > 0).all():
                propensity = choice_propensities(seen, action, task.actions, fold, setup.seed, setup.check)
            found[f"propensity {target}"] = propensity.astype(np.float32)
        return found

    def attach(self, network: Network, setup: Setup) -> Graft:
        return Graft(task=self._loss(setup))

    def _loss(self, setup: Setup) -> TaskLoss:
        chosen = logged(setup)
        others = task_losses({name: task for name, task in setup.tasks.items() if name not in chosen})
        said = {name: torch.from_numpy(values).to(setup.device) for name, values in setup.began.items()}

        def loss(batch: Batch, output: Output) -> Terms:
            terms = dict(others(batch, output))
            for name, task in chosen.items():
                predictions, target = one_tensor(output.predictions[name]), one_tensor(batch.targets[name])
                before = said.get(f"rewards {name}"), said.get(f"propensity {name}")
                rewards = brought(task, predictions.detach(), target, batch, *before)
                value = task.improvement_loss(predictions, rewards) + task.reward_and_choice_loss(predictions, target)
                value = value * batch.labelled[name]
                value = value if batch.weight is None else value * batch.weight
                terms[name] = Term(value, batch.labelled_size[name])
            return {name: terms[name] for name in setup.tasks}

        return loss


def logged(setup: Setup) -> dict[str, Logs]:
    """The targets that are logged choices, and their tasks."""
    return {name: task for name, task in setup.tasks.items() if isinstance(task, Logs)}


def brought(
    task: Logs, predictions: Tensor, target: Tensor, batch: Batch, rewards: Tensor | None, propensity: Tensor | None
) -> Tensor:
    """What each action would have brought in each row (B, K): the expected reward, put right where it was logged.

    rewards (N, K), propensity (N,): of the training rows, cross-fitted. Rows that are not among them, which a run that
    streams sees for the first time, have those that the network itself expects.
    """
    said, action = task.expected(predictions), target[:, 0].long().clamp(min=0)
    own = task.logging_policy(predictions)
    chance = target[:, 2] if own is None else own.gather(1, action[:, None]).squeeze(1)
    if rewards is not None and propensity is not None:
        known = batch.rows < len(rewards)
        rows = torch.where(known, batch.rows, 0)
        said, chance = torch.where(known[:, None], rewards[rows], said), torch.where(known, propensity[rows], chance)
    wanted = task.standardised(target[:, 1])
    weight = (1.0 / chance.clamp(min=1e-12)).clamp(max=task.clip)
    missed = wanted - said.gather(1, action[:, None]).squeeze(1)
    return said.scatter_add(1, action[:, None], (weight * missed)[:, None])
