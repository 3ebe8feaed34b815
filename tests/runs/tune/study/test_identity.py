"""A study of other rows, settings or versions is refused, with what differs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from graftwork.errors import CheckpointError, UsageError
from graftwork.evidence.tune.trials import Limits
from graftwork.networks.bases.registry import parse_base
from graftwork.recipe import Recipe
from graftwork.runs.tune.asked import Asking
from graftwork.runs.tune.study.identity import STUDY, Identity, check_identity, identity_of, weights_of
from graftwork.spaces import Choice, Range
from jobs import job_of
from tiny import tiny_model, tiny_rows

ROWS = [{"text": text, "label": topic} for text, topic in tiny_rows(60)]
RECIPE = Recipe(base="gru")
DIMENSIONS = (SimpleNamespace(name="lr", space=Range(1e-5, 1e-3), when=()),)


def identity(rows: Any = ROWS, recipe: Recipe = RECIPE, dimensions: Any = DIMENSIONS, **asked: Any) -> Identity:
    return identity_of(job_of(rows, recipe), recipe, Asking(**asked), 1, dimensions)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    check_identity(tmp_path / "tune", identity())
    return tmp_path / "tune"


def test_the_same_goes_on(folder: Path) -> None:
    check_identity(folder, identity())
    check_identity(folder, identity(trials=50))
    check_identity(folder, identity(limits=Limits(size=5)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rows": [*ROWS[:-1], ROWS[-1] | {"text": "other words"}]}, "the rows are others"),
        ({"recipe": replace(RECIPE, head="mlp")}, "the recipe is another: head differ"),
        ({"recipe": replace(RECIPE, seed=3)}, "its seed is 0, and here 3"),
        ({"batch": 2}, "its --batch is 4, and here 2"),
        ({"pareto": True}, "here latency, size"),
        (
            {"dimensions": (*DIMENSIONS, SimpleNamespace(name="base", space=Choice(("a", "b")), when=()))},
            r"here base: Choice",
        ),
    ],
)
def test_what_differs_is_said(folder: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        check_identity(folder, identity(**change))
    assert "--new" in str(caught.value)
    assert str(folder.parent) in str(caught.value)


def test_other_weights_under_the_same_name_are_said(tmp_path: Path) -> None:
    base = parse_base(str(tiny_model(tmp_path / "mine")))
    before = weights_of([base, parse_base("gru"), parse_base("minilm")])
    assert list(before) == [base.spec]
    job = job_of(ROWS, RECIPE)

    def now() -> Identity:
        return identity_of(job, RECIPE, Asking(), 1, DIMENSIONS, weights_of([base]))

    check_identity(tmp_path / "tune", identity_of(job, RECIPE, Asking(), 1, DIMENSIONS))
    check_identity(tmp_path / "tune", now())  # as an earlier version left it
    (tmp_path / "tune" / STUDY).unlink()
    check_identity(tmp_path / "tune", now())
    check_identity(tmp_path / "tune", now())
    [file] = Path(tmp_path / "mine").glob("*.safetensors")
    file.write_bytes(file.read_bytes()[:-4] + b"\0\0\0\0")
    with pytest.raises(UsageError, match=r"the weights of .*mine.* are others"):
        check_identity(tmp_path / "tune", now())


def test_another_version_is_said(folder: Path) -> None:
    told = json.loads((folder / STUDY).read_text())
    told["versions"]["graftwork"] = "0.0.9"
    (folder / STUDY).write_text(json.dumps(told))
    with pytest.raises(UsageError, match=r"other versions: graftwork 0\.0\.9, and here is graftwork 0\.1\.0"):
        check_identity(folder, identity())


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "1"}', "[" * 5000])
def test_a_damaged_file_is_said(folder: Path, text: str) -> None:
    (folder / STUDY).write_text(text)
    with pytest.raises(CheckpointError, match=r"study\.json is damaged"):
        check_identity(folder, identity())
