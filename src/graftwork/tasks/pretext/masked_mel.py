"""Masked log-mel: patches of spectrograms are hidden, and predicted from the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch

from graftwork.data.batch import Batch
from graftwork.data.table import Modality
from graftwork.networks.audio.encoder import MelEncoder, valid
from graftwork.networks.audio.mel_cnn import levelled
from graftwork.networks.network import Network
from graftwork.tasks.metrics.metric import Metric
from graftwork.tasks.pretext.hidden_values import HiddenValues, check_share, check_whole, patches
from graftwork.tasks.pretext.pretext import loss_metric


@dataclass(frozen=True, kw_only=True)
class MaskedMel(HiddenValues):
    """Hidden patches of a log-mel spectrogram, from the rest; learned from sounds without a target column.

    Liu et al. 2020 (Mockingjay: hidden frames of speech), with patches and their L1 as Xie et al. 2022 (SimMIM).
    Hidden patches have the clip's mean. Values are log-mel less the clip's mean, by its deviation; silence behind a
    clip is not asked for.

    frames, bands: of a patch; at least 1 each. share: of the patches that are hidden, from above 0 to below 1.
    """

    name: ClassVar[str] = "masked-mel"
    metric_names: ClassVar[tuple[str, ...]] = ("mel_error",)
    own_facts: ClassVar[frozenset[str]] = frozenset({"hidden_frames"})
    drops: ClassVar[frozenset[str]] = frozenset({"signals", "continuous_inputs"})
    usual_head: ClassVar[str] = "hidden-frames"
    reads: ClassVar[Modality] = "audio"
    shows_twice: ClassVar[bool] = False

    frames: int = 8
    bands: int = 16
    share: float = 0.5

    def __post_init__(self) -> None:
        check_whole(self.name, frames=self.frames, bands=self.bands)
        check_share(self.name, self.share)

    def corrupt(self, batch: Batch, name: str, network: Network, generator: torch.Generator) -> Batch:
        encoder = network.encoder(self.column)
        assert isinstance(encoder, MelEncoder)
        with torch.no_grad():
            seen = encoder.spectrogram(batch.inputs[self.column])
            mel, frames = seen["mel"], seen["frames"]
            values = levelled(mel, frames)
            own = valid(frames, mel.shape[1]).unsqueeze(2)
            length, bands = mel.shape[1:]
            cells = patches(len(mel), (-(-length // self.frames), -(-bands // self.bands)), self.share, generator)
            each = cells.repeat_interleave(self.frames, 1).repeat_interleave(self.bands, 2)[:, :length, :bands]
            hidden = each.to(mel.device) & own
            mean = (mel * own).sum((1, 2), keepdim=True) / (own.sum((1, 2), keepdim=True) * bands).clamp(min=1)
            changed = seen | {"mel": torch.where(hidden, mean, mel)}
        return replace(
            batch,
            inputs=batch.inputs | {self.column: changed},
            targets=batch.targets | {name: {"values": values, "hidden": hidden}},
            labelled=batch.labelled | {name: hidden.flatten(1).any(1)},
        )

    def metrics(self) -> Mapping[str, Metric]:
        found = loss_metric("mel_error", "Error of hidden patches", "mean distance of hidden log-mel, in deviations")
        return {found.name: found}

    def settings(self) -> Mapping[str, Any]:
        return {"frames": self.frames, "bands": self.bands, "share": self.share}
