"""A part of a batch as a step of the whole: counts, gradients and losses of all workers together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from graftwork.core.parallel.workers import Workers
from graftwork.core.technique import LossOutput
from graftwork.data.batch import Batch


def of_whole(batch: Batch, workers: Workers) -> Batch:
    """This worker's part of a batch, with `size` and `labelled_size` of all parts together: so that terms, and
    with them gradients, add up to those of the whole. A meeting."""
    if workers.count == 1:
        return batch
    names = sorted(batch.labelled_size)
    own = [float(batch.size), *(batch.labelled_size[name] for name in names)]
    size, *labelled = workers.sum(torch.tensor(own, dtype=torch.float64, device=batch.rows.device)).tolist()
    return replace(batch, size=round(size), labelled_size=dict(zip(names, labelled, strict=True)))


@dataclass(frozen=True)
class Reading:
    """What a step measured, of all workers together. told: means of the terms that were asked for, those that the step
    has. stop: a worker was asked to stop. due: worker 0 wants a checkpoint."""

    loss: float
    told: Mapping[str, float]
    stop: bool = False
    due: bool = False


def read(measured: LossOutput, names: Sequence[str], workers: Workers, *, due: bool = False) -> Reading:
    """The numbers of a step. names: of the terms that are told. due: as worker 0 sees it. A meeting."""
    total = measured.total.detach()
    loss = float(total)
    told = {name: float(measured.terms[name].mean.detach()) for name in names if name in measured.terms}
    if workers.count == 1:
        return Reading(loss, told, due=due)
    own = [loss, float(workers.asked_to_stop), float(due and workers.leads)]
    own += [told.get(name, 0.0) for name in names] + [float(name in told) for name in names]
    loss, stop, due_now, *rest = workers.sum(torch.tensor(own, dtype=torch.float64, device=total.device)).tolist()
    values, there = rest[: len(names)], rest[len(names) :]
    known = {name: value for name, value, has in zip(names, values, there, strict=True) if has}
    return Reading(loss, known, stop > 0, due_now > 0)
