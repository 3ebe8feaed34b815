"""Features that are modulated by the row's domain: a scale and a shift for each feature."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class Film(nn.Module):
    """`features * (1 + scale[d]) + shift[d]` for a row of domain d; begins as the identity.

    The last row of both stands for a domain that is unknown or missing. Numbers behind the first `width` stay.
    """

    def __init__(self, width: int, domains: int) -> None:
        super().__init__()
        self.width, self.domains = width, domains
        self.scale = nn.Parameter(torch.zeros(domains + 1, width))
        self.shift = nn.Parameter(torch.zeros(domains + 1, width))

    def forward(self, features: Tensor, domain: Tensor | None) -> Tensor:
        """features (B, width or more), domain (B,), -1 where unknown, or None where no row has one."""
        whole = torch.full((len(features),), -1, device=features.device) if domain is None else domain
        rows = torch.where(whole < 0, self.domains, whole)
        changed = features[:, : self.width] * (1.0 + self.scale[rows]) + self.shift[rows]
        return torch.cat([changed, features[:, self.width :]], dim=1)

    def config(self) -> dict[str, Any]:
        """Plain JSON data: the settings from which the class builds the same architecture."""
        return {"width": self.width, "domains": self.domains}
