"""Plans say what runs would take, the pass over the rows included, on the rows that fit would use, and are quick."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import graftwork as gw
from command import graft, topics
from graftwork.core.rows import sketch as sketching
from graftwork.runs.budget import affordable, planning
from graftwork.runs.budget.look import Look
from graftwork.runs.single.run import make_ready
from jobs import job_of
from pictures import tiny_image_model
from tiny import tiny_rows

LOOK = Look(prepare=0.01, read=0.02, score=0.02, cached={"text": 1.0})


def frame(rows: int) -> pd.DataFrame:
    return pd.DataFrame(tiny_rows(rows), columns=["text", "label"])


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(affordable, "look_at", lambda *_: LOOK)
    monkeypatch.setattr(planning, "first_look", lambda *_: LOOK)


@pytest.mark.usefixtures("look")
def test_the_pass_is_counted_once_and_steps_by_what_is_tuned(base: Path) -> None:
    plans = dict(gw.plan(frame(400), target="label", recipe=gw.Recipe(base=str(base)), verbose=False))
    assert list(plans) == ["kernel probe", "mlp probe", "linear probe", "tune"]
    assert plans["kernel probe"].seconds == pytest.approx(400 * 0.03)
    assert plans["mlp probe"].seconds == 0.0
    tune = plans["tune"]
    kept = tune.cache["text"] / tune.depths["text"]
    steps = tune.total_steps * 32 * 0.02 * (1 - kept) * 3
    assert tune.seconds == pytest.approx(400 * (0.01 + 0.02 * kept) + steps)
    assert "estimated: 12 s on this machine" in plans["kernel probe"].explain()
    assert "estimated: less than a second" in plans["mlp probe"].explain()


@pytest.mark.slow
@pytest.mark.usefixtures("look")
def test_a_plan_with_a_budget_lists_the_rows_that_it_leaves(base: Path, tmp_path: Path) -> None:
    recipe = gw.Recipe(base=str(base))
    plans = dict(gw.plan(frame(4000), target="label", recipe=recipe, budget=60, verbose=False))
    assert 200 <= plans["kernel probe"].rows < 3000
    assert plans["tune"].rows == plans["kernel probe"].rows
    table = topics(tmp_path / "t.csv", 4000)
    ran = graft("plan", table, "--base", base, "--budget", "60s").works()
    [rows] = set(re.findall(r"over ([\d,]+) rows", ran.out))
    assert 200 <= int(rows.replace(",", "")) < 3000
    graft("plan", table, "--base", base, "--budget", "2s").fails(2, "Give --budget")


def test_pictures_are_planned_from_a_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan of all rows, of which a few are decoded."""
    opened: list[Any] = []
    real = Image.open
    monkeypatch.setattr(Image, "open", lambda *given, **more: (opened.append(given), real(*given, **more))[1])
    draw = np.random.default_rng(0)
    for row in range(90):
        pixels = draw.integers(0, 255, (12, 12, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{row}.png")
    table = pd.DataFrame({"photo": [str(tmp_path / f"{row}.png") for row in range(90)], "label": ["a", "b", "c"] * 30})
    monkeypatch.setattr(sketching, "PREPARED", 10)
    base = tiny_image_model(tmp_path / "base")
    recipe = gw.Recipe(base=str(base), techniques=[gw.Partial(1)], training=gw.Training(epochs=2, batch=8))
    job = job_of(table, recipe)
    opened.clear()
    run = make_ready(job, recipe, sketched=True)
    decoded = len(opened)
    assert run.plan == make_ready(job, recipe).plan
    assert decoded <= 2 * 10 + 2
    assert planning.timed(run, replace(LOOK, cached={"photo": 1.0})).seconds


def test_a_sketch_repeats_its_rows(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sketching, "PREPARED_TEXTS", 16)
    recipe = gw.Recipe(base=str(base), techniques=[gw.Probe()])
    job = job_of(frame(100), recipe)
    run, whole = make_ready(job, recipe, sketched=True), make_ready(job, recipe)
    assert len(run.train) == len(whole.train)
    assert np.array_equal(run.train.targets["label"], whole.train.targets["label"])
    assert run.train.inputs["text"].lengths.tolist()[:16] == whole.train.inputs["text"].lengths.tolist()[:16]
    assert np.array_equal(run.train.inputs["text"].rows([17])[0], whole.train.inputs["text"].rows([1])[0])
    assert len(run.train.lengths) == len(whole.train.lengths)
    assert run.plan.total_steps == whole.plan.total_steps
