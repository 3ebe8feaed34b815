"""Adaptive batch normalisation: a network is normalised by the rows that it predicts, not by those it was trained on.

Much of what differs between two domains (light, contrast, recording) shows in the mean and spread of each channel, and
batch norms take both from training. Measured anew on the rows to predict, without labels and without a step of
training, they often close a part of the gap. Leave it where rows come one by one, where the classes are not as frequent
as in training (a table of one class is shifted away), or where the domain is the one trained on: there it adds noise.
Only for bases with batch norm, and it runs the base twice.

Source: Li et al. 2016 (AdaBN); the share follows Schneider et al. 2020.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from graftwork.core.technique import Phase, Predictor, Rows, Technique
from graftwork.data.batch import Batch
from graftwork.networks.features import Features
from graftwork.networks.network import Forward, Network
from graftwork.networks.norms import batch_norms, separate
from graftwork.techniques.checks import check_range
from graftwork.techniques.domain.statistics import LEAST, enough, measure

OTHERS = -1
"""Stands for no domain, and for every one that has no statistics of its own."""


@dataclass(frozen=True)
class AdaBN(Technique):
    """Take batch-norm statistics from the rows that are predicted together: of each domain, where there is a column.

    share: weight of these statistics beside those of training, from 0 (off) to 1. Rows without a domain, of one that
        training never had, or of one with fewer than 8 rows are taken together. Where there are fewer than 8 rows in
        all, they keep the statistics of training, with a warning.
    """

    share: float = 1.0

    name: ClassVar[str] = "adabn"
    phase: ClassVar[Phase] = Phase.VIEWS
    summary: ClassVar[str] = "batch norms take their statistics from the rows that are predicted"
    whole_weights: ClassVar[str] = "predicts by a copy of the network, and sharded layers can't be copied"
    needs: ClassVar[frozenset[str]] = frozenset({"batch_norm", "row_features"})
    claims: ClassVar[frozenset[str]] = frozenset({"statistics"})
    predict_depth: ClassVar[int] = 0

    def __post_init__(self) -> None:
        check_range(self.name, "share", self.share, 0.0, 1.0)

    @property
    def off(self) -> bool:
        return self.share == 0.0

    def predict(self, predictor: Predictor, rows: Rows) -> Predictor:
        if not enough(rows.count, self.name):
            return predictor

        def adapted(network: Network) -> Forward:
            parts = {code: predictor(self._measured(network, rows, picked)) for code, picked in shared(rows).items()}
            return next(iter(parts.values())) if len(parts) == 1 else by_domain(parts)

        return adapted

    def _measured(self, network: Network, rows: Rows, picked: np.ndarray) -> Network:
        """The network, normalised by these rows."""
        own = separate(network, batch_norms(network))
        measure(own, rows, picked, self.share)
        return own


def shared(rows: Rows) -> dict[int, np.ndarray]:
    """By domain, the rows whose statistics serve it. At `OTHERS`, for all other domains and none: their rows together,
    or all rows where those are few."""
    codes = np.full(rows.count, OTHERS) if rows.domain is None else rows.domain
    sizes = {int(code): int((codes == code).sum()) for code in np.unique(codes)}
    large = [code for code, size in sizes.items() if size >= LEAST and code != OTHERS]
    found = {code: np.flatnonzero(codes == code) for code in large}
    rest = np.flatnonzero(~np.isin(codes, large))
    if len(rest):
        found[OTHERS] = rest if len(rest) >= LEAST else np.arange(rows.count)
    return found


def by_domain(parts: Mapping[int, Forward]) -> Forward:
    """Each row through the forward of its domain; all of them share their heads."""

    def features(batch: Batch) -> Features:
        assert batch.domain is not None
        known = torch.tensor([code for code in parts if code != OTHERS], device=batch.domain.device)
        codes = torch.where(torch.isin(batch.domain, known), batch.domain, OTHERS)
        places = [torch.nonzero(codes == code).flatten() for code in parts]
        found = [
            (rows, forward.features(_alone(batch, rows)).rows)
            for rows, forward in zip(places, parts.values(), strict=True)
            if len(rows)
        ]
        order = torch.cat([rows for rows, _ in found])
        return Features(torch.cat([values for _, values in found])[torch.argsort(order)])

    first = next(iter(parts.values()))
    return Forward(features, first.heads, first.generate)


def _alone(batch: Batch, rows: Tensor) -> Batch:
    return replace(batch.part(rows), size=len(rows))
