"""The encoder of voices against plain torch and transformers' spectrogram, as resemblyzer computes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional

from graftwork.errors import ModelError
from graftwork.networks.audio.ge2e import LOUDNESS, SpeakerEncoder
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.registry import parse_base
from tinysound import RATE, SPEAKER, encoded, tiny_sound_model, tone

FRAMES, STEP, WIDTH = 24, 12, 12


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_sound_model(tmp_path / "speaker", "ge2e-speaker")


def built(folder: Path) -> Any:
    return parse_base(str(folder)).build(TrainingRows(), 0).eval()


@pytest.mark.filterwarnings("ignore:At least one mel filter has all zero values")
def test_by_hand(folder: Path) -> None:
    """Energies of a softer clip made louder, windows through one LSTM of three layers, their mean at length 1."""
    from transformers.audio_utils import mel_filter_bank, spectrogram, window_function

    encoder = built(folder)
    assert isinstance(encoder, SpeakerEncoder)
    rows = encoder.prepare([encoded(0.02 * tone(300, 0.7))])
    wave = rows[0] / 32768.0
    gain = 10 ** ((LOUDNESS - 10 * np.log10((wave**2).mean())) / 20)
    assert gain > 1
    filters = mel_filter_bank(51, 16, 0, RATE / 2, RATE, norm="slaney", mel_scale="slaney")
    silent = np.pad(gain * wave, (0, 2000))
    hann = window_function(100, "hann")
    mel = spectrogram(silent, hann, 100, 40, power=2.0, mel_filters=filters, mel_floor=1e-10).T
    frames = 70
    windows = 1 + -(-(frames - FRAMES) // STEP)
    lstm = torch.nn.LSTM(16, WIDTH, 3, batch_first=True)
    weights = load_file(folder / "model.safetensors")
    lstm.load_state_dict({key[5:]: value for key, value in weights.items() if key.startswith("lstm.")})
    cut = torch.tensor(np.stack([mel[at * STEP : at * STEP + FRAMES] for at in range(windows)]), dtype=torch.float32)
    with torch.no_grad():
        _, (last, _) = lstm(cut)
        vectors = torch.relu(last[-1] @ weights["linear.weight"].T + weights["linear.bias"])
        expected = functional.normalize(functional.normalize(vectors, dim=1).mean(0), dim=0)
        found = encoder(encoder.collate(rows))[0]
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)
    assert found.norm().item() == pytest.approx(1.0, abs=1e-5)


def test_soft_clips_are_as_loud_as_others(folder: Path) -> None:
    encoder = built(folder)
    rows = encoder.prepare([encoded(scale * tone(300, 0.7), subtype="FLOAT") for scale in (0.02, 0.05, 1.0)])
    with torch.no_grad():
        soft, softer, loud = encoder(encoder.collate(rows))
        torch.testing.assert_close(soft, softer, rtol=1e-2, atol=1e-3)  # but for 16 bits
        assert (soft - loud).abs().max() > 1e-4  # a loud one is left as it is
        silence = encoder(encoder.collate([np.zeros(0, np.int16), np.zeros(900, np.int16)]))
    assert torch.isfinite(silence).all()


def test_layers_side_by_side_and_blocks(folder: Path) -> None:
    encoder = parse_base(f"{folder}:layers=2").build(TrainingRows(), 0)
    assert (encoder.depth, encoder.width) == (3, WIDTH + 8)
    assert parse_base(str(folder)).with_layers(3).spec == str(folder)  # its own features are what it was trained for


DAMAGES = {
    "no config": (None, r"config.json can't be read"),
    "no object": ("[3]", r"is damaged: expected whole numbers from 1 on, found \[3\]"),
    "lacks a size": (json.dumps({k: v for k, v in SPEAKER.items() if k != "hop"}), r"is damaged: .* found hop 0"),
    "a word": (json.dumps(SPEAKER | {"width": "wide"}), r"is damaged: .* found width is 'wide'"),
    "true": (json.dumps(SPEAKER | {"width": True}), r"is damaged: .* found width is True"),
    "wide": (json.dumps(SPEAKER | {"width": 20_000}), "far larger than its weights"),
    "huge": (json.dumps(SPEAKER | {"width": 10**9}), "can't be used with its config"),
    "many layers": (json.dumps(SPEAKER | {"layers": 10**9}), r"layers is 1000000000\. Expected 100,000 at most"),
    "other width": (json.dumps(SPEAKER | {"width": 10}), r"can't be used with its config\.json: .*size mismatch"),
    "fewer layers": (json.dumps(SPEAKER | {"layers": 2}), r"can't be used with its config\.json: .*Unexpected key"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_folder(folder: Path, damage: str) -> None:
    text, message = DAMAGES[damage]
    if text is None:
        (folder / "config.json").unlink()
    else:
        (folder / "config.json").write_text(text)
    with pytest.raises(ModelError, match=message):
        SpeakerEncoder.from_pretrained(folder)


def test_damaged_weights(folder: Path) -> None:
    file = folder / "model.safetensors"
    weights = load_file(file)
    save_file({name: value for name, value in weights.items() if name != "linear.bias"}, file)
    with pytest.raises(ModelError, match=r'can\'t be used with its config\.json: .*Missing key.*"embed.linear.bias"'):
        built(folder)
    file.write_bytes(b"nothing of the kind")
    with pytest.raises(ModelError, match=r"model\.safetensors can't be used"):
        built(folder)
    file.unlink()
    with pytest.raises(ModelError, match=r"model\.safetensors can't be used"):
        built(folder)
