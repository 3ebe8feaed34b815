"""Whisper's encoder with positions cut to the clip, against transformers' own on clips filled up to a whole window."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from graftwork.data.batch import Hidden
from graftwork.errors import ModelError, UsageError
from graftwork.networks.audio.whisper import WhisperEncoder, scaled
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.registry import parse_base
from tinysound import LAYERS, WIDTH, encoded, tiny_sound_model, tone

RATE = 16000
WINDOW = 1
"""Seconds of the tiny one."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_sound_model(tmp_path_factory.mktemp("whisper"), "whisper")


@pytest.fixture(scope="module")
def encoder(folder: Path) -> WhisperEncoder:
    return built(folder)


def built(folder: Path, settings: str = "pooling=mean") -> Any:
    return parse_base(f"{folder}:{settings}").build(TrainingRows(), 0).eval()


def samples(encoder: WhisperEncoder, *seconds: float) -> list[np.ndarray]:
    return encoder.prepare([encoded(tone(300 + 50 * at, one, RATE), RATE) for at, one in enumerate(seconds)])


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Any:
    from transformers import AutoModel

    return AutoModel.from_pretrained(folder).encoder.eval()


def features(folder: Path, rows: list[np.ndarray]) -> Tensor:
    from transformers import WhisperFeatureExtractor

    extract = WhisperFeatureExtractor.from_pretrained(folder)
    waves = [row / 32768.0 for row in rows]
    return extract(waves, sampling_rate=RATE, return_tensors="pt").input_features.float()


@contextmanager
def masked(model: Any, own: Tensor) -> Iterator[None]:
    """Their layers attend to these positions (B, L) alone."""
    mask = own[:, None, None, :]
    hooks = [
        layer.register_forward_pre_hook(lambda _, args, kwargs: ((args[0], mask), kwargs), with_kwargs=True)
        for layer in model.layers
    ]
    yield
    for hook in hooks:
        hook.remove()


def test_the_spectrogram_is_that_of_its_feature_extractor(folder: Path, encoder: WhisperEncoder) -> None:
    rows = samples(encoder, 0.3, 1.0, 0.517, 0.02)
    with torch.no_grad():
        given = encoder.spectrogram(encoder.collate(rows))
        mel = scaled(given["mel"])
    expected = features(folder, rows).transpose(1, 2)
    assert given["frames"].tolist() == [30, 100, 52, 2]
    for at, count in enumerate(given["frames"].tolist()):
        ends = 2 if len(rows[at]) == RATE else 0  # theirs mirrors the sound at the end of a window, too
        torch.testing.assert_close(mel[at, : count - ends], expected[at, : count - ends], rtol=1e-4, atol=1e-4)


def test_a_clip_that_fills_the_window_is_as_in_transformers(folder: Path, encoder: WhisperEncoder, theirs: Any) -> None:
    """Filled up by hand, so that nothing is cut."""
    rows = [np.pad(row, (0, RATE - len(row))) for row in samples(encoder, 0.3, 0.7)]
    with torch.no_grad():
        expected = theirs(features(folder, rows)).last_hidden_state
        found = encoder.tokens_of(encoder.collate(rows))
        assert found.counts.all()
        torch.testing.assert_close(found.states, expected, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(encoder(encoder.collate(rows)), expected.mean(1), rtol=1e-4, atol=1e-4)


def test_of_a_short_clip_nothing_differs_but_that_silence_is_not_attended_to(
    folder: Path, encoder: WhisperEncoder, theirs: Any
) -> None:
    rows = samples(encoder, 0.3, 0.7, 0.517, 0.05)
    with torch.no_grad():
        found = encoder.tokens_of(encoder.collate(rows))
        assert found.states.shape[1] == 35
        own = torch.zeros(len(rows), 50, dtype=torch.bool)
        own[:, :35] = found.counts
        with masked(theirs, own):
            expected = theirs(features(folder, rows)).last_hidden_state
        torch.testing.assert_close(found.states[found.counts], expected[own], rtol=1e-4, atol=1e-4)


def test_a_longer_clip_is_read_in_windows(encoder: WhisperEncoder, theirs: Any) -> None:
    """2.4 seconds are two whole windows and 20 positions of a third, beside a clip that has one."""
    rows = samples(encoder, 2.4, 0.3)
    inputs = encoder.collate(rows)
    with torch.no_grad():
        found = encoder.tokens_of(inputs)
        assert found.counts.sum(1).tolist() == [120, 15]
        windows = scaled(encoder.spectrogram(inputs)["mel"])[0].reshape(3, 100, 16)
        own = torch.ones(3, 50, dtype=torch.bool)
        own[2, 20:] = False
        with masked(theirs, own):
            expected = theirs(windows.transpose(1, 2)).last_hidden_state.flatten(0, 1)[:120]
        torch.testing.assert_close(found.states[0, :120], expected, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(encoder(inputs)[1], encoder(encoder.collate(rows[1:]))[0], rtol=1e-4, atol=1e-4)


def test_windows_start_at_each_depth_from_what_a_cache_keeps(encoder: WhisperEncoder) -> None:
    rows = samples(encoder, 2.4, 0.3, 1.0, 1.013)
    inputs, lengths = encoder.collate(rows), np.array([len(row) for row in rows])
    with torch.no_grad():
        whole = encoder(inputs)
        for depth in range(1, encoder.deepest_start + 1):
            states = encoder.states(inputs, depth)
            counted = encoder.state_lengths(lengths, depth)
            assert counted.tolist() == [120, 15, 50, 51]
            for row, count in enumerate(counted):
                states[row, count:] = 0
            torch.testing.assert_close(encoder(inputs, Hidden(depth, states)), whole, rtol=1e-4, atol=1e-4)


def test_it_costs_what_the_clip_costs(encoder: WhisperEncoder) -> None:
    """No layer sees a position behind the longest clip of the batch."""
    seen: list[int] = []
    hooks = [layer.register_forward_hook(lambda _, args, __: seen.append(args[0].shape[1])) for layer in encoder._stack]
    encoder(encoder.collate(samples(encoder, 0.2, 0.1)))
    for hook in hooks:
        hook.remove()
    assert seen == [10] * LAYERS


def test_features_of_several_layers_and_of_the_loudest(folder: Path, encoder: WhisperEncoder, theirs: Any) -> None:
    both = built(folder, "pooling=mean+max,layers=2")
    assert both.width == 4 * WIDTH
    rows = [np.pad(row, (0, RATE - len(row))) for row in samples(encoder, 0.3, 0.7)]
    with torch.no_grad():
        *_, below, _ = theirs(features(folder, rows), output_hidden_states=True).hidden_states
        last = theirs(features(folder, rows)).last_hidden_state
        expected = torch.cat([below.mean(1), last.mean(1), below.amax(1), last.amax(1)], dim=1)
        torch.testing.assert_close(both(both.collate(rows)), expected, rtol=1e-4, atol=1e-4)


def test_fewer_layers_are_the_lower_ones(folder: Path, theirs: Any) -> None:
    one = WhisperEncoder.from_pretrained(folder, depth=1).eval()
    assert (one.depth, one.hf_config.encoder_layers) == (2, 1)
    rows = [np.pad(row, (0, RATE - len(row))) for row in samples(one, 0.3)]
    with torch.no_grad():
        states = theirs(features(folder, rows), output_hidden_states=True).hidden_states[1]
        torch.testing.assert_close(
            one.tokens_of(one.collate(rows)).states, theirs.layer_norm(states), rtol=1e-4, atol=1e-4
        )
    with pytest.raises(UsageError, match=r"depth is 9. This base has 1 to 3 layers"):
        WhisperEncoder.from_pretrained(folder, depth=9)


def test_the_positions_are_kept_and_never_trained(encoder: WhisperEncoder, theirs: Any) -> None:
    assert torch.equal(encoder.positions, theirs.embed_positions.weight)
    assert "positions" in encoder.state_dict()
    assert not any("position" in name for name, _ in encoder.named_parameters())


def changed(folder: Path, to: Path, **settings: Any) -> Path:
    """A copy whose preprocessor says otherwise."""
    to.mkdir()
    for file in folder.iterdir():
        (to / file.name).write_bytes(file.read_bytes())
    told = json.loads((to / "preprocessor_config.json").read_text())
    (to / "preprocessor_config.json").write_text(json.dumps(told | settings))
    return to


def test_files_that_do_not_belong_together(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"makes 100 frames of 80 mel bins, but the model in config.json reads 100 of 16"
    ):
        built(changed(folder, tmp_path / "bins", feature_size=80))
    with pytest.raises(ModelError, match="makes 3000 frames of 16"):
        built(changed(folder, tmp_path / "long", chunk_length=30))
    copy = changed(folder, tmp_path / "copy")
    (copy / "preprocessor_config.json").unlink()
    with pytest.raises(ModelError, match=r"has no preprocessor_config.json"):
        built(copy)


def test_only_the_encoders_weights_are_read(folder: Path, tmp_path: Path) -> None:
    copy = changed(folder, tmp_path / "copy")
    weights = load_file(copy / "model.safetensors")
    alone = {name: value for name, value in weights.items() if name.startswith("encoder.")}
    assert len(alone) < len(weights)
    save_file(alone, copy / "model.safetensors", {"format": "pt"})
    assert built(copy).depth == LAYERS + 1
    del alone["encoder.layers.1.fc1.weight"]
    save_file(alone, copy / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=r"encoder.layers.1.fc1.weight are missing or of another shape"):
        built(copy)


@pytest.mark.slow
def test_real_clips(real_bases: Callable[..., None], real_data: Path) -> None:
    """Filled up to 30 seconds the states are transformers'; cut to the clip they are close: what differs is that 15
    seconds of silence are not attended to."""
    import pyarrow.parquet as pq
    import soundfile
    from transformers import WhisperModel

    from graftwork.bases.home import folder_of

    real_bases("whisper-tiny.en")
    encoder = built(folder_of("whisper-tiny.en"))
    clips = pq.read_table(real_data / "librispeech_10speakers" / "test.parquet").column("audio").to_pylist()[:2]
    assert soundfile.info(io.BytesIO(clips[0])).samplerate == RATE
    rows = encoder.prepare(clips)
    model = WhisperModel.from_pretrained(folder_of("whisper-tiny.en"), dtype=torch.float32).encoder.eval()
    with torch.no_grad():
        expected = model(features(folder_of("whisper-tiny.en"), rows)).last_hidden_state
        filled = encoder.tokens_of(encoder.collate([np.pad(row, (0, 30 * RATE - len(row))) for row in rows])).states
        cut = encoder.tokens_of(encoder.collate(rows))
    assert (filled - expected).abs().max() < 1e-4 * expected.abs().max()
    for at, count in enumerate(cut.counts.sum(1).tolist()):
        cosines = torch.cosine_similarity(cut.states[at, :count], expected[at, :count], dim=1)
        assert cosines.mean() > 0.98
