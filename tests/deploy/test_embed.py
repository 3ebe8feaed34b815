"""`graft embed` and `gw.embed`: one vector a row, in order, by a base or by the encoders of a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

import graftwork as gw
from command import QUICK, graft, topics, write_rows
from graftwork.errors import DataError, UsageError
from pictures import tiny_image_model
from tiny import tiny_bert, tiny_rows, tiny_texts


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert(tmp_path_factory.mktemp("base") / "bert")


def by_transformers(base: Path, texts: list[str]) -> np.ndarray:
    """The mean over the tokens of the last layer, by transformers alone."""
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(base), AutoModel.from_pretrained(base).eval()
    found = []
    with torch.inference_mode():
        for text in texts:
            inputs = tokenizer(text, return_tensors="pt")
            found.append(model(**inputs).last_hidden_state.mean(dim=1)[0].numpy())
    return np.array(found)


def test_they_are_those_of_the_base(base: Path) -> None:
    texts = tiny_texts(40)
    np.testing.assert_allclose(gw.embed(texts, base=str(base)), by_transformers(base, texts), atol=1e-5)


def test_into_a_file(base: Path, tmp_path: Path) -> None:
    table = topics(tmp_path / "t.csv")
    expected = gw.embed(tiny_texts(60), base=str(base))
    said = graft("embed", table, "--base", base, "--out", tmp_path / "x.npy").works()
    assert "60 rows embedded into" in said.err
    assert "text: 32 numbers" in said.err
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), expected)
    graft("embed", table, "--base", base, "--inputs", "text", "--out", tmp_path / "x.parquet").works()
    found = pq.read_table(tmp_path / "x.parquet")
    assert found.column_names == ["text", "label", "embedding"]
    assert found["label"].to_pylist() == [label for _, label in tiny_rows(60)]
    np.testing.assert_array_equal(np.array(found["embedding"].to_pylist(), np.float32), expected)


def test_the_encoder_of_a_model(base: Path, tmp_path: Path) -> None:
    table = topics(tmp_path / "t.csv")
    graft("fit", table, "--base", base, "--out", tmp_path / "m", *QUICK).works()
    graft("embed", table, "--base", tmp_path / "m", "--out", tmp_path / "x.npy").works()
    tuned = np.load(tmp_path / "x.npy")
    assert tuned.shape == (60, 32)
    assert np.abs(tuned - gw.embed(tiny_texts(60), base=str(base))).max() > 1e-4, "it was tuned"
    np.testing.assert_array_equal(gw.embed(table, base=str(tmp_path / "m")), tuned)


def test_several_inputs_and_rows_that_lack_one(base: Path, tmp_path: Path) -> None:
    from PIL import Image

    tiny_image_model(tmp_path / "net")
    Image.new("RGB", (32, 32), "red").save(tmp_path / "red.png")
    rows = [("the cat is here", "red.png"), ("no rain today", ""), ("", "red.png"), ("", "")]
    table = write_rows(tmp_path / "t.csv", rows, ("title", "photo"))
    bases = ("--base", f"title={base}", "--base", f"photo={tmp_path / 'net'}")
    said = graft("embed", table, *bases, "--out", tmp_path / "x.parquet").works()
    assert "1 of them could not be read" in said.err
    found = pq.read_table(tmp_path / "x.parquet")
    title, photo = (np.array(found[f"embedding_{name}"].to_pylist()) for name in ("title", "photo"))
    assert np.isnan(title).all(axis=1).tolist() == [False, False, True, True]
    assert np.isnan(photo).all(axis=1).tolist() == [False, True, False, True]
    np.testing.assert_allclose(title[0], gw.embed(["the cat is here"], base=str(base))[0], atol=1e-6)
    graft("embed", table, *bases, "--out", tmp_path / "x.npy").works()
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), np.concatenate([title, photo], axis=1))


def test_what_can_not_be_embedded(base: Path, tmp_path: Path) -> None:
    table = topics(tmp_path / "t.csv")
    for arguments, *said in (
        (("--base", "gru", "--out", "x.npy"), "No pretrained base reads these rows", "gru", "--base"),
        (("--base", base, "--inputs", "txt", "--out", "x.npy"), "text"),
        (("--base", base, "--out", "x.csv"), r"can't write '\.csv'\. Expected one of: \.parquet, \.npy"),
        (("--base", tmp_path / "none", "--out", "x.npy"), "no folder"),
    ):
        ran = graft("embed", table, *arguments)
        assert ran.code in (1, 2)
        ran.fails(ran.code, *said)
    numbers = write_rows(tmp_path / "n.csv", [("1", "2"), ("3", "4")], ("a", "b"))
    graft("embed", numbers, "--out", tmp_path / "x.npy").fails(2, "No pretrained base")
    itself = tmp_path / "itself.parquet"
    pq.write_table(pq.read_table(_parquet(base, table, tmp_path)).select(["text"]), itself)
    graft("embed", itself, "--base", base, "--out", itself).fails(2, "the table itself")
    assert not list(tmp_path.glob("x.npy*"))


def _parquet(base: Path, table: Path, folder: Path) -> Path:
    graft("embed", table, "--base", base, "--out", folder / "first.parquet").works()
    return folder / "first.parquet"


def test_in_python(base: Path) -> None:
    with pytest.raises(UsageError, match="There is no input 'title' to embed"):
        gw.embed({"text": ["a cat", "a dog"]}, base=str(base), inputs=["text", "title"])
    with pytest.raises(DataError):
        gw.embed([], base=str(base))
    found = gw.embed({"a": ["the cat", "a dog"], "b": ["rain", "sun"]}, base=str(base))
    assert isinstance(found, dict)
    assert {name: values.shape for name, values in found.items()} == {"a": (2, 32), "b": (2, 32)}
