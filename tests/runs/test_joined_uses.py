"""What a model that reads texts in one sequence is used for beyond predicting: merged, searched, tried, taught from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graftwork as gw
from command import graft, write_rows
from graftwork.errors import DataError, ModelError, RefusedError, UsageError
from graftwork.model import Model
from graftwork.networks.manifest import MANIFEST, read_manifest, sealed
from graftwork.recipe import from_dict
from paired import HEADER, JOIN, pair_rows, write_pairs
from tiny import tiny_bert

SCRATCH = "gru:width=16,vocabulary=200"
TRAINING = {"steps": 4, "batch": 8, "evaluations": 1, "precision": "fp32"}


def fitted(table: Any, base: str = SCRATCH, techniques: Any = "none", join: Any = JOIN, **more: Any) -> Model:
    task = more.pop("task", "auto")
    recipe = from_dict({"base": base, "techniques": techniques, "training": TRAINING, "task": task})
    target = {} if task != "auto" else {"target": "label"}
    return gw.fit(table, join=join, recipe=recipe, verbose=False, **target, **more)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pairs(tmp_path_factory.mktemp("tables") / "pairs.csv")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_bert(tmp_path_factory.mktemp("base")))


@pytest.mark.slow
def test_pairs_of_other_names_are_merged_and_one_text_is_not_a_pair(table: Path, base: str, tmp_path: Path) -> None:
    other = write_rows(tmp_path / "other.csv", pair_rows(), ("question", "answer", "label"))
    fitted(table, base, out=tmp_path / "first")
    fitted(other, base, join="question+answer", out=tmp_path / "second")
    fitted(table, base, join=(), inputs=["premise"], out=tmp_path / "alone")
    merged = gw.merge([tmp_path / "first", tmp_path / "second"], test=[table, other]).model
    assert merged.network.sources == {JOIN: ("premise", "hypothesis")}
    merged.save(tmp_path / "merged")
    rows = {"premise": ["the cat"], "hypothesis": ["my dog"]}
    np.testing.assert_array_equal(gw.load(tmp_path / "merged").predict_proba(rows), merged.predict_proba(rows))
    with pytest.raises(RefusedError, match=r"premise\+hypothesis \(text\), but alone reads premise \(text\)"):
        gw.merge([tmp_path / "first", tmp_path / "alone"])


def test_a_side_of_several_columns_is_searched_with_a_dict(tmp_path: Path) -> None:
    rows = [(a, b, f"{a} {b}") for a, b, _ in pair_rows()]
    table = write_rows(tmp_path / "rows.csv", rows, (*HEADER[:2], "both"))
    model = fitted(table, task="retrieval", out=tmp_path / "model")
    assert model.network.columns == (JOIN, "both")
    graft("index", tmp_path / "model", table).works()
    found = gw.load(tmp_path / "model").searcher()
    query = {"premise": rows[3][0], "hypothesis": rows[3][1]}
    assert [hit.row for hit in found.search(query, 3)] == [hit.row for hit in found.search(query, 3, by=JOIN)]
    best = found.search(query, 1, against=JOIN)[0]
    assert best.values["premise"] == query["premise"]
    assert best.score == pytest.approx(1, abs=1e-5)
    with pytest.raises(UsageError, match=r"reads several columns\. Give a dict of premise and hypothesis"):
        found.search("the cat", by=JOIN)
    graft("search", tmp_path / "model", "the cat", "--k", "1").works()


def test_every_part_is_mistyped(table: Path) -> None:
    model = fitted(table)
    found = gw.robustness(model, table, "rows=20,steps=2,queries=2").to_json()
    assert {one["input"] for one in found["attacks"]} == {JOIN}
    assert {one["input"] for one in found["corruptions"]} == {JOIN}


def test_what_a_joined_input_brings_is_in_the_report(tmp_path: Path) -> None:
    rows = [(*row[:2], at % 7 + 0.5, row[2]) for at, row in enumerate(pair_rows())]
    write_rows(tmp_path / "rows.csv", rows, ("premise", "hypothesis", "size", "label"))
    model = fitted(tmp_path / "rows.csv")
    assert model.report is not None
    assert [(one.name, one.columns) for one in model.report.inputs] == [
        (JOIN, ("premise", "hypothesis")),
        ("table", ("size",)),
    ]
    without = model.evaluate(tmp_path / "rows.csv", without=[JOIN])
    assert without.scores["accuracy"].value >= 0
    with pytest.raises(UsageError, match=f"read as a part of '{JOIN}'".replace("+", r"\+")):
        model.evaluate(tmp_path / "rows.csv", without=["premise"])


def test_a_model_of_pairs_teaches_and_a_classifier_of_one_text_does_not(table: Path, tmp_path: Path, base: str) -> None:
    fitted(table, base, out=tmp_path / "teacher")
    taught = fitted(table, techniques=[f"distil:teacher={tmp_path / 'teacher'}"])
    assert taught.network.sources == {JOIN: ("premise", "hypothesis")}
    gw.export_transformers(gw.load(tmp_path / "teacher"), tmp_path / "plain")
    with pytest.raises(DataError, match=r"reads one column of kind text.* has 2 of them \(premise, hypothesis\)"):
        fitted(table, techniques=[f"distil:teacher={tmp_path / 'plain'}"])


def test_a_sequence_passes_its_joins_on(table: Path, tmp_path: Path) -> None:
    run = {"base": SCRATCH, "techniques": [], "training": TRAINING}
    steps = [{"name": "first", "recipe": run}, {"name": "second", "recipe": run | {"base": "first"}}]
    plain = {"data": {"train": str(table), "target": "label", "join": JOIN}, "steps": steps}
    (tmp_path / "all.yaml").write_text(json.dumps(plain))
    graft("run", tmp_path / "all.yaml", "--out", tmp_path / "runs").works()
    assert gw.load(tmp_path / "runs" / "second").network.sources == {JOIN: ("premise", "hypothesis")}


@pytest.mark.parametrize("join", [["premise", "gone"], ["hypothesis", "label"], "premise+hypothesis", [1]])
def test_a_damaged_join_is_a_damaged_model(table: Path, tmp_path: Path, join: Any) -> None:
    fitted(table, out=tmp_path / "model")
    manifest = read_manifest(tmp_path / "model")
    manifest["schema"][0]["join"] = join
    (tmp_path / "model" / MANIFEST).write_text(json.dumps(sealed(manifest)))
    with pytest.raises(ModelError, match="damaged"):
        gw.load(tmp_path / "model")
