"""Advantage-weighted cloning: of logged actions, those after which more came than was to be expected count for more.

Plain cloning learns whatever was done, by the good and by the bad alike. Here each row is weighted by how much better
its return to go was than the mean in such a situation, so that the policy becomes better than the ones that made the
log, as far as the log shows better actions. It brings nothing where all rollouts are equally good, and less the fewer
rollouts there are: what came of an action is then mostly chance. It never tries what no one has done.

The mean in a situation is a ridge regression of the return to go on what the heads read and on the place in the
rollout, each rollout predicted by a fit on the others.

Source: Peng et al. 2019 (advantage-weighted regression), its weights: exp(advantage / temperature), cut off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch

from graftwork.core.technique import Graft, Phase, Setup, Technique
from graftwork.data.batch import Batch
from graftwork.data.rollouts import NONE
from graftwork.errors import RefusedError
from graftwork.networks.network import Network
from graftwork.spaces import Range, Spaces
from graftwork.techniques.checks import check_range
from graftwork.techniques.reward.value_baseline import expected_returns


@dataclass(frozen=True)
class AdvantageWeighted(Technique):
    """Multiply the weight of each row of a rollout by `exp(advantage / temperature)`, at most `clip`; then all by one
    number, so that the rows weigh 1 on average. Advantages are in standard deviations of themselves.

    temperature: above 0; the smaller, the more the best actions count, the larger, the nearer to plain cloning.
    clip: largest weight before that, at least 1. discount: what a reward counts for one row earlier, from 0 to 1; the
    nearer to 1, the further ahead an action is judged.
    """

    temperature: float = 1.0
    clip: float = 20.0
    discount: float = 0.99

    name: ClassVar[str] = "advantage-weighted"
    phase: ClassVar[Phase] = Phase.LABELS
    summary: ClassVar[str] = "logged actions that brought more than expected count for more (AWR)"
    searched: ClassVar[Spaces] = {"temperature": Range(0.2, 3.0, log=True)}
    needs: ClassVar[frozenset[str]] = frozenset({"rollouts", "row_outputs"})

    def __post_init__(self) -> None:
        check_range(self.name, "temperature", self.temperature, 1e-3, math.inf)
        check_range(self.name, "clip", self.clip, 1.0, math.inf)
        check_range(self.name, "discount", self.discount, 0.0, 1.0)

    def importance(self, network: Network, setup: Setup) -> np.ndarray:
        rollouts = setup.rollouts
        if rollouts is None:  # the fact `rollouts` says that there are some
            raise AssertionError("no rollouts")
        returns = rollouts.returns(self.discount)
        known = rollouts.rollout != NONE
        _check_returns(self.name, returns[known])
        expected = expected_returns(setup.features(network), rollouts, returns)
        return advantage_weights(returns - expected, known, self.temperature, self.clip)

    def attach(self, network: Network, setup: Setup) -> Graft:
        said = np.ones(setup.rows) if setup.importance is None else setup.importance
        weights = torch.from_numpy(said).float().to(setup.device)

        def inputs(batch: Batch) -> Batch:
            own = weights[batch.rows]
            return replace(batch, weight=own if batch.weight is None else batch.weight * own)

        return Graft(inputs=inputs)


def advantage_weights(advantages: np.ndarray, known: np.ndarray, temperature: float, clip: float) -> np.ndarray:
    """The weight of each row (N,), 1 on average; rows that are not `known` (N,), of no rollout, have exactly 1.

    >>> advantage_weights(np.array([0.0, 1.0, 9.0]), np.array([True, True, False]), 1.0, 20.0).round(3).tolist()
    [0.238, 1.762, 1.0]
    """
    own = advantages[known]
    spread = float(own.std())
    standard = (own - own.mean()) / spread if spread > 0 else np.zeros(len(own))
    weights = np.exp(np.minimum(standard / temperature, math.log(clip)))
    found = np.ones(len(advantages))
    found[known] = weights / weights.mean()
    return found


def _check_returns(name: str, returns: np.ndarray) -> None:
    if len(returns) == 0:
        raise RefusedError(f"{name}: no training row belongs to a rollout. Expected the column --role rollout to say.")
    if float(np.ptp(returns)) == 0.0:
        raise RefusedError(
            f"{name}: what came after each of the {len(returns):,} rows is the same, {returns[0]:g}, so that no action "
            f"is better than another. Is this the right reward column? Drop {name} to learn what was done as it was."
        )
