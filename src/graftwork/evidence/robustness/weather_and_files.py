"""Corruptions of images by weather, light and files: eight of the fifteen of ImageNet-C, written anew.

As in `noise_and_blur`. Frost and fog are made of random textures; the original's frost is photographed.

Source: Hendrycks & Dietterich 2019 (benchmarking neural network robustness to common corruptions).
"""

from __future__ import annotations

import io
import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from graftwork.evidence.robustness.noise_and_blur import (
    Corruption,
    along,
    blurred,
    defocus_blur,
    even,
    gaussian_noise,
    glass_blur,
    impulse_noise,
    motion_blur,
    normal,
    scale,
    shot_noise,
    strength,
    zoom_blur,
)


def snow(pixels: Tensor, severity: int, draws: torch.Generator) -> Tensor:
    """Flakes of this mean, spread, size and least brightness, blown this far, in an image this much dulled."""
    small = (
        *((0.1, 0.2, 1.0, 0.6, 8.0, 3.0, 0.95), (0.1, 0.2, 1.0, 0.5, 10.0, 4.0, 0.9)),
        *((0.15, 0.3, 1.75, 0.55, 10.0, 4.0, 0.9), (0.25, 0.3, 2.25, 0.6, 12.0, 6.0, 0.85)),
        (0.3, 0.3, 1.25, 0.65, 14.0, 12.0, 0.8),
    )
    large = (
        *((0.1, 0.3, 3.0, 0.5, 10.0, 4.0, 0.8), (0.2, 0.3, 2.0, 0.5, 12.0, 4.0, 0.7)),
        *((0.55, 0.3, 4.0, 0.9, 12.0, 8.0, 0.7), (0.55, 0.3, 4.5, 0.85, 12.0, 8.0, 0.65)),
        (0.55, 0.3, 2.5, 0.85, 12.0, 12.0, 0.55),
    )
    mean, spread, size, least, reach, sigma, bright = strength(pixels, severity, small, large)
    rows, _, height, width = pixels.shape
    shape = (rows, 1, math.ceil(height / size), math.ceil(width / size))
    flakes = mean + spread * normal(shape, draws, pixels)
    flakes = functional.interpolate(flakes, (height, width), mode="bilinear", align_corners=False)
    flakes = torch.where(flakes < least, 0.0, flakes).clamp(0, 1)
    angles = -math.pi / 4 - math.pi / 2 * torch.rand(rows, generator=draws)
    flakes = along(flakes, reach * scale(pixels), sigma * scale(pixels), angles)
    dulled = bright * pixels + (1 - bright) * torch.maximum(pixels, grey(pixels) * 1.5 + 0.5)
    return (dulled + flakes + flakes.rot90(2, (2, 3))).clamp(0, 1)


def frost(pixels: Tensor, severity: int, draws: torch.Generator) -> Tensor:
    """Bright veins of ice in front of the image."""
    small = ((1.0, 0.2), (1.0, 0.3), (0.9, 0.4), (0.85, 0.4), (0.75, 0.45))
    kept, ice = strength(pixels, severity, small, ((1.0, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75)))
    rows, _, height, width = pixels.shape
    veins = 1 - (2 * cloud(rows, height, width, 1.6, draws, pixels) - 1).abs()
    tint = torch.tensor([0.85, 0.95, 1.0]).to(pixels).view(1, 3, 1, 1)
    return (kept * pixels + ice * veins.square() * tint).clamp(0, 1)


def fog(pixels: Tensor, severity: int, draws: torch.Generator) -> Tensor:
    small = ((0.2, 3.0), (0.5, 3.0), (0.75, 2.5), (1.0, 2.0), (1.5, 1.75))
    density, decay = strength(pixels, severity, small, ((1.5, 2.0), (2.0, 2.0), (2.5, 1.7), (2.5, 1.5), (3.0, 1.4)))
    rows, _, height, width = pixels.shape
    brightest = pixels.flatten(1).amax(1).view(-1, 1, 1, 1)
    veiled = pixels + density * cloud(rows, height, width, decay, draws, pixels)
    return (veiled * brightest / (brightest + density)).clamp(0, 1)


def brightness(pixels: Tensor, severity: int, draws: torch.Generator) -> Tensor:  # noqa: ARG001
    """The value of hue, saturation and value is raised, so that colours keep their proportions."""
    more = strength(pixels, severity, (0.05, 0.1, 0.15, 0.2, 0.3), (0.1, 0.2, 0.3, 0.4, 0.5))
    value = pixels.amax(1, keepdim=True)
    raised = (value + more).clamp(max=1.0)
    return torch.where(value > 0, pixels * raised / value.clamp_min(1e-6), raised)


def contrast(pixels: Tensor, severity: int, draws: torch.Generator) -> Tensor:  # noqa: ARG001
    kept = strength(pixels, severity, (0.75, 0.5, 0.4, 0.3, 0.15), (0.4, 0.3, 0.2, 0.1, 0.05))
    mean = pixels.mean((2, 3), keepdim=True)
    return ((pixels - mean) * kept + mean).clamp(0, 1)


def elastic(pixels: Tensor, severity: int, draws: torch.Generator) -> Tensor:
    """Places are moved by a smooth random field, and the whole by a random affine map; the strengths are not the
    paper's, which are stronger in the middle than at the end."""
    strengths = ((0.02, 0.12, 0.01), (0.03, 0.1, 0.015), (0.045, 0.08, 0.02), (0.06, 0.06, 0.025), (0.08, 0.05, 0.03))
    far, smooth, shear = strengths[severity - 1]
    rows, _, height, width = pixels.shape
    side = min(height, width)
    theta = torch.eye(2, 3).repeat(rows, 1, 1) + shear * (2 * torch.rand(rows, 2, 3, generator=draws) - 1)
    grid = functional.affine_grid(theta.to(pixels), list(pixels.shape), align_corners=False)
    field = blurred(2 * even((rows, 2, height, width), draws, pixels) - 1, smooth * side)
    field = field / field.flatten(1).abs().amax(1).clamp_min(1e-6).view(-1, 1, 1, 1) * 2 * far
    moved = grid + field.permute(0, 2, 3, 1)
    return functional.grid_sample(pixels, moved, padding_mode="reflection", align_corners=False).clamp(0, 1)


def pixelate(pixels: Tensor, severity: int, draws: torch.Generator) -> Tensor:  # noqa: ARG001
    share = strength(pixels, severity, (0.95, 0.9, 0.85, 0.75, 0.65), (0.6, 0.5, 0.4, 0.3, 0.25))
    height, width = pixels.shape[2:]
    few = functional.interpolate(pixels, (max(1, int(height * share)), max(1, int(width * share))), mode="area")
    return functional.interpolate(few, (height, width), mode="nearest-exact")


def jpeg(pixels: Tensor, severity: int, draws: torch.Generator) -> Tensor:  # noqa: ARG001
    from PIL import Image

    quality = strength(pixels, severity, (80, 65, 58, 50, 40), (25, 18, 15, 10, 7))
    values = (pixels * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    read = []
    for image in values:
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "JPEG", quality=quality)
        read.append(np.asarray(Image.open(buffer).convert("RGB")))
    return torch.from_numpy(np.stack(read)).permute(0, 3, 1, 2).to(pixels) / 255


def grey(pixels: Tensor) -> Tensor:
    """(B, 1, H, W), as bright as the eye finds it (ITU-R BT.601)."""
    weights = torch.tensor([0.299, 0.587, 0.114]).to(pixels).view(1, 3, 1, 1)
    return (pixels * weights).sum(1, keepdim=True)


def cloud(rows: int, height: int, width: int, decay: float, draws: torch.Generator, like: Tensor) -> Tensor:
    """A random texture (B, 1, H, W) from 0 to 1; each finer layer is `decay` times fainter."""
    total = torch.zeros(rows, 1, height, width).to(like)
    layers = max(1, math.ceil(math.log2(max(height, width))))
    for layer in range(layers):
        drawn = even((rows, 1, 2 ** (layer + 1), 2 ** (layer + 1)), draws, like)
        spread = functional.interpolate(drawn, (height, width), mode="bicubic", align_corners=False)
        total = total + spread / decay**layer
    low = total.flatten(1).amin(1).view(-1, 1, 1, 1)
    high = total.flatten(1).amax(1).view(-1, 1, 1, 1)
    return (total - low) / (high - low).clamp_min(1e-6)


IMAGE_CORRUPTIONS: dict[str, Corruption] = {
    "gaussian noise": gaussian_noise,
    "shot noise": shot_noise,
    "impulse noise": impulse_noise,
    "defocus blur": defocus_blur,
    "glass blur": glass_blur,
    "motion blur": motion_blur,
    "zoom blur": zoom_blur,
    "snow": snow,
    "frost": frost,
    "fog": fog,
    "brightness": brightness,
    "contrast": contrast,
    "elastic": elastic,
    "pixelate": pixelate,
    "jpeg": jpeg,
}
