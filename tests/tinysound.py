"""Tiny random audio models, and generated tones, that tests of all parts share; nothing is downloaded.

`tiny_sound_model(folder, "wav2vec2")` writes a folder as `save_pretrained` would: config.json, model.safetensors,
preprocessor_config.json or frontend.json. The same call always writes the same weights.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np

WAVES = ("wav2vec2", "wav2vec2-layer", "hubert", "wavlm", "unispeech-sat")
KINDS = (*WAVES, "ast", "yamnet", "whisper", "ge2e-speaker")
LAYERS, WIDTH = 3, 16
RATE = 4000
SPEAKER = {
    "model_type": "ge2e-speaker",
    "mels": 16,
    "width": 12,
    "layers": 3,
    "embedding": 8,
    "rate": RATE,
    "window": 100,
    "hop": 40,
    "frames": 24,
    "step": 12,
}
FRONTEND = {
    "sampling_rate": RATE,
    "window_seconds": 0.025,
    "hop_seconds": 0.01,
    "fft_length": 128,
    "window": "periodic hann",
    "spectrogram": "magnitude (not power)",
    "mel_bins": 16,
    "mel_min_hz": 60,
    "mel_max_hz": 1900,
    "mel_scale": "HTK, triangles in mel space, not area-normalised",
    "log_offset": 0.001,
    "patch_frames": 24,
    "patch_hop_frames": 12,
}


def tone(hertz: float, seconds: float = 0.3, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """A tone with its octave and a little noise, float32, from -0.5 to 0.5."""
    time = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).normal(0, 0.01, len(time))
    wave = 0.3 * np.sin(2 * np.pi * hertz * time) + 0.1 * np.sin(4 * np.pi * hertz * time) + noise
    made: np.ndarray = np.clip(wave, -0.5, 0.5).astype(np.float32)
    return made


def encoded(samples: np.ndarray, rate: int = RATE, form: str = "WAV", subtype: str | None = None) -> bytes:
    """Samples (T,) or (T, channels) as the bytes of a file."""
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=form, subtype=subtype)
    return file.getvalue()


def tiny_clips(rows: int = 24) -> list[tuple[bytes, str]]:
    """(file, class) pairs: low, middle and high tones in turn, 0.2 to 0.5 seconds, every one another pitch."""
    classes = {"low": 150.0, "middle": 500.0, "high": 1400.0}
    pairs = []
    for row in range(rows):
        name = list(classes)[row % 3]
        samples = tone(classes[name] * (1 + 0.02 * (row % 7)), 0.2 + 0.1 * (row % 4), seed=row)
        pairs.append((encoded(samples), name))
    return pairs


def tiny_sound_model(folder: Path, kind: str = "wav2vec2", **changes: Any) -> Path:
    """Write a random model of `kind` (one of KINDS) into `folder`; `changes` are settings of its configuration."""
    import torch
    from transformers import AutoModel

    if kind == "ge2e-speaker":
        return _tiny_speaker(folder)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = AutoModel.from_config(_config(kind, changes))
        for name, parameter in model.named_parameters():  # zeros and ones of a fresh model would hide mistakes
            if "parametrizations" not in name:
                torch.nn.init.normal_(parameter, mean=float(parameter.dim() == 1 and "bias" not in name), std=0.2)
        if kind == "yamnet":  # statistics of its batch norms, without which nothing is left of the input
            model.train()(torch.randn(8, 1, 24, 16))
    model.save_pretrained(folder)
    if kind == "yamnet":
        (folder / "frontend.json").write_text(json.dumps(FRONTEND))
    elif kind == "ast":
        settings = {"feature_extractor_type": "ASTFeatureExtractor", "num_mel_bins": 16, "max_length": 20}
        told = settings | {"sampling_rate": 16000, "mean": -4.0, "std": 4.5}
        (folder / "preprocessor_config.json").write_text(json.dumps(told))
    elif kind == "whisper":
        told = {"feature_extractor_type": "WhisperFeatureExtractor", "feature_size": 16, "chunk_length": 1}
        (folder / "preprocessor_config.json").write_text(json.dumps(told | {"sampling_rate": 16000}))
    else:
        told = {"feature_extractor_type": "Wav2Vec2FeatureExtractor", "sampling_rate": RATE, "do_normalize": True}
        (folder / "preprocessor_config.json").write_text(json.dumps(told))
    return folder


def _tiny_speaker(folder: Path) -> Path:
    """As the converter of resemblyzer's file writes it."""
    import torch
    from safetensors.torch import save_file

    width, embedding = int(str(SPEAKER["width"])), int(str(SPEAKER["embedding"]))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        lstm = torch.nn.LSTM(16, width, 3, batch_first=True)
        linear = torch.nn.Linear(width, embedding)
        torch.nn.init.normal_(linear.weight)
    folder.mkdir(parents=True, exist_ok=True)
    named = {f"lstm.{name}": value.detach() for name, value in lstm.named_parameters()}
    named |= {f"linear.{name}": value.detach() for name, value in linear.named_parameters()}
    save_file(named, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(SPEAKER))
    return folder


def _config(kind: str, changes: dict[str, Any]) -> Any:
    import transformers as t

    sizes = {"hidden_size": WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": 2, "intermediate_size": 24}
    wave = sizes | {
        "conv_dim": (8, 8, 8),
        "conv_kernel": (10, 3, 3),
        "conv_stride": (5, 2, 2),
        "num_feat_extract_layers": 3,
        "num_conv_pos_embeddings": 6,
        "num_conv_pos_embedding_groups": 2,
        "mask_time_prob": 0.05,
    }
    stable = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}
    settings: dict[str, tuple[Any, dict[str, Any]]] = {
        "wav2vec2": (t.Wav2Vec2Config, wave),
        "wav2vec2-layer": (t.Wav2Vec2Config, wave | stable),
        "hubert": (t.HubertConfig, wave),
        "wavlm": (t.WavLMConfig, wave | {"num_buckets": 8, "max_bucket_distance": 16}),
        "unispeech-sat": (t.UniSpeechSatConfig, wave),
        "ast": (
            t.ASTConfig,
            sizes | {"num_mel_bins": 16, "max_length": 20, "patch_size": 4, "frequency_stride": 4, "time_stride": 4},
        ),
        "whisper": (
            t.WhisperConfig,
            {
                "d_model": WIDTH,
                "encoder_layers": LAYERS,
                "decoder_layers": 1,
                "encoder_attention_heads": 2,
                "decoder_attention_heads": 2,
                "encoder_ffn_dim": 24,
                "decoder_ffn_dim": 24,
                "num_mel_bins": 16,
                "max_source_positions": 50,
                "vocab_size": 30,
                "pad_token_id": 0,
            },
        ),
        "yamnet": (
            t.MobileNetV1Config,
            {"num_channels": 1, "depth_multiplier": 0.25, "min_depth": 4, "image_size": 24, "tf_padding": True},
        ),
    }
    cls, own = settings[kind]
    return cls(**(own | changes))
