"""Saved models as bases: their encoders, with their weights, as the start of another run."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import graftwork as gw
from graftwork.data.table import Column, Input
from graftwork.errors import ModelError, UsageError
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.registry import bases_of, parse_base
from graftwork.networks.bases.saved import saved_inputs
from tiny import tiny_rows

TRAINING = gw.Training(steps=2, batch=8, evaluations=1, precision="fp32")
BASES = {
    "text": "gru:width=8",
    "title": "cnn:width=6,widths=2",
    "photo": "small-cnn:width=8,blocks=1,size=8",
    "table": "table-mlp:width=8,layers=1",
}


def photo(at: int) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(at).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()


def frame() -> pd.DataFrame:
    table = pd.DataFrame(tiny_rows(48), columns=["text", "label"])
    table["title"] = table.text.str.upper()
    table["photo"] = [photo(at) for at in range(48)]
    table["size"] = table.text.str.len() + np.arange(48) / 10
    return table


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two texts with an encoder each, a picture and a number."""
    out = tmp_path_factory.mktemp("tuned") / "model"
    inputs = ["text", "title", "photo", "size"]
    gw.fit(
        frame(), target="label", inputs=inputs, recipe=gw.Recipe(base=BASES, techniques=[], training=TRAINING), out=out
    )
    return out


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of one text, from MiniLM's kind of base."""
    out = tmp_path_factory.mktemp("tuned") / "texts"
    recipe = gw.Recipe(base="gru:width=8", techniques=[], training=TRAINING)
    gw.fit(frame(), target="label", inputs=["text"], recipe=recipe, out=out)
    return out


def same(first: torch.nn.Module, second: torch.nn.Module) -> bool:
    states = first.state_dict(), second.state_dict()
    return states[0].keys() == states[1].keys() and all(states[0][k].equal(states[1][k]) for k in states[0])


def test_a_folder_that_fit_wrote_is_a_base(texts: Path) -> None:
    base = parse_base(str(texts))
    assert (base.name, base.modality, base.pretrained) == ("tuned-text", "text", True)
    assert base.spec == f"tuned-text:path={texts}"
    assert base.suggested_lr == parse_base("gru").suggested_lr
    assert base.suggested_epochs == parse_base("gru").suggested_epochs
    encoder = base.build(TrainingRows(columns=(Column("text", "text"),)), 0)
    assert same(encoder, gw.load(texts).network.encoder("text"))
    assert all(parameter.requires_grad for parameter in encoder.parameters())


def test_each_input_starts_from_its_own(saved: Path) -> None:
    recipe = gw.Recipe(base=str(saved), techniques=[], training=gw.Training(steps=0, precision="fp32"))
    inputs = ["text", "title", "photo", "size"]
    further = gw.fit(frame(), target="label", inputs=inputs, recipe=recipe)
    first = gw.load(saved).network
    for name in first.columns:
        assert same(first.encoder(name), further.network.encoder(name)), name
    alone = gw.fit(frame(), target="label", inputs=["title"], recipe=recipe)
    assert same(first.encoder("title"), alone.network.encoder("title"))


def test_a_tuned_base_can_be_tuned_on_and_saved(texts: Path, tmp_path: Path) -> None:
    recipe = gw.Recipe(base=str(texts), techniques=[gw.WarmStart(), gw.Partial(1)], training=TRAINING)
    gw.fit(frame(), target="label", inputs=["text"], recipe=recipe, out=tmp_path / "further")
    again = gw.fit(
        frame(), target="label", inputs=["text"], recipe=gw.Recipe(base=str(tmp_path / "further"), training=TRAINING),
        out=tmp_path / "third",
    )  # fmt: skip
    assert gw.load(tmp_path / "third").predict(["the cat is here"]) == again.predict(["the cat is here"])
    assert parse_base(str(tmp_path / "third")).suggested_lr == parse_base("gru").suggested_lr


def test_what_it_was_tuned_from_may_be_gone(texts: Path, tmp_path: Path) -> None:
    folder = copied(texts, tmp_path / "model")
    manifest = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    manifest["recipe"]["base"] = "./nowhere"
    del manifest["checksum"]
    (folder / "model.json").write_text(json.dumps(manifest), encoding="utf-8")
    base = parse_base(str(folder))
    assert base.suggested_lr == 5e-5
    assert base.tuned_blocks() == 2


def copied(source: Path, target: Path) -> Path:
    import shutil

    return Path(shutil.copytree(source, target))


def test_names_that_look_like_bases_are_written_out(texts: Path, tmp_path: Path, monkeypatch: Any) -> None:
    copied(texts, tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    spec = parse_base("tuned-text:path=mine").spec
    assert spec == "tuned-text:path=mine"
    assert parse_base(spec).spec == spec
    assert parse_base("./mine:input=text").spec == "tuned-text:path=./mine,input=text"


def test_inputs_are_read_from_the_manifest(saved: Path) -> None:
    found = {one.name: one for one in saved_inputs(saved)}
    assert [one.modality for one in found.values()] == ["text", "text", "image", "table"]
    assert found["table"].columns == (("size", "number"),)
    assert found["title"].base.startswith("cnn:")


# --- what is refused --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("{saved}", r"has an encoder for each of text, title. Say which one"),
        ("{saved}:input=titel", "has no input 'titel'. Did you mean 'title'"),
        ("tuned-text:path={saved},inputt=title", "has no setting 'inputt'"),
        ("tuned-audio:path={saved}", "reads text, image, table: it has no encoder for audio"),
        ("tuned-text:path={saved}/encoder-0", "is no model that graft fit wrote"),
    ],
)
def test_what_can_not_be_a_base(spec: str, reason: str, saved: Path) -> None:
    with pytest.raises((ModelError, UsageError), match=reason):
        parse_base(spec.format(saved=saved)).build(TrainingRows(columns=(Column("other", "text"),)), 0)


def test_other_numbers_and_categories_are_refused(saved: Path) -> None:
    columns = (Column("weight", "number"), Column("size", "number"))
    with pytest.raises(ModelError, match=r"made for these numbers and categories, in this order: size \(number\)"):
        parse_base(str(saved), "table").build(TrainingRows(columns=columns), 0)


def test_a_modality_that_it_lacks_names_what_it_reads(texts: Path) -> None:
    with pytest.raises(ModelError, match="reads text: it has no encoder for image"):
        bases_of({"image": str(texts)}, [Input("photo", "image", ("photo",))])


def test_a_damaged_model(texts: Path, tmp_path: Path) -> None:
    folder = copied(texts, tmp_path / "model")
    (folder / "weights.safetensors").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="is a damaged model"):
        parse_base(str(folder)).build(TrainingRows(columns=(Column("text", "text"),)), 0)
    (folder / "model.json").write_text('{"format": 1, "graftwork": "0.1.0"}')
    with pytest.raises(ModelError, match="is a damaged model"):
        parse_base(str(folder))
