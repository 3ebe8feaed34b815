"""Exports of models that read texts in one sequence: plain transformers predicts the same from text and text_pair."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graftwork as gw
from graftwork.errors import UsageError
from graftwork.model import Model
from graftwork.recipe import from_dict
from paired import JOIN, write_pairs
from tiny import tiny_model

PAIRS = [("the cat is here", "no rain today , only snow"), ("dog", ""), ("", "bread"), ("where is my bird ?", "bird")]


def fitted(folder: Path, kind: str, settings: str = "", join: Any = JOIN, **columns: Any) -> Model:
    base = f"transformer:path={tiny_model(folder / 'base', kind)}{settings}"
    training = {"steps": 3, "batch": 8, "evaluations": 1, "precision": "fp32"}
    recipe = from_dict({"base": base, "techniques": "none", "training": training})
    return gw.fit(write_pairs(folder / "pairs.csv"), target="label", join=join, recipe=recipe, verbose=False, **columns)


def table() -> dict[str, list[str]]:
    return {"premise": [first for first, _ in PAIRS], "hypothesis": [second for _, second in PAIRS]}


@pytest.mark.parametrize("kind", ["bert", "roberta", "distilbert", "gpt2"])
def test_the_pipeline_predicts_the_same_from_text_and_text_pair(tmp_path: Path, kind: str) -> None:
    """Of a text_pair that is empty, the pipeline makes no pair; the tokenizer does, where it is given lists."""
    from transformers import pipeline

    model = fitted(tmp_path, kind, "" if kind == "gpt2" else ",pooling=mean")
    lines = gw.export_transformers(model, tmp_path / "out")
    assert "sequence classifier" in lines[0], lines
    classify: Any = pipeline("text-classification", str(tmp_path / "out"), truncation=True, top_k=None)
    rows = [{"text": first, "text_pair": second} for first, second in PAIRS]
    found = [{one["label"]: one["score"] for one in classify(row)} for row in rows if row["text_pair"]]
    expected = model.predict_proba(table())[[at for at, row in enumerate(rows) if row["text_pair"]]]
    np.testing.assert_allclose([[row["no"], row["yes"]] for row in found], expected, atol=2e-5)
    assert "text_pair" in (tmp_path / "out" / "README.md").read_text()


@pytest.mark.parametrize("kind", ["bert", "t5"])
def test_the_program_predicts_the_same(tmp_path: Path, kind: str) -> None:
    model = fitted(tmp_path, kind, ",pooling=max")
    lines = gw.export_transformers(model, tmp_path / "out")
    assert "predict.py" in lines[0], lines
    program = runpy.run_path(str(tmp_path / "out" / "predict.py"))["Model"](tmp_path / "out")
    np.testing.assert_allclose(program.probabilities(PAIRS).numpy(), model.predict_proba(table()), atol=2e-5)
    assert json.loads((tmp_path / "out" / "head.json").read_text())["inputs"] == [["premise", "hypothesis"]]


def test_three_texts_and_one_beside(tmp_path: Path) -> None:
    data = {name: [f"{word} {name} cat" for word in ("the", "my", "no", "only") * 6] for name in "abcd"}
    data["label"] = ["yes", "no"] * 12
    base = f"transformer:path={tiny_model(tmp_path / 'base', 'bert')}"
    training = {"steps": 2, "batch": 8, "evaluations": 1, "precision": "fp32"}
    recipe = from_dict({"base": base, "techniques": "none", "training": training})
    model = gw.fit(data, target="label", join=["c+a+b"], kinds={"d": "text"}, recipe=recipe, verbose=False)
    gw.export_transformers(model, tmp_path / "out")
    program = runpy.run_path(str(tmp_path / "out" / "predict.py"))["Model"](tmp_path / "out")
    assert program.settings["columns"] == ["c", "a", "b", "d"]
    rows = [("the cat", "my dog", "rain", "snow"), ("", "sun", "", "wind")]
    expected = model.predict_proba([dict(zip("cabd", row, strict=True)) for row in rows])
    np.testing.assert_allclose(program.probabilities(rows).numpy(), expected, atol=2e-5)


def test_a_base_from_scratch_is_refused_as_ever(tmp_path: Path) -> None:
    recipe = from_dict({"base": "gru:width=16,vocabulary=200", "techniques": "none", "training": {"steps": 2}})
    model = gw.fit(write_pairs(tmp_path / "a.csv"), target="label", join=JOIN, recipe=recipe, verbose=False)
    with pytest.raises(UsageError, match="can't be exported"):
        gw.export_transformers(model, tmp_path / "out")
