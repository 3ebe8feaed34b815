"""Search against ranking by hand; indexes that are saved, read and refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import graftwork as gw
from graftwork.deploy.predict import predict_file
from graftwork.errors import DataError, ModelError, UsageError
from graftwork.model import Model, load
from graftwork.recipe import Recipe
from graftwork.uses import index, nearest
from graftwork.uses.index import ABOUT, FOLDER, Index
from tinyrun import TRAINING, Worlds, make_worlds, pairs_table


@pytest.fixture(scope="module")
def fixtures(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    return make_worlds(tmp_path_factory.mktemp("fixtures"))


@pytest.fixture(scope="module")
def model(fixtures: Worlds) -> Model:
    fixture = fixtures("transformer", "pairs")
    run, fitted = fixture.fit([gw.Probe(l2=0.1)])
    recipe = Recipe(base=fixture.spec, task="retrieval", techniques=run.techniques, training=TRAINING)
    return Model(recipe, fixture.schema, fitted.network, fixture.tasks)


def rows(*changed: tuple[int, str, Any]) -> list[dict[str, Any]]:
    found = pairs_table().data.to_pylist()
    for at, name, value in changed:
        found[at][name] = value
    return found


def test_hits_are_those_of_ranking_all_rows(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    table = rows()
    model.searcher().index(table)
    query, others = (
        model.searcher().embed([table[3]["text"]], "text"),
        model.searcher().embed([row["other"] for row in table], "other"),
    )
    scores = (others @ query[0]).tolist()
    best = sorted(scores, reverse=True)[:5]
    for chunk in (7, 10_000):
        monkeypatch.setattr(index, "CHUNK", chunk)
        hits = model.searcher().search(table[3]["text"], 5, by="text")
        assert [hit.score for hit in hits] == pytest.approx(best, abs=1e-5)
        for hit in hits:  # rows of the same texts may change places
            assert hit.score == pytest.approx(scores[hit.row - 1], abs=1e-5)
            assert hit.values == table[hit.row - 1]


def test_against_the_same_input_finds_the_row_itself(model: Model) -> None:
    model.searcher().index(rows())
    hit = model.searcher().search(rows()[4]["other"], 1, by="other", against="other")[0]
    assert hit.values["other"] == rows()[4]["other"]
    assert hit.score == pytest.approx(1.0, abs=1e-5)


def test_both_sides_together_give_the_predicted_likeness(model: Model) -> None:
    table = rows()[:6]
    sides = [model.searcher().embed(table, name) for name in ("text", "other")]
    assert (sides[0] * sides[1]).sum(1).tolist() == pytest.approx(list(model.predict(table)), abs=1e-5)


def test_a_row_without_an_input_is_not_found_by_it(model: Model) -> None:
    table = rows((2, "other", None))[:4]
    index = model.searcher().index(table)
    assert np.isnan(index.embeddings["other"][2:3]).all()
    assert {hit.row for hit in model.searcher().search("the cat", 10, by="text")} == {1, 2, 4}
    assert len(model.searcher().search("the cat", 10, by="other")) == 4


def test_a_saved_index_gives_the_same_hits(model: Model, tmp_path: Path) -> None:
    folder = model.save(tmp_path / "model")
    with pytest.raises(ModelError, match=r"has no index\. Make one: graft index"):
        load(folder).searcher().search("the cat", by="text")
    loaded = load(folder)
    loaded.searcher().index(rows())
    here, there = loaded.searcher().search("the cat", by="text"), load(folder).searcher().search("the cat", by="text")
    assert here == there
    assert len(there) == 5
    files = {path.suffix for path in (folder / FOLDER).iterdir()}
    assert files == {".json", ".safetensors", ".arrow"}
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_an_index_of_other_weights_is_refused(model: Model, fixtures: Worlds, tmp_path: Path) -> None:
    folder = model.save(tmp_path / "model")
    load(folder).searcher().index(rows())
    other = replace(model, network=fixtures("transformer", "pairs").fit()[1].network)
    index = folder / FOLDER
    kept = tmp_path / "kept"
    index.rename(kept)
    other.save(folder)
    kept.rename(index)
    with pytest.raises(ModelError, match="other weights"):
        load(folder).searcher().search("the cat", by="text")


@pytest.mark.parametrize("part", ["index.json", "embeddings.safetensors", "rows.arrow"])
def test_a_damaged_index_is_refused(part: str, model: Model, tmp_path: Path) -> None:
    folder = model.save(tmp_path / "model")
    load(folder).searcher().index(rows())
    (folder / FOLDER / part).write_bytes(b"{}" if part.endswith("json") else b"nothing")
    with pytest.raises(ModelError, match="damaged index"):
        load(folder).searcher().search("the cat", by="text")


def test_an_index_of_a_newer_format_is_refused(model: Model, tmp_path: Path) -> None:
    folder = model.save(tmp_path / "model")
    load(folder).searcher().index(rows())
    about = json.loads((folder / FOLDER / "index.json").read_text())
    (folder / FOLDER / "index.json").write_text(json.dumps(about | {"format": 99}))
    with pytest.raises(ModelError, match="has format 99"):
        load(folder).searcher().search("the cat", by="text")


def test_queries_that_do_not_fit_are_refused(model: Model) -> None:
    with pytest.raises(UsageError, match="no index to search"):
        replace(model, folder=None).searcher().search("the cat", by="text")
    model.searcher().index(rows())
    with pytest.raises(UsageError, match=r"fits more than one input: text \(text\), other \(text\). Say which"):
        model.searcher().search("the cat")
    with pytest.raises(UsageError, match=r"no input 'txt'\. Did you mean 'text'"):
        model.searcher().search("the cat", by="txt")
    with pytest.raises(UsageError, match="k is 0"):
        model.searcher().search("the cat", 0, by="text")
    with pytest.raises(UsageError, match="can't be used as 'text': empty"):
        model.searcher().search(" ", by="text")
    with pytest.raises(DataError, match="no column 'other'"):
        model.searcher().index([{"text": "the cat"}])


def test_a_model_of_another_task_is_refused(fixtures: Worlds) -> None:
    fixture = fixtures("cnn")
    other = Model(Recipe(base=fixture.spec), fixture.schema, fixture.network, fixture.tasks)
    with pytest.raises(UsageError, match="does not align two inputs"):
        other.searcher().index(rows())
    with pytest.raises(UsageError, match="does not align two inputs"):
        other.searcher().embed(["the cat"], "text")


def test_ties_come_in_the_order_of_the_rows() -> None:
    same = np.ones((6, 2), np.float32)
    index = Index("", {"text": same}, pa.table({"text": list("abcdef")}), np.arange(1, 7))
    assert [hit.row for hit in index.nearest(np.ones(2, np.float32), "text", 3)] == [1, 2, 3]


def test_the_query_says_which_input_it_is_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("shoe.png").write_bytes(b"x")
    of = {"shoe.png": {"image", "audio"}, "red shoes": {"text"}, "none.png": {"image", "audio"}, "see 1.2": {"text"}}
    for query, kinds in of.items():
        assert set(nearest._modalities(query)) == kinds
    assert set(nearest._modalities(b"x")) == set(nearest._modalities(Path("shoe.png"))) == {"image", "audio"}
    assert set(nearest._modalities(np.zeros((2, 2, 3), np.uint8))) == {"image"}
    assert set(nearest._modalities({"size": 3})) == {"table"}


def test_there_are_no_probabilities(model: Model, tmp_path: Path) -> None:
    table = rows()[:3]
    for data in (table, pd.DataFrame(table)):
        with pytest.raises(UsageError, match=r"retrieval has no probabilities.*embed"):
            model.predict_proba(data)
    folder, source, out = model.save(tmp_path / "model"), tmp_path / "new.jsonl", tmp_path / "out.csv"
    source.write_text("".join(json.dumps(row) + "\n" for row in table), encoding="utf-8")
    with pytest.raises(UsageError, match="retrieval has no probabilities"):
        predict_file(folder, source, out, proba=True)
    assert not out.exists()
    assert predict_file(folder, source, out) == (3, 0)
    likeness = pd.read_csv(out)["prediction"]
    sides = [model.searcher().embed([row[name] for row in table], name) for name in ("text", "other")]
    np.testing.assert_allclose(likeness, (sides[0] * sides[1]).sum(axis=1), atol=1e-5)


def test_the_command_line_says_what_is_wrong_before_the_model_is_loaded(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from command import graft
    from graftwork import model as models
    from graftwork.cli.nearest import INDEX

    assert Path(FOLDER) / ABOUT == INDEX
    folder = model.save(tmp_path / "model")
    graft("search", folder, "the cat", "--by", "text").fails(1, "has no index. Make one: graft index")
    table = tmp_path / "t.jsonl"
    table.write_text("".join(json.dumps(row) + "\n" for row in rows()))
    told = graft("index", folder, table).works().err
    assert "rows indexed" in told
    assert f"reading {table}" in told
    assert graft("search", folder, "the cat", "--by", "text").works().out

    def load(_: object) -> None:
        raise AssertionError("the model is loaded")

    monkeypatch.setattr(models, "load", load)
    graft("search", folder, "cat.jpg").fails(2, "no file cat.jpg")
    graft("search", folder, "the cat", "--k", "0").fails(2, "--k is 0")
    graft("index", folder, tmp_path / "none.csv").fails(1, "none.csv")
    graft("search", tmp_path, "the cat").fails(1, "not a model")
