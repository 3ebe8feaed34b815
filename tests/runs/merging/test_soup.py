"""Soups of runs: means by hand, and the greedy choice against all that it could have chosen."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import graftwork as gw
from command import graft, write_rows
from graftwork.errors import RefusedError, UsageError
from graftwork.runs.fit import make_model
from graftwork.runs.listener import Listener
from graftwork.runs.single.run import run_single
from graftwork.runs.workspace import open_workspace
from jobs import job_of
from tiny import tiny_rows

RATES = (1e-4, 1e-3, 2e-3)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, rows = tmp_path_factory.mktemp("tables"), tiny_rows(150)
    for name, part in {"train": rows[:60], "valid": rows[60:110], "test": rows[110:]}.items():
        write_rows(folder / f"{name}.csv", part)
    return folder


def fitted(base: Path, tables: Path, out: Path, **changes: Any) -> Path:
    """A saved model, without the report of a fit."""
    recipe = gw.Recipe(base=str(base), **changes)
    job = job_of(tables / "train.csv", recipe, target="label")
    run = run_single(job, recipe, name="run", workspace=open_workspace(None, False), listener=Listener())
    return make_model(job, run).save(out)


@pytest.fixture(scope="module")
def runs(base: Path, tables: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("runs")
    for at, rate in enumerate(RATES):
        training = gw.Training(precision="fp32", steps=24, batch=16, evaluations=1, lr=rate, head_lr=3e-3)
        fitted(base, tables, folder / f"run-{at}", techniques=[], training=training, seed=at)
    return [folder / f"run-{at}" for at in range(len(RATES))]


def accuracy(model: gw.Model, table: Path) -> float:
    return model.evaluate(table).scores["accuracy"].value


def test_uniform_is_the_mean_of_all(runs: list[Path], tmp_path: Path):
    mixed = gw.soup(runs, method="uniform", out=tmp_path / "soup")
    states = [gw.load(run).network.state_dict() for run in runs]
    for name, value in gw.load(tmp_path / "soup").network.state_dict().items():
        torch.testing.assert_close(value, torch.stack([state[name] for state in states]).mean(0))
    assert mixed.report.kept == "run-0 + run-1 + run-2"
    assert mixed.report.scores == ()


def test_greedy_is_never_worse_than_the_best_run(runs: list[Path], tables: Path, tmp_path: Path):
    valid = tables / "valid.csv"
    mixed = gw.soup(runs, valid=valid, test=tables / "test.csv", out=tmp_path / "soup")
    single = {run.name: accuracy(gw.load(run), valid) for run in runs}
    assert {one.name: one.score for one in mixed.report.tried[:-1]} == pytest.approx(single)
    assert accuracy(mixed.model, valid) == pytest.approx(mixed.report.tried[-1].score)
    assert accuracy(mixed.model, valid) >= max(single.values())
    # the algorithm, step by step
    order = sorted(runs, key=lambda run: -single[run.name])
    kept, best = [order[0]], single[order[0].name]
    for run in order[1:]:
        score = accuracy(gw.soup([*kept, run], method="uniform").model, valid)
        if score >= best:
            kept, best = [*kept, run], score
    assert mixed.report.kept == " + ".join(run.name for run in kept)
    assert accuracy(mixed.model, valid) == pytest.approx(best)
    found = json.loads((tmp_path / "soup" / "mixed.json").read_text())
    assert found["scored_on"] == "test"
    assert found["scores"][0]["data"] == "test"
    assert set(found["scores"][0]["models"]) == {"run-0", "run-1", "run-2", "soup"}


def test_a_soup_of_one_run_is_that_run(base: Path, tables: Path, tmp_path: Path):
    """The other one is no better than chance, and spoils the mean."""
    folder = fitted(base, tables, tmp_path / "good", techniques=["probe"], training=gw.Training(precision="fp32"))
    good, bad = gw.load(folder), gw.load(folder)
    drawn = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for value in bad.network.parameters():
            value.copy_(3 * torch.randn(value.shape, generator=drawn))
    mixed = gw.soup([replace(bad, folder=None), good], valid=tables / "valid.csv")
    assert mixed.report.kept == "good"
    texts = [text for text, _ in tiny_rows(9)]
    assert np.array_equal(mixed.model.predict(texts), good.predict(texts))
    states = zip(mixed.model.network.state_dict().values(), good.network.state_dict().values(), strict=True)
    assert all(torch.equal(mine, theirs) for mine, theirs in states)


def test_what_is_refused(runs: list[Path], base: Path, tmp_path: Path):
    with pytest.raises(UsageError, match="A greedy soup chooses its runs on validation"):
        gw.soup(runs)
    with pytest.raises(UsageError, match=r"no method 'gredy' of a soup. Did you mean 'greedy'"):
        gw.soup(runs, method="gredy")
    other = [(text, topic[:2]) for text, topic in tiny_rows(60)]
    write_rows(tmp_path / "other.csv", other)
    recipe = gw.Recipe(base=str(base), techniques=["probe"], training=gw.Training(precision="fp32"))
    model = gw.fit(tmp_path / "other.csv", target="label", recipe=recipe)
    with pytest.raises(RefusedError, match=r"don't learn the same: .*Use merge for models of different tasks"):
        gw.soup([runs[0], model], method="uniform")
    with pytest.raises(UsageError, match=r"run-0 is given twice"):
        gw.soup([runs[0], runs[0]], method="uniform")


def test_labels_that_differ_are_named(runs: list[Path], base: Path, tmp_path: Path):
    other = [(text, "meals" if topic == "food" else topic) for text, topic in tiny_rows(60)]
    write_rows(tmp_path / "train.csv", other)
    short = gw.Training(precision="fp32", steps=1)
    model = fitted(base, tmp_path, tmp_path / "meals", techniques=[], training=short)
    with pytest.raises(
        RefusedError,
        match=r"run-0: label \(classification, 3 outputs, labels that not all have: food\) from text; "
        r"meals: label \(classification, 3 outputs, labels that not all have: meals\) from text\.",
    ):
        gw.soup([runs[0], model], method="uniform")


def test_the_command_line(runs: list[Path], tables: Path, tmp_path: Path):
    out, new = tmp_path / "soup", tmp_path / "new"
    given = ("--valid", tables / "valid.csv", "--test", tables / "test.csv", "--out", out)
    ran = graft("soup", *runs, *given).works()
    assert "kept: run-" in ran.out
    assert "scores on test" in ran.out
    graft("predict", out, tables / "test.csv", "--out", tmp_path / "predicted.csv").works()
    graft("soup", *runs, "--out", new).fails(2, "name a table")
    graft("soup", *runs, "--valid", tmp_path / "no.csv", "--out", new).fails(1, "no.csv")
