"""graftwork.networks.hub.sizes: what configurations claim is held against the weights before any work."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from fuzz.examine import within
from graftwork.errors import ModelError
from graftwork.model import load
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.registry import parse_base
from graftwork.networks.hub.sizes import bounded, check_counts
from made import TEXTS, make
from tiny import tiny_bert

SIZES = ("vocab_size", "hidden_size", "num_hidden_layers", "intermediate_size", "max_position_embeddings", "num_labels")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sizes")
    return make(folder).save(folder / "m")


@pytest.mark.parametrize("value", [90_000, 10**6, 10**9])
@pytest.mark.parametrize("name", SIZES)
def test_sizes_that_a_saved_model_claims(name: str, value: int, model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(model, tmp_path / "m"))
    manifest = json.loads((folder / "model.json").read_text())
    del manifest["checksum"]
    manifest["encoders"][0]["config"]["model"][name] = value
    (folder / "model.json").write_text(json.dumps(manifest))
    if (name, value) == ("num_labels", 90_000):  # there are such bases; no weight depends on it
        load(folder)
        return
    with within(20), pytest.raises(ModelError):
        load(folder)


@pytest.mark.parametrize("value", [10**6, 10**9])
@pytest.mark.parametrize("name", SIZES)
def test_sizes_that_a_base_claims(name: str, value: int, tmp_path: Path) -> None:
    folder = tiny_bert(tmp_path / "base")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {name: value}))
    with within(20), pytest.raises(ModelError):
        parse_base(str(folder)).build(TrainingRows(lambda: TEXTS), 0)


@pytest.mark.parametrize(("name", "value"), [("chunk_size_feed_forward", 3), ("return_dict", False)])
def test_how_a_model_is_called_is_not_for_its_configuration(name: str, value: Any, model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(model, tmp_path / "m"))
    manifest = json.loads((folder / "model.json").read_text())
    del manifest["checksum"]
    manifest["encoders"][0]["config"]["model"][name] = value
    (folder / "model.json").write_text(json.dumps(manifest))
    assert load(folder).predict_proba(TEXTS).tolist() == load(model).predict_proba(TEXTS).tolist()


def test_each_thread_counts_for_itself(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(2)}, tmp_path / "w.safetensors")
    made = []
    with bounded(tmp_path, [tmp_path / "w.safetensors"]):
        thread = threading.Thread(target=lambda: made.append(nn.Linear(5000, 5000, device="meta")))
        thread.start()
        thread.join()
        nn.Linear(100, 100)
        with pytest.raises(ModelError, match="far larger than its weights"):
            nn.Linear(5000, 5000, device="meta")
    assert made
    nn.Linear(5000, 5000, device="meta")


def test_modules_without_weights_count_too(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(2)}, tmp_path / "w.safetensors")
    with bounded(tmp_path, [tmp_path / "w.safetensors"]), pytest.raises(ModelError, match="far larger"):
        nn.ModuleList(nn.Identity() for _ in range(10**9))


def test_counts() -> None:
    check_counts({"num_labels": 3, "id2label": {"0": "a"}, "max_position_embeddings": 10**9, "depths": [2, 2]}, "x")
    for wrong in ({"num_hidden_layers": 1e12}, {"text_config": {"n_layers": 10**9}}, [{"depth": [1, 10**7]}]):
        with pytest.raises(ModelError, match="at most"):
            check_counts(wrong, "x")
