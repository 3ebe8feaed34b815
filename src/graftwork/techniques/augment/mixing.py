"""What cutmix and pixel-mixup share: the images of two rows become one, and their targets are blended alike."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from graftwork.core.technique import Graft, Phase, Setup, Technique
from graftwork.data.batch import Batch
from graftwork.networks.network import Network
from graftwork.techniques.augment.blending import choose_partners, with_blended_targets
from graftwork.techniques.checks import check_range

_SEEDS = 2**62


@dataclass(frozen=True, kw_only=True)
class ImageMixing(Technique):
    """Mixes the images of pairs of rows within a batch; all image columns of a row alike.

    probability: share of the steps at which images are mixed, from 0 (off) to 1.
    """

    probability: float = 1.0

    phase: ClassVar[Phase] = Phase.MIX
    drops: ClassVar[frozenset[str]] = frozenset({"hard_labels", "row_identity"})
    claims: ClassVar[frozenset[str]] = frozenset({"image mixing"})
    depth: ClassVar[int] = 0

    @property
    @abstractmethod
    def amount(self) -> float:
        """Of the Beta distribution from which the share of a step is drawn; 0 is off."""

    @abstractmethod
    def mix(
        self, images: Sequence[Tensor], partner: Tensor, share: float, generator: np.random.Generator
    ) -> tuple[list[Tensor], float]:
        """Columns of images (B, 3, S, S) mixed with those of the partners (B,), and the share that is left of each."""

    def __post_init__(self) -> None:
        check_range(self.name, "alpha", self.amount, 0.0, math.inf)
        check_range(self.name, "probability", self.probability, 0.0, 1.0)

    @property
    def off(self) -> bool:
        return self.amount == 0.0 or self.probability == 0.0

    @property
    def needs(self) -> frozenset[str]:
        if self.off:
            return frozenset()
        return frozenset({"image_inputs", "only_image_inputs", "row_targets", "target_column", "mixable_targets"})

    def attach(self, network: Network, setup: Setup) -> Graft:
        stream = setup.generator()

        def inputs(batch: Batch) -> Batch:
            generator = np.random.default_rng(int(torch.randint(_SEEDS, (1,), generator=stream)))
            if generator.random() >= self.probability:
                return batch
            share = float(generator.beta(self.amount, self.amount))
            chosen = choose_partners(batch, generator, batch.present.values())
            partner = torch.from_numpy(chosen).to(batch.rows.device)
            images = [batch.inputs[name]["pixels"] for name in network.columns]
            mixed, share = self.mix(images, partner, share, generator)
            changed = {name: {"pixels": pixels} for name, pixels in zip(network.columns, mixed, strict=True)}
            return with_blended_targets(replace(batch, inputs=changed), setup.tasks, partner, share)

        return Graft(inputs=inputs, generators={"mixing": stream})
