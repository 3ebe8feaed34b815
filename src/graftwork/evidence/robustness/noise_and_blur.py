"""Corruptions of images by noise and blur: seven of the fifteen of ImageNet-C, written anew.

Each takes images (B, 3, H, W) from 0 to 1, a severity from 1 to 5 and a random stream. Images of up to 96 pixels a side
get the strengths of CIFAR-10-C, larger ones those of ImageNet-C with lengths in proportion to their side.

Source: Hendrycks & Dietterich 2019 (benchmarking neural network robustness to common corruptions).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor
from torch.nn import functional

Corruption = Callable[[Tensor, int, torch.Generator], Tensor]
SMALL = 96
_LARGE_SIDE = 224
S = TypeVar("S")


def strength(pixels: Tensor, severity: int, small: tuple[S, ...], large: tuple[S, ...]) -> S:
    return (small if pixels.shape[-1] <= SMALL else large)[severity - 1]


def scale(pixels: Tensor) -> float:
    """Factor on lengths in pixels."""
    return 1.0 if pixels.shape[-1] <= SMALL else pixels.shape[-1] / _LARGE_SIDE


def normal(shape: torch.Size | tuple[int, ...], draws: torch.Generator, like: Tensor) -> Tensor:
    return torch.randn(shape, generator=draws).to(like)


def even(shape: torch.Size | tuple[int, ...], draws: torch.Generator, like: Tensor) -> Tensor:
    return torch.rand(shape, generator=draws).to(like)


def gaussian_noise(pixels: Tensor, severity: int, draws: torch.Generator) -> Tensor:
    spread = strength(pixels, severity, (0.04, 0.06, 0.08, 0.09, 0.10), (0.08, 0.12, 0.18, 0.26, 0.38))
    return (pixels + spread * normal(pixels.shape, draws, pixels)).clamp(0, 1)


def shot_noise(pixels: Tensor, severity: int, draws: torch.Generator) -> Tensor:
    photons = strength(pixels, severity, (500.0, 250.0, 100.0, 75.0, 50.0), (60.0, 25.0, 12.0, 5.0, 3.0))
    return (torch.poisson(pixels.cpu() * photons, generator=draws).to(pixels) / photons).clamp(0, 1)


def impulse_noise(pixels: Tensor, severity: int, draws: torch.Generator) -> Tensor:
    share = strength(pixels, severity, (0.01, 0.02, 0.03, 0.05, 0.07), (0.03, 0.06, 0.09, 0.17, 0.27))
    drawn = even(pixels.shape, draws, pixels)
    return torch.where(drawn < share / 2, 0.0, torch.where(drawn > 1 - share / 2, 1.0, pixels))


def defocus_blur(pixels: Tensor, severity: int, draws: torch.Generator) -> Tensor:  # noqa: ARG001
    small = ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1.0, 0.2), (1.5, 0.1))
    radius, soft = strength(pixels, severity, small, ((3.0, 0.1), (4.0, 0.5), (6.0, 0.5), (8.0, 0.5), (10.0, 0.5)))
    radius *= scale(pixels)
    half = math.ceil(radius) + 1
    line = torch.arange(-half, half + 1, dtype=pixels.dtype, device=pixels.device)
    distance = (line[:, None] ** 2 + line[None] ** 2).sqrt()
    disc = (radius + 0.5 - distance).clamp(0, 1)
    return blurred(filtered(pixels, (disc / disc.sum()).expand(len(pixels), -1, -1)), soft).clamp(0, 1)


def glass_blur(pixels: Tensor, severity: int, draws: torch.Generator) -> Tensor:
    """Every place takes the colour of a place nearby (in the original, neighbours change places one by one)."""
    small = ((0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2))
    large = ((0.7, 1, 2), (0.9, 2, 1), (1.0, 2, 3), (1.1, 3, 2), (1.5, 4, 2))
    sigma, farthest, times = strength(pixels, severity, small, large)
    rows, _, height, width = pixels.shape
    pixels = blurred(pixels, sigma * scale(pixels))
    down = torch.arange(height).view(1, -1, 1)
    right = torch.arange(width).view(1, 1, -1)
    for _ in range(times):
        moves = torch.randint(-farthest, farthest + 1, (2, rows, height, width), generator=draws)
        at = (down + moves[0]).clamp(0, height - 1) * width + (right + moves[1]).clamp(0, width - 1)
        source = at.view(rows, 1, -1).expand(-1, 3, -1).to(pixels.device)
        pixels = pixels.flatten(2).gather(2, source).view_as(pixels)
    return blurred(pixels, sigma * scale(pixels)).clamp(0, 1)


def motion_blur(pixels: Tensor, severity: int, draws: torch.Generator) -> Tensor:
    small = ((6.0, 1.0), (6.0, 1.5), (6.0, 2.0), (8.0, 2.0), (9.0, 2.5))
    large = ((10.0, 3.0), (15.0, 5.0), (15.0, 8.0), (15.0, 12.0), (20.0, 15.0))
    reach, sigma = strength(pixels, severity, small, large)
    angles = (2 * torch.rand(len(pixels), generator=draws) - 1) * math.pi / 4
    return along(pixels, reach * scale(pixels), sigma * scale(pixels), angles).clamp(0, 1)


def zoom_blur(pixels: Tensor, severity: int, draws: torch.Generator) -> Tensor:  # noqa: ARG001
    most = strength(pixels, severity, (0.05, 0.10, 0.15, 0.20, 0.25), (0.10, 0.15, 0.20, 0.24, 0.30))
    total, count = pixels.clone(), 1
    for step in range(1, math.ceil(most / 0.02) + 1):
        factor = 1 / (1 + min(most, 0.02 * step))
        theta = torch.tensor([[factor, 0.0, 0.0], [0.0, factor, 0.0]]).to(pixels).expand(len(pixels), -1, -1)
        grid = functional.affine_grid(theta, list(pixels.shape), align_corners=False)
        total, count = total + functional.grid_sample(pixels, grid, align_corners=False), count + 1
    return (total / count).clamp(0, 1)


def blurred(pixels: Tensor, sigma: float) -> Tensor:
    """(B, C, H, W) through a Gaussian of this width in pixels."""
    half = max(1, math.ceil(3 * sigma))
    line = torch.arange(-half, half + 1, dtype=pixels.dtype, device=pixels.device)
    weights = torch.exp(-0.5 * (line / max(sigma, 1e-3)) ** 2)
    weights = weights / weights.sum()
    return filtered(pixels, (weights[:, None] * weights[None]).expand(len(pixels), -1, -1))


def filtered(pixels: Tensor, kernels: Tensor) -> Tensor:
    """Each image (B, C, H, W) through its own kernel (B, k, k); at the edge its border goes on."""
    rows, colours, height, width = pixels.shape
    half = kernels.shape[1] // 2
    padded = functional.pad(pixels, (half, half, half, half), mode="replicate")
    stacked = padded.reshape(1, rows * colours, *padded.shape[2:])
    each = kernels.unsqueeze(1).repeat_interleave(colours, 0).to(pixels)
    return functional.conv2d(stacked, each, groups=rows * colours).view(rows, colours, height, width)


def along(pixels: Tensor, reach: float, sigma: float, angles: Tensor) -> Tensor:
    """Each image drawn out behind its places, `reach` pixels far, in the direction of its angle (B,)."""
    half = max(1, math.ceil(reach))
    line = torch.arange(-half, half + 1, dtype=torch.float32)
    x, y = line.view(1, 1, -1), line.view(1, -1, 1)
    cosine, sine = angles.cos().view(-1, 1, 1), angles.sin().view(-1, 1, 1)
    way, off = x * cosine + y * sine, y * cosine - x * sine
    near = torch.exp(-0.5 * (way / max(sigma, 1e-3)) ** 2) * ((way >= -0.5) & (way <= reach + 0.5))
    kernels = near * (1 - off.abs()).clamp(min=0)
    return filtered(pixels, kernels / kernels.sum((1, 2), keepdim=True))
