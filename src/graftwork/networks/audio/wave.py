"""Transformers that read the wave itself: Wav2Vec2 (Baevski et al. 2020), HuBERT (Hsu et al. 2021), WavLM (Chen et al.
2022), UniSpeech.

Features are the means of the last layer over a clip's own frames, or of the last `layers` layers side by side.
"""

from __future__ import annotations

import warnings
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from graftwork.data.batch import Hidden, Inputs
from graftwork.errors import UsageError
from graftwork.networks import hooks
from graftwork.networks.audio.ast import read_preprocessor
from graftwork.networks.audio.encoder import AudioEncoder, valid
from graftwork.networks.audio.windows import refuse
from graftwork.networks.encoder import drops
from graftwork.networks.features import Tokens
from graftwork.networks.hub import loading as hub
from graftwork.networks.hub import transformers as pretrained
from graftwork.networks.pooling import pool

KINDS = frozenset({"wav2vec2", "hubert", "wavlm", "unispeech", "unispeech-sat"})


class WaveEncoder(AudioEncoder):
    """Block 0 is the convolutional front end with the positions, then one block a layer; the last norm is the last's.

    normalise: each clip has mean 0 and variance 1 first, as the model's feature extractor says.
    seconds: what a longer clip is cut to; attention over minutes is out of reach.
    """

    architecture = "wave"

    def __init__(self, model: nn.Module, rate: int, normalise: bool, layers: int, seconds: float) -> None:
        super().__init__(rate, seconds)
        if hasattr(model, "masked_spec_embed"):
            del model.masked_spec_embed  # what masked frames become: none is masked here
        self.model, self.normalise, self.layers = model, normalise, layers
        self.depth = len(self._stack) + 1
        if not 1 <= layers < self.depth:
            raise UsageError(f"layers is {layers}. This base has 1 to {self.depth - 1}.")
        self.hidden_width = int(self.hf_config.hidden_size)
        self.width = layers * self.hidden_width

    @classmethod
    def from_pretrained(cls, folder: Path, layers: int = 1, seconds: float = 30.0) -> Self:
        """Load a base from a folder with config.json, preprocessor_config.json and weights.

        What masks frames or skips layers at random in training, by the configuration, is switched off: techniques do
        that. Raises ModelError where the files are incomplete or of another kind.
        """
        config = hub.read_config(folder)
        if config.model_type not in KINDS:
            raise refuse(folder, config.model_type, KINDS)
        told = read_preprocessor(folder)
        config.mask_time_prob = config.mask_feature_prob = config.layerdrop = 0.0
        config.add_adapter = False
        model = pretrained.load_trunk(folder, config, "sdpa", "input_values")
        rate, normalise = int(told.get("sampling_rate", 16000)), bool(told.get("do_normalize", True))
        return cls(model, rate, normalise, layers, seconds)

    # --- computation ------------------------------------------------------------------------------------------------
    def forward(self, inputs: Inputs, hidden: Hidden | None = None) -> Tensor:
        if hidden is not None and hidden.depth == self.depth:
            return hidden.states
        mask = self._mask(inputs)
        below = range(self.depth - self.layers, self.depth - 1)
        with ExitStack() as stack:
            entered = self._entered(inputs, mask) if hidden is None else self._resumed(stack, hidden)
            read = stack.enter_context(hooks.tapping(self._stack, below)) if below else {}
            last = self._encoded(entered, mask)
        states = (*(read[index] for index in below), last)
        return torch.cat([pool(one.float(), mask, "mean") for one in states], dim=1)

    def tokens_of(self, inputs: Inputs, hidden: Hidden | None = None) -> Tokens:
        """The last layer's output, a vector a frame, whatever `layers` is."""
        mask = self._mask(inputs)
        with ExitStack() as stack:
            entered = self._entered(inputs, mask) if hidden is None else self._resumed(stack, hidden)
            return Tokens(self._encoded(entered, mask), mask)

    @property
    def token_width(self) -> int:
        return self.hidden_width

    def states(self, inputs: Inputs, depth: int) -> Tensor:
        self._check_start(depth)
        mask = self._mask(inputs)
        with hooks.stopping(self._stack, depth - 1) as read:
            self._encoded(self._entered(inputs, mask), mask)
        return read[depth - 1]

    def state_lengths(self, lengths: np.ndarray, depth: int) -> np.ndarray:
        counted: np.ndarray = self._counted(torch.from_numpy(np.asarray(lengths, np.int64))).numpy()
        return counted

    @property
    def deepest_start(self) -> int:
        return self._deepest if "sequence_blocks" in self.facts else 0

    @cached_property
    def facts(self) -> frozenset[str]:  # type: ignore[override]
        found = {"linear_layers"}
        if any(drops(module) for module in self.model.modules()):
            found.add("dropout")
        if self.hf_config.model_type != "wavlm":  # its layers hand on the bias of the positions, too
            found.add("sequence_blocks")
        return frozenset(found)

    def blocks(self) -> list[list[nn.Module]]:
        model: Any = self.model
        layers = list(self._stack)
        behind = [model.encoder.layer_norm] if self._norm_is_last else []
        before = [module for name, module in model.encoder.named_children() if name != "layers"]
        stem = [model.feature_extractor, model.feature_projection, *(m for m in before if m not in behind)]
        return [stem, *([layer] for layer in layers[:-1]), [layers[-1], *behind]]

    # --- saving -----------------------------------------------------------------------------------------------------
    @property
    def hf_config(self) -> Any:
        model: Any = self.model
        return model.config

    def config(self) -> dict[str, Any]:
        left_out = ("_name_or_path", "id2label", "label2id", "architectures")
        return {
            "architecture": self.architecture,
            "model": {key: value for key, value in self.hf_config.to_dict().items() if key not in left_out},
            "rate": self.rate,
            "normalise": self.normalise,
            "layers": self.layers,
            "seconds": self.seconds,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], folder: Path) -> Self:
        model = pretrained.empty_trunk(config["model"], "sdpa")
        return cls(model, config["rate"], config["normalise"], config["layers"], config["seconds"])

    # --- inside -----------------------------------------------------------------------------------------------------
    @property
    def _stack(self) -> nn.ModuleList:
        layers = self.model.get_submodule("encoder.layers")
        assert isinstance(layers, nn.ModuleList)
        return layers

    @property
    def _norm_is_last(self) -> bool:
        return "StableLayerNorm" in type(self.model.get_submodule("encoder")).__name__

    @property
    def _deepest(self) -> int:
        return min(self.depth - 1, self.depth - self.layers + 1)

    def _counted(self, samples: Tensor) -> Tensor:
        """Frames of clips of so many samples (B,), at least 1."""
        for kernel, stride in zip(self.hf_config.conv_kernel, self.hf_config.conv_stride, strict=True):
            samples = (samples - kernel).div(stride, rounding_mode="floor") + 1
        return samples.clamp(min=1)

    @property
    def _shortest(self) -> int:
        """Samples from which on there is a frame."""
        samples = 1
        pairs = zip(self.hf_config.conv_kernel, self.hf_config.conv_stride, strict=True)
        for kernel, stride in reversed(list(pairs)):
            samples = (samples - 1) * stride + kernel
        return samples

    def _mask(self, inputs: Inputs) -> Tensor:
        frames = self._counted(inputs["samples"])
        return valid(frames, int(frames.max()))

    def _entered(self, inputs: Inputs, mask: Tensor) -> Tensor:
        """What the front end gives (B, frames, width): the transformer's own input, positions apart."""
        model: Any = self.model
        wave, samples = inputs["wave"], inputs["samples"].clamp(min=1)
        if self.normalise:
            wave = _normalised(wave, samples)
        samples = samples.clamp(min=self._shortest)
        wave = nn.functional.pad(wave, (0, max(0, int(samples.max()) - wave.shape[1])))[:, : int(samples.max())]
        if self.hf_config.feat_extract_norm == "group":
            convolved = self._convolved_alone(wave, samples, mask)
        else:
            convolved = model.feature_extractor(wave).transpose(1, 2)
        projected = model.feature_projection(convolved)
        entered: Tensor = projected[0] if isinstance(projected, tuple) else projected
        return entered

    def _convolved_alone(self, wave: Tensor, samples: Tensor, mask: Tensor) -> Tensor:
        """Its group norm is over time, so that padding would change every frame: rows of one length at a time."""
        model: Any = self.model
        found: list[Tensor] = [wave] * len(wave)
        for length in torch.unique(samples).tolist():
            rows = (samples == length).nonzero().flatten()
            convolved = model.feature_extractor(wave[rows, :length]).transpose(1, 2)
            padded = nn.functional.pad(convolved, (0, 0, 0, mask.shape[1] - convolved.shape[1]))
            for row, states in zip(rows.tolist(), padded, strict=True):
                found[row] = states
        return torch.stack(found)

    def _encoded(self, states: Tensor, mask: Tensor) -> Tensor:
        model: Any = self.model
        with warnings.catch_warnings():  # of WavLM's masks, one of which is boolean and one not
            warnings.filterwarnings("ignore", "Support for mismatched key_padding_mask", UserWarning)
            # A copy: transformers writes zeros into what it is given.
            last: Tensor = model.encoder(states.clone(), attention_mask=mask).last_hidden_state
        return last

    def _resumed(self, stack: ExitStack, hidden: Hidden) -> Tensor:
        self._check_start(hidden.depth)
        stack.enter_context(hooks.starting(self._stack, hidden.depth - 1, hidden.states))
        return hidden.states

    def _check_start(self, depth: int) -> None:
        if not 1 <= depth <= self._deepest or "sequence_blocks" not in self.facts:
            raise ValueError(f"This encoder can start at depth 1 to {self.deepest_start}, not at {depth}.")


def _normalised(wave: Tensor, samples: Tensor) -> Tensor:
    """Mean 0 and variance 1 over each row's own samples, silence behind them."""
    own = valid(samples, wave.shape[1])
    count = samples.unsqueeze(1)
    mean = wave.sum(1, keepdim=True) / count
    centred = (wave - mean).masked_fill(~own, 0.0)
    return centred / (centred.square().sum(1, keepdim=True) / count + 1e-7).sqrt()
