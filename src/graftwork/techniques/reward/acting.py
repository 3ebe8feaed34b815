"""How a reward acts on one target of a step: answers are listed or drawn, rewarded, and made the terms of a loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from graftwork.core.technique import LossOutput, Term, Terms, per_row
from graftwork.data.batch import Batch
from graftwork.data.tensors import Tensors, each_tensor, in_float32
from graftwork.tasks.capabilities import Enumerated, Sampled
from graftwork.techniques.reward.estimators import exact, group, leave_one_out, policy_gradient, self_critical
from graftwork.techniques.reward.rewards import Asked, RowReward
from graftwork.techniques.reward.variation import Variation

Estimator = Literal["exact", "rloo", "self-critical", "group"]


@dataclass(frozen=True)
class Acting:
    """A reward on one target. seen: what was seen of its rewards.

    entropy: weight of the entropy. kl: weight of the divergence from the starting network.
    """

    name: str
    task: Sampled
    reward: RowReward
    by: Estimator
    samples: int
    weight: float
    kl: float
    entropy: float
    seen: Variation

    def terms(self, batch: Batch, given: Tensors, reference: Tensors | None, draw: torch.Generator) -> Terms:
        """given: predictions, with their graph. reference: those of the starting network."""
        predictions = in_float32(given)
        mask = batch.labelled[self.name] if self.reward.needs_truth else torch.ones_like(batch.labelled[self.name])
        loss = told = torch.zeros(len(batch), device=mask.device)
        if mask.any():
            places = mask.nonzero().squeeze(1)
            picked = each_tensor(lambda tensor: tensor[places], predictions)
            found = self._learned(batch.rows[places].cpu().numpy(), picked, draw)
            loss, told = (torch.zeros(len(batch), device=mask.device).index_copy(0, places, each) for each in found)
        count = batch.labelled_size[self.name] if self.reward.needs_truth else float(batch.size)
        weighted = loss if batch.weight is None else loss * batch.weight
        mean_of = batch.size * float(mask.float().mean())
        entropy = self.task.entropy(predictions if self.entropy else each_tensor(Tensor.detach, predictions))
        terms = {
            f"policy {self.name}": Term(weighted, count, self.weight),
            f"reward {self.name}": Term(told, mean_of, 0.0),
            f"entropy {self.name}": per_row(entropy, batch, -self.entropy),
        }
        if reference is not None:
            apart = self.task.relative_entropy(predictions, in_float32(reference))
            terms[f"kl {self.name}"] = per_row(apart, batch, self.kl)
        return terms

    def _learned(self, rows: np.ndarray, predictions: Tensors, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        """The loss of each row, and the reward that is expected, without a graph."""
        mode = self.task.mode(predictions)
        if self.by == "exact":
            assert isinstance(self.task, Enumerated)
            answers, log_probs = self.task.choices(predictions), self.task.choice_log_probs(predictions)
            rewards = self._rewarded(rows, answers, mode, alike=True)
            return exact(log_probs, rewards * self.reward.scale), -exact(log_probs.detach(), rewards)
        answers = self.task.draw(predictions, self.samples, draw)
        log_probs = self.task.log_prob(predictions, answers)
        if self.by == "self-critical":
            rewards = self._rewarded(rows, torch.cat([answers, mode.unsqueeze(0)]), mode)
            rewards, of_mode = rewards[:-1], rewards[-1]
            scaled = rewards * self.reward.scale
            advantages = self_critical(scaled, of_mode * self.reward.scale)
        else:
            rewards = self._rewarded(rows, answers, mode)
            scaled = rewards * self.reward.scale
            advantages = leave_one_out(scaled) if self.by == "rloo" else group(scaled)
        return policy_gradient(log_probs, scaled, advantages), rewards.mean(dim=0)

    def _rewarded(self, rows: np.ndarray, answers: Tensor, mode: Tensor, alike: bool = False) -> Tensor:
        rewards = self.reward(Asked(rows, answers, mode, alike))
        self.seen.see(rewards)
        return rewards


def with_rewards(
    acts: Sequence[Acting],
    measured: LossOutput,
    batch: Batch,
    reference: Mapping[str, Tensors],
    draw: torch.Generator,
    mix: float,
) -> LossOutput:
    """What was measured, with the rewards of its predictions. reference: predictions of the starting network by target,
    where they are asked for. mix: the share of the usual loss of a rewarded target that stays."""
    terms = dict(measured.terms)
    for one in acts:
        if mix != 1.0 and one.name in terms:
            terms[one.name] = replace(terms[one.name], weight=terms[one.name].weight * mix)
        terms |= one.terms(batch, measured.output.predictions[one.name], reference.get(one.name), draw)
    return LossOutput(terms, measured.output)
