"""graftwork.evidence.sure.files: calibration rows come back to the bit, and what does not fit the task is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from fixed import class_rows, classes, label_sets, numbers, set_rows
from safetensors.torch import save_file

from graftwork.evidence.sure.calibration import MOST_ROWS, Calibration, calibration_of
from graftwork.evidence.sure.files import read_calibration, write_calibration

DRAW = np.random.default_rng(0)
TASKS = {"label": classes(4), "tags": label_sets(3), "price": numbers(np.arange(9.0))}
KNOWN = {
    "label": class_rows(DRAW, 50, 4),
    "tags": set_rows(DRAW, 40, 3),
    "price": Calibration(DRAW.normal(size=(30, 1)), DRAW.normal(size=30), "some table, by hand"),
}


def test_they_come_back_to_the_bit(tmp_path: Path) -> None:
    write_calibration(KNOWN, tmp_path / "c")
    found = read_calibration(tmp_path / "c", TASKS)
    assert list(found) == list(KNOWN)
    for name, rows in KNOWN.items():
        assert found[name].kept.dtype == rows.kept.dtype
        assert found[name].source == rows.source
        assert np.array_equal(found[name].kept, rows.kept)
        assert np.array_equal(found[name].truth, rows.truth)


def test_the_file_holds_numbers_and_a_name(tmp_path: Path) -> None:
    from safetensors import safe_open

    write_calibration(KNOWN, tmp_path / "c")
    with safe_open(tmp_path / "c", framework="np") as file:
        assert sorted(file.keys()) == sorted(f"{part}.{name}" for part in ("kept", "truth") for name in KNOWN)
        assert json.loads(file.metadata()["graftwork"]) == {name: rows.source for name, rows in KNOWN.items()}


ONE = torch.full((2, 4), 0.25)
WRONG = {
    "no such target": ("other", ONE, torch.tensor([0, 1])),
    "don't fit 4 outputs": ("label", torch.rand(2, 3), torch.tensor([0, 1])),
    "don't fit": ("label", ONE, torch.tensor([0, 1, 2])),
    "no classes of the task": ("label", ONE, torch.tensor([0, 4])),
    "no classes": ("label", ONE, torch.tensor([-1, 0])),
    "classes of the task": ("label", ONE, torch.tensor([0.0, 1.0])),
    "finite": ("label", torch.full((2, 4), torch.nan), torch.tensor([0, 1])),
    "no probabilities": ("label", torch.full((2, 4), 1.5), torch.tensor([0, 1])),
    "targets are no finite": ("price", torch.rand(2, 1), torch.tensor([0.0, torch.inf])),
}


@pytest.mark.parametrize("said", WRONG)
def test_what_is_none_of_the_task_s_is_refused(tmp_path: Path, said: str) -> None:
    target, kept, truth = WRONG[said]
    tensors = {f"kept.{target}": kept, f"truth.{target}": truth}
    save_file(tensors, tmp_path / "c", {"graftwork": json.dumps({target: "x"})})
    with pytest.raises(ValueError, match=said):
        read_calibration(tmp_path / "c", TASKS)


@pytest.mark.parametrize("about", [None, "[]", '{"label": 3}'])
def test_a_file_must_say_of_which_rows_it_is(tmp_path: Path, about: str | None) -> None:
    save_file({"kept.label": ONE}, tmp_path / "c", None if about is None else {"graftwork": about})
    with pytest.raises(ValueError, match="does not say"):
        read_calibration(tmp_path / "c", TASKS)


def test_rows_without_a_target_are_left_out_and_many_are_drawn_from() -> None:
    task, rows = TASKS["label"], class_rows(DRAW, MOST_ROWS + 2000, 4)
    labelled = np.arange(len(rows)) >= 1000
    found = calibration_of(task, rows.truth, labelled, rows.kept, "x")
    assert found is not None
    assert len(found) == MOST_ROWS
    assert calibration_of(task, rows.truth, np.zeros(len(rows), bool), rows.kept, "x") is None
