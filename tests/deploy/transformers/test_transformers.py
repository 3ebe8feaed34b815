"""Exports: loaded with plain transformers (or their own program), they predict what the model predicts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import graftwork as gw
from graftwork.deploy.transformers.pooling_layer import Affine, Norm, mean_layer, unit_mean_layer
from graftwork.errors import UsageError
from graftwork.model import Model
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.registry import parse_base
from graftwork.networks.heads.rows import RowHead
from graftwork.networks.network import Network
from graftwork.recipe import Recipe
from made import TEXTS, make
from tiny import tiny_rows
from tinyrun import make_worlds


def classifier_outputs(folder: Path) -> np.ndarray:
    """Logits as a user of plain transformers gets them."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForSequenceClassification.from_pretrained(folder)
    with torch.inference_mode():
        logits = model(**_known(tokenizer(TEXTS, padding=True, truncation=True, return_tensors="pt"))).logits
    return np.asarray(logits.double().numpy())


def _known(batch: Any) -> dict[str, torch.Tensor]:
    return {name: batch[name] for name in ("input_ids", "attention_mask")}


def softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(raised / raised.sum(1, keepdims=True))


@pytest.mark.parametrize(
    ("kind", "settings", "unit"),
    [
        ("bert", "", False),
        ("bert", "pooling=cls", False),
        ("bert", "", True),
        ("bert", "pooling=cls", True),
        ("roberta", "", False),
        ("roberta", "pooling=cls", False),
        ("distilbert", "", False),
        ("distilbert", "pooling=cls", False),
        ("gpt2", "", False),
    ],
)
def test_the_architectures_own_classifier(tmp_path: Path, kind: str, settings: str, unit: bool) -> None:
    model = make(tmp_path, kind, settings=settings, unit=unit)
    lines = gw.export_transformers(model, tmp_path / "out")
    assert "sequence classifier" in lines[0], lines
    assert "100.0% the same" in lines[1]
    np.testing.assert_allclose(softmax(classifier_outputs(tmp_path / "out")), model.predict_proba(TEXTS), atol=2e-5)
    names = json.loads((tmp_path / "out" / "config.json").read_text())["id2label"]
    assert list(names.values()) == ["animals", "food", "weather"]


def test_a_pipeline_gives_names_and_the_same_probabilities(tmp_path: Path) -> None:
    from transformers import pipeline

    model = make(tmp_path)
    gw.export_transformers(model, tmp_path / "out")
    found: Any = pipeline("text-classification", str(tmp_path / "out"), truncation=True)(TEXTS)
    assert [one["label"] for one in found] == list(model.predict(TEXTS))
    probabilities = model.predict_proba(TEXTS)
    assert isinstance(probabilities, np.ndarray)
    np.testing.assert_allclose([one["score"] for one in found], probabilities.max(1), atol=2e-5)


@pytest.mark.parametrize("task", ["multilabel", "regression"])
def test_other_tasks(tmp_path: Path, task: str) -> None:
    model = make(tmp_path, task=task)
    lines = gw.export_transformers(model, tmp_path / "out")
    assert "sequence classifier" in lines[0]
    logits = classifier_outputs(tmp_path / "out")
    found = logits if task == "regression" else 1 / (1 + np.exp(-logits))
    np.testing.assert_allclose(found, model.predict_proba(TEXTS), atol=1e-4)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("bert", {"head": "mlp:width=8"}),
        ("bert", {"head": "kernel"}),
        ("bert", {"settings": "layers=2"}),
        ("gpt2", {"settings": "layers=2"}),
        ("bert", {"settings": "pooling=max"}),
        ("bert", {"columns": ("title", "body")}),
        ("bert", {"head": "mlp:width=8", "task": "regression"}),
        ("bert", {"head": "mlp:width=8", "task": "multilabel"}),
        ("qwen2", {}),
        ("modernbert", {}),
        ("t5", {}),
    ],
)
def test_a_base_with_a_program(tmp_path: Path, kind: str, given: dict[str, Any]) -> None:
    model = make(tmp_path, kind, **given)
    lines = gw.export_transformers(model, tmp_path / "out")
    assert "predict.py" in lines[0], lines
    columns = given.get("columns", ("text",))
    rows = TEXTS if len(columns) == 1 else [(text, text[::-1]) for text in TEXTS]
    table = {name: [row[at] if len(columns) > 1 else row for row in rows] for at, name in enumerate(columns)}
    program = _imported(tmp_path / "out" / "predict.py")
    found = program["Model"](tmp_path / "out").probabilities(rows).numpy()
    np.testing.assert_allclose(found, model.predict_proba(table), rtol=1e-4, atol=2e-5)
    answers = program["Model"](tmp_path / "out").predict(rows)
    expected = model.predict(table)
    if model.task.name == "regression":
        np.testing.assert_allclose(answers, expected, rtol=1e-4, atol=1e-4)
    else:
        assert [list(np.atleast_1d(a)) for a in answers] == [list(np.atleast_1d(e)) for e in expected]


def _imported(path: Path) -> dict[str, Any]:
    import runpy

    return runpy.run_path(str(path), run_name="predict")


@pytest.mark.slow
def test_the_program_runs_without_graftwork(tmp_path: Path) -> None:
    model = make(tmp_path, head="mlp:width=8")
    gw.export_transformers(model, tmp_path / "out")
    check = (
        "import sys, runpy; sys.modules['graftwork'] = None; sys.argv = ['predict.py', 'the cat is here'];"
        f"runpy.run_path({str(tmp_path / 'out' / 'predict.py')!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout == f"{model.predict(['the cat is here'])[0]}\tthe cat is here\n"


def test_white_space_is_read_as_the_model_reads_it(tmp_path: Path) -> None:
    model = make(tmp_path, "gpt2")
    gw.export_transformers(model, tmp_path / "out")
    from transformers import pipeline

    found: Any = pipeline("text-classification", str(tmp_path / "out"), truncation=True)(["  the  cat\tis\u200b here "])
    probabilities = model.predict_proba(["the cat is here"])
    assert isinstance(probabilities, np.ndarray)
    assert found[0]["score"] == pytest.approx(float(probabilities.max()), abs=2e-5)


def test_bases_that_transformers_does_not_know(tmp_path: Path) -> None:
    encoder = parse_base("gru:width=8").build(TrainingRows(lambda: [text for text, _ in tiny_rows(30)]), 0)
    model = make(tmp_path)
    network = Network({"text": encoder}, {"topic": RowHead(encoder.width, 3)}).eval()
    other = Model(recipe=Recipe(base="gru:width=8"), schema=model.schema, network=network, tasks=model.tasks)
    with pytest.raises(UsageError, match=r"'gru:width=8' can't be exported.*no such architecture"):
        gw.export_transformers(other, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("base", "task", "reason"),
    [
        ("image", "classes", r"reads image \(image\).*nothing but texts"),
        ("mixed", "classes", r"reads text \(text\), photo \(image\), table \(table\).*nothing but texts"),
        ("transformer", "pairs", "retrieval, for which transformers has no architecture"),
    ],
)
def test_models_that_transformers_has_no_form_for(base: str, task: str, reason: str, tmp_path: Path) -> None:
    fixture = make_worlds(tmp_path)(base, task)
    model = Model(Recipe(base=fixture.spec, techniques=()), fixture.schema, fixture.network, fixture.tasks)
    with pytest.raises(UsageError, match=reason):
        gw.export_transformers(model, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_text_settings_that_a_tokenizer_can_not_follow(tmp_path: Path) -> None:
    model = make(tmp_path, recipe=Recipe(text=gw.TextSettings(stop_words="en")))
    with pytest.raises(UsageError, match=r"text\.stop_words"):
        gw.export_transformers(model, tmp_path / "out")


def test_a_foreign_folder_is_left_alone_and_an_export_is_replaced(tmp_path: Path) -> None:
    model = make(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds something that is not an export"):
        gw.export_transformers(model, out)
    assert [file.name for file in out.iterdir()] == ["thesis.txt"]
    (out / "thesis.txt").unlink()
    gw.export_transformers(model, out)
    gw.export_transformers(model, out)
    assert {path.name for path in tmp_path.iterdir()} == {"base", "out"}, "nothing half-written is left behind"
    assert (out / "model.safetensors").stat().st_mode & 0o777 == 0o644


def test_lengths_of_features_are_kept_where_they_lie_in_a_plane_through_zero() -> None:
    """The layer's turn, followed by LayerNorm, is scaling to length 1."""
    generator = torch.Generator().manual_seed(0)
    norm = Norm(torch.rand(16, generator=generator).double() + 0.5, torch.zeros(16).double())
    head = Affine(torch.randn(4, 16, generator=generator).double(), torch.randn(4, generator=generator).double())
    states = torch.nn.functional.layer_norm(torch.randn(50, 16, generator=generator).double(), (16,)) * norm.weight
    layer = unit_mean_layer(head, norm, states)
    assert layer.attention is not None
    turned = states @ layer.attention.weight.T + layer.attention.bias
    found = torch.nn.functional.layer_norm(turned, (16,), eps=0) @ layer.readout.weight.T + layer.readout.bias
    expected = torch.nn.functional.normalize(states, dim=1) @ head.weight.T + head.bias
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


def test_more_outputs_than_a_layer_has_room_for() -> None:
    norm = Norm(torch.ones(8).double(), torch.zeros(8).double())
    assert mean_layer(Affine(torch.ones(6, 8).double(), torch.zeros(6).double()), norm) is None
