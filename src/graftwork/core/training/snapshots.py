"""Checkpoints under several workers: worker 0 reads and writes them, and they hold the random streams of all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from graftwork.core.parallel.workers import Workers
from graftwork.core.training.checkpoint import Checkpointing, Snapshot, prefixed, read

STREAMS = "streams"


def found_by_all(kept: Checkpointing, workers: Workers) -> Snapshot | None:
    """The checkpoint that worker 0 finds, so that no other one needs its folder; None where there is none yet.

    Raises CheckpointError, at every worker, where it is damaged or another run's.
    """
    if workers.count == 1:
        return read(kept)
    found = list[Snapshot]()

    def look() -> dict[str, Any] | None:
        snapshot = read(kept)
        if snapshot is None:
            return None
        found.append(snapshot)
        shapes = {name: [list(value.shape), str(value.dtype)] for name, value in snapshot.tensors.items()}
        return {"meta": snapshot.meta, "shapes": shapes}

    told = workers.decide(look)
    if told is None:
        return None
    tensors = found[0].tensors if found else {name: _empty(*shape) for name, shape in told["shapes"].items()}
    workers.same_tensors(tensors.values())
    return Snapshot(tensors, told["meta"])


def streams_of_all(own: Mapping[str, Tensor], workers: Workers) -> dict[str, Tensor]:
    """The states of the random streams of all workers, named as `own_streams` finds them. A meeting."""
    if workers.count == 1:
        return prefixed(STREAMS, own)
    found: dict[str, Tensor] = {}
    for name, state in own.items():
        each = workers.gather(state.cpu().numpy()[None])
        found |= {f"{_group(index)}.{name}": torch.from_numpy(one.copy()) for index, one in enumerate(each)}
    return found


def own_streams(snapshot: Snapshot, workers: Workers) -> dict[str, Tensor]:
    """This worker's own; none where the checkpoint is of fewer workers."""
    return snapshot.group(_group(workers.index))


def _group(index: int) -> str:
    """A run of one process names them as it always did."""
    return f"{STREAMS}-{index}" if index else STREAMS


def _empty(shape: list[int], kind: str) -> Tensor:
    return torch.empty(shape, dtype=getattr(torch, kind.removeprefix("torch.")))
