"""Small-loss selection: of each batch only the rows with the smallest loss are learned, since wrong labels cost most.

Networks learn what is regular before they learn wrong labels by heart, so early on the rows with a large loss are
mostly those with wrong labels. Use it where a known share of the labels is wrong, and set `noise` to about that share.
On clean labels it drops the hard and rare rows, which are the ones worth learning; with very unequal classes it drops
the rare class. It is the selection of co-teaching with one network: two would be less prone to confirm themselves.

Source: Han et al. 2018 (co-teaching), with its schedule; Jiang et al. 2018 (one network).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from graftwork.core.technique import Graft, Phase, Setup, Technique, Term, Terms
from graftwork.data.batch import Batch
from graftwork.networks.network import Network
from graftwork.spaces import Range, Spaces
from graftwork.techniques.checks import check_range


def kept(losses: Tensor, candidates: Tensor, share: float) -> Tensor:
    """Which rows (B,) are learned: the `share` of the candidates (B,) with the smallest losses (B,), one at least."""
    many = math.ceil(share * int(candidates.sum()) - 1e-9)
    order = torch.argsort(losses.detach().masked_fill(~candidates, math.inf), stable=True)
    chosen = torch.zeros_like(candidates)
    chosen[order[: max(many, min(1, int(candidates.sum())))]] = True
    return chosen


@dataclass(frozen=True)
class SmallLoss(Technique):
    """Leave the rows with the largest losses out of each batch.

    noise: share of the rows that is left out in the end, from 0 (off) to below 1: about that of the wrong labels.
    warmup: share of the run, from 0 to 1, in which what is left out grows from nothing to that.
    """

    noise: float = 0.2
    warmup: float = 0.3

    name: ClassVar[str] = "small-loss"
    phase: ClassVar[Phase] = Phase.LABELS
    summary: ClassVar[str] = "learn only the rows of small loss, where labels are wrong"
    searched: ClassVar[Spaces] = {"noise": Range(0.05, 0.4)}
    needs: ClassVar[frozenset[str]] = frozenset({"target_column"})
    couples_rows: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_range(self.name, "noise", self.noise, 0.0, 1.0, below=True)
        check_range(self.name, "warmup", self.warmup, 0.0, 1.0)

    @property
    def off(self) -> bool:
        return self.noise == 0.0

    def share(self, progress: float) -> float:
        """Share of the rows that is learned at this point of the run."""
        done = 1.0 if self.warmup == 0.0 else min(1.0, progress / self.warmup)
        return 1.0 - self.noise * done

    def attach(self, network: Network, setup: Setup) -> Graft:
        def combine(batch: Batch, terms: Terms) -> Terms:
            changed = dict(terms)
            for name in setup.tasks:
                if name in terms and terms[name].value.ndim == 1:
                    changed[name] = selected(terms[name], batch, name, self.share(batch.progress))
            return changed

        return Graft(combine=combine)


def selected(term: Term, batch: Batch, name: str, share: float) -> Term:
    """The term of the rows that are learned, and its mean over them. Rows are compared without their weights."""
    labelled = batch.labelled[name]
    if share >= 1.0 or not labelled.any():
        return term
    plain = term.value if batch.weight is None else term.value / batch.weight.clamp_min(1e-12)
    chosen = kept(plain, labelled, share)
    return replace(term, value=term.value * chosen, count=term.count * float(chosen.sum() / labelled.sum()))
