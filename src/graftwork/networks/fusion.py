"""How the features of several inputs become one row of features that the heads read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from graftwork.networks.head import Head


class Fusion(nn.Module, ABC):
    """Features of each input in, one row of features out. Subclasses set `width` in their constructor.

    widths: features of each input, in the network's order.
    """

    architecture: ClassVar[str]
    """Name under which `restore_fusion` finds the class of a saved one."""

    width: int
    """Features a row, fused."""
    reads_tokens: ClassVar[bool] = False
    """Whether it reads `Encoder.sequence`, a vector a token, and not one row of features an input."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.widths = tuple(widths)

    @abstractmethod
    def forward(self, parts: Sequence[Tensor], present: Sequence[Tensor | None]) -> Tensor:
        """parts: features of each input (B, its width), already replaced where a row lacks the input. present: which
        rows have it (B,), None where all have. Gives (B, width), float32."""

    def head(self, outputs: int, spec: str) -> Head:
        """A new head that reads the fused features."""
        return Head(self.width, outputs, spec)

    def config(self) -> dict[str, Any]:
        """Plain JSON data: the settings from which the class builds the same architecture, weights apart."""
        return {"widths": list(self.widths)}


class Concat(Fusion):
    """The features of all inputs side by side."""

    architecture = "concat"

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__(widths)
        self.width = sum(widths)

    def forward(self, parts: Sequence[Tensor], present: Sequence[Tensor | None]) -> Tensor:  # noqa: ARG002
        return parts[0] if len(parts) == 1 else torch.cat(list(parts), dim=1)


FUSIONS: dict[str, type[Fusion]] = {cls.architecture: cls for cls in (Concat,)}


def restore_fusion(config: dict[str, Any]) -> Fusion:
    """The fusion of a saved model, weights apart. Raises KeyError for one that this version does not know."""
    settings = dict(config)
    return FUSIONS[settings.pop("architecture")](**settings)
