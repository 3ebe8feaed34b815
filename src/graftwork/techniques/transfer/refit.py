"""Refit: at the end the head is solved again, on the features as they have become.

A head that is trained step by step together with the base lags behind it, and with few rows it ends where the steps
happened to end. Solved on the tuned features it is the best head for them, and its penalty keeps it modest. It costs
one pass over the training rows at each validation (from the cache, as far as the base is frozen). It brings little
where many epochs have let the head settle.

Source: SetFit's second stage (Tunstall et al. 2022); last-layer retraining (Kirichenko et al. 2023).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import ClassVar

from graftwork.core.technique import Graft, Phase, Setup, Technique
from graftwork.networks.network import Network
from graftwork.techniques.transfer.head_initialisation import L2, check_l2, start_heads


@dataclass(frozen=True)
class Refit(Technique):
    """Solve the head again whenever the network is scored or saved; training itself goes on with its own head.

    l2: strength of the penalty on the head's weights, scikit-learn's 1/C on features scaled to a mean squared length
        of 1; "auto" chooses it on held-out training rows. At least 0. Only a linear head uses it.
    """

    l2: L2 = "auto"

    name: ClassVar[str] = "refit"
    phase: ClassVar[Phase] = Phase.REFIT
    summary: ClassVar[str] = "the head is solved again on the tuned features"
    whole_weights: ClassVar[str] = "scores and keeps a copy of the network, and sharded layers can't be copied"
    # On frozen features it would solve the head once more, and what else trains the head would be lost.
    needs: ClassVar[frozenset[str]] = frozenset({"trainable_features", "solvable_heads"})
    claims: ClassVar[frozenset[str]] = frozenset({"final head"})

    def __post_init__(self) -> None:
        check_l2(self.name, self.l2)

    def attach(self, network: Network, setup: Setup) -> Graft:
        def view(trained: Network) -> Network:
            viewed = copy.deepcopy(trained)
            start_heads(viewed, setup, self.l2)
            return viewed

        return Graft(view=view)
