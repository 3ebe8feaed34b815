"""How large a network may be that a file describes: about as large as the weights that are there for it.

Whoever writes a configuration can claim a billion words or layers; that is met before memory and time are spent on it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from torch import nn
from torch.nn.modules import module as modules

from graftwork.errors import ModelError

MOST_COUNTED = 100_000
"""Layers or labels at most: transformers makes a Python object for each, before there is any weight."""
_TIMES, _SPARE, _SPARE_TENSORS, _MODULES = 4, 1 << 24, 1000, 20
_COUNTED = ("num_labels", "depth", "num_stages", "n_layer", "layers")


@dataclass
class _Left:
    """What may still be made: numbers in tensors, tensors, modules."""

    where: str
    numbers: int
    tensors: int
    modules: int

    def check(self) -> None:
        if min(self.numbers, self.tensors, self.modules) < 0:
            raise ModelError(
                f"{self.where} describes a network that is far larger than its weights: there are not so many in its "
                "*.safetensors. It is damaged, or made to use up memory. Copy it again."
            )


_active = threading.local()


@contextmanager
def bounded(where: Path, weights: Iterable[Path]) -> Iterator[None]:
    """Inside, this thread makes no modules that hold much more than the safetensors files `weights`, else ModelError.

    Some modules are made and thrown away, or made twice and tied: so four times as much may be made. where: what
    describes the network, for the message.
    """
    numbers, tensors = _held(weights)
    most = _TIMES * tensors + _SPARE_TENSORS
    before = getattr(_active, "left", None)
    _active.left = _Left(str(where), _TIMES * numbers + _SPARE, most, _MODULES * most)
    try:
        yield
    finally:
        _active.left = before


def check_counts(plain: Any, where: str) -> None:
    """Raise ModelError where a configuration names more layers or labels than any model has."""
    waiting = [plain]
    while waiting:
        held = waiting.pop()
        if isinstance(held, Mapping):
            for name, value in held.items():
                if str(name).endswith(_COUNTED) and _beyond(value):
                    raise ModelError(f"{where}: {name} is {str(value)[:60]}. Expected {MOST_COUNTED:,} at most.")
        if isinstance(held, Mapping | list):
            waiting += held.values() if isinstance(held, Mapping) else held


def _beyond(value: Any) -> bool:
    numbers = value if isinstance(value, list) else [value]
    return any(isinstance(number, int | float) and number > MOST_COUNTED for number in numbers)


def _held(files: Iterable[Path]) -> tuple[int, int]:
    """Numbers and tensors, by the headers, which safetensors holds against the size of the file."""
    from safetensors import safe_open

    numbers = tensors = 0
    for path in files:
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118  it is no mapping
                numbers += prod(file.get_slice(name).get_shape())
                tensors += 1
    return numbers, tensors


def _count_tensor(_: nn.Module, __: str, tensor: Any) -> None:
    left: _Left | None = getattr(_active, "left", None)
    if left is not None and tensor is not None:
        left.tensors -= 1
        left.numbers -= tensor.numel()
        left.check()


def _count_module(_: nn.Module, __: str, ___: Any) -> None:
    left: _Left | None = getattr(_active, "left", None)
    if left is not None:
        left.modules -= 1
        left.check()


# Once and for good: torch looks through its hooks in every thread, and none may be taken away meanwhile. Memory that
# a tensor was given but not filled with is no memory yet, so they come in time.
modules.register_module_parameter_registration_hook(_count_tensor)
modules.register_module_module_registration_hook(_count_module)
