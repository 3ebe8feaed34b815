"""The workers of one run: processes that each compute a part of every batch, and what they tell each other.

A run is told of its workers by a value that is handed on (`Run.workers`, `Setup.workers`), never by a global one: what
worker 0 does alone (its report, its scores of the test table) calls the same functions without them, and must not wait
for the others. All methods but `part`, `whole` and `leads` are meetings: every worker has to come to each, in the same
order. `ALONE` is a run of one process; it never imports torch.distributed.

Sources: Li et al. 2020 (PyTorch Distributed, arXiv:2006.15704) for data parallel training. Gradients are summed here,
not averaged, since every term is a sum over the part divided by the count of the whole batch (`core.technique.Term`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from graftwork import errors
from graftwork.core.parallel.stopping import noted
from graftwork.devices import chosen, use_device
from graftwork.errors import GraftworkError, UsageError

T = TypeVar("T")
PATIENCE = timedelta(hours=2)
"""How long a worker waits for the others. One that died is noticed at once; this is for a network that went silent."""
BUCKET = 8_000_000
"""Numbers that are reduced at a time: what is copied for it stays small beside the gradients."""


@dataclass(frozen=True)
class Workers:
    """A run of one process: nothing is told, all rows are its own. `Joined` is several.

    index: of this worker, from 0; worker 0 decides, writes and speaks. count: of workers. place: of this worker among
    those of its machine; the first of a machine writes that machine's cache.
    """

    index: int = 0
    count: int = 1
    place: int = 0

    @property
    def leads(self) -> bool:
        """Whether this is worker 0."""
        return self.index == 0

    @property
    def asked_to_stop(self) -> bool:
        """Whether this worker was (Ctrl-C). A run of one process is stopped by the KeyboardInterrupt itself."""
        return False

    def check(self) -> None:
        """Raise KeyboardInterrupt, at every worker, where one of them was asked to stop."""

    def decide(self, call: Callable[[], T]) -> T:
        """What `call` gives at worker 0, plain JSON data; the others don't call it. Its error is raised at all."""
        return call()

    def whole(self, rows: np.ndarray) -> np.ndarray:
        """The rows (B,) that all workers together compute for a batch: the same, or where they are fewer than the
        workers, each as many times as there are workers, so that none is idle; means are the same."""
        return np.tile(rows, self.count) if 0 < len(rows) < self.count else rows

    def part(self, rows: np.ndarray) -> np.ndarray:
        """Those of the rows (B,) that this worker computes: every `count`-th, so that long ones are spread."""
        rows = self.whole(rows)
        return rows if self.count == 1 else rows[self.index :: self.count]

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace each `.grad` by the sum of all workers'; where no worker has one, it stays None."""

    def sum(self, tensor: Tensor) -> Tensor:
        """The sum of all workers' tensors, all of one shape."""
        return tensor

    def each(self, tensor: Tensor) -> list[Tensor]:
        """All workers' tensors, all of one shape, in their order."""
        return [tensor]

    def same(self, value: T) -> T:
        """Worker 0's value, which is plain JSON data: what is decided by time or chance is decided there."""
        return value

    def same_tensors(self, tensors: Iterable[Tensor]) -> None:
        """Fill the tensors with those of worker 0, in place."""

    def gather(self, rows: np.ndarray) -> np.ndarray:
        """The rows (n, ...) of all workers, worker by worker; each may have another number of them."""
        return rows

    def every(self, true: bool) -> bool:
        """Whether it is true at every worker."""
        return true

    def wait(self) -> None:
        """Return when all workers have come here."""

    def clock(self, clock: Callable[[], float]) -> Callable[[], float]:
        """Worker 0's clock. Each reading of it is a meeting."""
        return clock

    def seed(self, seed: int) -> int:
        """Of what each worker draws for itself (dropout). Worker 0 draws what one process would."""
        return seed if self.index == 0 else (seed * 1_000_003 + self.index * 7_919) % 2**62


ALONE = Workers()


@dataclass(frozen=True)
class Joined(Workers):
    """One of several workers, which talk through torch.distributed. device: where their tensors can be reduced.
    signals: those that asked this worker to stop."""

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    signals: list[int] = field(default_factory=list, repr=False)

    @property
    def asked_to_stop(self) -> bool:
        return bool(self.signals)

    def check(self) -> None:
        if not self.every(not self.asked_to_stop):
            raise KeyboardInterrupt

    def decide(self, call: Callable[[], T]) -> T:
        failed: GraftworkError | None = None
        told: dict[str, Any] = {}
        if self.leads:
            try:
                told["value"] = call()
            except GraftworkError as error:
                failed, told = error, {"error": type(error).__name__, "text": str(error)}
        told = self.same(told)
        if "value" in told:
            found: T = told["value"]
            return found
        raise failed or getattr(errors, told["error"], GraftworkError)(told["text"])

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        by_kind: dict[tuple[torch.dtype, torch.device], list[nn.Parameter]] = {}
        for parameter in parameters:
            by_kind.setdefault((parameter.dtype, parameter.device), []).append(parameter)
        for kind in by_kind.values():
            for bucket in _buckets(kind):
                self._sum_bucket(bucket)

    def _sum_bucket(self, bucket: Sequence[nn.Parameter]) -> None:
        """In front of the numbers stands who has a gradient at all: a row of another worker may use what none here
        does, and what no row uses must stay as it is."""
        given = [parameter.grad for parameter in bucket]
        there = bucket[0].new_tensor([0.0 if gradient is None else 1.0 for gradient in given])
        parts = [torch.zeros_like(p) if g is None else g for p, g in zip(bucket, given, strict=True)]
        flat = torch.cat([there, *(part.detach().reshape(-1) for part in parts)])
        self.sum_in_place(flat)
        known = flat[: len(bucket)].tolist()
        pieces = torch.split(flat[len(bucket) :], [parameter.numel() for parameter in bucket])
        for parameter, has, piece in zip(bucket, known, pieces, strict=True):
            if has:
                parameter.grad = piece.view_as(parameter)

    def sum(self, tensor: Tensor) -> Tensor:
        found = tensor.detach().clone(memory_format=torch.contiguous_format)
        self.sum_in_place(found)
        return found

    def sum_in_place(self, tensor: Tensor) -> None:
        """`sum`, without a copy; the tensor is contiguous and has no graph."""
        from torch import distributed

        distributed.all_reduce(tensor)

    def each(self, tensor: Tensor) -> list[Tensor]:
        from torch import distributed

        found = [torch.empty_like(tensor) for _ in range(self.count)]
        distributed.all_gather(found, tensor.detach().contiguous())
        return found

    def same(self, value: T) -> T:
        told = np.frombuffer(json.dumps(value).encode(), np.uint8) if self.leads else np.zeros(0, np.uint8)
        heard: T = json.loads(self.gather(told).tobytes())
        return heard

    def same_tensors(self, tensors: Iterable[Tensor]) -> None:
        from torch import distributed

        with torch.no_grad():
            for tensor in tensors:
                sent = tensor.detach().to(torch.uint8) if tensor.dtype == torch.bool else tensor.detach().contiguous()
                distributed.broadcast(sent, 0)
                tensor.copy_(sent)

    def gather(self, rows: np.ndarray) -> np.ndarray:
        counts = torch.zeros(self.count, dtype=torch.int64)
        counts[self.index] = len(rows)
        lengths = self.sum(counts.to(self.device)).tolist()
        plain = torch.from_numpy(np.frombuffer(np.ascontiguousarray(rows).tobytes(), np.uint8).copy())
        size = int(np.prod(rows.shape[1:], dtype=np.int64)) * rows.dtype.itemsize
        own = torch.zeros(max(lengths) * size, dtype=torch.uint8)
        own[: len(plain)] = plain
        parts = [
            found.cpu().numpy()[: length * size].view(rows.dtype).reshape(length, *rows.shape[1:])
            for found, length in zip(self.each(own.to(self.device)), lengths, strict=True)
        ]
        return np.concatenate(parts)

    def every(self, true: bool) -> bool:
        return bool(self.sum(torch.tensor([0.0 if true else 1.0], device=self.device)).item() == 0.0)

    def wait(self) -> None:
        self.every(True)

    def clock(self, clock: Callable[[], float]) -> Callable[[], float]:
        return lambda: self.same(clock() if self.leads else 0.0)


@contextmanager
def joined(environment: Mapping[str, str] = os.environ) -> Iterator[Workers]:
    """Inside, the workers that this process is one of, as `torchrun` (or whoever has called
    `torch.distributed.init_process_group` before) says; `ALONE` where nobody says so. gloo on the CPU, nccl on CUDA,
    where each worker of a machine takes a GPU of its own. The first Ctrl-C is noted, and all stop together where they
    next look; the second one raises.

    Raises UsageError where a machine has more workers than GPUs, and where this build of torch can't do it.
    """
    if int(environment.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    from torch import distributed

    if not distributed.is_available():
        raise UsageError(
            "This build of torch has no torch.distributed, so that it can't run several workers. Leave out --workers, "
            "or install torch from pypi.org."
        )
    device, back = _device(environment)
    begun = not distributed.is_initialized()
    if begun:
        backend = "gloo" if device.type == "cpu" else "cpu:gloo,cuda:nccl"
        distributed.init_process_group(backend, timeout=PATIENCE)
    place, signals = int(environment.get("LOCAL_RANK", "0")), list[int]()
    try:
        with noted(signals):
            yield Joined(distributed.get_rank(), distributed.get_world_size(), place, device, signals)
    finally:
        if begun:
            distributed.destroy_process_group()
        back()


def _device(environment: Mapping[str, str]) -> tuple[torch.device, Callable[[], None]]:
    """The device of this worker, in use from now on, and what takes that back."""
    device, local = chosen(), int(environment.get("LOCAL_RANK", "0"))
    if device.type != "cuda":
        return device, lambda: None
    here = torch.cuda.device_count()
    if local >= here:
        raise UsageError(
            f"This machine has {here} GPUs, and worker {local + 1} on it has none. Expected at most as many "
            "--workers as GPUs; --device cpu computes without."
        )
    torch.cuda.set_device(local)
    return torch.device("cuda", local), use_device(f"cuda:{local}")


def _buckets(parameters: Sequence[nn.Parameter]) -> Iterator[list[nn.Parameter]]:
    """The parameters in order, at most `BUCKET` numbers together unless a single one has more."""
    bucket: list[nn.Parameter] = []
    for parameter in parameters:
        if bucket and sum(map(nn.Parameter.numel, bucket)) + parameter.numel() > BUCKET:
            yield bucket
            bucket = []
        bucket.append(parameter)
    if bucket:
        yield bucket
