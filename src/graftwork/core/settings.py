"""Training settings: what the loop needs beyond base, task and techniques. Pure data; None means "fit to the data"."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from graftwork import specs
from graftwork.core.clock.course import check_cuts
from graftwork.devices import chosen
from graftwork.errors import UsageError
from graftwork.spaces import Range, Spaces

Precision = Literal["auto", "fp32", "bf16"]
Schedule = Literal["linear", "cosine", "constant"]
Keep = Literal["best", "last"]


@dataclass(frozen=True, kw_only=True)
class Training:
    """Settings of one run.

    lr: learning rate of the base; None takes the base's own suggestion. head_lr: of the heads and of what a
        technique trains beside the network; None means ten times `lr`, at most 1e-3, and at least `lr`.
    epochs: passes over the training rows; None fits them to the rows and classes. steps: optimizer steps; overrides
        `epochs`, and is what a time budget is turned into.
    batch: rows a step. max_tokens: padded tokens a step at most (longer rows make smaller batches).
    weight_decay, beta1, beta2, eps: of AdamW (Loshchilov & Hutter 2019). clip: largest norm of the whole gradient; 0 is
        off.
    schedule, warmup: the learning rate rises linearly for this share of the steps, then follows the schedule.
    evaluations: how often validation is scored during the run, the start apart; None: once an epoch, at most 10 times.
    patience: stop after so many evaluations without a better score; 0 never stops early.
    keep: which weights are kept, the best on validation or the last.
    precision: auto takes bf16 autocast where the processor or GPU computes in it, else fp32.
    sharded: split the layers of a base that is trained, with their gradients and moments, over the workers of a run
        (`--workers`), so that larger ones fit. The losses stay; passes take longer (`docs/workers.md`).
    cuts: where a time budget shortened the run, as pairs of a step and the number of steps from there on; a run writes
        it, so that its recipe repeats it.
    """

    lr: float | None = None
    head_lr: float | None = None
    epochs: float | None = None
    steps: int | None = None
    batch: int = 32
    max_tokens: int = 16384
    weight_decay: float = 0.01
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    clip: float = 1.0
    schedule: Schedule = "linear"
    warmup: float = 0.1
    evaluations: int | None = None
    patience: int = 0
    keep: Keep = "best"
    precision: Precision = "auto"
    sharded: bool = False
    cuts: tuple[int, ...] = ()

    searched: ClassVar[Spaces] = {"lr": Range(1e-5, 1e-2, log=True), "epochs": Range(1, 60, log=True)}
    """The widest that is searched; what the bases and the number of rows suggest narrows it."""

    def __post_init__(self) -> None:
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise UsageError(f"Setting {name} is {value}. Expected a number from {low} to {high}.")
        for name, hint in (("schedule", Schedule), ("keep", Keep), ("precision", Precision)):
            specs.convert(getattr(self, name), hint, f"Setting {name}")
        check_cuts(self.cuts, self.steps)


_BELOW_1 = 1.0 - 1e-9
_RANGES: tuple[tuple[str, float, float], ...] = (
    ("lr", 0.0, 10.0),
    ("head_lr", 0.0, 10.0),
    ("epochs", 0.0, 10_000.0),
    ("steps", 0, 10**9),
    ("batch", 1, 65_536),
    ("max_tokens", 8, 10**9),
    ("weight_decay", 0.0, 10.0),
    ("beta1", 0.0, _BELOW_1),
    ("beta2", 0.0, _BELOW_1),
    ("eps", 0.0, 1.0),
    ("clip", 0.0, math.inf),
    ("warmup", 0.0, 1.0),
    ("evaluations", 0, 10_000),
    ("patience", 0, 10_000),
)


def resolve(training: Training, *, lr: float) -> Training:
    """Learning rates and precision made concrete. lr: what the base suggests."""
    lr = lr if training.lr is None else training.lr
    head_lr = training.head_lr if training.head_lr is not None else max(lr, min(lr * 10, 1e-3))
    return replace(training, lr=lr, head_lr=head_lr, precision=resolve_precision(training.precision))


def fitted_epochs(training: Training, *, rows: int, outputs: int, epochs: int) -> float:
    """Passes over the rows where none are set. epochs: what the base suggests.

    Small tables get more of them, up to 40, so that there are about 10 steps a class and 200 in all: usual settings
    (3 epochs) undertrain small bases with many classes.
    """
    if training.epochs is not None:
        return training.epochs
    per_epoch = max(1.0, rows / training.batch)
    return float(max(epochs, min(40, round(max(200, 10 * outputs) / per_epoch))))


def resolve_precision(precision: Precision) -> Precision:
    """bf16 where the device that computes multiplies in it, fp32 elsewhere; a named precision stays."""
    if precision != "auto":
        return precision
    import torch

    device = chosen()
    if device.type != "cpu":
        return "bf16" if device.type == "cuda" and torch.cuda.is_bf16_supported() else "fp32"
    capabilities = torch.cpu.get_capabilities()
    return "bf16" if capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") else "fp32"


def rate_at(training: Training, step: float, total: int) -> float:
    """Factor on the learning rate at this step (0-based, or a place between steps) of `total`.

    >>> t = Training(warmup=0.5, schedule="linear")
    >>> [rate_at(t, step, 4) for step in range(4)]
    [0.5, 1.0, 1.0, 0.5]
    """
    warm = math.ceil(training.warmup * total)
    if step < warm:
        return min(1.0, (step + 1) / warm)
    left = (total - step) / max(1, total - warm)
    if training.schedule == "linear":
        return left
    return 0.5 * (1 - math.cos(math.pi * left)) if training.schedule == "cosine" else 1.0
