"""Test-time augmentation: a prediction is the mean over several views of the row, at several times the cost.

Views are fixed: for images the whole and windows of it, each also mirrored; for sounds small shifts in time. It
smooths out what depends on the exact position and often adds a little accuracy, most to networks that were trained with
the like of these views. It costs a forward pass for each view, in validation too. Leave `flip` out where left and right
have a meaning. Predictions before softmax are averaged.

Source: Krizhevsky et al. 2012 (ten views).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import ClassVar

import torch
from torch import Tensor

from graftwork.core.technique import Phase, Predictor, Rows, Technique
from graftwork.data.batch import Batch, Inputs
from graftwork.data.table import Modality
from graftwork.data.tensors import Tensors, each_tensor
from graftwork.errors import UsageError
from graftwork.networks.features import Features
from graftwork.networks.network import Forward, Heads
from graftwork.spaces import Choice, Spaces
from graftwork.techniques.augment.geometry import warp, window
from graftwork.techniques.augment.waves import rolled
from graftwork.techniques.checks import check_range

SIDE = 0.875
"""Of a window, as a share of the image's side."""
_EDGE = 1.0 - SIDE
WINDOWS = ((0.0, 0.0, 1.0), *((x, y, SIDE) for x, y in ((_EDGE / 2, _EDGE / 2), *product((0.0, _EDGE), repeat=2))))
"""left, top, side: the whole, the middle, the corners."""
STEP = 0.02
"""Of a shift, as a share of the sound's length."""
MOST = 2 * len(WINDOWS)


def image_view(pixels: Tensor, view: int, *, flip: bool) -> Tensor:
    """View number `view` of images (B, 3, S, S); 0 is the image itself."""
    left, top, side = WINDOWS[view // 2 if flip else view]
    if side < 1.0:
        place = [torch.full((len(pixels),), value) for value in (left, top, side, side)]
        pixels = warp(pixels, window(*place))
    return pixels.flip(-1) if flip and view % 2 else pixels


def sound_view(inputs: Inputs, view: int) -> Inputs:
    """View number `view` of sounds: earlier and later in turn, by one step, two, ...; 0 is the sound itself."""
    steps = (view + 1) // 2 * (1 if view % 2 else -1)
    samples = inputs["samples"]
    return inputs | {"wave": rolled(inputs["wave"], samples, (samples * (STEP * steps)).round().long())}


def view_of(batch: Batch, view: int, *, flip: bool) -> Batch:
    """The batch with this view of each of its images and sounds; other inputs stay as they are."""
    if view == 0:
        return batch
    changed = dict(batch.inputs)
    for name, inputs in batch.inputs.items():
        if "pixels" in inputs:
            changed[name] = inputs | {"pixels": image_view(inputs["pixels"], view, flip=flip)}
        elif "wave" in inputs:
            changed[name] = sound_view(inputs, view)
    return replace(batch, inputs=changed)


@dataclass(frozen=True)
class TTA(Technique):
    """Average predictions over fixed views of images and sounds, in validation, evaluation and prediction.

    views: how many, from 1 (off) to 12, or to 6 without flips; 2 are the image and its mirror image.
    flip: whether every window is also seen mirrored.
    """

    views: int = 4
    flip: bool = True

    name: ClassVar[str] = "tta"
    phase: ClassVar[Phase] = Phase.VIEWS
    summary: ClassVar[str] = "average predictions over several views (test-time augmentation)"
    whole_weights: ClassVar[str] = ""
    searched: ClassVar[Spaces] = {"views": Choice((2, 4, 6))}
    needs: ClassVar[frozenset[str]] = frozenset({"other_views", "row_targets", "row_features"})
    predict_depth: ClassVar[int] = 0

    def __post_init__(self) -> None:
        check_range(self.name, "views", self.views, 1, MOST)
        if not self.flip and self.views > len(WINDOWS):
            raise UsageError(f"tta: views is {self.views}. Without flips there are {len(WINDOWS)}.")

    @property
    def off(self) -> bool:
        return self.views == 1

    def changes(self, column: str, modality: Modality) -> bool:
        return modality in ("image", "audio")

    def predict(self, predictor: Predictor, rows: Rows) -> Predictor:
        return lambda network: self.over_views(predictor(network))

    def over_views(self, forward: Forward) -> Forward:
        """The mean of what `forward` predicts of each view."""

        def features(batch: Batch) -> Features:
            """Of all views side by side (B, views * width)."""
            seen = [forward.features(view_of(batch, view, flip=self.flip)) for view in range(self.views)]
            return Features(torch.cat([view.rows for view in seen], dim=1))

        def over(heads: Heads) -> Heads:
            def mean(seen: Features, batch: Batch) -> dict[str, Tensors]:
                views = [heads(Features(part), batch) for part in seen.rows.chunk(self.views, dim=1)]
                return {
                    target: each_tensor(lambda *all_views: torch.stack(all_views).mean(0), *(v[target] for v in views))
                    for target in views[0]
                }

            return mean

        return Forward(features, over(forward.heads), over(forward.generate) if forward.generate else None)
