"""Models of several domains and tasks that become one: what they predict, how they are chosen, and what is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import graftwork as gw
from command import graft, write_rows
from graftwork.errors import DataError, RefusedError, UsageError
from graftwork.networks.merging import plain_head
from graftwork.runs.fit import make_model
from graftwork.runs.listener import Listener
from graftwork.runs.merging.merge import ways_of
from graftwork.runs.single.run import run_single
from graftwork.runs.workspace import open_workspace
from jobs import job_of
from tiny import tiny_bert, tiny_rows

QUICK = gw.Training(precision="fp32", max_tokens=512, steps=12, batch=16, evaluations=1, lr=1e-3, head_lr=1e-2)
ROWS = [(text, "warm" if topic == "food" else "cold") for text, topic in tiny_rows(90) if topic != "weather"]
HOT, COOL = ROWS[:30], ROWS[30:]
"""The same question in two domains."""


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    write_rows(folder / "hot.csv", HOT)
    write_rows(folder / "cool.csv", COOL)
    write_rows(folder / "cool-reviews.csv", COOL, ("review", "label"))
    write_rows(folder / "topics.csv", tiny_rows(60), ("text", "label"))
    write_rows(folder / "lengths.csv", [(text, str(len(text))) for text, _ in tiny_rows(60)], ("text", "length"))
    write_rows(
        folder / "longer.csv", [(text, str(90 + 3 * len(text))) for text, _ in tiny_rows(60)], ("text", "length")
    )
    return folder


def fitted(base: Path | str, table: Path, out: Path, *, seed: int = 0, **changes: Any) -> Path:
    """A saved model, without the report of a fit."""
    recipe = gw.Recipe(**{"base": str(base), "techniques": [], "training": QUICK, "seed": seed} | changes)
    target = "length" if table.name in ("lengths.csv", "longer.csv") else "label"
    recipe = replace(recipe, task="regression") if target == "length" else recipe
    job = job_of(table, recipe, target=target)
    run = run_single(job, recipe, name="run", workspace=open_workspace(None, False), listener=Listener())
    return make_model(job, run).save(out)


@pytest.fixture(scope="module")
def models(base: Path, tables: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    names = ("hot", "cool", "cool-reviews", "topics", "lengths", "longer")
    return {name: fitted(base, tables / f"{name}.csv", folder / name, seed=at) for at, name in enumerate(names)}


@pytest.mark.slow
def test_one_model_of_two_domains(models: dict[str, Path], tables: Path, tmp_path: Path):
    on = [tables / "hot.csv", tables / "cool.csv"]
    mixed = gw.merge([models["hot"], models["cool"]], on=on, out=tmp_path / "merged")
    assert mixed.model.targets == ("label",)
    states = [gw.load(models[name]).network.state_dict() for name in ("hot", "cool")]
    name = next(name for name in states[0] if name.endswith("query.weight"))
    mean = torch.stack([state[name] for state in states]).mean(0)
    torch.testing.assert_close(mixed.model.network.state_dict()[name], mean)
    # a normal model: loads, predicts, evaluates
    loaded = gw.load(tmp_path / "merged")
    texts = [text for text, _ in tiny_rows(9)]
    assert np.array_equal(loaded.predict_proba(texts), mixed.model.predict_proba(texts))
    assert loaded.evaluate(tables / "hot.csv").rows == len(HOT)
    # the report scores all of them on every table
    found = json.loads((tmp_path / "merged" / "mixed.json").read_text())
    assert [one["data"] for one in found["scores"]] == ["hot", "cool"]
    for at, one in enumerate(found["scores"]):
        assert set(one["models"]) == {"hot", "cool", "merged"}
        for name in ("hot", "cool"):
            expected = gw.load(models[name]).evaluate(on[at]).scores["accuracy"].value
            assert one["models"][name]["accuracy"]["value"] == pytest.approx(expected)
        assert one["models"]["merged"]["accuracy"]["value"] == loaded.evaluate(on[at]).scores["accuracy"].value
    assert "hot + cool, merged" in (tmp_path / "merged" / "report.html").read_text()


def test_a_model_merged_with_itself_is_the_same(models: dict[str, Path]):
    (hot, again), texts = (gw.load(models["hot"]) for _ in range(2)), [text for text, _ in tiny_rows(9)]
    for method in ("average", "ties"):
        mixed = gw.merge([hot, again], method=method, density=1.0 if method == "ties" else None).model
        np.testing.assert_allclose(mixed.predict_proba(texts), hot.predict_proba(texts), atol=1e-5)
    half = gw.merge([hot, again], method="task-arithmetic", scale=0.5).model
    np.testing.assert_allclose(half.predict_proba(texts), hot.predict_proba(texts), atol=1e-5)


def test_nothing_of_the_task_vectors_is_the_base(models: dict[str, Path], base: Path):
    mixed = gw.merge([models["hot"], models["cool"]], method="task-arithmetic", scale=1e-9).model
    from transformers import AutoModel

    plain = AutoModel.from_pretrained(base).state_dict()
    name = next(name for name in plain if name.endswith("query.weight"))
    merged = next(value for key, value in mixed.network.state_dict().items() if key.endswith(name))
    torch.testing.assert_close(merged, plain[name])


def test_different_targets_get_a_head_each(models: dict[str, Path], tables: Path, tmp_path: Path):
    given = [models["topics"], models["lengths"]]
    tests = [tables / "topics.csv", tables / "lengths.csv"]
    mixed = gw.merge(given, test=tests, out=tmp_path / "both")
    assert mixed.model.targets == ("label", "length")
    found = gw.load(tmp_path / "both").predict(["the cat is here"])
    assert set(found) == {"label", "length"}
    assert [one.target for one in mixed.report.scores] == ["label", "length"]
    assert set(mixed.report.scores[0].by_model) == {"topics", "merged"}
    assert gw.load(tmp_path / "both").evaluate(tables / "topics.csv").keys() == {"label"}


def test_other_labels_of_one_name_are_told_apart(models: dict[str, Path], tables: Path):
    tests = [tables / "hot.csv", tables / "topics.csv"]
    mixed = gw.merge([models["hot"], models["topics"]], test=tests)
    assert mixed.model.targets == ("label_hot", "label_topics")
    assert mixed.report.notes == (
        "'label' of hot is called 'label_hot'.",
        "'label' of topics is called 'label_topics'.",
    )
    assert [(one.data, one.target) for one in mixed.report.scores] == [
        ("hot", "label_hot"),
        ("topics", "label_topics"),
    ]


def test_numbers_of_other_scales_share_a_head(models: dict[str, Path]):
    """Its predictions are the mean of the models' where they share the encoder, in the column's units."""
    parents = [gw.load(models[name]) for name in ("lengths", "longer")]
    body = {k: v for k, v in parents[0].network.state_dict().items() if not k.startswith("heads.")}
    parents[1].network.load_state_dict(body, strict=False)
    texts = [text for text, _ in tiny_rows(9)]
    mean = np.mean([parent.predict(texts).astype(float) for parent in parents], axis=0)
    np.testing.assert_allclose(gw.merge(parents).model.predict(texts).astype(float), mean, rtol=1e-4)


def test_a_single_input_may_have_another_name(models: dict[str, Path], tables: Path):
    given, tests = [models["hot"], models["cool-reviews"]], [tables / "hot.csv", tables / "cool-reviews.csv"]
    mixed = gw.merge(given, test=tests)
    assert [column.name for column in mixed.model.schema.inputs] == ["text"]
    assert set(mixed.report.scores[1].by_model) == {"hot", "cool-reviews", "merged"}


def test_heads_that_were_solved_are_averaged_in_common_coordinates(base: Path, tables: Path, tmp_path: Path):
    solved = []
    for name in ("hot", "cool"):
        training = gw.Training(precision="fp32")
        folder = fitted(base, tables / f"{name}.csv", tmp_path / name, techniques=["probe"], training=training)
        solved.append(gw.load(folder))
    heads = [plain_head(model.network.heads[0]) for model in solved]
    assert any(model.network.heads[0].shift.any() for model in solved)
    merged = gw.merge(solved).model.network.heads[0].state_dict()
    for name, value in merged.items():
        torch.testing.assert_close(value, (heads[0][name] + heads[1][name]) / 2)


def test_the_best_way_on_validation_is_kept(models: dict[str, Path], tables: Path):
    on = [tables / "hot.csv", tables / "cool.csv"]
    mixed = gw.merge([models["hot"], models["cool"]], method="auto", on=on)
    scores = [one.score for one in mixed.report.tried]
    assert len(scores) == 1 + 7 + 9
    kept = [one for one in mixed.report.tried if one.kept]
    assert [one.name for one in kept] == [mixed.report.kept]
    assert kept[0].score == max(scores)
    accuracies = [one.by_model["merged"]["accuracy"].value for one in mixed.report.scores]
    assert np.mean(accuracies) == pytest.approx(kept[0].score)
    assert "expect a little less" in mixed.report.notes[-1]


def test_probabilities_are_calibrated_on_validation(models: dict[str, Path], tables: Path):
    given, on = [models["hot"], models["cool"]], [tables / "hot.csv", tables / "cool.csv"]
    plain, calibrated = gw.merge(given).model, gw.merge(given, on=on).model
    losses = [sum(model.evaluate(one).scores["log_loss"].value for one in on) for model in (plain, calibrated)]
    assert losses[1] <= losses[0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "mean"}, "no method 'mean' to merge"),
        ({"method": "auto"}, "name a table for each model"),
        ({"scale": 0.5}, "The method average has no scale"),
        ({"method": "task-arithmetic", "density": 0.5}, "has no density. Drop it, or use ties"),
        ({"method": "ties", "density": 0.0}, "density is 0. Expected a number above 0"),
        ({"method": "ties", "density": 1.5}, "density is 1.5"),
        ({"method": "ties", "scale": -1.0}, "scale is -1. Expected a number above 0"),
        ({"method": "ties", "scale": float("nan")}, "scale is nan"),
    ],
)
def test_settings_out_of_range(settings: dict[str, object], message: str, models: dict[str, Path]):
    with pytest.raises(UsageError, match=message):
        gw.merge([models["hot"], models["cool"]], **settings)


def test_the_ways_that_are_tried():
    assert [str(way) for way in ways_of("ties", None, None, searched=False)] == ["ties:density=0.2,scale=1"]
    assert [str(way) for way in ways_of("ties", 0.5, 0.3, searched=True)] == ["ties:density=0.3,scale=0.5"]
    assert [str(way) for way in ways_of("task-arithmetic", None, None, searched=False)] == ["task-arithmetic:scale=0.4"]


def test_models_of_another_width_are_refused_with_their_tensors(models: dict[str, Path], tables: Path, tmp_path: Path):
    other = tiny_bert(tmp_path / "wide", hidden_size=16, num_attention_heads=2)
    wide = fitted(other, tables / "cool.csv", tmp_path / "wide-model")
    with pytest.raises(
        RefusedError, match=r"hot and wide-model don't share a base.*tensors differ.*\(hot .*x32, wide-m"
    ):
        gw.merge([models["hot"], wide])


def test_models_of_another_base_of_the_same_shape_are_refused(
    base: Path, models: dict[str, Path], tables: Path, tmp_path: Path
):
    from safetensors.torch import load_file, save_file

    other = shutil.copytree(base, tmp_path / "other")
    weights = load_file(other / "model.safetensors")
    changed = next(name for name in weights if name.endswith("query.weight"))
    save_file(weights | {changed: weights[changed] + 1}, other / "model.safetensors", metadata={"format": "pt"})
    model = fitted(other, tables / "cool.csv", tmp_path / "model")
    with pytest.raises(RefusedError, match=r"don't share a base: one is .*1 tensor differs: .*query.weight \(32x32\)"):
        gw.merge([models["hot"], model])
    same = shutil.copytree(base, tmp_path / "same")
    moved = fitted(same, tables / "cool.csv", tmp_path / "moved")
    assert gw.merge([models["hot"], moved]).model.targets == ("label",)


@pytest.mark.slow
def test_a_base_that_is_gone(base: Path, tables: Path, tmp_path: Path):
    here = shutil.copytree(base, tmp_path / "here")
    pair = [fitted(here, tables / f"{name}.csv", tmp_path / name) for name in ("hot", "cool")]
    shutil.rmtree(here)
    assert gw.merge(pair).model.targets == ("label",)
    with pytest.raises(RefusedError, match=r"is needed to see what training added.*use the method average"):
        gw.merge(pair, method="ties")


def test_bases_from_scratch(tables: Path, tmp_path: Path):
    for name, seed in (("one", 0), ("two", 0), ("three", 1)):
        fitted("gru:width=8", tables / "hot.csv", tmp_path / name, seed=seed)
    assert gw.merge([tmp_path / "one", tmp_path / "two"]).model.targets == ("label",)
    with pytest.raises(RefusedError, match="begins with random weights, so what training added to it is not known"):
        gw.merge([tmp_path / "one", tmp_path / "two"], method="ties")
    with pytest.raises(RefusedError, match=r"random weights, of seed 0 in one and 1 in the other.*tensors differ: enc"):
        gw.merge([tmp_path / "one", tmp_path / "three"])


def test_one_from_scratch_and_one_that_goes_on_share_no_base(tables: Path, tmp_path: Path):
    """Random weights are what is wrong here whatever the method: none is told to use another one."""
    fitted("gru:width=8", tables / "hot.csv", tmp_path / "one")
    fitted(tmp_path / "one", tables / "hot.csv", tmp_path / "on")
    for method in ("average", "ties"):
        for pair in (("on", "one"), ("one", "on")):
            with pytest.raises(RefusedError) as raised:
                gw.merge([tmp_path / name for name in pair], method=method)
            said = str(raised.value)
            assert said.startswith(f"{pair[0]} and {pair[1]} don't share a base: ")
            assert "gru:width=8 (random weights)" in said
            assert f"path={tmp_path / 'one'}" in said
            assert "trained from the same weights" in said
            assert "Use the method" not in said


def test_the_bases_of_two_are_needed_where_they_have_other_names(base: Path, tables: Path, tmp_path: Path):
    here, there = (shutil.copytree(base, tmp_path / name) for name in ("here", "there"))
    pair = [fitted(here, tables / "hot.csv", tmp_path / "hot"), fitted(there, tables / "cool.csv", tmp_path / "cool")]
    shutil.rmtree(there)
    with pytest.raises(
        RefusedError, match=r"base of cool is needed to see whether hot and cool share one.*Put it back.$"
    ):
        gw.merge(pair)


def test_a_model_given_twice_is_refused(models: dict[str, Path], monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(UsageError, match=r"hot is given twice\. Expected different models"):
        gw.merge([models["hot"], models["cool"], models["hot"]])
    monkeypatch.chdir(models["hot"].parent)
    with pytest.raises(UsageError, match=r"^hot is given twice \(as ./cool/../hot\)"):
        gw.merge(["hot", "./cool/../hot"])
    hot = gw.load("hot")
    with pytest.raises(UsageError, match=r"^model 1 is given twice \(as model 2\)"):
        gw.merge([hot, hot])


def test_other_heads_are_refused(base: Path, models: dict[str, Path], tables: Path, tmp_path: Path):
    other = fitted(base, tables / "cool.csv", tmp_path / "mlp", head="mlp:width=8")
    with pytest.raises(RefusedError, match=r"The heads of 'label' differ: linear in hot, mlp:width=8 in mlp"):
        gw.merge([models["hot"], other])


def test_other_inputs_are_refused(models: dict[str, Path], base: Path, tmp_path: Path):
    write_rows(tmp_path / "two.csv", [(text, text, label) for text, label in HOT], ("text", "more", "label"))
    two = fitted(base, tmp_path / "two.csv", tmp_path / "two")
    with pytest.raises(RefusedError, match=r"hot reads text \(text\), but two reads text \(text\), more \(text\)"):
        gw.merge([models["hot"], two])


def test_bad_tables(models: dict[str, Path], tables: Path, tmp_path: Path):
    pair = [models["hot"], models["cool"]]
    with pytest.raises(UsageError, match="on names 1 table, but there are 2 models"):
        gw.merge(pair, on=[tables / "hot.csv"])
    write_rows(tmp_path / "bare.csv", [(text,) for text, _ in HOT], ("text",))
    with pytest.raises(DataError, match="no column 'label'"):
        gw.merge(pair, on=[tables / "hot.csv", tmp_path / "bare.csv"])
    with pytest.raises(UsageError, match="Expected two models or more, but one is given"):
        gw.merge([models["hot"]])


@pytest.mark.slow
def test_the_command_line(models: dict[str, Path], tables: Path, tmp_path: Path):
    out, new = tmp_path / "merged", tmp_path / "new"
    on = ("--on", tables / "hot.csv", "--on", tables / "cool.csv")
    ran = graft("merge", models["hot"], models["cool"], "--method", "ties", *on, "--out", out).works()
    assert "trying ties:density=0.1" in ran.err
    assert "scoring all models" in ran.err
    with pytest.raises(UsageError, match="holds a finished model"):
        gw.merge([models["hot"], models["cool"]], out=out)
    assert "kept: ties:density=" in ran.out
    assert "merged" in ran.out
    graft("evaluate", out, tables / "hot.csv").works()
    graft("merge", models["hot"], "--out", new).fails(2, "two models or more")
    graft("merge", models["hot"], tmp_path / "none", "--out", new).fails(1, "There is no model folder")
    graft("merge", models["hot"], models["cool"], "--method", "tie", "--out", new).fails(2, "Did you mean 'ties'")
    graft("merge", models["hot"], models["cool"], *on[:2], "--out", new).fails(2, "1 table, but there are 2 models")
    graft("merge", models["hot"], models["cool"], "--out", tables).fails(2, "holds something else")


def test_models_of_pictures_on_other_scales_are_refused(tmp_path: Path) -> None:
    from deeppictures import png16, write_sides

    saved = []
    for name, most in (("twelve", 4095), ("sixteen", 65_535)):
        folder = write_sides(
            tmp_path / name, lambda values, most=most: png16((values * most).astype(np.uint16)), "png", rows=12
        )
        quick = gw.Training(precision="fp32", steps=2, batch=8)
        recipe = gw.Recipe(base="small-cnn:width=8,size=8", techniques=[], training=quick)
        saved.append(gw.fit(folder, recipe=recipe).save(tmp_path / f"{name}-model"))
    with pytest.raises(RefusedError, match=r"other values for black and white .*\(0 to 4095; 0 to 65535\)"):
        gw.merge(saved)
