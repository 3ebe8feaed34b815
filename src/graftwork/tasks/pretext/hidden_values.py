"""What the tasks share that hide patches of pixels or of a spectrogram, and ask for the values that stood there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graftwork.errors import UsageError
from graftwork.tasks.pretext.pretext import Pretext


@dataclass(frozen=True, kw_only=True)
class HiddenValues(Pretext):
    """Targets of a batch are `values` (B, ...) and which of them are `hidden`; predictions `values` and the same two.

    The loss is the mean distance of the hidden values (L1, Xie et al. 2022): other values are not asked for.
    """

    def units(self, target: Any) -> Tensor:
        """Hidden values of each row (B,); 1 before any are hidden."""
        if isinstance(target, Tensor):
            return super().units(target)
        counted: Tensor = target["hidden"].flatten(1).sum(1)
        return counted.float()

    def loss(self, predictions: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> Tensor:
        """Distance of each row, summed over its hidden values (B,)."""
        return _distance(predictions["values"], target["values"], target["hidden"])

    def keep(self, predictions: Mapping[str, Tensor]) -> np.ndarray:
        hidden = predictions["hidden"]
        far = _distance(predictions["values"].float(), predictions["wanted"], hidden)
        found = [far, torch.zeros_like(far), hidden.flatten(1).sum(1).float()]
        kept: np.ndarray = torch.stack(found, dim=1).cpu().numpy()
        return kept

    def format(self, value: Any) -> str:
        return f"off by {float(np.asarray(value).reshape(-1)[0]):.2f}"


def _distance(values: Tensor, wanted: Tensor, hidden: Tensor) -> Tensor:
    return ((values - wanted).abs() * hidden).flatten(1).sum(1)


def patches(rows: int, grid: tuple[int, int], share: float, generator: torch.Generator) -> Tensor:
    """Which cells of a grid are hidden (rows, height, width): of each row the same number, one at least, and not all.

    A grid of one cell is hidden whole.
    """
    cells = grid[0] * grid[1]
    count = max(1, min(round(share * cells), cells - 1))
    order = torch.rand(rows, cells, generator=generator).argsort(dim=1)
    hidden = torch.zeros(rows, cells, dtype=torch.bool).scatter(1, order[:, :count], True)
    return hidden.view(rows, *grid)


def check_share(task: str, share: float) -> None:
    """Raise UsageError for a share of hidden patches that leaves nothing to see, or to predict."""
    if not 0 < share < 1:
        raise UsageError(f"{task}: share is {share}. Expected more than 0, and less than 1.")


def check_whole(task: str, **settings: int) -> None:
    """Raise UsageError for a size below 1."""
    for name, value in settings.items():
        if value < 1:
            raise UsageError(f"{task}: {name} is {value}. Expected 1 or more.")
