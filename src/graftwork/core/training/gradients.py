"""The gradient of one step: the batch, what it measures, and the parts of all workers added up."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graftwork.core.parallel.sharding import is_sharded
from graftwork.core.parallel.statistics import shared_statistics
from graftwork.core.rows.examples import make_batch
from graftwork.core.run import Run
from graftwork.core.technique import LossOutput
from graftwork.core.training.optimizer import clip, trained_by
from graftwork.core.training.together import of_whole


def gradients(
    run: Run, optimizer: torch.optim.Optimizer, indices: np.ndarray, progress: float = 0.0
) -> tuple[LossOutput, Tensor]:
    """Fill `.grad` for the rows `indices`, of which each worker takes its part; what this worker measured, and the norm
    that the whole gradient had before it was clipped."""
    network, stages, workers = run.network, run.stages, run.workers
    batch = make_batch(run.train, network, workers.part(indices), run.cached, progress=progress)
    optimizer.zero_grad(set_to_none=True)
    with shared_statistics(network, workers):
        measured = stages.gradient(stages.objective, network, of_whole(stages.inputs(batch), workers))
    workers.sum_gradients(one for one in trained_by(optimizer) if not is_sharded(one))  # those are summed by then
    return measured, clip(optimizer, run.plan.training.clip, workers)
