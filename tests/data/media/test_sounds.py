"""graftwork.data.media.sounds: every format becomes the same samples, and what can't be read says why."""

from __future__ import annotations

import contextlib
import re
import struct

import numpy as np
import pytest
import soundfile

from graftwork.data.media import sounds
from graftwork.data.media.media import MediaError
from tinysound import encoded, tone

WAVE = tone(300, 0.25, 8000)


@pytest.mark.parametrize(
    ("form", "subtype", "close"),
    [
        ("WAV", "PCM_16", 1e-4),
        ("WAV", "PCM_24", 1e-6),
        ("WAV", "PCM_U8", 1e-2),
        ("WAV", "FLOAT", 0.0),
        ("FLAC", "PCM_16", 1e-4),
        ("AIFF", "PCM_16", 1e-4),
    ],
)
def test_formats(form, subtype, close):
    samples, rate = sounds.decode(encoded(WAVE, 8000, form, subtype))
    assert rate == 8000
    assert samples.dtype == np.float32
    np.testing.assert_allclose(samples, WAVE, atol=close)


@pytest.mark.parametrize(("form", "subtype"), [("OGG", "VORBIS"), ("MP3", None)])
def test_lossy_formats_are_close(form, subtype):
    samples, rate = sounds.decode(encoded(tone(300, 1.0, 16000), 16000, form, subtype))
    assert (rate, len(samples)) == (16000, 16000)
    assert np.corrcoef(samples, tone(300, 1.0, 16000))[0, 1] > 0.95


def test_channels_are_averaged():
    stereo = np.stack([WAVE, -0.5 * WAVE, 0 * WAVE], axis=1)
    samples, _ = sounds.decode(encoded(stereo, 8000, "WAV", "FLOAT"))
    np.testing.assert_allclose(samples, stereo.mean(1), atol=1e-7)


def test_samples_beyond_full_scale_are_scaled_down_as_a_whole():
    samples, _ = sounds.decode(encoded(8 * WAVE, 8000, "WAV", "FLOAT"))
    np.testing.assert_allclose(samples, WAVE / np.abs(WAVE).max(), atol=1e-6)


def test_resampling_keeps_a_tone():
    high = tone(300, 1.0, 22050)
    low = sounds.at_rate(high, 22050, 8000)
    assert len(low) == 8000
    middle = slice(500, 7500)
    np.testing.assert_allclose(low[middle], tone(300, 1.0, 8000)[middle], atol=0.08)  # but for the noise
    assert np.abs(sounds.at_rate(np.array([2.0, -3.0], np.float32), 1, 1)).max() == 1.0


def test_what_a_lower_rate_can_not_hold_is_filtered_out():
    high = np.sin(2 * np.pi * 3000 * np.arange(16000) / 16000).astype(np.float32)
    assert np.abs(sounds.at_rate(high, 16000, 4000)[200:-200]).max() < 0.01


def test_int16_and_back():
    assert np.abs(sounds.as_int16(WAVE) / 32767 - WAVE).max() < 1 / 65000
    assert sounds.as_int16(np.array([1.0, -1.0])).tolist() == [32767, -32767]


def wav(data: bytes, rate: int = 8000, told: int | None = None) -> bytes:
    """A WAV file of float samples by hand, so that its header can say anything."""
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, 3, 1, rate, 4 * rate, 4, 32)
    body = b"WAVE" + head + struct.pack("<4sI", b"data", len(data) if told is None else told) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


REASONS = {
    "text": (b"this is a text, not a sound", "not a sound that can be read"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "not a sound that can be read"),
    "m4a": (b"\x00\x00\x00\x20ftypM4A " + bytes(100), r"\.m4a files can't be read: make them \.wav"),
    "no sample": (encoded(WAVE[:0], 8000), "a sound of 0 samples"),
    "no sample in flac": (encoded(WAVE[:0], 8000, "FLAC"), "a sound of 0 samples|not a sound"),
    "nan": (wav(np.array([0.1, np.nan, np.inf], "<f4").tobytes()), "2 of 3 samples are no numbers"),
    "cut wav": (encoded(WAVE, 8000)[:-1000], r"cut short: 3,000 of 4,000 bytes"),
    "cut flac": (encoded(WAVE, 8000, "FLAC")[:-900], "cut short|not a sound"),
    "cut ogg": (encoded(tone(300, 2.0, 16000), 16000, "OGG", "VORBIS")[:-300], "cut short"),
    "slow": (wav(WAVE.tobytes(), rate=5), "5 samples a second; expected 100 to 768,000"),
}


@pytest.mark.parametrize("name", REASONS)
def test_reasons(name):
    content, reason = REASONS[name]
    with pytest.raises(MediaError, match=reason):
        sounds.decode(content)


def test_every_cut_of_a_file_is_an_error_or_the_whole_sound():
    for form in ("WAV", "FLAC"):
        whole = encoded(WAVE, 8000, form)
        for end in range(0, len(whole) - 1, 97):
            with pytest.raises(MediaError):
                sounds.decode(whole[:end])


def test_absurdly_long_sounds_are_refused_before_they_are_decoded(monkeypatch):
    silence = encoded(np.zeros(8000 * 60, np.float32), 100, "FLAC")  # 80 minutes at 100 Hz
    monkeypatch.setattr(soundfile.SoundFile, "read", lambda *_, **__: pytest.fail("decoded"))
    with pytest.raises(MediaError, match=r"a sound of 4,800 seconds; at most 1,800 can be read"):
        sounds.decode(silence)
    monkeypatch.setattr(sounds, "MOST_SAMPLES", 1000)
    with pytest.raises(MediaError, match=r"a sound of 8,000 samples; at most 1,000"):
        sounds.decode(encoded(np.zeros(8000, np.float32), 8000))


def test_a_header_that_does_not_know_its_length_is_read_to_the_end():
    samples, _ = sounds.decode(wav(WAVE.tobytes(), told=0xFFFFFFFF))
    assert len(samples) == len(WAVE)


def test_blocks_join(monkeypatch):
    monkeypatch.setattr(sounds, "_BLOCK", 700)
    samples, _ = sounds.decode(encoded(WAVE, 8000, "WAV", "FLOAT"))
    np.testing.assert_array_equal(samples, WAVE)


def stereo(left: np.ndarray, right: np.ndarray, form: str = "WAV", subtype: str = "FLOAT") -> bytes:
    return encoded(np.stack([left, right], axis=1), 8000, form, subtype)


def test_channels_that_cancel_out_are_not_averaged() -> None:
    for right in (-WAVE, -0.9 * WAVE):
        for form, subtype in (("WAV", "FLOAT"), ("WAV", "PCM_16"), ("FLAC", "PCM_24")):
            file = stereo(WAVE, right, form, subtype)
            samples, _ = sounds.decode(file)
            np.testing.assert_allclose(samples, WAVE, atol=1e-4)
            assert sounds.cancels_out(file)
    np.testing.assert_allclose(sounds.decode(stereo(-0.5 * WAVE, WAVE))[0], (WAVE - 0.5 * WAVE) / 2, atol=1e-7)


def test_other_channels_are_averaged_as_ever() -> None:
    other = np.random.default_rng(1).normal(0, 0.1, len(WAVE)).astype(np.float32)
    for right in (WAVE, 0 * WAVE, other, 0.5 * WAVE, -0.3 * WAVE):
        file = stereo(WAVE, right)
        assert not sounds.cancels_out(file)
        assert np.array_equal(sounds.decode(file)[0], np.stack([WAVE, right], axis=1).mean(axis=1))
    silent = stereo(0 * WAVE, 0 * WAVE)
    assert not sounds.cancels_out(silent)
    one_of_eight = np.zeros((len(WAVE), 8), np.float32)
    one_of_eight[:, 3] = WAVE
    assert not sounds.cancels_out(encoded(one_of_eight, 8000, "WAV", "FLOAT"))


def test_cancelling_blocks_join(monkeypatch) -> None:
    monkeypatch.setattr(sounds, "_BLOCK", 700)
    np.testing.assert_array_equal(sounds.decode(stereo(WAVE, -WAVE))[0], WAVE)


def test_opposite_channels_are_said(tmp_path) -> None:
    from graftwork.data.load import load

    for at in range(6):
        (tmp_path / f"{at}.wav").write_bytes(stereo(WAVE, -WAVE if at < 4 else WAVE))
    rows = {"clip": [str(tmp_path / f"{at}.wav") for at in range(6)], "label": ["a", "b"] * 3}
    notes = load(rows).notes
    assert any("clip: in 4 sounds the channels cancel each other out" in note for note in notes)


def header(frames: int = 50, channels: int = 1, rate: int = 8000, bits: int = 16) -> bytes:
    """A WAV header that may claim anything, and 100 bytes of samples."""
    told = min(0xFFFFFFFF, frames * channels * bits // 8)
    width = channels * bits // 8
    form = struct.pack("<HHIIHH", 1, channels, rate, min(rate * width, 0xFFFFFFFF), min(width, 65_535), bits)
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", told) + bytes(100)
    return b"RIFF" + struct.pack("<I", min(0xFFFFFFFF, len(body) + told)) + body


def flac_of(frames: int) -> bytes:
    """A FLAC file whose header claims so many samples."""
    whole = bytearray(encoded(WAVE, 8000, "FLAC"))
    packed = int.from_bytes(whole[18:26], "big")
    whole[18:26] = (packed >> 36 << 36 | frames).to_bytes(8, "big")
    return bytes(whole)


CLAIMS = {
    "2^31 frames": (header(2**31 - 1), "cut short|at most|^$"),
    "many channels": (header(channels=1000), "cut short|1,000 channels; at most 64|not a sound"),
    "no channel": (header(channels=0), "not a sound|0 samples|cut short"),
    "no rate": (header(rate=0), "samples a second|not a sound"),
    "mad rate": (header(rate=2**31), "samples a second|not a sound"),
    "odd bits": (header(bits=3), "cut short|not a sound|0 samples|^$"),
    "long flac": (flac_of(2**36 - 1), "cut short|at most|not a sound|^$"),
    "flac of 2^31": (flac_of(2**31 - 1), "cut short|at most|not a sound|^$"),
    "mat5": (b"MATLAB 5.0 MAT-file" + bytes(400), "not a sound"),
    "amr": (b"#!AMR\n" + bytes(50), r"\.amr files can't be read: make them \.wav"),
    "aac": (b"\xff\xf1\x50\x80" + bytes(50), r"\.aac files can't be read"),
    "wma": (bytes.fromhex("3026b2758e66cf11") + bytes(50), r"\.wma files can't be read"),
    "nothing": (b"R", "not a sound"),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_what_headers_claim_costs_nothing(name: str) -> None:
    import time
    import tracemalloc

    file, reason = CLAIMS[name]
    tracemalloc.start()
    began = time.process_time()
    for reader in (sounds.decode, sounds.cancels_out):
        told = ""
        try:
            reader(file)
        except MediaError as error:
            told = str(error)
        assert re.search(reason, told), told
    assert time.process_time() - began < 2
    assert tracemalloc.get_traced_memory()[1] < 30e6
    tracemalloc.stop()


def test_a_long_silence_in_a_small_file_is_listened_to_in_little_memory() -> None:
    import tracemalloc

    silence = encoded(np.zeros((8000 * 600, 2), np.float32), 8000, "FLAC")
    assert len(silence) < 500_000
    tracemalloc.start()
    assert not sounds.cancels_out(silence)
    assert tracemalloc.get_traced_memory()[1] < 40e6
    tracemalloc.stop()


def test_cut_and_changed_files_are_read_or_refused() -> None:
    rng = np.random.default_rng(0)
    for form, subtype in (("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("MP3", None), ("AIFF", "PCM_16")):
        whole = encoded(tone(300, 0.3, 16_000), 16_000, form, subtype)
        for _ in range(60):
            changed = bytearray(whole)
            for at in rng.integers(0, len(whole), rng.integers(1, 6)):
                changed[at] = rng.integers(0, 256)
            held = bytes(changed[: rng.integers(1, len(whole) + 1)] if rng.random() < 0.3 else changed)
            with contextlib.suppress(MediaError):
                samples, _ = sounds.decode(held)
                assert np.isfinite(samples).all()
                assert np.abs(samples).max() <= 1
