"""Pretraining on pictures and sounds from end to end: rows or a folder in, a base out that a fit starts from."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

import graftwork as gw
from command import graft
from graftwork.errors import UsageError
from graftwork.runs.pretrain.objectives import USUAL, VIEWS, objectives, usual
from tinyrun import clip, picture

TOPICS = ("animals", "weather", "food")
QUICK = {"steps": "6", "batch": "8", "evaluations": "2", "precision": "fp32"}
SET = [item for key, value in QUICK.items() for item in ("--set", f"{key}={value}")]
CNN, GRU = "small-cnn:width=8,size=8", "mel-gru:width=8,rate=2000,mels=16"


def pictures(rows: int = 60) -> pa.Table:
    return pa.table({"photo": [picture(TOPICS[at % 3], at) for at in range(rows)]})


def sounds(rows: int = 60) -> pa.Table:
    return pa.table({"clip": [clip(TOPICS[at % 3], at) for at in range(rows)]})


def labelled(table: pa.Table) -> pa.Table:
    return table.append_column("label", pa.array([TOPICS[at % 3] for at in range(len(table))]))


@pytest.mark.parametrize(
    ("rows", "base", "objective"),
    [
        (pictures, CNN, "simclr"),
        (pictures, CNN, "masked-image:patch=2"),
        (sounds, GRU, "masked-mel:frames=2,bands=4"),
    ],
)
def test_a_fit_starts_from_it(rows: object, base: str, objective: str, tmp_path: Path) -> None:
    table = rows()  # type: ignore[operator]
    known = labelled(table).slice(0, 30)
    model = gw.pretrain(
        table,
        base=base,
        objective=objective,
        watch=known,
        target="label",
        settings=QUICK,
        out=tmp_path / "base",
        verbose=False,
    )
    assert model.report is not None
    assert model.report.curves is not None
    assert model.report.curves.watched is not None
    assert len(model.report.curves.watched.values) == 2
    recipe = gw.Recipe(base=str(tmp_path / "base"), techniques=["full"], training=gw.Training(steps=0))
    again = gw.fit(labelled(table), target="label", recipe=recipe, verbose=False)
    own, taken = (next(iter(one.network.each_encoder())).state_dict() for one in (model, again))
    assert all(torch.equal(value, taken[name]) for name, value in own.items())


def test_a_folder_of_classes_is_a_corpus_without_labels(tmp_path: Path) -> None:
    for at in range(60):
        file = tmp_path / "photos" / TOPICS[at % 3] / f"{at}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture(TOPICS[at % 3], at))
    out = tmp_path / "base"
    graft(
        "pretrain", tmp_path / "photos", "--base", CNN, "--with", "full", "--with", "flip", *SET, "--out", out
    ).works()
    assert gw.load(out).task.name == "simclr"
    graft(
        "fit", tmp_path / "photos", "--base", out, "--with", "full", "--set", "steps=2", "--out", tmp_path / "m"
    ).works()


def test_the_first_objective_for_a_kind_is_the_default() -> None:
    first = {task.reads: name for name, task in reversed(objectives().items())}
    assert first == {"text": "masked-language", "image": "simclr", "audio": "masked-mel"}


def test_of_several_kinds_it_must_be_said_which() -> None:
    mixed = pictures().append_column("text", pa.array([f"a text of some words, number {at}" for at in range(60)]))
    with pytest.raises(UsageError, match="Say what is to be pretrained: --objective simclr or masked-language"):
        gw.pretrain(mixed, verbose=False)
    model = gw.pretrain(mixed, base=CNN, settings=QUICK, verbose=False)
    assert model.network.columns == ("photo",)


def test_an_objective_for_another_kind_says_which_ones_read_this(tmp_path: Path) -> None:
    pq.write_table(pictures(), tmp_path / "photos.parquet")
    ran = graft("pretrain", tmp_path / "photos.parquet", "--objective", "masked-mel", "--out", tmp_path / "b")
    ran.fails(2, "reads sounds, and there are none.*Objectives for pictures: simclr, masked-image")


def test_views_do_without_the_package_for_colours() -> None:
    with mock.patch("graftwork.runs.pretrain.objectives.find_spec", return_value=None):
        less, note = usual("simclr:width=16")
    assert VIEWS not in less.techniques
    assert "pip install graftwork" in note
    assert usual("masked-image") == (USUAL["masked-image"], "")
