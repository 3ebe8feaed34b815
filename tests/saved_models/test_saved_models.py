"""Models that were saved by earlier versions load, and predict what they predicted then."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import graftwork as gw
from command import graft
from graftwork.networks.bases.saved import load_encoder, saved_inputs
from saved_models.examples import EXAMPLES
from saved_models.make import HERE, LARGEST, LARGEST_SUM, make, predicted, size, used

SAVED = sorted(path.parent for path in HERE.glob("*/*/expected.json"))
NEAR = 5e-5
"""What probabilities may differ by: processors compute in other orders."""


def expected(folder: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    return told


def array(values: list[Any]) -> np.ndarray:
    """Numbers, NaN where the file says null."""
    return np.array(values, dtype=float)


def check_same(found: dict[str, Any], before: dict[str, Any]) -> None:
    assert found.keys() == before.keys()
    for target, told in before.items():
        if isinstance(told["values"][0], str):
            assert found[target]["values"] == told["values"]
        else:  # numbers
            assert np.allclose(array(found[target]["values"]), array(told["values"]), rtol=NEAR, atol=NEAR)
        assert found[target].keys() == told.keys()
        if "probabilities" in told:
            assert found[target]["columns"] == told["columns"]
            given, then = array(found[target]["probabilities"]), array(told["probabilities"])
            assert given.shape == then.shape
            assert np.allclose(given, then, rtol=NEAR, atol=NEAR), np.abs(given - then).max()


@pytest.mark.parametrize("folder", SAVED, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_a_saved_model_predicts_what_it_did(folder: Path, tmp_path: Path) -> None:
    before, model = expected(folder), gw.load(folder / "model")
    check_same(predicted(model, folder / "rows.jsonl"), before["targets"])
    again = gw.load(model.save(tmp_path / "again"))
    check_same(predicted(again, folder / "rows.jsonl"), before["targets"])


def check_written(folder: Path, out: Path) -> None:
    """What the command line writes is what is expected."""
    before = expected(folder)["targets"]
    proba = ["--proba"] * any("probabilities" in told for told in before.values())
    graft("predict", folder / "model", folder / "rows.jsonl", "--out", out, *proba).works()
    with out.open(newline="", encoding="utf-8") as file:
        written = list(csv.DictReader(file))

    def numbers(names: list[str]) -> np.ndarray:
        return np.array([[float(row[name]) for name in names] for row in written])

    for target, told in before.items():
        values, columns = told["values"], told["columns"]
        if isinstance(values[0], list):  # several columns of one target
            assert np.allclose(
                numbers([f"prediction({name})" for name in columns]), array(values), rtol=NEAR, atol=NEAR
            )
            continue
        column = "prediction" if len(before) == 1 else f"prediction({target})"
        if isinstance(values[0], str):
            assert [row[column] for row in written] == values
        else:
            assert np.allclose(numbers([column])[:, 0], array(values), rtol=NEAR, atol=NEAR)
        if len(columns) > 1:
            names = columns if len(before) == 1 else [f"{target}={name}" for name in columns]
            given = numbers([f"p({name})" for name in names])
            assert np.allclose(given, array(told["probabilities"]), rtol=NEAR, atol=NEAR)


@pytest.mark.parametrize("folder", SAVED, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_the_command_line_writes_what_it_did(folder: Path, tmp_path: Path) -> None:
    check_written(folder, tmp_path / "out.csv")


@pytest.mark.parametrize(
    "folder", [folder for folder in SAVED if len(expected(folder)) > 1], ids=lambda folder: folder.name
)
def test_other_uses_say_what_they_did(folder: Path) -> None:
    before = {name: told for name, told in expected(folder).items() if name != "targets"}
    found = used(gw.load(folder / "model"), folder)
    assert found.keys() == before.keys()
    for name, told in before.items():
        if name == "adapted":
            check_same(found[name], told)
        elif name == "embeddings":
            assert found[name].keys() == told.keys()
            for side in told:
                assert np.allclose(array(found[name][side]), array(told[side]), rtol=NEAR, atol=NEAR)
        elif name in ("names", "rows"):
            assert found[name] == told
        else:
            assert np.allclose(array(found[name]), array(told), rtol=NEAR, atol=NEAR)


def test_the_rows_hold_all_kinds_and_stay_small() -> None:
    assert {folder.name for folder in (HERE / "0.1.0").iterdir()} <= set(EXAMPLES)
    for row in {folder.parent for folder in SAVED}:
        assert size(row) <= LARGEST_SUM
        assert all(size(folder) <= LARGEST for folder in row.iterdir())


@pytest.mark.parametrize("folder", SAVED, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_its_encoders_are_bases_of_other_runs(folder: Path) -> None:
    model = gw.load(folder / "model")
    places = [folder / "model" / f"member-{at}" for at in range(len(model.members))] or [folder / "model"]
    for member, place in zip(model.each_member, places, strict=True):
        encoders = list(member.model.network.each_encoder())
        for index, encoder in enumerate(encoders):
            alone = load_encoder(place, index).state_dict()
            assert alone.keys() == encoder.state_dict().keys()
            assert all(torch.equal(alone[name], tensor) for name, tensor in encoder.state_dict().items())
        assert {one.encoder for one in saved_inputs(place)} == set(range(len(encoders)))


QUICK = ("ensemble", "regression-log", "regression-quantiles", "text-pairs")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in EXAMPLES]
)
def test_a_row_can_be_made_of_the_version_that_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saved_models.make.EXAMPLES", {name: EXAMPLES[name]})
    make(tmp_path / "row")
    folder = tmp_path / "row" / name
    assert size(folder) < LARGEST
    check_same(predicted(gw.load(folder / "model"), folder / "rows.jsonl"), expected(folder)["targets"])
    check_written(folder, tmp_path / "out.csv")
    made = {path.name for path in folder.iterdir()}
    make(tmp_path / "row")
    assert {path.name for path in folder.iterdir()} == made, "what is there stays as it is"


def test_the_predictions_tell_models_apart() -> None:
    """A model that says the same of all rows would hide what changed."""
    for folder in SAVED:
        for target, told in expected(folder)["targets"].items():
            assert len({str(value) for value in told["values"]}) > 1, (folder.name, target)
