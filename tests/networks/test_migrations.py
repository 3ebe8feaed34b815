"""graftwork.networks.migrations: models of older formats are read as if they had been written today."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from command import graft, topics
from graftwork.errors import ModelError
from graftwork.model import load
from graftwork.networks import migrations
from graftwork.networks.bases.saved import load_encoder
from graftwork.networks.manifest import read_manifest
from graftwork.networks.migrations import Migration, migrated, newest_format
from made import TEXTS, make


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("migrations")
    return make(folder).save(folder / "m")


@pytest.fixture
def folder(model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model, tmp_path / "m"))


def told(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "model.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def tell(folder: Path, **changes: Any) -> None:
    (folder / "model.json").write_text(json.dumps({**told(folder), **changes}), encoding="utf-8")


def written_before(monkeypatch: pytest.MonkeyPatch, *steps: Migration) -> int:
    """As if the formats of later versions had come by these steps. Gives the format of the models made before."""
    format_ = newest_format()
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, *steps))
    return format_


def warmth(manifest: dict[str, Any]) -> dict[str, Any]:
    """An artificial step: temperatures were written by a hundred."""
    manifest["temperature"] = {name: value / 100 for name, value in manifest["temperature"].items()}
    return manifest


def names(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Another one: encoders were called readers."""
    return {name.replace("readers.", "encoders.", 1): tensor for name, tensor in weights.items()}


def renamed_as_before(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    from graftwork.data.store.entries import checksum
    from graftwork.networks.manifest import sealed

    path = folder / "weights.safetensors"
    weights = {name.replace("encoders.", "readers.", 1): tensor for name, tensor in load_file(path).items()}
    save_file({name: tensor.clone() for name, tensor in weights.items()}, path)
    manifest = told(folder)
    manifest["files"][path.name] = checksum(path)
    manifest["temperature"] = {name: value * 100 for name, value in manifest["temperature"].items()}
    (folder / "model.json").write_text(json.dumps(sealed(manifest)), encoding="utf-8")


def test_an_older_format_is_read_step_by_step(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = load(folder).predict_proba(TEXTS)
    encoder = load_encoder(folder, 0).state_dict()
    format_ = written_before(
        monkeypatch, Migration("temperatures by themselves", warmth), Migration("encoders", weights=names)
    )
    renamed_as_before(folder)
    assert told(folder)["format"] == format_
    loaded = load(folder)
    assert np.array_equal(loaded.predict_proba(TEXTS), before)
    again = load_encoder(folder, 0).state_dict()
    assert all(np.array_equal(tensor, again[name]) for name, tensor in encoder.items())
    saved = loaded.save(tmp_path / "again")
    assert told(saved)["format"] == format_ + 2
    assert np.array_equal(load(saved).predict_proba(TEXTS), before), "it needs no step any more"
    assert read_manifest(folder)["format"] == format_, "that of the files"


def test_steps_begin_at_the_format_of_the_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def told_by(word: str) -> Migration:
        return Migration(word, lambda manifest: {**manifest, "steps": [*manifest.get("steps", []), word]})

    monkeypatch.setattr(migrations, "MIGRATIONS", tuple(told_by(word) for word in ("one", "two", "three")))
    found = {number: migrated({"format": number}, tmp_path).get("steps") for number in (1, 2, 3, 4)}
    assert found == {1: ["one", "two", "three"], 2: ["two", "three"], 3: ["three"], 4: None}


def test_a_seal_is_looked_at_before_any_step(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written_before(monkeypatch, Migration("temperatures by themselves", warmth))
    tell(folder, temperature={"topic": 50.0})
    with pytest.raises(ModelError, match="not as it was written"):
        load(folder)


def test_a_newer_format_is_refused_with_the_version_that_wrote_it(folder: Path, tmp_path: Path) -> None:
    manifest = {name: value for name, value in told(folder).items() if name != "checksum"}
    newer = {**manifest, "format": newest_format() + 1, "graftwork": "7.3"}
    (folder / "model.json").write_text(json.dumps(newer), encoding="utf-8")
    words = f"saved by graftwork 7.3 in format {newest_format() + 1}, and this one reads the formats up to"
    graft("predict", folder, topics(tmp_path / "t.csv", 3), "--out", tmp_path / "p.csv").fails(1, words)


@pytest.mark.parametrize("wrong", [0, -1, True, None, "1", 1.0, [1]])
def test_a_format_that_is_none(wrong: Any, folder: Path) -> None:
    manifest = {name: value for name, value in told(folder).items() if name != "checksum"}
    (folder / "model.json").write_text(json.dumps({**manifest, "format": wrong}), encoding="utf-8")
    with pytest.raises(ModelError, match=r"damaged|written by something else"):
        load(folder)


@pytest.mark.parametrize("missing", ["temperature", "heads"])
def test_a_step_that_finds_nothing_says_that_the_model_is_damaged(
    missing: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def step(manifest: dict[str, Any]) -> dict[str, Any]:
        return {**manifest, "temperature": manifest[missing]["nowhere"]}

    written_before(monkeypatch, Migration("a step", step))
    with pytest.raises(ModelError, match=r"damaged model: it does not hold what a model of format \d does"):
        load(folder)


def test_weights_that_a_step_does_not_find(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written_before(monkeypatch, Migration("a step", weights=lambda weights: {"new": weights["nowhere"]}))
    with pytest.raises(ModelError, match="'nowhere' is missing"):
        load(folder)


def test_every_step_says_why() -> None:
    assert all(step.why for step in migrations.MIGRATIONS)
    assert newest_format() == len(migrations.MIGRATIONS) + 1
