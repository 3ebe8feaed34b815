"""Streamed runs: the plain loop on the same rows, heads solved on the first ones, stopped and repeated."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import graftwork as gw
from graftwork.core.fit import fit
from graftwork.core.training.checkpoint import Checkpointing
from graftwork.errors import UsageError
from graftwork.recipe import from_dict, with_settings
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.single.fingerprint import fingerprint
from graftwork.runs.single.run import _make_run, make_ready, run_single
from graftwork.runs.workspace import Workspace
from heard import Ear
from jobs import job_of
from tiny import tiny_rows
from tinyrun import Killed, kill_at, same, weights
from tinysound import encoded, tone

ROWS, FIRST = 96, 32


def frame(rows: int = 200) -> pd.DataFrame:
    return pd.DataFrame(tiny_rows(rows), columns=["text", "label"])


def picture(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file := io.BytesIO(), format="PNG")
    return file.getvalue()


def alike_frame(rows: int = 200) -> pd.DataFrame:
    """Texts of two words each, so that lengths are known."""
    table = frame(rows)
    return table.assign(text=[" ".join((text + " a b").split()[:2]) for text in table["text"]])


def recipe_of(base: Path, **changes: Any) -> gw.Recipe:
    settings: dict[str, Any] = {
        "base": str(base),
        "techniques": [gw.WarmStart(), gw.Partial(1)],
        "rows": ROWS,
        "kept_rows": FIRST,
        "training": gw.Training(epochs=1, batch=8, precision="fp32", lr=1e-3, head_lr=1e-2, keep="last"),
    }
    return gw.Recipe(**(settings | changes))


def run_of(table: pd.DataFrame, recipe: gw.Recipe) -> Any:
    job = sampled(table, recipe)
    return run_single(job, recipe, name="run", workspace=Workspace(), listener=Ear())


def sampled(table: pd.DataFrame, recipe: gw.Recipe) -> Job:
    return job_of(table, recipe).sample(recipe.rows, recipe.seed, recipe.valid_rows)


def test_it_is_the_run_that_keeps_all_rows(base: Path) -> None:
    """All blocks trained and the head random: nothing is cached in either, and the bits are the same."""
    streams = recipe_of(base, techniques=[])
    found = run_of(alike_frame(), streams)
    plain = run_of(alike_frame(), replace(streams, kept_rows=None))
    assert found.fitted.steps == ROWS // 8
    assert same(weights(found.network), weights(plain.network))
    assert found.score == plain.score


@pytest.mark.parametrize(("column", "base"), [("photo", "small-cnn:width=8"), ("sound", "mel-cnn:width=8")])
def test_pictures_and_sounds(column: str, base: str) -> None:
    """Sounds of one length, so that lengths are known."""
    values = [picture(at) if column == "photo" else encoded(tone(200 + 5 * at)) for at in range(60)]
    table = pd.DataFrame({column: values, "label": ["a", "b"] * 30})
    training = gw.Training(epochs=1, batch=8, precision="fp32", lr=1e-3)
    streams = gw.Recipe(base=base, techniques=[], rows=40, kept_rows=12, training=training)
    found = run_of(table, streams)
    plain = run_of(table, replace(streams, kept_rows=None))
    assert found.fitted.steps == 5
    assert same(weights(found.network), weights(plain.network))


def test_heads_begin_from_the_first_rows(base: Path) -> None:
    """Before the first step the head is that of a probe on a sample of so many rows; no training row is cached."""
    recipe = recipe_of(base, techniques=[gw.WarmStart(l2=1.0), gw.Partial(1)])
    run = make_ready(sampled(frame(), recipe), recipe, started=True)
    assert run.cached == {}
    assert set(run.valid_cached) == {"text"}
    probe = replace(recipe, techniques=[gw.Probe(l2=1.0)], rows=FIRST, kept_rows=None)
    solved = make_ready(sampled(frame(), probe), probe, started=True)
    heads = [dict(one.network.each_head())["label"].state_dict() for one in (run, solved)]
    assert heads[0].keys() == heads[1].keys()
    for name, values in heads[0].items():
        np.testing.assert_array_equal(values.numpy(), heads[1][name].numpy())


def test_the_first_rows_are_not_read_again_after_a_probe(base: Path) -> None:
    """Their features are those that its pass has kept."""
    recipe, ear = recipe_of(base, seed=5), Ear()
    probe = replace(recipe, techniques=[gw.Probe()], rows=FIRST, kept_rows=None)
    run_single(sampled(frame(), probe), probe, name="probe", workspace=Workspace(), listener=Ear())
    read = list[int]()
    ear.computed = lambda _, rows: read.append(rows)  # type: ignore[method-assign]
    run_single(sampled(frame(), recipe), recipe, name="run", workspace=Workspace(), listener=ear)
    assert FIRST not in read


def test_frozen_blocks_stay_and_the_others_learn(base: Path) -> None:
    recipe = recipe_of(base)
    before = make_ready(sampled(frame(), recipe), recipe).network
    encoder = run_of(frame(), recipe).network.encoder("text")
    blocks = list(zip(encoder.blocks(), before.encoder("text").blocks(), strict=True))
    same_bits = [all(same(weights(a), weights(b)) for a, b in zip(one, other, strict=True)) for one, other in blocks]
    assert all(same_bits[:-1])
    assert not same_bits[-1]


def test_the_recipe_repeats_the_fit(base: Path, tmp_path: Path) -> None:
    model = gw.fit(frame(), target="label", recipe=recipe_of(base), verbose=False)
    (tmp_path / "recipe.yaml").write_text(model.recipe.to_yaml())
    again = gw.fit(frame(), target="label", recipe=tmp_path / "recipe.yaml", verbose=False)
    assert again.recipe == model.recipe
    assert (again.recipe.rows, again.recipe.kept_rows, again.recipe.training.steps) == (ROWS, FIRST, ROWS // 8)
    assert same(weights(again.network), weights(model.network))
    assert model.report is not None
    assert model.report.rows_used == ROWS


def test_a_stopped_run_goes_on(base: Path, tmp_path: Path) -> None:
    recipe = recipe_of(base)

    def run() -> Any:
        return _make_run(sampled(frame(), recipe), recipe, started=True, listener=Listener())

    whole = fit(run())
    stopped = run()
    known = fingerprint(recipe, stopped)
    with pytest.raises(Killed):
        fit(stopped, observers=[kill_at(7)], checkpoints=Checkpointing(tmp_path, known, False, seconds=0))
    resumed = fit(run(), checkpoints=Checkpointing(tmp_path, known, True))
    assert resumed.steps == whole.steps
    assert same(weights(resumed.network), weights(whole.network))


def test_other_rows_are_another_run(base: Path) -> None:
    """Also where only rows behind the first ones differ, and only in their inputs."""
    recipe = recipe_of(base)
    job = sampled(frame(), recipe)
    changed = frame()
    changed.loc[int(job.train.rows[ROWS - 1]) - 1, "text"] = "another text"
    known = [fingerprint(recipe, make_ready(sampled(table, recipe), recipe)) for table in (frame(), frame(), changed)]
    assert known[0] == known[1] != known[2]


def test_where_all_rows_are_kept_it_is_an_ordinary_run(base: Path) -> None:
    few = recipe_of(base, kept_rows=ROWS)
    assert same(weights(run_of(frame(), few).network), weights(run_of(frame(), replace(few, kept_rows=None)).network))


def test_bad_settings_are_refused(base: Path) -> None:
    with pytest.raises(UsageError, match="kept_rows is 32, and rows says nothing"):
        run_of(frame(), recipe_of(base, rows=None))
    with pytest.raises(UsageError, match="kept_rows is 1"):
        recipe_of(base, kept_rows=1)
    recipe = recipe_of(base)
    assert from_dict(recipe.to_dict()) == recipe
    changed = with_settings(recipe, {"kept_rows": "20", "rows": "40"})
    assert (changed.rows, changed.kept_rows) == (40, 20)
