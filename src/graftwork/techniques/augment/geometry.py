"""Images seen through a moved window: one affine map a row, sampled bilinearly."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional


def window(left: Tensor, top: Tensor, width: Tensor, height: Tensor) -> Tensor:
    """Affine maps (B, 2, 3) that show these windows; all in shares of the image, from its left upper corner."""
    theta = torch.zeros(len(left), 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = width, height
    theta[:, 0, 2], theta[:, 1, 2] = 2 * left + width - 1, 2 * top + height - 1
    return theta


def warp(pixels: Tensor, theta: Tensor, beyond: Literal["reflection", "border", "grey"] = "reflection") -> Tensor:
    """pixels (B, C, H, W) seen through maps (B, 2, 3); beyond the edge its reflection, its own pixels, or grey."""
    grid = functional.affine_grid(theta.to(pixels.device), list(pixels.shape), align_corners=False)
    if beyond == "grey":
        return functional.grid_sample(pixels - 0.5, grid, padding_mode="zeros", align_corners=False) + 0.5
    return functional.grid_sample(pixels, grid, padding_mode=beyond, align_corners=False)
