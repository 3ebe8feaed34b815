"""EfficientNet-Lite, written out: a small convolutional network for photos, of which weights for ImageNet can be had.

Inverted residuals as in MobileNetV2, scaled as EfficientNets are, without squeeze-and-excitation and with ReLU6 in
place of swish; the widths of stem and head are not scaled. Where a convolution halves an even map, TensorFlow's padding
lies to the right and below alone; the weights were trained so, as their kernels tell, heavier left and above of the
middle.

Source: Tan and Le 2019 (EfficientNet); Sandler et al. 2018 (MobileNetV2); TensorFlow's `efficientnet/lite`, 2020.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from graftwork.data.store.names import check_links
from graftwork.data.store.typed import misfit
from graftwork.errors import ModelError, UsageError
from graftwork.networks.hub import loading as hub
from graftwork.networks.hub.sizes import bounded
from graftwork.networks.image.encoder import ImageEncoder
from graftwork.networks.image.processing import processing
from graftwork.networks.image.view import View

KIND = "efficientnet-lite"
"""The `model_type` in config.json."""
WEIGHTS = "model.safetensors"
_HEAD = "classifier."
"""Tensors of the file that are no part of the encoder: the classes of ImageNet."""
_POOLINGS = ("mean", "max")


@dataclass(frozen=True)
class Shape:
    """What config.json says of the network.

    stem, head: channels of the first and of the last convolution. stages: by stage its kernel, the stride of its first
    block, how many times as wide a block is inside, its channels, and its blocks. batch_norm_eps: added to variances.
    """

    stem: int
    head: int
    stages: tuple[tuple[int, int, int, int, int], ...]
    batch_norm_eps: float


class ConvNorm(nn.Module):
    """A convolution, batch norm, and ReLU6 where it is `active`, with TensorFlow's padding.

    On the processor a 5 x 5 convolution of each channel alone is computed in float32 under bfloat16, too: a training
    step of 13 blocks at 96 pixels took 12.4 ms an image without that, 5.3 with it, and 6.3 all in float32.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int, groups: int, eps: float, *, active: bool
    ) -> None:
        super().__init__()
        self.kernel, self.stride, self.active = kernel, stride, active
        padding = kernel // 2 if stride == 1 else 0
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=eps)

    def forward(self, states: Tensor) -> Tensor:
        rounded = states.device.type == "cpu" and torch.is_autocast_enabled("cpu")
        if rounded and self.kernel > 3 and self.conv.groups > 1:
            with torch.autocast("cpu", enabled=False):
                return self._mapped(states.float())
        return self._mapped(states)

    def _mapped(self, states: Tensor) -> Tensor:
        if self.stride > 1:
            height, width = (self._lacking(size) for size in states.shape[2:])
            states = functional.pad(states, (width // 2, width - width // 2, height // 2, height - height // 2))
        normed: Tensor = self.norm(self.conv(states))
        return functional.relu6(normed, inplace=True) if self.active else normed

    def _lacking(self, size: int) -> int:
        """Places beside the map that make it fit, so that there is one output for each `stride` of its places."""
        return max((-(-size // self.stride) - 1) * self.stride + self.kernel - size, 0)


class InvertedResidual(nn.Module):
    """Wider by a 1 x 1 convolution, one for each channel alone, narrower by a 1 x 1; added to what came in where it has
    the same shape."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, times: int, eps: float) -> None:
        super().__init__()
        inner = inputs * times
        self.expand = ConvNorm(inputs, inner, 1, 1, 1, eps, active=True) if times > 1 else nn.Identity()
        self.depthwise = ConvNorm(inner, inner, kernel, stride, inner, eps, active=True)
        self.project = ConvNorm(inner, outputs, 1, 1, 1, eps, active=False)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, states: Tensor) -> Tensor:
        mapped: Tensor = self.project(self.depthwise(self.expand(states)))
        return states + mapped if self.residual else mapped


class EfficientNetLiteEncoder(ImageEncoder):
    """Block 0 is the stem, then an inverted residual each; the last 1 x 1 convolution belongs to the last of them.

    pooling: mean or max over the places of the last map; None for mean.
    """

    architecture = "efficientnet-lite"
    patch = 32
    finest = 4

    def __init__(
        self, shape: Shape, view: View, mean: Sequence[float], std: Sequence[float], pooling: str | None = None
    ) -> None:
        super().__init__(view, mean, std)
        if pooling not in (None, *_POOLINGS):
            raise UsageError(f"pooling is '{pooling}'. A base of the kind {KIND} has: {', '.join(_POOLINGS)}.")
        self.shape, self.pooling, eps = shape, pooling or _POOLINGS[0], shape.batch_norm_eps
        self.stem = ConvNorm(3, shape.stem, 3, 2, 1, eps, active=True)
        self.layers, below = nn.ModuleList(), shape.stem
        for kernel, stride, times, channels, blocks in shape.stages:
            for at in range(blocks):
                self.layers.append(InvertedResidual(below, channels, kernel, 1 if at else stride, times, eps))
                below = channels
        self.head = ConvNorm(below, shape.head, 1, 1, 1, eps, active=True)
        self.depth, self.width, self.hidden_width = 1 + len(self.layers), shape.head, shape.head
        self.facts = frozenset({"sequence_blocks", "linear_layers"})

    @classmethod
    def from_pretrained(
        cls, folder: Path, size: int | None = None, crop: float | None = None, pooling: str | None = None
    ) -> EfficientNetLiteEncoder:
        """Load a base from a folder with config.json, model.safetensors and preprocessor_config.json; size, crop: as of
        `View.with_size`.

        Raises ModelError where a file is missing, damaged, or does not fit the others.
        """
        from safetensors.torch import load_file

        check_links(folder)
        view, mean, std = processing(folder)
        weights, config = folder / WEIGHTS, folder / "config.json"
        if not weights.is_file():
            raise ModelError(f"{folder} has no weights: there is no {WEIGHTS}.")
        with hub.explained(f"The weights in {folder} can't be loaded"):
            with bounded(config, [weights]):
                made = cls(read_shape(config), view.with_size(size, crop), mean, std, pooling)
            # Copied to where memory is aligned: convolutions round otherwise where it is not.
            held = {name: value.float().clone() for name, value in load_file(weights).items()}
            made.load_state_dict({name: value for name, value in held.items() if not name.startswith(_HEAD)})
        return made.eval()

    # --- computation -------------------------------------------------------------------------------------------------
    def block(self, index: int, states: Tensor) -> Tensor:
        mapped: Tensor = self.stem(states) if index == 0 else self.layers[index - 1](states)
        return self.head(mapped) if index == self.depth - 1 else mapped

    def pooled(self, states: Tensor) -> Tensor:
        return states.mean((2, 3)) if self.pooling == "mean" else states.amax((2, 3))

    def blocks(self) -> list[list[nn.Module]]:
        layers = list(self.layers)
        return [[self.stem], *([layer] for layer in layers[:-1]), [layers[-1], self.head]]

    # --- saving ------------------------------------------------------------------------------------------------------
    def config(self) -> dict[str, Any]:
        mean, std = self._colours
        return {
            "architecture": self.architecture,
            "shape": asdict(self.shape),
            "view": self.view.config(),
            "mean": list(mean),
            "std": list(std),
            "pooling": self.pooling,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], folder: Path) -> EfficientNetLiteEncoder:
        shape = _shape(config["shape"], folder)
        return cls(shape, View(**config["view"]), config["mean"], config["std"], config["pooling"])


def read_shape(file: Path) -> Shape:
    """What a config.json says of the network. Raises ModelError where it is damaged."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{file} can't be read: {error}.") from None
    return _shape(told, file)


def _shape(told: Any, where: Path) -> Shape:
    names = Shape.__dataclass_fields__
    held = {name: told[name] for name in names if name in told} if isinstance(told, dict) else told
    wrong = misfit(held, Shape) or ("" if held["stages"] else "stages is empty, expected one or more")
    if wrong:
        raise ModelError(f"{where} describes no network of the kind {KIND}: {wrong}.")
    stages = tuple(
        (kernel, stride, times, channels, blocks) for kernel, stride, times, channels, blocks in held["stages"]
    )
    numbers = [held["stem"], held["head"], *(number for stage in stages for number in stage)]
    if min(numbers) < 1 or any(kernel % 2 == 0 for kernel, *_ in stages):
        raise ModelError(f"{where}: expected whole numbers above 0, and kernels of an odd size; found {numbers}.")
    return Shape(held["stem"], held["head"], stages, float(held["batch_norm_eps"]))
