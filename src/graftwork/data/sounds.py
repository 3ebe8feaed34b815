"""Sounds: encoded files to samples. Any format, rate and number of channels that libsndfile reads."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import numpy as np

from graftwork.data.media import MediaError

if TYPE_CHECKING:
    from soundfile import SoundFile

LONGEST = 1800
"""Seconds of a sound at most: a longer one is taken for a mistake, or wants to be cut into rows first."""
MOST_SAMPLES = 100_000_000
"""Samples of one channel at most, whatever rate a file claims: 35 minutes at 48 kHz."""
RATES = (100, 768_000)
"""Samples a second, lowest and highest."""
_BLOCK = 1 << 20
_UNKNOWN = 0x7FFFF000
"""From here on the size in a WAV file's header says that whoever wrote it did not know it yet."""


def decode(encoded: bytes) -> tuple[np.ndarray, int]:
    """The samples of an encoded sound (T,), float32, the mean of its channels; and its samples a second.

    Full scale is -1 to 1; a file of floating-point samples beyond it is scaled down to it as a whole.
    Raises MediaError for what is no sound, is cut short, has no sample or one that is no number, or is too long.
    """
    import soundfile

    _check_whole(encoded)
    try:
        with soundfile.SoundFile(io.BytesIO(encoded)) as file:
            _check_size(file)
            samples, rate = _mono(file), int(file.samplerate)
            told = file.frames
    except soundfile.SoundFileError as error:
        raise MediaError(f"not a sound that can be read ({_reason(error)})") from None
    if not len(samples) and not told:
        raise MediaError("a sound of 0 samples")
    if len(samples) < told < _UNKNOWN:
        raise MediaError(f"the sound is cut short: {len(samples):,} of {told:,} samples are there")
    if not np.isfinite(samples).all():
        count = int((~np.isfinite(samples)).sum())
        raise MediaError(f"{count:,} of {len(samples):,} samples are no numbers (NaN or infinite)")
    peak = float(np.abs(samples).max())
    return (samples / peak if peak > 1 else samples), rate


def at_rate(samples: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """Samples (T,) at another rate, band-limited (soxr, high quality); float32, from -1 to 1."""
    if rate != wanted:
        import soxr

        samples = soxr.resample(samples, rate, wanted)
    clipped: np.ndarray = np.clip(samples, -1.0, 1.0).astype(np.float32)
    return clipped


def as_int16(samples: np.ndarray) -> np.ndarray:
    """Samples from -1 to 1 as 16-bit numbers, the way a CD holds them."""
    scaled: np.ndarray = np.round(samples * 32767.0).astype(np.int16)
    return scaled


def _mono(file: SoundFile) -> np.ndarray:
    """The mean of all channels, block by block: a file of many channels is not held whole."""
    blocks = []
    held = 0
    while True:
        block = file.read(_BLOCK, dtype="float32", always_2d=True)
        if not len(block):
            break
        held += len(block)
        if held > MOST_SAMPLES:
            raise MediaError(f"more than {MOST_SAMPLES:,} samples")
        blocks.append(block[:, 0] if block.shape[1] == 1 else block.mean(axis=1))
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def _check_size(file: SoundFile) -> None:
    """What the header says, before anything is decoded."""
    low, high = RATES
    if not low <= file.samplerate <= high:
        raise MediaError(f"{file.samplerate:,} samples a second; expected {low:,} to {high:,}")
    seconds = file.frames / file.samplerate
    if file.frames < _UNKNOWN and seconds > LONGEST:
        raise MediaError(f"a sound of {seconds:,.0f} seconds; at most {LONGEST:,} can be read. Cut it into rows first")
    if MOST_SAMPLES < file.frames < _UNKNOWN:
        raise MediaError(f"a sound of {file.frames:,} samples; at most {MOST_SAMPLES:,} can be read")


def _check_whole(encoded: bytes) -> None:
    """WAV and Ogg files that end early: libsndfile would read what is there without a word."""
    if encoded[4:8] == b"ftyp":
        raise MediaError("an MP4 or M4A file, which can't be read. Make it WAV, FLAC, OGG or MP3 first")
    if encoded[:4] == b"RIFF" and encoded[8:12] == b"WAVE":
        told, there = _wav_bytes(encoded)
        if there < told < _UNKNOWN:
            raise MediaError(f"the sound is cut short: {there:,} of {told:,} bytes of samples are there")
    elif encoded[:4] == b"OggS":
        last = encoded.rfind(b"OggS")
        segments = encoded[last + 27 : last + 27 + encoded[last + 26]] if last + 26 < len(encoded) else b""
        if not segments or last + 27 + len(segments) + sum(segments) > len(encoded):
            raise MediaError("the sound is cut short: its last page is not whole")


def _wav_bytes(encoded: bytes) -> tuple[int, int]:
    """Bytes of samples that the header announces, and that follow it; 0 and 0 where there is no such chunk."""
    at = 12
    while at + 8 <= len(encoded):
        name, size = encoded[at : at + 4], struct.unpack_from("<I", encoded, at + 4)[0]
        if name == b"data":
            return int(size), len(encoded) - at - 8
        at += 8 + size + size % 2
    return 0, 0


def _reason(error: Exception) -> str:
    told = str(getattr(error, "error_string", error)).strip().rstrip(".")
    return told[:1].lower() + told[1:]
