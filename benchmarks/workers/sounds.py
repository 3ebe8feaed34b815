"""What both peers on sounds share: samples at 16 kHz, and log-mel as transformers' numpy front end computes it."""

from __future__ import annotations

import io

import numpy as np
import pyarrow.parquet as pq
import soundfile
import soxr
from transformers.audio_utils import mel_filter_bank, spectrogram, window_function

RATE = 16000
FILTERS = mel_filter_bank(257, 64, 125, 7500, RATE, norm=None, mel_scale="htk", triangularize_in_mel_space=True)


def read(path: str, target: str) -> tuple[list[np.ndarray], list[str]]:
    """Samples of each row, and its label."""
    rows = pq.read_table(path)
    waves = []
    for cell in rows.column("audio").to_pylist():
        samples, rate = soundfile.read(io.BytesIO(cell["bytes"] if isinstance(cell, dict) else cell), dtype="float32")
        waves.append(soxr.resample(samples, rate, RATE))
    return waves, [str(value) for value in rows.column(target).to_pylist()]


def log_mel(wave: np.ndarray) -> np.ndarray:
    """Natural log of 64 bins (frames, 64), every 10 ms."""
    window = window_function(400, "hann", periodic=True)
    energy = spectrogram(wave, window, 400, 160, 512, power=1.0, center=False, mel_filters=FILTERS, mel_floor=0.0)
    made: np.ndarray = np.log(energy.T + 1e-3).astype(np.float32)
    return made
