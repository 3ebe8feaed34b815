"""The audio encoders, from a file in a cell to features: the same alone and in a batch, from any depth, saved and
loaded; against transformers where it has the same model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from graftwork.data.batch import Hidden
from graftwork.data.media.media import MediaError
from graftwork.errors import ModelError, UsageError
from graftwork.networks.audio.wave import WaveEncoder
from graftwork.networks.audio.windows import WindowEncoder
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.architectures import restore
from graftwork.networks.bases.registry import parse_base
from graftwork.networks.encoder import Encoder
from tinysound import FRONTEND, KINDS, RATE, WAVES, encoded, tiny_sound_model, tone

SCRATCH = ("mel-cnn", "mel-gru")
SOUNDS = [encoded(tone(300, seconds)) for seconds in (0.3, 0.05, 0.7, 0.002)]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {kind: tiny_sound_model(tmp_path_factory.mktemp(kind), kind) for kind in KINDS}


def build(folders: dict[str, Path], kind: str, settings: str = "layers=2") -> Encoder:
    spec = f"{kind}:rate={RATE},mels=16,width=8,layers=2" if kind in SCRATCH else f"{folders[kind]}:{settings}"
    return parse_base(spec).build(TrainingRows(), 0).eval()


@pytest.fixture(scope="module", params=[*KINDS, *SCRATCH])
def encoder(request: pytest.FixtureRequest, folders: dict[str, Path]) -> Encoder:
    return build(folders, request.param)


@pytest.fixture(scope="module")
def rows(encoder: Encoder) -> list[np.ndarray]:
    return encoder.prepare([*SOUNDS, None])


def test_prepared_rows_are_samples_at_the_encoders_rate(encoder, rows):
    assert [row.dtype for row in rows] == [np.int16] * 5
    expected = [round(seconds * encoder.rate) for seconds in (0.3, 0.05, 0.7, 0.002)]
    assert [len(row) for row in rows] == [*expected, 0]
    peak = int(np.abs(rows[0]).max())
    assert abs(peak / 32767 - np.abs(tone(300, 0.3)).max()) < 0.05
    assert encoder.fingerprint == build_again(encoder).fingerprint


def build_again(encoder: Encoder) -> Encoder:
    made = restore(json.loads(json.dumps(encoder.config())), Path())
    made.load_state_dict(encoder.state_dict())
    return made.eval()


def test_a_row_has_the_same_features_alone_and_in_a_batch(encoder, rows):
    with torch.no_grad():
        together = encoder(encoder.collate(rows))
        alone = torch.cat([encoder(encoder.collate([row])) for row in rows])
    assert together.shape == (5, encoder.width)
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4)
    assert (together[0] - together[2]).abs().max() > 1e-3  # another length is another sound
    assert torch.isfinite(together).all()


def test_loudness_and_place_of_the_padding_are_not_confused(encoder, rows):
    """Zeros behind the end, by hand, are part of the sound; padding is not."""
    inputs = encoder.collate(rows)
    wider = inputs | {"wave": torch.nn.functional.pad(inputs["wave"], (0, 5000))}
    with torch.no_grad():
        torch.testing.assert_close(encoder(wider), encoder(inputs), rtol=1e-4, atol=1e-4)


def test_it_starts_at_each_depth(encoder, rows):
    inputs = encoder.collate(rows)
    lengths = np.array([len(row) for row in rows])
    with torch.no_grad():
        whole = encoder(inputs)
        for depth in range(1, encoder.deepest_start + 1):
            states = encoder.states(inputs, depth)
            counted = encoder.state_lengths(lengths, depth)
            assert states.shape == (len(rows), counted.max(), encoder.state_width(depth))
            for row, count in enumerate(counted):  # what the cache keeps
                states[row, count:] = 0
            torch.testing.assert_close(encoder(inputs, Hidden(depth, states)), whole, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(encoder(inputs, Hidden(encoder.depth, whole)), whole)
    assert (encoder.deepest_start > 0) == ("sequence_blocks" in encoder.facts)


def test_the_sequence_a_fusion_reads(encoder, rows):
    inputs = encoder.collate(rows)
    with torch.no_grad():
        found = encoder.tokens_of(inputs)
        vectors, mask = found.states, found.counts
        assert vectors.shape == (*mask.shape, encoder.token_width)
        assert mask.any(1).all()
        own = encoder.tokens_of(encoder.collate(rows[:1])).states
        torch.testing.assert_close(vectors[0][mask[0]], own[0], rtol=1e-4, atol=1e-4)
        if encoder.deepest_start:
            start = Hidden(encoder.deepest_start, encoder.states(inputs, encoder.deepest_start))
            later = encoder.tokens_of(inputs, start).states
            torch.testing.assert_close(later[mask], vectors[mask], rtol=1e-4, atol=1e-4)


def test_blocks_hold_every_parameter_once_and_all_are_trained(encoder, rows):
    held = [id(parameter) for block in encoder.blocks() for module in block for parameter in module.parameters()]
    assert len(encoder.blocks()) == encoder.depth
    assert sorted(held) == sorted(id(parameter) for parameter in encoder.parameters())
    encoder.train()
    encoder(encoder.collate(rows)).square().sum().backward()
    encoder.eval()
    assert [name for name, parameter in encoder.named_parameters() if parameter.grad is None] == []


def test_saved_and_restored(encoder, rows):
    inputs = encoder.collate(rows)
    with torch.no_grad():
        torch.testing.assert_close(build_again(encoder)(inputs), encoder(inputs), rtol=0, atol=0)


def test_gradients_reach_the_wave(encoder):
    inputs = encoder.collate(encoder.prepare(SOUNDS[:1]))
    inputs["wave"].requires_grad_()
    encoder(inputs).square().sum().backward()
    assert torch.isfinite(inputs["wave"].grad).all()
    assert inputs["wave"].grad.abs().sum() > 0


def test_the_spectrogram_in_between(encoder, rows):
    if "spectrogram" not in encoder.facts:
        assert not hasattr(encoder, "spectrogram")
        return
    inputs = encoder.collate(rows)
    with torch.no_grad():
        mel = encoder.spectrogram(inputs)
        assert encoder.spectrogram(mel) is mel
        torch.testing.assert_close(encoder(mel), encoder(inputs))
        quieter = mel | {"mel": mel["mel"].masked_fill(torch.arange(encoder.mel.mels) < 8, mel["mel"].min())}
        assert (encoder(quieter) - encoder(inputs)).abs().max() > 1e-4


def test_tokens_follow_the_length(encoder):
    assert encoder.tokens(np.array([0, 5 * encoder.rate, 1])).tolist() == [1, 50, 1]


def test_another_rate_and_more_channels_are_the_same_sound(encoder):
    high = tone(300, 0.5, 16000)
    stereo = encoded(np.stack([1.5 * high, 0.5 * high], 1), 16000, "FLAC")
    one, other = encoder.prepare([encoded(tone(300, 0.5, encoder.rate), encoder.rate), stereo])
    assert len(one) == len(other)
    middle = slice(len(one) // 10, -len(one) // 10)
    assert np.abs(one[middle].astype(int) - other[middle]).max() < 0.08 * 32767  # but for the noise


def test_a_bad_sound_is_refused(encoder):
    with pytest.raises(MediaError, match="not a sound"):
        encoder.prepare([b"no sound"])


@pytest.mark.parametrize("kind", WAVES)
def test_waves_as_transformers_computes_them(folders, kind):
    """One clip alone, through transformers' feature extractor and model."""
    from transformers import AutoFeatureExtractor, AutoModel

    encoder = build(folders, kind, "layers=1")
    samples = encoder.prepare([SOUNDS[0]])
    extract = AutoFeatureExtractor.from_pretrained(folders[kind])
    given = extract(samples[0] / 32768.0, sampling_rate=RATE, return_tensors="pt")
    model = AutoModel.from_pretrained(folders[kind]).eval()
    with torch.no_grad():
        expected = model(given["input_values"].float()).last_hidden_state.mean(1)
        torch.testing.assert_close(encoder(encoder.collate(samples)), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.filterwarnings("ignore:At least one mel filter has all zero values")
def test_ast_as_transformers_computes_it(folders):
    from transformers import ASTFeatureExtractor, AutoModel

    encoder = build(folders, "ast", "layers=1,pooling=mean")
    samples = encoder.prepare([encoded(tone(300, 0.15, 16000), 16000), encoded(tone(300, 0.6, 16000), 16000)])
    extract = ASTFeatureExtractor.from_pretrained(folders["ast"])
    model = AutoModel.from_pretrained(folders["ast"]).eval()
    waves = [samples[0] / 32768.0, *(samples[1][at : at + 3200 + 240] / 32768.0 for at in (0, 3200, 6400))]
    with torch.no_grad():
        given = extract([wave.astype(np.float32) for wave in waves], sampling_rate=16000, return_tensors="pt")
        expected = model(given["input_values"]).pooler_output
        got = encoder(encoder.collate(samples))
    torch.testing.assert_close(got[0], expected[0], rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(got[1], expected[1:].mean(0), rtol=1e-3, atol=1e-3)


def test_patches_by_hand(folders):
    """Windows of 24 frames every 12, each through the plain transformers model; mean and maximum of the embeddings."""
    from transformers import AutoModel

    encoder = build(folders, "yamnet", "layers=1")
    assert isinstance(encoder, WindowEncoder)
    inputs = encoder.collate(encoder.prepare([SOUNDS[2]]))
    model = AutoModel.from_pretrained(folders["yamnet"]).eval()
    with torch.no_grad():
        mel = encoder.spectrogram(inputs)["mel"][0]
        patches = torch.stack([mel[at : at + 24] for at in range(0, len(mel) - 23, 12)])[:, None]
        assert len(patches) == 1 + -(-(70 - 1 - 24) // 12)
        embedded = model(patches).pooler_output
        expected = torch.cat([embedded.mean(0), embedded.amax(0)])
        torch.testing.assert_close(encoder(inputs)[0], expected, rtol=1e-4, atol=1e-4)


def test_batch_norms_keep_their_statistics(folders):
    encoder = build(folders, "yamnet")
    before = {name: value.clone() for name, value in encoder.named_buffers()}
    encoder.train()(encoder.collate(encoder.prepare(SOUNDS)))
    for name, value in encoder.named_buffers():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)


def test_nothing_is_masked_or_skipped_at_random_by_the_configuration(folders):
    encoder = build(folders, "wav2vec2")
    assert isinstance(encoder, WaveEncoder)
    for module in encoder.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    encoder.hf_config.attention_dropout = 0.0
    for layer in encoder.blocks()[1:]:
        layer[0].attention.dropout = 0.0
    inputs = encoder.collate(encoder.prepare(SOUNDS))
    with torch.no_grad():
        torch.testing.assert_close(encoder.train()(inputs), encoder.eval()(inputs))


def test_a_long_clip_is_cut(folders):
    encoder = parse_base(f"{folders['yamnet']}:seconds=0.5").build(TrainingRows(), 0)
    assert len(encoder.prepare([SOUNDS[2]])[0]) == RATE // 2


# --- folders that can't be used -------------------------------------------------------------------------------------
@pytest.fixture
def broken(folders, tmp_path):
    return lambda kind: shutil.copytree(folders[kind], tmp_path / "base")


def load(folder: Path) -> Encoder:
    return parse_base(f"audio-model:path={folder}").build(TrainingRows(), 0)


def change(file: Path, **settings: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | settings))


def test_missing_and_broken_front_ends(broken):
    folder = broken("yamnet")
    change(folder / "frontend.json", mel_scale="Slaney")
    with pytest.raises(ModelError, match=r"frontend\.json: the mel scale 'Slaney' is not known"):
        load(folder)
    change(folder / "frontend.json", **(FRONTEND | {"hop_seconds": 0}))
    with pytest.raises(ModelError, match=r"don't fit each other"):
        load(folder)
    (folder / "frontend.json").write_text(json.dumps({"window": "hann"}))
    with pytest.raises(ModelError, match=r"frontend\.json can't be used: KeyError 'sampling_rate'"):
        load(folder)
    (folder / "frontend.json").unlink()
    with pytest.raises(ModelError, match=r"has no frontend\.json"):
        load(folder)


def test_missing_and_broken_preprocessors(broken):
    folder = broken("ast")
    change(folder / "preprocessor_config.json", max_length=30)
    with pytest.raises(ModelError, match=r"makes 30 frames of 16 mel bins, but the model .* 20 of 16"):
        load(folder)
    (folder / "preprocessor_config.json").write_text("[")
    with pytest.raises(ModelError, match=r"preprocessor_config\.json can't be read"):
        load(folder)
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(ModelError, match=r"has no preprocessor_config\.json"):
        load(folder)


def test_weights_are_never_filled_at_random(broken):
    folder = broken("wav2vec2")
    weights = load_file(folder / "model.safetensors")
    weights.pop("encoder.layers.1.attention.q_proj.weight")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=r"encoder\.layers\.1\.attention\.q_proj\.weight are missing"):
        load(folder)


def test_pickles_are_never_opened(broken):
    folder = broken("hubert")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"only as pytorch_model\.bin"):
        load(folder)


def test_a_model_of_another_kind(tmp_path):
    from tiny import tiny_bert

    with pytest.raises(ModelError, match=r"type 'bert', which reads no sound here. Expected one of: .*wav2vec2"):
        load(tiny_bert(tmp_path / "bert"))
    with pytest.raises(ModelError, match=r"There is no folder ./nowhere"):
        parse_base("audio-model:path=./nowhere").build(TrainingRows(), 0)


def test_settings_that_do_not_fit(folders):
    for spec in ("mel-cnn:layers=7", "mel-cnn:dropout=1", "mel-gru:width=7", "mel-cnn:seconds=0", "mel-cnn:rate=10"):
        with pytest.raises(UsageError, match="Expected"):
            parse_base(spec)
    with pytest.raises(UsageError, match=r"layers is 9. This base has 1 to 3"):
        parse_base(f"{folders['wavlm']}:layers=9").build(TrainingRows(), 0)


def test_from_scratch_the_seed_decides():
    one, same, other = (parse_base("mel-cnn:width=4").build(TrainingRows(), seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_as_many_layers_as_there_are(folders):
    assert parse_base(str(folders["wav2vec2"])).with_layers(9).spec.endswith("layers=3")
    assert parse_base(str(folders["yamnet"])).with_layers(3).build(TrainingRows(), 0).width == 2 * (256 + 256 + 128)
