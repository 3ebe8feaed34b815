"""Gain, noise, shift and spec-augment on waves and spectrograms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from graftwork import specs
from graftwork.core.plan import base_facts, check
from graftwork.errors import RefusedError, UsageError
from graftwork.networks.audio.mel_cnn import MelCNNEncoder
from graftwork.networks.audio.spectrogram import MelSettings
from graftwork.networks.heads.rows import RowHead
from graftwork.networks.network import Network
from graftwork.techniques import TECHNIQUES, Gain, Noise, Shift, SpecAugment
from graftwork.techniques.augment.inputs import between
from graftwork.techniques.augment.noise import with_noise
from graftwork.techniques.augment.spec_augment import stretch
from graftwork.techniques.augment.waves import rolled
from techniques.augment.conftest import stream

MEL = MelSettings(rate=4000, window=100, hop=40, fft=128, mels=16, low=60.0, high=1900.0)


def sounds(rows: int = 6, longest: int = 2000) -> dict[str, torch.Tensor]:
    samples = torch.linspace(longest // 2, longest, rows).long()
    wave = torch.randn(rows, longest, generator=stream(4)) * 0.1
    return {"wave": wave * (torch.arange(longest) < samples.unsqueeze(1)), "samples": samples}


def test_gain_is_in_decibels():
    inputs = sounds()
    found = Gain(6.0).change(None)(inputs, stream())
    drawn = between(6, -6.0, 6.0, stream())
    change = 10 * torch.log10(found["wave"].square().sum(1) / inputs["wave"].square().sum(1))
    torch.testing.assert_close(change, drawn, atol=1e-4, rtol=0)
    assert torch.equal(found["samples"], inputs["samples"])


def test_noise_has_the_ratio_that_was_asked_for():
    inputs = sounds(longest=20000)
    snr = torch.tensor([0.0, 5.0, 10.0, 20.0, 30.0, -10.0])
    noisy = with_noise(inputs["wave"], inputs["samples"], torch.randn(6, 20000, generator=stream()), snr)
    for row, count in enumerate(inputs["samples"].tolist()):
        signal, noise = inputs["wave"][row, :count], (noisy - inputs["wave"])[row, :count]
        assert 10 * math.log10(signal.var() / noise.var()) == pytest.approx(float(snr[row]), abs=0.3)
        assert not noisy[row, count:].any()


def test_noise_over_silence_is_silence():
    noisy = with_noise(torch.zeros(2, 50), torch.tensor([50, 0]), torch.ones(2, 50), torch.zeros(2))
    assert not noisy.any()


def test_noise_leaves_some_rows_alone():
    inputs = sounds(200, 100)
    found = Noise(0.5).change(None)(inputs, stream())["wave"]
    alone = (found == inputs["wave"]).all(1)
    assert 70 < int(alone.sum()) < 130


def test_shift_is_numpys_roll_of_each_rows_own_samples():
    inputs = sounds()
    by = torch.tensor([0, 7, -7, 300, -1999, 2000])
    found = rolled(inputs["wave"], inputs["samples"], by)
    for row, count in enumerate(inputs["samples"].tolist()):
        expected = np.roll(inputs["wave"][row, :count].numpy(), int(by[row]))
        np.testing.assert_array_equal(found[row, :count], expected)
        assert torch.equal(found[row, count:], inputs["wave"][row, count:])


def test_shift_stays_within_its_share():
    wave = torch.arange(1000.0).repeat(300, 1)
    inputs = {"wave": wave, "samples": torch.full((300,), 1000)}
    first = Shift(0.1).change(None)(inputs, stream())["wave"][:, 0]
    moved = torch.where(first > 500, 1000 - first, -first)
    assert moved.abs().max() <= 100
    assert moved.max() > 80
    assert moved.min() < -80


def test_stretches_are_uniform_and_stay_inside():
    length, widest = torch.full((20000,), 6), torch.full((20000,), 2)
    masks = stretch(length, widest, stream(), 9)
    assert not masks[:, 6:].any()
    width = masks.sum(1)
    for size in (0, 1, 2):
        assert float((width == size).float().mean()) == pytest.approx(1 / 3, abs=0.02)
    starts = masks[width == 2].float().argmax(1)
    for at in range(5):
        assert float((starts == at).float().mean()) == pytest.approx(1 / 5, abs=0.02)
    assert starts.max() == 4


def test_masks_are_the_mean_and_only_in_each_rows_own_frames():
    mel = torch.randn(40, 30, 16, generator=stream(2))
    frames = torch.linspace(10, 30, 40).long()
    found = SpecAugment(1, 0.25, 1, 0.2).masked(mel, frames, stream())
    for row, count in enumerate(frames.tolist()):
        changed = found[row] != mel[row]
        assert not changed[count:].any()
        own = changed[:count]
        bands, times = own.all(0), own.all(1)
        assert int(bands.sum()) <= 4
        assert int(times.sum()) <= 0.2 * count
        assert torch.equal(own, bands.unsqueeze(0) | times.unsqueeze(1))
        if own.any():
            torch.testing.assert_close(
                found[row, :count][own], mel[row, :count].mean().expand(int(own.sum())), atol=1e-5, rtol=0
            )
    assert (found != mel).any()


def audio_network(facts: frozenset[str] | None = None) -> Network:
    torch.manual_seed(0)
    encoder = MelCNNEncoder(MEL, 4, 2, 0.0, 5.0)
    encoder.facts = encoder.facts if facts is None else facts
    return Network({"clip": encoder}, {"classes": RowHead(encoder.width, 3)})


def test_a_base_reads_the_masked_spectrogram(fixture):
    network, setup, inputs = audio_network(), fixture(rows=6).setup, sounds()
    graft = SpecAugment().attach(network, setup)
    batch = fixture(rows=6).batch
    changed = graft.inputs(type(batch)(inputs={"clip": inputs}, rows=batch.rows))
    encoder = network.encoder("clip")
    expected = encoder.spectrogram(inputs)["mel"]
    assert set(changed.inputs["clip"]) == {"mel", "frames"}
    assert changed.inputs["clip"]["mel"].shape == expected.shape
    features, plain = encoder(changed.inputs["clip"]), encoder(inputs)
    assert features.shape == plain.shape
    assert not torch.equal(features, plain)


def test_waves_are_changed_before_they_become_spectrograms():
    names = sorted(["gain", "noise", "shift", "spec-augment"])
    assert names[-1] == "spec-augment"
    network = audio_network()
    with pytest.raises(ValueError, match="made a spectrogram before"):
        Gain().change(network.encoder("clip"))({"mel": torch.zeros(1, 2, 3), "frames": torch.tensor([2])}, stream())


def test_a_base_without_spectrograms_is_refused(fixture):
    network, tasks = audio_network(frozenset()), fixture().setup.tasks
    check([Gain(), Noise(), Shift()], base_facts(network, tasks))
    with pytest.raises(RefusedError, match=r"spec-augment needs spectrogram.*use mel-cnn"):
        check([SpecAugment()], base_facts(network, tasks))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("gain:db=-1", "from 0 to 60"),
        ("noise:snr_low=30,snr_high=10", "snr_low 30.0 is above snr_high 10.0"),
        ("noise:probability=2", "from 0 to 1"),
        ("shift:share=0.6", "from 0 to 0.5"),
        ("spec-augment:freq_masks=-1", "freq_masks is -1. Expected a number from 0 to 20"),
        ("spec-augment:time_width=1.5", "from 0 to 1"),
    ],
)
def test_wrong_settings_say_what_is_allowed(spec: str, message: str):
    with pytest.raises(UsageError, match=message):
        specs.parse(spec, TECHNIQUES, "technique")
