"""Uncertainty weighting: how much each target counts is learned, from how well it can be predicted.

Each target has a learned noise: a target that stays hard to predict counts for less, one that is predicted exactly for
more, so that losses of different sizes need no weights found by hand. It suits targets of different kinds (numbers
beside classes). A target with many wrong labels is taken for a noisy one, and so is one that just learns slowly; then
fixed weights are better. The noise moves with the heads' learning rate, so it needs some hundred steps to matter.

Source: Kendall, Gal & Cipolla 2018 (multi-task learning using uncertainty to weigh losses).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from graftwork.core.technique import Graft, Phase, Setup, Technique, Term, Terms
from graftwork.data.batch import Batch
from graftwork.networks.network import Network
from graftwork.techniques.multitask.targets import check_terms


def factor(log_variance: Tensor, number: bool) -> Tensor:
    """What a target's loss is multiplied by: `exp(-s)` for classes, half of it for the squared error of a number."""
    return torch.exp(-log_variance) * (0.5 if number else 1.0)


class LogVariances(nn.Module):
    """`s = log(sigma^2)` of each target; 0 at the start."""

    def __init__(self, targets: int) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.zeros(targets))


@dataclass(frozen=True)
class Uncertainty(Technique):
    """Weigh the loss of each target by `exp(-s)`, and add `s / 2`, with `s` learned for each target. No settings."""

    name: ClassVar[str] = "uncertainty"
    phase: ClassVar[Phase] = Phase.TARGETS
    summary: ClassVar[str] = "learned weights of the targets' losses (Kendall)"
    needs: ClassVar[frozenset[str]] = frozenset({"several_targets"})
    claims: ClassVar[frozenset[str]] = frozenset({"target weights"})

    def attach(self, network: Network, setup: Setup) -> Graft:
        numbers = {target: "real_targets" in task.facts for target, task in setup.tasks.items()}
        state = LogVariances(len(numbers))

        def combine(batch: Batch, terms: Terms) -> Terms:
            check_terms(self.name, terms, numbers)
            changed = dict(terms)
            for s, (target, number) in zip(state.values, numbers.items(), strict=True):
                term = terms[target]
                changed[target] = replace(term, value=term.value * factor(s, number))
                # As likelihoods have it, a row counts for the noise of the targets that it has.
                labelled = batch.labelled[target].sum()
                changed[f"{self.name} {target}"] = Term(0.5 * s * labelled, batch.labelled_size[target])
            return changed

        return Graft(combine=combine, state=state)
