"""How the features of several inputs become one row of features that the heads read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from graftwork.networks.heads.rows import RowHead

FeatureStatistics = tuple[Tensor, Tensor]
"""Mean and standard deviation of each feature (W,), (W,)."""


class Fusion(nn.Module, ABC):
    """Features of each input in, one row of features out. Subclasses set `width` in their constructor.

    widths: width of each input's features (of its tokens, for a fusion that reads tokens), in the network's order.
    """

    architecture: ClassVar[str]
    """Name under which `fusions.restore_fusion` finds the class of a saved one."""

    width: int
    """Features a row, fused."""
    reads_tokens: ClassVar[bool] = False
    """Whether it reads `Encoder.tokens_of`, a vector a token, and not one row of features an input."""
    flags: int = 0
    """How many of these, the last ones, only say what a row lacks."""
    side_by_side: ClassVar[bool] = False
    """Whether the features of all inputs stand side by side in a row, in their order and as they are."""
    uses_absent: ClassVar[bool] = True
    """Whether it reads what stands in for an input that a row lacks; else it leaves such an input out."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.widths = tuple(widths)

    @abstractmethod
    def forward(self, parts: Sequence[Tensor], present: Sequence[Tensor | None]) -> Tensor:
        """Gives (B, width), float32.

        parts: features of each input (B, its width), already replaced where a row lacks the input; present: which
        rows have it (B,), None where all have. With `reads_tokens` parts are (B, L, its width), and present (B, L)
        says which of these vectors count.
        """

    def set_statistics(self, statistics: Sequence[FeatureStatistics | None]) -> None:
        """Told once, before training: how each input's features are distributed over the training rows; None for an
        encoder with random weights, whose features will change."""

    def head(self, outputs: int, spec: str) -> RowHead:
        """A new head that reads the fused features."""
        return RowHead(self.width, outputs, spec)

    def config(self) -> dict[str, Any]:
        """Plain JSON data: the settings from which the class builds the same architecture, weights apart."""
        return {"widths": list(self.widths)}


class Concat(Fusion):
    """The features of all inputs side by side."""

    architecture = "concat"
    side_by_side = True

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__(widths)
        self.width = sum(widths)

    def forward(self, parts: Sequence[Tensor], present: Sequence[Tensor | None]) -> Tensor:
        return parts[0] if len(parts) == 1 else torch.cat(list(parts), dim=1)

    def head(self, outputs: int, spec: str) -> RowHead:
        return RowHead(self.width, outputs, spec, self.widths)


def mask(parts: Sequence[Tensor], present: Sequence[Tensor | None]) -> Tensor:
    """Which inputs each row has (B, inputs), bool."""
    whole = torch.ones(len(parts[0]), dtype=torch.bool, device=parts[0].device)
    return torch.stack([whole if has is None else has for has in present], dim=1)


class Projection(nn.Module):
    """`linear((x - shift) * scale)`, (..., width) -> (..., outputs); shift and scale standardise once they are set."""

    shift: Tensor
    scale: Tensor

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, outputs)
        self.register_buffer("shift", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))

    def set_statistics(self, statistics: FeatureStatistics | None) -> None:
        """Standardise features of these statistics. A feature that hardly varies is not blown up: its deviation counts
        as a tenth of the features' root mean square deviation."""
        if statistics is None:
            return
        mean, deviation = statistics
        least = 0.1 * deviation.square().mean().sqrt()
        self.shift.copy_(mean)
        self.scale.copy_(1 / deviation.clamp(min=float(least) or 1.0))

    def forward(self, features: Tensor) -> Tensor:
        projected: Tensor = self.linear((features - self.shift) * self.scale)
        return projected


class Projected(Fusion):
    """A fusion that first brings every input to one width, standardised where its encoder is pretrained."""

    def __init__(self, widths: Sequence[int], width: int) -> None:
        super().__init__(widths)
        self.width = width
        self.projections = nn.ModuleList(Projection(one, width) for one in widths)

    def set_statistics(self, statistics: Sequence[FeatureStatistics | None]) -> None:
        for projection, one in zip(self.each_projection(), statistics, strict=True):
            projection.set_statistics(one)

    def each_projection(self) -> list[Projection]:
        return [module for module in self.projections if isinstance(module, Projection)]

    def projected(self, parts: Sequence[Tensor]) -> list[Tensor]:
        """Each input as (..., width)."""
        return [projection(part) for projection, part in zip(self.each_projection(), parts, strict=True)]

    def config(self) -> dict[str, Any]:
        return {**super().config(), "width": self.width}
