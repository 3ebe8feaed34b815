"""Gradient accumulation: a batch is computed in parts, and the optimizer steps once.

It fits large batches into little memory. Every mean is taken over the whole batch, so that the gradient is that of the
large batch, also where the parts are unequal. Losses that compare the rows of a batch (mixup, contrastive) see only the
rows of a part; the plan says so. It saves no time.

Source: common practice; Ott et al. 2018 (scaling neural machine translation) describe it as delayed updates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch

from graftwork.core.technique import Gradient, Graft, LossOutput, Objective, Phase, Setup, Technique, Term
from graftwork.data.batch import Batch
from graftwork.networks.network import Network, Output
from graftwork.techniques.checks import check_range


def split(batch: Batch, parts: int) -> list[Batch]:
    """The batch in `parts` parts of nearly equal size, in order; parts without a row are left out."""
    rows = torch.arange(len(batch), device=batch.rows.device).tensor_split(parts)
    return [batch.part(chosen) for chosen in rows if len(chosen)]


def merge(parts: Sequence[LossOutput]) -> LossOutput:
    """What was measured on the parts, as if on the whole batch; without a graph."""
    names = dict.fromkeys(name for part in parts for name in part.terms)
    terms = {name: _merged([part.terms[name] for part in parts if name in part.terms]) for name in names}
    return LossOutput(terms, Output.joined([part.output for part in parts]))


@dataclass(frozen=True)
class Accumulate(Technique):
    """Compute each batch in parts.

    steps: number of parts, at least 1; 1 is off. A batch of fewer rows has as many parts as rows.
    """

    steps: int = 2

    name: ClassVar[str] = "accumulate"
    phase: ClassVar[Phase] = Phase.ACCUMULATE
    summary: ClassVar[str] = "compute a batch in parts, to save memory"
    whole_weights: ClassVar[str] = ""
    needs: ClassVar[frozenset[str]] = frozenset({"batch_parts"})
    splits_batches: ClassVar[bool] = True
    one_worker: ClassVar[str] = ""

    def __post_init__(self) -> None:
        check_range(self.name, "steps", self.steps, 1, float("inf"))

    @property
    def off(self) -> bool:
        return self.steps == 1

    def attach(self, network: Network, setup: Setup) -> Graft:
        def gradient(inner: Gradient) -> Gradient:
            def descend(objective: Objective, network: Network, batch: Batch) -> LossOutput:
                fewest = max(1, batch.size // setup.workers.count)  # as many parts at every worker: they meet in each
                parts = split(batch, min(self.steps, fewest))
                return merge([_detached(inner(objective, network, part)) for part in parts])

            return descend

        return Graft(gradient=gradient)


def _detached(measured: LossOutput) -> LossOutput:
    """Without its graph, whose memory is then free before the next part."""
    terms = {name: replace(term, value=term.value.detach()) for name, term in measured.terms.items()}
    return LossOutput(terms, measured.output.detached())


def _merged(terms: Sequence[Term]) -> Term:
    """One term of the whole. Its mean is the sum of the parts' means, whatever each was divided by."""
    first = terms[0]
    if any(term.count != first.count for term in terms):
        return Term(torch.stack([term.mean for term in terms]).sum(), 1.0, first.weight)
    values = [term.value for term in terms]
    return replace(first, value=torch.stack(values).sum() if first.value.ndim == 0 else torch.cat(values))
