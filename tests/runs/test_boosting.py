"""The head boosting in whole runs: what it is refused beside, what it reads, and that loading needs no LightGBM."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

import graftwork as gw
from graftwork.errors import ModelError, RefusedError, UsageError
from graftwork.networks.heads.solving import boosting
from graftwork.networks.manifest import WEIGHTS
from graftwork.runs import default
from graftwork.runs.across import Across
from graftwork.runs.candidates import tables
from graftwork.tasks.registry import head_of, parse_task
from heard import Ear
from jobs import job_of
from tiny import tiny_rows

QUICK = "boosting:rounds=30,seeds=1"
BOOSTED = gw.Recipe(base="columns", head=QUICK, techniques=[gw.Probe()])


def flats(rows: int = 150) -> pd.DataFrame:
    """The rent jumps where two columns meet, which no sum of columns tells."""
    draw = np.random.default_rng(0)
    table = pd.DataFrame({"area": draw.normal(80, 20, rows), "town": draw.choice(["Rome", "Oslo", "Bern"], rows)})
    dear = (table["area"] > 80) ^ (table["town"] == "Oslo")
    table["rent"] = 500 + 400 * dear + draw.normal(0, 20, rows)
    table["kind"] = np.where(dear, "dear", "cheap")
    table.loc[::12, "area"] = None
    return table


def texts() -> pd.DataFrame:
    table = pd.DataFrame(tiny_rows(90), columns=["text", "label"])
    table["size"] = np.random.default_rng(1).normal(size=90)
    return table


@pytest.mark.slow
def test_several_targets_with_gaps_are_saved_and_loaded_without_lightgbm(tmp_path: Path) -> None:
    table = flats()
    table.loc[::7, "rent"] = None
    model = gw.fit(table, target=["rent", "kind"], recipe=BOOSTED, out=tmp_path / "m", verbose=False)
    asked = flats().drop(columns=["rent", "kind"])
    found = model.predict_rows(asked)
    whole = asked["area"].notna().to_numpy()
    assert (np.array(found.each_values["kind"])[whole] == flats()["kind"][whole]).mean() > 0.9
    asked.to_csv(tmp_path / "asked.csv", index=False)
    code = (
        "import sys\nsys.modules['lightgbm'] = None\nimport graftwork as gw\n"
        "model = gw.load(sys.argv[1])\nprint(model.predict_rows(sys.argv[2]).each_values['rent'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "m", tmp_path / "asked.csv"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(found.each_values["rent"])


@pytest.mark.slow
def test_a_repeated_run_gives_the_same_bits_and_the_plan_says_what_it_is() -> None:
    table = flats().drop(columns="rent")
    first, second = (gw.fit(table, target="kind", recipe=BOOSTED, verbose=False).network.state_dict() for _ in "ab")
    assert all(torch.equal(value, second[name]) for name, value in first.items())
    recipe = gw.Recipe(
        base="columns", head=QUICK, techniques=[gw.Probe(), gw.ClassWeights()], training=gw.Training(steps=9)
    )
    [(_, plan)] = gw.plan(table, target="kind", recipe=recipe, verbose=False)
    assert plan.total_steps == 0
    assert "the head boosting:rounds=30,seeds=1 is solved, so that no steps are made" in plan.explain()


@pytest.mark.parametrize(
    ("techniques", "base", "said"),
    [
        ([gw.Mixup(), gw.Probe()], "columns", "mixup needs gradients.*boosting is solved once.*head=linear"),
        ([gw.EMA(), gw.Probe()], "columns", "ema needs gradients"),
        ([gw.LayerDecay(), gw.WarmStart()], "gru:width=8", "layer-decay needs gradients"),
        ([], "columns", "can't learn by itself: add a technique that solves it"),
        ([gw.WarmStart()], "gru:width=8", "no gradient to train the base by. Use probe, which freezes the base"),
        ([gw.WarmStart(), gw.Full()], "gru:width=8", "by what full leaves to be trained. Use probe.*in place of full"),
        ([gw.WarmStart(), gw.Partial(1)], "gru:width=8", "by what partial leaves"),
    ],
    ids=str,
)
def test_what_needs_a_gradient_is_refused(techniques: list[gw.Technique], base: str, said: str) -> None:
    named = base if base == "columns" else {"text": base, "table": "columns"}
    table = flats().drop(columns="rent") if base == "columns" else texts()
    recipe = gw.Recipe(base=named, head="boosting", techniques=techniques)
    with pytest.raises(RefusedError, match=said):
        gw.plan(table, target="kind" if base == "columns" else "label", recipe=recipe, verbose=False)


@pytest.mark.parametrize("task", ["few-shot", "identity", "tagging", "retrieval"])
def test_tasks_whose_loss_no_other_library_knows_are_refused(task: str) -> None:
    with pytest.raises(UsageError, match=f"'boosting' does not fit the task {task}. Expected one of"):
        head_of(parse_task(task), "boosting")


@pytest.mark.parametrize("techniques", [[gw.Probe()], [gw.Late(), gw.Probe()]], ids=["beside", "late"])
def test_frozen_features_of_a_text_beside_columns(techniques: list[gw.Technique], tmp_path: Path) -> None:
    """Both are read; a category is one column, and so is a number with its flag, wherever they stand."""
    table = texts()
    table["town"] = ["here", "there", "nowhere"] * 30
    table.loc[::6, "size"] = None
    recipe = gw.Recipe(base={"text": "gru:width=8", "table": "columns"}, head=QUICK, techniques=techniques)
    model = gw.fit(table, target="label", recipe=recipe, verbose=False)
    [(_, head)] = model.network.each_head()
    layers = [module for module in head.modules() if type(module).__name__ == "TreesLayer"]
    columns = torch.cat([layer.columns for layer in layers]).tolist()
    width = model.network.encoder("text").width
    assert len(columns) == width + 2
    assert [size for _, size, _ in columns[-2:]] == [1, 3]
    assert columns[-2][2] == columns[-2][0] + 1
    assert columns[-2][0] == (width if len(layers) == 1 else 0)
    again = gw.load(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(again.predict_proba(table), model.predict_proba(table))


@pytest.mark.slow
def test_weights_of_rows_and_of_classes_are_honoured() -> None:
    """Rows of one kind say yes and no; what weighs more is believed."""
    table = pd.DataFrame({"x": np.zeros(200), "y": np.arange(200) % 2, "label": ["no", "no", "no", "yes"] * 50})
    table["importance"] = np.where(table["label"] == "yes", 27.0, 1.0)

    def sure(*more: gw.Technique, **data: object) -> float:
        recipe = gw.Recipe(base="columns", head=QUICK, techniques=[gw.Probe(), *more])
        model = gw.fit(table, target="label", recipe=recipe, verbose=False, **data)
        logits = model.network.heads[0].layers[0](torch.zeros(1, model.network.width))
        return float(torch.softmax(logits, 1)[0, 1])

    plain = sure(ignore=["importance", "y"])
    assert plain == pytest.approx(0.25, abs=0.03)
    assert sure(gw.ClassWeights(), ignore=["importance", "y"]) == pytest.approx(0.5, abs=0.03)
    assert sure(ignore=["y"], roles={"weight": "importance"}) == pytest.approx(0.9, abs=0.03)


@pytest.mark.slow
def test_models_with_trees_are_not_merged_or_exported(tmp_path: Path, base: Path) -> None:
    recipe = gw.Recipe(base=str(base), head=QUICK, techniques=[gw.Probe()])
    model = gw.fit(texts()[["text", "label"]], target="label", recipe=recipe, verbose=False)
    for name in ("one", "two"):
        model.save(tmp_path / name)
    with pytest.raises(RefusedError, match=r"holds trees, which can't be averaged.*linear or mlp"):
        gw.merge([tmp_path / "one", tmp_path / "two"])
    with pytest.raises(UsageError, match="can't be exported: it holds boosted trees"):
        gw.export_transformers(model, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_damaged_model_is_refused(tmp_path: Path) -> None:
    model = gw.fit(flats().drop(columns="rent"), target="kind", recipe=BOOSTED, verbose=False)
    folder = model.save(tmp_path / "m")
    weights = load_file(folder / WEIGHTS)
    left = next(name for name in weights if name.endswith(".left"))
    state = {name.removeprefix("heads.0."): value for name, value in weights.items() if name.startswith("heads.0.")}
    state[left.removeprefix("heads.0.")] = torch.zeros_like(weights[left])
    with pytest.raises(ValueError, match="point at what is not there"):
        model.network.heads[0].load_state_dict(state)
    save_file({**weights, left: torch.zeros_like(weights[left])}, folder / WEIGHTS)
    with pytest.raises(ModelError, match="damaged"):
        gw.load(folder)


# --- the default ------------------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_where_columns_act_together_the_default_beats_a_linear_head() -> None:
    ear = Ear()
    model = gw.fit(flats().drop(columns="kind"), target="rent", listener=ear)
    assert "boosting" in ear.names
    assert "train" not in ear.names
    assert model.report is not None
    assert "compared by cross-validation of the training rows" in model.report.decision
    kept = next(one for one in model.report.candidates if one.kept)
    linear = next(one for one in model.report.candidates if one.name == "plain linear probe")
    assert kept.score < linear.score / 2  # the error


@pytest.mark.slow
def test_on_few_rows_with_noise_the_simplest_is_kept() -> None:
    draw = np.random.default_rng(5)
    table = pd.DataFrame(draw.normal(size=(120, 6)), columns=list("abcdef"))
    table["y"] = table["a"] - table["b"] + draw.normal(0, 2, 120)
    ear = Ear()
    gw.fit(table, target="y", listener=ear)
    assert "kept: plain linear probe" in ear.notes


def test_where_lightgbm_is_missing_one_line_says_what_could_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosting, "installed", lambda: False)
    monkeypatch.setattr(tables, "installed", lambda: False)
    ear, table = Ear(), flats().drop(columns="kind")
    plans = gw.plan(table, target="rent", listener=ear)
    assert "boosting" not in dict(plans)
    assert [note for note in ear.notes if "LightGBM" in note] == [
        "boosting: not tried, because LightGBM is not installed; pip install 'graftwork[tables]' (about 15 MB)"
    ]
    ear = Ear()
    gw.plan(table, target="rent", recipe=gw.Recipe(head="linear"), listener=ear)
    assert not [note for note in ear.notes if "LightGBM" in note]
    with pytest.raises(UsageError, match=r"pip install 'graftwork\[tables\]'"):
        gw.plan(table, target="rent", recipe=BOOSTED, verbose=False)


def test_a_head_that_is_named_is_the_only_one_and_nothing_is_tuned(base: Path) -> None:
    table = texts()[["text", "label"]]
    plans = gw.plan(table, target="label", recipe=gw.Recipe(base=str(base), head=QUICK), verbose=False)
    assert [name for name, _ in plans] == ["probe"]
    assert [name for name, _ in gw.plan(flats(), target="rent", recipe=gw.Recipe(head=QUICK), verbose=False)] == [
        "probe"
    ]


def test_what_is_better_by_luck_alone_does_not_beat_the_simpler_one() -> None:
    job = job_of(flats().dropna().drop(columns=["kind", "town"]).rename(columns={"rent": "label"}), gw.Recipe())
    [target] = job.tasks
    truth = np.random.default_rng(0).normal(size=100)
    noise = np.random.default_rng(1).normal(size=100)

    def made(off: np.ndarray) -> Across:
        return Across(-float(np.abs(off).mean()), {target: (truth, truth + off)})

    simple = made(noise)
    assert made(0.5 * noise).beats(simple, job)
    assert not made(noise).beats(simple, job)
    luckier = made(np.where(np.arange(100) == np.abs(noise).argmax(), 0.0, np.roll(noise, 1)))
    assert luckier.score > simple.score
    assert not luckier.beats(simple, job)


def test_what_is_beaten_is_not_kept() -> None:
    plain = SimpleNamespace(score=0.5, across=0.5, beaten=False)
    luckier = SimpleNamespace(score=0.9, across=0.6, beaten=True)
    better = SimpleNamespace(score=0.4, across=0.55, beaten=False)
    unscored = SimpleNamespace(score=1.0, across=None, beaten=False)
    assert default.best([plain, luckier, better, unscored]) is better  # type: ignore[list-item]
    assert default.best([plain, luckier, unscored]) is plain  # type: ignore[list-item]
