"""graftwork.deploy.predict: files in every form, also where values are lists; and the arrays Python gets of them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import graftwork as gw
from graftwork import predicting
from graftwork.deploy.predict import predict_file
from graftwork.errors import UsageError
from graftwork.progress import Screen
from pictures import encoded, picture


class Notes(Screen):
    """Keeps the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


WORDS = {"animals": "cat", "food": "cake", "weather": "rain"}
TEXTS = ["cat", "rain and cat", "nothing", "cake and cat and rain"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of rows with several labels."""
    sets = [[], ["animals"], ["food"], ["animals", "weather"], ["food", "weather"], ["animals", "food", "weather"]]
    rows = [
        {"text": f"{row % 7} {' and '.join(WORDS[n] for n in sets[row % 6])}", "topics": sets[row % 6]}
        for row in range(120)
    ]
    recipe = gw.Recipe(base="gru:width=16", techniques=[], training=gw.Training(steps=60, precision="fp32"))
    return gw.fit(rows, target="topics", recipe=recipe).save(tmp_path_factory.mktemp("several") / "model")


def written(path: Path, texts: list[str]) -> Path:
    path.write_text("".join(json.dumps({"text": text, "tags": ["x", "y"]}) + "\n" for text in texts), encoding="utf-8")
    return path


def test_lists_of_labels_are_one_element_a_row(folder: Path) -> None:
    model = gw.load(folder)
    expected = model.predict_rows(TEXTS).values
    assert len({len(labels) for labels in expected}) > 1, "the rows differ in how many labels they have"
    for texts in (TEXTS, TEXTS[:1], [*TEXTS[:1], *TEXTS[:1]]):
        found = model.predict(texts)
        assert found.shape == (len(texts),)
        assert found.tolist() == [expected[TEXTS.index(text)] for text in texts]
    series = model.predict(pd.DataFrame({"text": TEXTS}, index=[7, 8, 9, 10]))
    assert series.to_dict() == dict(zip([7, 8, 9, 10], expected, strict=True))


@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_delimited_files_hold_lists_as_json(folder: Path, tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"p.{ending}"
    assert predict_file(folder, written(tmp_path / "new.jsonl", TEXTS), out) == (4, 0)
    with open(out, newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file, delimiter="," if ending == "csv" else "\t"))
    assert [json.loads(row["prediction"]) for row in found] == gw.load(folder).predict(TEXTS).tolist()
    assert [json.loads(row["tags"]) for row in found] == [["x", "y"]] * 4


def test_the_type_does_not_change_from_chunk_to_chunk(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predicting, "CHUNK", 2)
    source = written(tmp_path / "new.jsonl", ["", "", *TEXTS, "", ""])
    assert predict_file(folder, source, tmp_path / "p.parquet", proba=True) == (8, 4)
    table = pq.read_table(tmp_path / "p.parquet")
    expected = gw.load(folder).predict_proba(TEXTS)
    assert table["prediction"].to_pylist() == [None, None, *gw.load(folder).predict(TEXTS).tolist(), None, None]
    assert np.allclose(table["p(food)"].to_pylist()[2:6], np.asarray(expected)[:, 1], atol=1e-5)


def test_nothing_half_written_is_left(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = written(tmp_path / "new.jsonl", TEXTS)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        predict_file(folder, source, tmp_path / "folder.csv")

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(predicting, "kept_of", stopped)
    with pytest.raises(KeyboardInterrupt):
        predict_file(folder, source, tmp_path / "p.csv")
    assert {path.name for path in tmp_path.iterdir()} == {"new.jsonl", "folder.csv"}


def test_files_as_bytes_are_kept_in_parquet_and_left_out_of_texts_with_a_word(tmp_path: Path) -> None:
    rows = [{"image": encoded(picture(at)), "name": f"n{at}", "label": "ab"[at % 2]} for at in range(60)]
    recipe = gw.Recipe(
        base="small-cnn:width=8,blocks=1,size=8", techniques=[], training=gw.Training(steps=2, precision="fp32")
    )
    model = gw.fit(rows, target="label", inputs="image", recipe=recipe, verbose=False).save(tmp_path / "model")
    table = pa.table({"image": [row["image"] for row in rows], "held": [{"bytes": row["image"]} for row in rows]})
    pq.write_table(table.append_column("name", pa.array([row["name"] for row in rows])), tmp_path / "new.parquet")
    for ending in ("csv", "tsv", "jsonl", "parquet"):
        out, ear = tmp_path / f"p.{ending}", Notes()
        assert predict_file(model, tmp_path / "new.parquet", out, on=ear) == (60, 0)
        if ending == "parquet":
            assert pq.read_table(out).column("image").to_pylist() == table.column("image").to_pylist()
            assert not any("left out of" in note for note in ear.notes)
            continue
        found = pd.read_json(out, lines=True) if ending == "jsonl" else pd.read_csv(out, sep=",\t"[ending == "tsv"])
        assert list(found) == ["name", "prediction", "confidence", "second_choice", "reason"]
        assert found["name"].tolist() == [row["name"] for row in rows]
        [note] = [note for note in ear.notes if "left out of" in note]
        assert note.startswith(f"left out of {out}: image, held (files as bytes")
