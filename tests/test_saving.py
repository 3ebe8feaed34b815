"""graftwork.saving: a folder appears whole or not at all."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from graftwork import saving
from graftwork.errors import DataError, UsageError
from graftwork.model import Model, load
from made import TEXTS, make


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return make(tmp_path)


def test_what_a_folder_holds(model: Model, tmp_path: Path) -> None:
    folder = model.save(tmp_path / "m")
    assert {path.name for path in folder.iterdir()} == {
        "model.json",
        "weights.safetensors",
        "recipe.yaml",
        "encoder-0",
    }
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} == {".json", ".safetensors", ".yaml"}
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in folder.rglob("*") if path.is_file())
    weights, state = load_file(folder / "weights.safetensors"), model.network.state_dict()
    assert weights.keys() == state.keys()
    assert all(weights[name].equal(state[name]) for name in state)


def test_a_model_is_replaced_and_nothing_else(model: Model, tmp_path: Path) -> None:
    folder = model.save(tmp_path / "m")
    (folder / "encoder-7").mkdir()
    model.save(folder)
    assert not (folder / "encoder-7").exists(), "nothing of the old one stays"
    (tmp_path / "file").write_text("mine")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("mine")
    for place in (tmp_path / "file", tmp_path / "other"):
        with pytest.raises(UsageError, match="not a model of graftwork"):
            model.save(place)
    (tmp_path / "empty").mkdir()
    model.save(tmp_path / "empty")
    assert {path.name for path in tmp_path.iterdir()} == {"base", "m", "file", "other", "empty"}


def test_a_full_disk_leaves_the_old_model(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = model.save(tmp_path / "m")
    before = (folder / "weights.safetensors").read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(saving, "write_tensors", full)
    with pytest.raises(DataError, match="No space left"):
        model.save(folder)
    assert (folder / "weights.safetensors").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"base", "m"}


def test_every_kind_of_head_comes_back(tmp_path: Path) -> None:
    for head in ("linear", "mlp:width=8", "kernel"):
        place = tmp_path / head.partition(":")[0]
        model = make(place, head=head)
        loaded = load(model.save(place / "m"))
        assert torch.equal(torch.as_tensor(loaded.predict_proba(TEXTS)), torch.as_tensor(model.predict_proba(TEXTS)))
        assert not any(parameter.requires_grad for parameter in loaded.network.parameters())
