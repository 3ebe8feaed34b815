"""A reward as the objective: the network learns to give answers that a metric, costs or your own function likes.

Plain training makes the right answer probable, whatever a wrong one costs. Here the expected reward of the network's
answers is what is climbed: a mean over classes (macro-F1), what confusions cost, or anything that a function says of an
answer, which need have no gradient. Where the answers are few, the expectation is summed exactly; else some are drawn.
It begins after `warm` steps of the usual loss, and a share of that loss stays (`mix`), without which probabilities
drift to 0 and 1. Try the cheap ways first, which need no training: `graft predict --costs` gives the answers of least
expected cost of any calibrated model, and the report measures them beside this one. It is worth its while where
the reward is no matter of deciding by probabilities: rewards that depend on the row, or on answers of many parts.

A metric over all rows becomes the reward of one of them by what that row's answer changes, while the other rows of the
batch keep their most probable answers: a first-order estimate, better in larger batches (docs/reward.md).

Source: Williams 1992 (REINFORCE); Kool et al. 2019 (RLOO); Rennie et al. 2017 (self-critical); Shao et al. 2024 (GRPO).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import torch
from torch import nn

from graftwork.core.technique import Cost, Graft, LossOutput, Objective, Phase, Setup, Technique, Terms
from graftwork.data.batch import Batch
from graftwork.errors import UsageError
from graftwork.networks.network import Forward, Network
from graftwork.spaces import Range, Spaces
from graftwork.techniques.checks import check_range
from graftwork.techniques.reward.acting import Acting
from graftwork.techniques.reward.choosing import acting
from graftwork.techniques.reward.starting_network import StartingNetwork
from graftwork.techniques.streams import StepStream


@dataclass(frozen=True)
class Reward(Technique):
    """Climb the expected reward of answers; exactly one of `metric`, `costs` and `call` says what that is.

    metric: one of the task's that scores answers, such as macro_f1. by: how the gradient is estimated: exact (summed
        over all answers), rloo, self-critical or group (of answers that are drawn); auto takes exact where the answers
        are few, else rloo. samples: answers that are drawn of a row, 2 or more (1 with self-critical).
    weight: factor on the reward, at least 0; 0 is off. mix: share of the usual loss that stays, at least 0. kl: weight
        of the divergence from the network as it was when the reward began to act, at least 0; costs a further forward.
        entropy: weight of the entropy of the answers, which keeps them from becoming too sure, at least 0.
    warm: how long the usual loss alone is learned first: a share of the run below 1, or a number of steps.
    spread: standard deviation of the numbers that are drawn around a predicted one, in those of the training target.
    target: which target is rewarded; none for all that it fits.
    """

    metric: str | None = None
    by: Literal["auto", "exact", "rloo", "self-critical", "group"] = "auto"
    samples: int = 4
    weight: float = 1.0
    mix: float = 0.5
    kl: float = 0.0
    entropy: float = 0.0
    warm: float = 0.5
    spread: float = 0.1
    target: str | None = None

    name: ClassVar[str] = "reward"
    phase: ClassVar[Phase] = Phase.REWARD
    summary: ClassVar[str] = "climb a reward of the answers: a metric, costs, a function"
    searched: ClassVar[Spaces] = {"weight": Range(0.1, 10.0, log=True), "mix": Range(0.0, 1.0)}
    # Rows must stay those of the table: rewards are looked up by them, whatever becomes of the targets.
    needs: ClassVar[frozenset[str]] = frozenset({"sampled_answers", "row_identity"})

    def __post_init__(self) -> None:
        if self.metric is None:
            raise UsageError(f"{self.name}: say what is rewarded, such as {self.name}:metric=macro_f1.")
        for setting in ("weight", "mix", "kl", "entropy", "warm"):
            check_range(self.name, setting, getattr(self, setting), 0.0, math.inf)
        check_range(self.name, "samples", self.samples, 1 if self.by == "self-critical" else 2, 1000)
        if not (math.isfinite(self.spread) and self.spread > 0):
            raise UsageError(f"{self.name}: spread is {self.spread}. Expected a number above 0, such as 0.1.")

    @property
    def off(self) -> bool:
        return self.weight == 0.0

    @property
    def couples_rows(self) -> bool:
        return self.metric is not None

    def cost(self, inner: Cost) -> Cost:
        return inner.plus(1, 0) if self.kl else inner

    def attach(self, network: Network, setup: Setup) -> Graft:
        stream, start = StepStream(setup.generator()), StartingNetwork(network)
        acts = acting(self, setup)
        seen = nn.ModuleDict({f"seen_{index}": one.seen for index, one in enumerate(acts)})
        begins = self.warm if self.warm < 1 else self.warm / max(1, setup.total_steps)

        def inputs(batch: Batch) -> Batch:
            if batch.progress >= begins:
                start.remember(network)
            return stream.renew(batch)

        def objective(inner: Objective) -> Objective:
            def measure(forward: Forward, batch: Batch) -> LossOutput:
                if batch.progress < begins:
                    return inner(forward, batch)
                reference = dict[str, Any]()
                if self.kl:
                    with torch.no_grad(), start.standing_in(network):
                        reference = forward(batch).predictions
                measured = inner(forward, batch)
                draw = torch.Generator().manual_seed(stream.seed(batch))
                terms = _mixed(measured.terms, acts, self.mix)
                for one in acts:
                    terms |= one.terms(batch, measured.output.predictions[one.name], reference.get(one.name), draw)
                return LossOutput(terms, measured.output)

            return measure

        return Graft(
            inputs=inputs,
            objective=objective,
            reference=start.network,
            told=tuple(f"{what} {one.name}" for one in acts for what in ("reward", "kl", "entropy")),
            state=nn.ModuleDict({"start": start, **seen}),
            generators={"answers": stream.generator},
        )


def _mixed(terms: Terms, acts: list[Acting], share: float) -> Terms:
    """The terms, the usual loss of these targets times this share."""
    rewarded = {one.name for one in acts} if share != 1.0 else set()
    return {
        name: replace(term, weight=term.weight * share) if name in rewarded else term for name, term in terms.items()
    }
