"""Resemblyzer's file becomes a folder; one of another layout is refused; the real one tells four people apart."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from graftwork.bases.catalogue import known
from graftwork.bases.known.ge2e_speaker import convert
from graftwork.errors import ModelError
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.registry import parse_base

FILE, LICENCE = known()["ge2e-speaker"].packages[0].files


def package(folder: Path, **changes: Any) -> tuple[dict[str, Path], str]:
    """A file of the layout with random weights, and its hash."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        lstm, linear = torch.nn.LSTM(40, 256, 3), torch.nn.Linear(256, 256)
    state = {f"lstm.{name}": value.detach() for name, value in lstm.named_parameters()}
    state |= {f"linear.{name}": value.detach() for name, value in linear.named_parameters()}
    state |= {"similarity_weight": torch.tensor([10.0]), **changes}
    held = {"step": 9, "model_state": {name: value for name, value in state.items() if value is not None}}
    given = {FILE: folder / "pretrained.pt", LICENCE: folder / "LICENSE.txt"}
    torch.save(held, given[FILE])
    given[LICENCE].write_text("Apache License")
    return given, hashlib.sha256(given[FILE].read_bytes()).hexdigest()


def test_the_folder_is_a_base(tmp_path: Path) -> None:
    given, sha256 = package(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    convert(given, out, sha256)
    assert {file.name for file in out.iterdir()} == {"config.json", "model.safetensors", "LICENSE"}
    encoder = parse_base(str(out)).build(TrainingRows(), 0)
    assert (encoder.modality, encoder.width, encoder.depth) == ("audio", 256, 3)
    weights = load_file(out / "model.safetensors")
    assert sum(value.numel() for value in weights.values()) == known()["ge2e-speaker"].parameters
    held = encoder.state_dict()
    assert torch.equal(held["model.layers.2.weight_hh_l0"], weights["lstm.weight_hh_l2"])


def test_another_file_is_not_opened(tmp_path: Path) -> None:
    given, _ = package(tmp_path)
    with pytest.raises(ModelError, match="is not the file that was checked"):
        convert(given, tmp_path)


def test_another_layout_is_refused(tmp_path: Path) -> None:
    for changes, message in (
        ({"linear.bias": None}, r"expected model_state\.linear\.bias of \(256,\), found no tensor of this name"),
        ({"lstm.weight_ih_l0": torch.zeros(1024, 80)}, r"weight_ih_l0 of \(1024, 40\), found \(1024, 80\)"),
    ):
        given, sha256 = package(tmp_path, **changes)
        with pytest.raises(ModelError, match=rf"layout of pretrained\.pt changed: .*{message}"):
            convert(given, tmp_path, sha256)


def test_four_people_are_told_apart(real_bases: Callable[..., None], real_data: Path) -> None:
    """Every one of four people's clips, whom the base never heard, is nearer to the others of its own speaker."""
    import pyarrow.parquet as pq

    real_bases("ge2e-speaker")
    rows = pq.read_table(real_data / "librispeech_10speakers" / "train.parquet").to_pylist()
    people = sorted({row["speaker"] for row in rows})[:4]
    clips = [[row["audio"] for row in rows if row["speaker"] == one][:4] for one in people]
    encoder = parse_base("ge2e-speaker:seconds=6").build(TrainingRows(), 0).eval()
    with torch.no_grad():
        voices = encoder(encoder.collate(encoder.prepare([clip for one in clips for clip in one]))).numpy()
    whose = np.repeat(np.arange(4), 4)
    alike = voices @ voices.T
    np.fill_diagonal(alike, -1)
    own = np.where(whose[:, None] == whose, alike, np.nan)
    own[np.eye(16, dtype=bool)] = np.nan
    others = np.where(whose[:, None] == whose, np.nan, alike)
    assert (whose[alike.argmax(1)] == whose).all()
    assert np.nanmean(own) > 0.8
    assert np.nanmean(others) < 0.65
