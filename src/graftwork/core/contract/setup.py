"""What a technique may know of the run it joins, teachers included."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from graftwork.core.parallel.workers import ALONE, Workers
from graftwork.core.rows.old_rows import OldRows as OldRows
from graftwork.data.batch import Batch
from graftwork.data.rollouts import Rollouts as Rollouts
from graftwork.data.table import Table
from graftwork.networks.heads.solving.problem import Check as Check
from graftwork.networks.heads.solving.problem import unhurried as unhurried
from graftwork.networks.network import Network
from graftwork.tasks.task import Task


@dataclass(frozen=True)
class TeacherOutputs:
    """What a teacher says of the training rows, in their order, computed once.

    predictions: by target (N, outputs), before softmax, in the order of this run's classes, or in the units of its
        encoded targets; targets that the teacher does not predict are left out. features: (N, F), what its heads read.
    key: changes with what it says. A plan is made with zeros of the same shapes.
    """

    predictions: Mapping[str, np.ndarray]
    features: np.ndarray
    key: str = ""


@dataclass(frozen=True)
class Setup:
    """What a technique may know of the run it joins. Where training rows are streamed, `start` sees the first of them,
    those of which features are kept (`Recipe.kept_rows`), and `attach` sees all.

    tasks: by target column. targets, labelled: the encoded training targets (N, ...) and masks (N,) by target column.
    features: a fresh pass over the training rows, in order, without gradient: what the heads would read (N, width);
        it costs nothing where the frozen base is cached. Only for the network as it stands when called.
    batches: a fresh pass over the training rows as batches, in order.
    weight: what each training row counts for (N,), by its column and by techniques; None where all are alike.
    importance: what this technique itself said of that (`Technique.importance`); None in a plan, which asks nobody.
    rollouts: which rollout each training row belongs to, and what it brought; None without those columns.
    domain: which domain each training row belongs to (N,), -1 for none; None without a domain column. domains: their
        names, in the order of the numbers.
    total_steps: optimizer steps of the run. seed: of the technique's own random stream. device: where the network is.
    check: called now and then by what takes long before the first step; raises `OutOfTime` where the run is to be left
    out. batch: rows a step. teacher_outputs: by teacher, of those that the technique asks for (`Technique.teachers`).
    old_rows: by table, those of an old task that it asks for (`Technique.old_tables`); none of them has a target here.
    began: by name, what its own `start` gave; empty before that, and where only a plan is made.
    table: the training rows as they were read; None where there is none (rows that a test made).
    workers: of the run, each of which computes a part of every batch. A gradient stage leaves in `.grad` this worker's
        part of the sum; where it needs the whole gradient on its way, it adds the parts up (`Workers.sum_gradients`),
        and leaves the share of a worker of what came of it.
    """

    tasks: Mapping[str, Task]
    targets: Mapping[str, np.ndarray]
    labelled: Mapping[str, np.ndarray]
    features: Callable[[Network], np.ndarray]
    batches: Callable[[], Iterator[Batch]]
    total_steps: int
    seed: int
    device: torch.device
    batch: int = 32
    weight: np.ndarray | None = None
    importance: np.ndarray | None = None
    rollouts: Rollouts | None = None
    domain: np.ndarray | None = None
    domains: tuple[str, ...] = ()
    teacher_outputs: Mapping[str, TeacherOutputs] = field(default_factory=dict)
    old_rows: Mapping[str, OldRows] = field(default_factory=dict)
    check: Check = unhurried
    began: Mapping[str, np.ndarray] = field(default_factory=dict)
    table: Table | None = None
    workers: Workers = ALONE

    @property
    def rows(self) -> int:
        return len(next(iter(self.targets.values())))

    def generator(self) -> torch.Generator:
        """The technique's own random stream for what is drawn batch by batch, on the CPU; each worker has another. Keep
        it in `Graft.generators` so that a resume goes on. What must be the same for all is drawn from `seed`."""
        return torch.Generator().manual_seed(self.workers.seed(self.seed))
