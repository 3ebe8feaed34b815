"""Sounds: encoded files to samples. Any format, rate and number of channels that libsndfile reads."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from graftwork.data.media.marks import foreign
from graftwork.data.media.opening import MediaError, UnknownFormat
from graftwork.data.media.paths import refusal

if TYPE_CHECKING:
    from soundfile import SoundFile

LONGEST = 1800
"""Seconds of a sound at most: a longer one is taken for a mistake, or wants to be cut into rows first."""
MOST_SAMPLES = 100_000_000
"""Samples of one channel at most, whatever rate a file claims: 35 minutes at 48 kHz."""
MOST_CHANNELS = 64
RATES = (100, 768_000)
"""Samples a second, lowest and highest."""
FORMATS = frozenset(["WAV", "WAVEX", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF", "W64", "RF64", "VOC"])
"""What libsndfile may take bytes for; its other formats stay shut."""
CANCELLED = 0.1
"""Channels cancel out where their mean has less than this share of the energy that unrelated ones would leave it."""
_BLOCK = 1 << 20
_UNKNOWN = 0x7FFFF000
"""From here on the size in a WAV file's header says that whoever wrote it did not know it yet."""


def decode(encoded: bytes) -> tuple[np.ndarray, int]:
    """The samples of an encoded sound (T,), float32, the mean of its channels; and its samples a second.

    Where the channels cancel out (one is the other upside down), the louder one is taken instead. Full scale is -1 to
    1; a file of floating-point samples beyond it is scaled down to it as a whole.
    Raises MediaError for what is no sound, is cut short, has no sample or one that is no number, or is too long.
    """
    with _opened(encoded) as file:
        heard = _listen(file, None)
        if heard.cancelled:
            file.seek(0)
            heard = _listen(file, heard.loudest)
        samples, rate = np.concatenate(heard.blocks), int(file.samplerate)
    return (samples / heard.peak if heard.peak > 1 else samples), rate


def cancels_out(encoded: bytes) -> bool:
    """Whether the channels cancel out, so that `decode` takes the louder one. Raises MediaError where `decode` would;
    nothing is held in memory."""
    with _opened(encoded) as file:
        return _listen(file, None, hold=False).cancelled


@contextmanager
def _opened(encoded: bytes) -> Iterator[SoundFile]:
    """A file of one of the formats, its header checked; whatever the library raises as a reason."""
    import soundfile

    _check_whole(encoded)
    try:
        with soundfile.SoundFile(io.BytesIO(encoded)) as file:
            if file.format not in FORMATS:
                raise UnknownFormat(f"not a sound that can be read ({file.format})")
            _check_size(file)
            yield file
    except MediaError:
        raise
    except soundfile.SoundFileError as error:
        raise UnknownFormat(f"not a sound that can be read ({_reason(error)})") from None
    except MemoryError:
        raise MediaError("a sound too large for the memory that is left") from None


@dataclass
class _Heard:
    """A sound that was listened to from its beginning to its end. energies: of each channel, and of their mean."""

    blocks: list[np.ndarray]
    energies: np.ndarray
    mean_energy: float = 0.0
    count: int = 0
    no_numbers: int = 0
    peak: float = 0.0

    @property
    def cancelled(self) -> bool:
        unrelated = float(self.energies.sum()) / len(self.energies) ** 2
        return len(self.energies) > 1 and self.mean_energy < CANCELLED * unrelated

    @property
    def loudest(self) -> int:
        return int(np.argmax(self.energies))


def _listen(file: SoundFile, channel: int | None, hold: bool = True) -> _Heard:
    """One channel, or the mean of all, block by block: a file of many channels is not held whole."""
    heard = _Heard([], np.zeros(file.channels))
    while True:
        block = file.read(max(1, _BLOCK // file.channels), dtype="float32", always_2d=True)
        if not len(block):
            break
        heard.count += len(block)
        if heard.count > MOST_SAMPLES:
            raise MediaError(f"more than {MOST_SAMPLES:,} samples")
        one = 0 if block.shape[1] == 1 else channel
        samples = block.mean(axis=1) if one is None else block[:, one]
        if one is None:
            heard.energies += [float(np.dot(each, each)) for each in block.T]
            heard.mean_energy += float(np.dot(samples, samples))
        heard.no_numbers += int((~np.isfinite(samples)).sum())
        heard.peak = max(heard.peak, float(np.abs(samples).max()))
        if hold:
            heard.blocks.append(samples if file.channels == 1 else samples.copy())
    _check_heard(heard, file.frames)
    return heard


def _check_heard(heard: _Heard, told: int) -> None:
    if not heard.count and not told:
        raise MediaError("a sound of 0 samples")
    if heard.count < told < _UNKNOWN:
        raise MediaError(f"the sound is cut short: {heard.count:,} of {told:,} samples are there")
    if not heard.count:
        raise MediaError("the sound is cut short: none of its samples is there")
    if heard.no_numbers:
        raise MediaError(f"{heard.no_numbers:,} of {heard.count:,} samples are no numbers (NaN or infinite)")


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


def _check_size(file: SoundFile) -> None:
    """What the header says, before anything is decoded."""
    low, high = RATES
    if not low <= file.samplerate <= high:
        raise MediaError(f"{file.samplerate:,} samples a second; expected {low:,} to {high:,}")
    if file.channels > MOST_CHANNELS:
        raise MediaError(f"a sound of {file.channels:,} channels; at most {MOST_CHANNELS} can be read")
    seconds = file.frames / file.samplerate
    if file.frames < _UNKNOWN and seconds > LONGEST:
        raise MediaError(f"a sound of {seconds:,.0f} seconds; at most {LONGEST:,} can be read. Cut it into rows first")
    if MOST_SAMPLES < file.frames < _UNKNOWN:
        raise MediaError(f"a sound of {file.frames:,} samples; at most {MOST_SAMPLES:,} can be read")


def _check_whole(encoded: bytes) -> None:
    """WAV and Ogg files that end early: libsndfile would read what is there without a word."""
    ending = foreign(encoded[:64])
    if ending:
        raise UnknownFormat(f"what it holds is a {ending} file; {refusal(f'_{ending}') or 'no sound'}")
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
