"""A reward as the objective: the network learns to give answers that a metric, costs or your own function likes.

Plain training makes the right answer probable, whatever a wrong one costs. Here the expected reward of the answers is
climbed: a mean over classes (macro-F1), what confusions cost, or what a function says of an answer, which need have no
gradient. It begins after `warm` steps of the usual loss, and a share of that loss stays (`mix`), without which
probabilities drift to 0 and 1. Try the cheap ways first, which need no training: `graft predict --costs` gives the
answers of least expected cost of any calibrated model; the report measures them beside this. It is worth its while
where the reward depends on the row, or an answer has many parts.

A metric of all rows becomes a reward of one by what its answer changes while the other rows of the batch keep their
most probable answers: a first-order estimate, better in larger batches (docs/reward.md).

Source: Williams 1992 (REINFORCE); Kool et al. 2019 (RLOO); Rennie et al. 2017 (self-critical); Shao et al. 2024 (GRPO).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import nn

from graftwork.core.technique import Cost, Graft, LossOutput, Objective, Phase, Setup, Technique
from graftwork.data.batch import Batch, Tensors
from graftwork.discovery.code import module_of
from graftwork.errors import UsageError
from graftwork.networks.network import Forward, Network
from graftwork.spaces import Range, Spaces
from graftwork.techniques.checks import check_range
from graftwork.techniques.reward.acting import with_rewards
from graftwork.techniques.reward.choosing import acting
from graftwork.techniques.reward.cost_table import as_text
from graftwork.techniques.reward.starting_network import StartingNetwork
from graftwork.techniques.streams import StepStream


@dataclass(frozen=True)
class Reward(Technique):
    """Climb the expected reward of answers: one of `metric`, `costs` and `call` says what that is.

    metric: one of the task's that scores answers, such as macro_f1; its first one where nothing else is named.
    costs: a table of what answers cost: the first column names the true class, then there is one column a class.
        cost_table: its cells with tabs between them, which a recipe keeps in place of the file.
    call: a function of yours, module:function, which is given a list of predictions and a list of their rows (dicts by
        column) and gives a number each, more is better.
    by: how the gradient is estimated: exact (summed over all answers), or rloo, self-critical, group (of some that are
        drawn); auto takes exact where answers are few, else rloo. samples: how many are drawn of a row, 2 or more.
    weight: factor on the reward, at least 0; 0 is off. mix: share of the usual loss that stays. kl: weight of the
        divergence from the network as it was when the reward began to act; it costs a further forward. entropy: weight
        of the answers' entropy, which keeps them from becoming too sure. All at least 0.
    warm: how long the usual loss alone is learned first: a share of the run below 1, or a number of steps.
    spread: standard deviation of the numbers that are drawn around a predicted one, in those of the training target.
    target: which target is rewarded; none for all that it fits.
    """

    metric: str | None = None
    costs: str | None = None
    cost_table: str = ""
    call: str | None = None
    by: Literal["auto", "exact", "rloo", "self-critical", "group"] = "auto"
    samples: int = 4
    weight: float = 1.0
    mix: float = 0.1
    kl: float = 0.0
    entropy: float = 0.0
    warm: float = 0.5
    spread: float = 0.1
    target: str | None = None

    name: ClassVar[str] = "reward"
    phase: ClassVar[Phase] = Phase.REWARD
    summary: ClassVar[str] = "climb a reward of the answers: a metric, costs, a function"
    searched: ClassVar[Spaces] = {"weight": Range(0.1, 10.0, log=True), "mix": Range(0.0, 1.0)}
    needs: ClassVar[frozenset[str]] = frozenset({"sampled_answers", "row_identity"})  # rewards are looked up by the row
    keeps_last: ClassVar[bool] = True
    one_worker: ClassVar[str] = "looks whether rewards vary over the rows of a step, all of which no worker sees"

    def __post_init__(self) -> None:
        given = [name for name in ("metric", "costs", "call") if getattr(self, name) is not None]
        if len(given) > 1 or (self.cost_table and self.costs is None):
            raise UsageError(
                f"{self.name}: {' and '.join(given)} say what is rewarded. Expected one of them."
                if len(given) > 1
                else f"{self.name}: cost_table is given without costs, the name of its file. Name it."
            )
        if self.call is not None:
            module_of(self.call, f"{self.name}, setting 'call'")
        if self.costs is not None and not self.cost_table:
            object.__setattr__(self, "cost_table", as_text(self.costs))
        for setting in ("weight", "mix", "kl", "entropy", "warm"):
            check_range(self.name, setting, getattr(self, setting), 0.0, math.inf)
        check_range(self.name, "samples", self.samples, 2, 1000)
        if not (math.isfinite(self.spread) and self.spread > 0):
            raise UsageError(f"{self.name}: spread is {self.spread}. Expected a number above 0, such as 0.1.")

    @property
    def off(self) -> bool:
        return self.weight == 0.0

    @property
    def code(self) -> tuple[str, ...]:
        return () if self.call is None else (module_of(self.call, f"{self.name}, setting 'call'"),)

    @property
    def uses_unlabelled(self) -> bool:
        return self.call is not None

    @property
    def couples_rows(self) -> bool:
        return self.costs is None and self.call is None

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
                reference = dict[str, Tensors]()
                if self.kl:
                    with torch.no_grad(), start.standing_in(network):
                        reference = forward(batch).predictions
                measured = inner(forward, batch)
                draw = torch.Generator().manual_seed(stream.seed(batch))
                return with_rewards(acts, measured, batch, reference, draw, self.mix)

            return measure

        return Graft(
            inputs=inputs,
            objective=objective,
            reference=start.network,
            aims={one.name: one.reward.aim for one in acts},
            told=tuple(f"{what} {one.name}" for one in acts for what in ("reward", "kl", "entropy")),
            state=nn.ModuleDict({"start": start, **seen}),
            generators={"answers": stream.generator},
        )
