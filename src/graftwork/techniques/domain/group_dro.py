"""Group distributionally robust optimisation: the worst domain counts most.

The mean loss can be low while one domain is lost; here each domain has a weight that rises while its loss is high. It
helps the worst domain where the classes go with the domain by chance (spurious features), usually at a small cost in
the mean. Regularise strongly (weight decay, few epochs): once every training row is learned, all weights are equal
again.

Source: Sagawa et al. 2020: `q_d <- q_d exp(step * loss_d)`, then the loss is the sum over domains of `q_d loss_d`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from graftwork.core.parallel.workers import Workers
from graftwork.core.technique import Graft, Phase, Setup, Technique, Terms
from graftwork.data.batch import Batch
from graftwork.networks.network import Network
from graftwork.spaces import Range, Spaces
from graftwork.techniques.checks import check_range

_LEAST = 1e-12
"""A weight never falls below this, so that it can rise again."""


class DomainWeights(nn.Module):
    """A weight for each domain (D,), 1 in sum; a buffer, so that it is checkpointed."""

    share: Tensor

    def __init__(self, domains: int) -> None:
        super().__init__()
        self.register_buffer("share", torch.full((domains,), 1.0 / domains))

    @torch.no_grad()
    def update(self, losses: Tensor, seen: Tensor, step: float) -> None:
        """losses: mean loss of each domain (D,). seen: which domains the batch holds (D,)."""
        rise = step * losses * seen
        # Less the largest one, which changes no ratio: the exponential of a diverging loss is infinite.
        raised = self.share.clamp_min(_LEAST) * torch.exp(rise - rise.max())
        self.share.copy_(raised / raised.sum())


@dataclass(frozen=True)
class GroupDRO(Technique):
    """Weigh the domains' losses, the worst one most.

    step: how fast the weights follow the losses, at least 0; 0 is off. Rows without a domain keep their own weight.
        Domains that a batch lacks take no part in its step.
    """

    step: float = 0.01

    name: ClassVar[str] = "group-dro"
    phase: ClassVar[Phase] = Phase.VIEWS
    summary: ClassVar[str] = "the domain with the highest loss counts most"
    searched: ClassVar[Spaces] = {"step": Range(0.001, 0.1, log=True)}
    needs: ClassVar[frozenset[str]] = frozenset({"domain"})
    couples_rows: ClassVar[bool] = True
    one_worker: ClassVar[str] = ""

    def __post_init__(self) -> None:
        check_range(self.name, "step", self.step, 0.0, 100.0)

    @property
    def off(self) -> bool:
        return self.step == 0.0

    def attach(self, network: Network, setup: Setup) -> Graft:
        states = nn.ModuleList(DomainWeights(len(setup.domains)).to(setup.device) for _ in setup.tasks)

        def combine(batch: Batch, terms: Terms) -> Terms:
            changed = dict(terms)
            for index, name in enumerate(setup.tasks):
                weights = states[index]
                assert isinstance(weights, DomainWeights)
                if name in terms and terms[name].value.ndim == 1:
                    value = _weighted(terms[name].value, batch, name, weights, self.step, setup.workers)
                    changed[name] = replace(terms[name], value=value)
            return changed

        return Graft(combine=combine, state=states)


def _weighted(value: Tensor, batch: Batch, name: str, weights: DomainWeights, step: float, workers: Workers) -> Tensor:
    """Losses of the rows (B,), so that their mean over the labelled rows is the weighted mean over the domains; those
    of all workers together."""
    assert batch.domain is not None
    codes, known = batch.domain.clamp_min(0), (batch.domain >= 0) & batch.labelled[name]
    one = known.to(value.dtype)
    rows = torch.zeros_like(weights.share).index_add_(0, codes, one)
    sums = torch.zeros_like(weights.share).index_add_(0, codes, value.detach() * one)
    rows, sums = workers.sum(torch.stack([rows, sums]))
    weights.update(sums / rows.clamp_min(1.0), rows > 0, step)
    # Of the domains seen here, each in proportion to its weight; their rows together count as before.
    share = weights.share * (rows > 0)
    factor = (share / share.sum().clamp_min(1e-12) * rows.sum() / rows.clamp_min(1.0))[codes]
    return torch.where(known, value * factor, value)
