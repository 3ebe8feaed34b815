"""Several workers as threads of one process, for tests: they meet as those of torch.distributed do.

Torch's own random stream is one for the whole process, so that dropout must be off where numbers are compared.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TypeVar

import torch
from torch import Tensor

from graftwork.core.parallel.workers import Joined
from tinyrun import Fixture

T = TypeVar("T")
WAITS = 240.0
"""Seconds after which a worker that the others don't meet gives up, so that no test hangs."""


@dataclass
class _Table:
    """Where the threads lay down what they tell each other."""

    barrier: threading.Barrier
    laid: list[Tensor]


@dataclass(frozen=True)
class Threaded(Joined):
    """A worker that is a thread."""

    table: _Table = field(default_factory=lambda: _Table(threading.Barrier(1), []))

    def each(self, tensor: Tensor) -> list[Tensor]:
        self.table.laid[self.index] = tensor.detach().clone()
        self.table.barrier.wait(WAITS)
        found = [one.clone() for one in self.table.laid]
        self.table.barrier.wait(WAITS)
        assert len({one.shape for one in found}) == 1, "the workers do not meet at the same place"
        return found

    def sum_in_place(self, tensor: Tensor) -> None:
        tensor.copy_(torch.stack(self.each(tensor)).sum(0))

    def same_tensors(self, tensors: Iterable[Tensor]) -> None:
        with torch.no_grad():
            for tensor in tensors:
                tensor.copy_(self.each(tensor)[0])


def together(count: int, work: Callable[[Joined], T]) -> list[T]:
    """What `work` gives at each of so many workers; the first error of one ends all."""
    table = _Table(threading.Barrier(count), [torch.zeros(0)] * count)

    def one(index: int) -> T:
        try:
            return work(Threaded(index, count, index, table=table))
        except BaseException:
            table.barrier.abort()
            raise

    with ThreadPoolExecutor(count) as pool:
        futures = [pool.submit(one, index) for index in range(count)]
    errors = [error for future in futures if (error := future.exception()) is not None]
    first = next((error for error in errors if not isinstance(error, threading.BrokenBarrierError)), None)
    if errors:
        raise first or errors[0]
    return [future.result() for future in futures]


def still(fixture: Fixture) -> Fixture:
    """Without dropout: each worker draws its own, and threads would draw from one stream."""
    network = copy.deepcopy(fixture.network)
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return replace(fixture, network=network)
