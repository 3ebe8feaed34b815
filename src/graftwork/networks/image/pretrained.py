"""An image model of the transformers library as an encoder: ResNet, ConvNeXt, MobileNet, ViT, DINOv2, Swin.

Sizes and colours come from the folder's preprocessor_config.json, pooling from the architecture.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from graftwork.errors import ModelError, UsageError
from graftwork.networks.encoder import drops, is_pointwise
from graftwork.networks.hub import loading as hub
from graftwork.networks.hub import transformers as pretrained
from graftwork.networks.image.backbones import TRUNKS, Backbone
from graftwork.networks.image.encoder import ImageEncoder
from graftwork.networks.image.processing import processing
from graftwork.networks.image.view import View

CNN_SHARE = 0.75
"""Of a CNN's blocks, from above, that are worth tuning. They are small, and the lower ones are soon foreign to images
of another kind or resolution."""
_DROPPED_KEYS = ("_name_or_path", "id2label", "label2id", "architectures")


class ImageModelEncoder(ImageEncoder):
    """A transformers model with pooling. Block 0 is the stem or embedding, then a layer or residual block each.

    Blocks of Swin are its stages. What follows the last layer (a last convolution, a norm) belongs to its block.
    pooling: None for the architecture's own: the mean of a feature map, a ViT's class token.
    """

    architecture = "image-model"

    def __init__(
        self, model: nn.Module, view: View, mean: Sequence[float], std: Sequence[float], pooling: str | None = None
    ) -> None:
        super().__init__(view, mean, std)
        self.model = model
        poolings = self._trunk.poolings
        if pooling not in (None, *poolings):
            raise UsageError(
                f"pooling is '{pooling}'. A base of the kind {self.hf_config.model_type} has: {', '.join(poolings)}."
            )
        self.pooling = pooling or poolings[0]
        self.depth, self.patch = len(self._trunk.path(model)), self._trunk.patch
        _freeze_unused(model)
        self._check_blocks()
        with hub.explained(f"This base can't read images of {view.size} x {view.size} pixels"):
            self.width = self.hidden_width = int(self._measure().shape[1])
        found = {"sequence_blocks"}
        found |= {"dropout"} if any(drops(module) for module in model.modules()) else set()
        linear = any(isinstance(module, nn.Linear) or is_pointwise(module) for module in model.modules())
        found |= {"linear_layers"} if linear else set()
        self.facts = frozenset(found)

    @classmethod
    def from_pretrained(
        cls, source: str | Path, size: int | None = None, crop: float | None = None, pooling: str | None = None
    ) -> ImageModelEncoder:
        """Load a base from a local folder or a hub id; size, crop: as of `View.with_size`.

        Raises ModelError where the folder is no image model that is supported, its weights are incomplete or not
        safetensors, or it does not say how images are resized and normalised.
        """
        folder = hub.locate(str(source))
        config = hub.read_config(folder)
        _known(config.model_type, source)
        view, mean, std = processing(folder)
        model = pretrained.load_trunk(folder, config, "sdpa", "pixel_values")
        channels = getattr(config, "num_channels", 3)
        if channels != 3:
            raise ModelError(f"{source} reads images of {channels} channels. Expected a base for 3 (RGB).")
        return cls(model, view.with_size(size, crop), mean, std, pooling)

    # --- computation -------------------------------------------------------------------------------------------------
    def block(self, index: int, states: Tensor) -> Tensor:
        return self._trunk.run(self.model, index, self._trunk.path(self.model)[index], states, self.view.size)

    def pooled(self, states: Tensor) -> Tensor:
        return self._trunk.features(self.model, states, self.pooling)

    def placed(self, states: Tensor) -> Tensor:
        tokens = super().placed(states)
        for module in self._trunk.tail(self.model):
            tokens = module(tokens)
        return tokens

    def blocks(self) -> list[list[nn.Module]]:
        return self._trunk.blocks(self.model)

    # --- saving and export -------------------------------------------------------------------------------------------
    @property
    def hf_model(self) -> Any:
        """The plain transformers model."""
        return self.model

    @property
    def hf_config(self) -> Any:
        return self.hf_model.config

    def config(self) -> dict[str, Any]:
        mean, std = self._colours
        return {
            "architecture": self.architecture,
            "model": {key: value for key, value in self.hf_config.to_dict().items() if key not in _DROPPED_KEYS},
            "view": self.view.config(),
            "mean": list(mean),
            "std": list(std),
            "pooling": self.pooling,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], folder: Path) -> ImageModelEncoder:
        model = pretrained.empty_trunk(config["model"], "sdpa")
        return cls(model, View(**config["view"]), config["mean"], config["std"], config["pooling"])

    # --- inside ------------------------------------------------------------------------------------------------------
    @property
    def _trunk(self) -> Backbone:
        return TRUNKS[self.hf_config.model_type]

    def _check_blocks(self) -> None:
        owners = [id(p) for block in self.blocks() for p in {p for m in block for p in m.parameters()}]
        stray = [name for name, p in self.model.named_parameters() if owners.count(id(p)) != 1]
        if stray:
            raise ModelError(
                f"The architecture '{self.hf_config.model_type}' can't be divided into blocks: {', '.join(stray[:5])} "
                "belong to none of them, or to several."
            )


def tuned_blocks(source: str) -> int:
    """How many upper blocks of a base are worth tuning."""
    folder = hub.locate(source)
    config = hub.read_config(folder)
    backbone = _known(config.model_type, source)
    with torch.device("meta"):
        blocks = len(backbone.path(pretrained.empty_trunk(config.to_dict(), "sdpa")))
    return max(2, round(blocks * (0.25 if "cls" in backbone.poolings else CNN_SHARE)))


def _known(kind: str, source: str | Path) -> Backbone:
    if kind not in TRUNKS:
        raise ModelError(
            f"{source}: the architecture '{kind}' is no image base that is supported. "
            f"Expected one of: {', '.join(TRUNKS)}."
        )
    return TRUNKS[kind]


def _freeze_unused(model: nn.Module) -> None:
    """What only pretraining with masked patches uses is not trained."""
    for name, parameter in model.named_parameters():
        if name.endswith("mask_token"):
            parameter.requires_grad_(False)
