"""graftwork.predicting_parts: what a worker writes of a part, read again, is what this process computes; for each kind
of model that earlier versions saved."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest

import graftwork as gw
from graftwork import predicting
from graftwork.core.judging.predicted import Predicted
from graftwork.data.load import load_like
from graftwork.data.store.ragged import Ragged, from_rows
from graftwork.errors import DataError
from graftwork.predicting import Kept, predict_chunks, predict_table, reads_features
from graftwork.predicting_parts.kept_files import read_kept, write_kept
from graftwork.predicting_parts.parts import parts_of
from graftwork.predicting_parts.table_files import map_rows, write_rows
from graftwork.predicting_parts.worker import predicted_part
from made import TEXTS, make
from saved_models.make import HERE

SAVED = sorted(path.parent for path in HERE.glob("*/*/expected.json"))


def same(found: Predicted, expected: Predicted) -> None:
    assert str(found.each_values) == str(expected.each_values)
    assert found.each_probabilities.keys() == expected.each_probabilities.keys()
    for name, given in expected.each_probabilities.items():
        assert np.array_equal(found.each_probabilities[name], given, equal_nan=True)
    assert list(map(astuple, found.bad)) == list(map(astuple, expected.bad))
    assert (found.unusual is None) == (expected.unusual is None)
    assert found.unusual is None or np.array_equal(found.unusual, expected.unusual, equal_nan=True)


@pytest.mark.parametrize("folder", SAVED, ids=lambda folder: folder.name)
def test_parts_of_a_saved_model_are_what_one_process_computes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predicting, "CHUNK", 4)
    model = gw.load(folder / "model")
    loaded = load_like(folder / "rows.jsonl", model.schema, with_target=False, on_bad_rows="keep")
    parts = parts_of(model, loaded.table, loaded.bad)
    assert len(parts) > 1
    assert [part.start for part in parts] == [0, *(part.stop for part in parts[:-1])]
    unusual = model.reference is not None
    features = reads_features(model, unusual, None)
    rows = write_rows(tmp_path / "rows.arrow", loaded.table)
    kept = list[Kept | None]()
    for part in parts:
        path = tmp_path / f"{part.number}"
        told = {"part": part.number, "start": part.start, "stop": part.stop, "without": part.without, "path": path}
        made = predicted_part(model, map_rows(rows), features, told, lambda _: None)
        assert (made["done"], made["rows"]) == (part.number, part.stop - part.start)
        kept.append(read_kept(path, part.readable)[0])
    found = predict_table(model, loaded.table, loaded.bad, unusual=unusual, kept=iter(kept))
    same(found, predict_table(model, loaded.table, loaded.bad, unusual=unusual))


def test_rows_that_can_not_be_read_stay_in_their_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predicting, "CHUNK", 3)
    model = make(tmp_path)
    texts = ["", TEXTS[0], TEXTS[1], "", "", "", TEXTS[2], ""]
    loaded = load_like(texts, model.schema, with_target=False, on_bad_rows="keep")
    parts = parts_of(model, loaded.table, loaded.bad)
    assert [part.without for part in parts] == [(1,), (4, 5, 6), (8,)]
    assert [part.readable for part in parts] == [2, 0, 1]
    assert [part.shown for part in parts] == ["rows 1 to 3", "rows 4 to 6", "rows 7 to 8"]


def test_warnings_of_a_part_are_kept_with_it(tmp_path: Path) -> None:
    model = make(tmp_path)
    loaded = load_like([TEXTS[0] * 30, TEXTS[1]], model.schema, with_target=False, on_bad_rows="keep")
    told = {"part": 0, "start": 0, "stop": 2, "without": (), "path": tmp_path / "part"}
    predicted_part(model, loaded.table, False, told, lambda _: None)
    kept, said = read_kept(tmp_path / "part", 2)
    assert said == []
    assert dict(kept.cut[0]) == {"text": 1}
    with pytest.warns(UserWarning, match="1 of 2 texts in 'text' are longer"):
        list(predict_chunks(model, loaded.table, [], kept=iter([kept])))


def test_values_of_every_form_come_back(tmp_path: Path) -> None:
    ragged = from_rows([np.arange(3), np.arange(0), np.arange(2)])
    found = {"a/b": np.eye(3, dtype=np.float32), "spans": ragged, "flags": np.array([True, False, True])}
    kept = Kept(found, np.ones((3, 2), np.float32), ({"text": 2}, {}))
    write_kept(tmp_path / "part", kept, 3, ["said"])
    again, said = read_kept(tmp_path / "part", 3)
    assert said == ["said"]
    assert again.cut == ({"text": 2}, {})
    assert again.features is not None
    assert again.features.dtype == np.float32
    for name in ("a/b", "flags"):
        assert np.array_equal(again.found[name], found[name])
        assert again.found[name].dtype == found[name].dtype  # type: ignore[union-attr]
        assert again.found[name].flags.writeable
    assert isinstance(again.found["spans"], Ragged)
    assert [row.tolist() for row in again.found["spans"]] == [[0, 1, 2], [], [0, 1]]


def test_a_file_that_is_damaged_or_of_other_rows_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "part"
    write_kept(path, Kept({"a": np.zeros((3, 2))}, None, ({},)), 3)
    with pytest.raises(DataError, match="another number of rows than 4"):
        read_kept(path, 4)
    content = path.read_bytes()
    for damaged in (b"", content[:40], content[:-1], b"\xff" * len(content), content.replace(b"rows", b"ruws")):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match="damaged"):
            read_kept(path, 3)
