"""The rows of a batch by domain: shared by the techniques that compare domains."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations

import torch
from torch import Tensor

from graftwork.data.batch import Batch
from graftwork.networks.network import Output
from graftwork.tasks.task import Task


def by_domain(batch: Batch) -> list[Tensor]:
    """Row numbers of each domain that the batch holds; rows without one are left out."""
    if batch.domain is None:
        return []
    return [torch.nonzero(batch.domain == code).flatten() for code in torch.unique(batch.domain).tolist() if code >= 0]


def mean_over_pairs(batch: Batch, output: Output, distance: Callable[[Tensor, Tensor], Tensor], least: int) -> Tensor:
    """The mean distance between the features of two domains, over all pairs with at least `least` rows each; 0 without.

    distance: of features (N, F) and (M, F), a scalar.
    """
    parts = [output.features.rows[rows] for rows in by_domain(batch) if len(rows) >= least]
    values = [distance(first, second) for first, second in combinations(parts, 2)]
    return torch.stack(values).mean() if values else output.features.rows.sum() * 0.0


def labelled_parts(batch: Batch, tasks: Mapping[str, Task], least: int = 1) -> Iterator[tuple[str, Task, list[Tensor]]]:
    """For each target, its labelled rows of each domain, where there are at least `least`."""
    for name, task in tasks.items():
        known = batch.labelled[name]
        parts = [rows[known[rows]] for rows in by_domain(batch)]
        yield name, task, [rows for rows in parts if len(rows) >= least]
