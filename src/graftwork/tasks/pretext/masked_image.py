"""Masked image modelling: patches of pictures are hidden, and their pixels predicted from the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch

from graftwork.data.batch import Batch
from graftwork.data.table import Modality
from graftwork.networks.image.encoder import PIXELS, ImageEncoder
from graftwork.networks.network import Network
from graftwork.tasks.metrics.metric import Metric
from graftwork.tasks.pretext.hidden_values import HiddenValues, check_share, check_whole, patches
from graftwork.tasks.pretext.pretext import loss_metric


@dataclass(frozen=True, kw_only=True)
class MaskedImage(HiddenValues):
    """Pixels of hidden patches, from the rest of the picture; learned from pictures without a target column.

    Xie et al. 2022 (SimMIM): raw pixels, L1 on hidden ones alone, one linear layer; it suits CNNs too. Hidden patches
    have the colour that the base takes for the mean. Values are pixels less the base's mean colour, by its deviation.

    patch: pixels a side, at least 1; more than a unit of the base sees by itself, else it only continues edges.
    share: of the patches that are hidden, from above 0 to below 1.
    """

    name: ClassVar[str] = "masked-image"
    metric_names: ClassVar[tuple[str, ...]] = ("pixel_error",)
    own_facts: ClassVar[frozenset[str]] = frozenset({"hidden_pixels"})
    usual_head: ClassVar[str] = "hidden-pixels"
    reads: ClassVar[Modality] = "image"
    shows_twice: ClassVar[bool] = False

    patch: int = 8
    share: float = 0.6

    def __post_init__(self) -> None:
        check_whole(self.name, patch=self.patch)
        check_share(self.name, self.share)

    def corrupt(self, batch: Batch, name: str, network: Network, generator: torch.Generator) -> Batch:
        encoder, pixels = network.encoder(self.column), batch.inputs[self.column][PIXELS]
        assert isinstance(encoder, ImageEncoder)
        height, width = pixels.shape[2:]
        grid = (-(-height // self.patch), -(-width // self.patch))
        cells = patches(len(pixels), grid, self.share, generator)
        each = cells.repeat_interleave(self.patch, 1).repeat_interleave(self.patch, 2)[:, None, :height, :width]
        hidden = each.expand(-1, pixels.shape[1], -1, -1).to(pixels.device)
        values = (pixels - encoder.mean) / encoder.std
        return replace(
            batch,
            inputs=batch.inputs | {self.column: {PIXELS: torch.where(hidden, encoder.mean, pixels)}},
            targets=batch.targets | {name: {"values": values, "hidden": hidden}},
        )

    def metrics(self) -> Mapping[str, Metric]:
        found = loss_metric("pixel_error", "Error of hidden pixels", "mean distance of hidden pixels, in deviations")
        return {found.name: found}

    def settings(self) -> Mapping[str, Any]:
        return {"patch": self.patch, "share": self.share}
