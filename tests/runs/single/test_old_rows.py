"""graftwork.runs.single.old_rows: rows of an old task in a run, from the table to the trained model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from command import graft
from graftwork.errors import DataError, GraftworkError, RefusedError, UsageError
from graftwork.runs.fit import plan
from graftwork.runs.single.fingerprint import fingerprint
from graftwork.runs.single.old_rows import with_old_rows
from graftwork.runs.single.run import make_ready
from heard import Ear
from jobs import job_of
from tiny import tiny_rows
from tinyrun import Killed, same, weights

TRAINING = gw.Training(steps=6, batch=16, lr=3e-3, evaluations=1, precision="fp32")


def old_rows(rows: int = 120) -> pd.DataFrame:
    return pd.DataFrame(tiny_rows(rows), columns=["text", "label"])


def new_rows(rows: int = 90) -> pd.DataFrame:
    """Another target, under the name that the old one has too."""
    texts = [text for text, _ in tiny_rows(rows)]
    return pd.DataFrame({"text": texts, "label": ["long" if len(text) > 20 else "short" for text in texts]})


@pytest.fixture(scope="module")
def old(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("old")
    recipe = gw.Recipe(base=str(base), techniques=[gw.WarmStart()], training=TRAINING)
    gw.fit(old_rows(), target="label", recipe=recipe, out=folder / "run", verbose=False)
    old_rows().to_csv(folder / "old.csv", index=False)
    return folder


def recipe_on(old: Path, *techniques: gw.Technique, **changes: object) -> gw.Recipe:
    return gw.Recipe(base=str(old / "run"), techniques=techniques, training=replace(TRAINING, **changes))  # type: ignore[arg-type]


def replay(old: Path, **settings: float) -> gw.Replay:
    return gw.Replay(str(old / "old.csv"), **settings)


def test_old_rows_stand_behind_the_new_ones_in_their_share(old: Path) -> None:
    recipe = recipe_on(old, replay(old, share=0.25))
    job = job_of(new_rows(), recipe, target="label")
    joined, found = with_old_rows(job, recipe)
    (known,) = found.values()
    new = len(job.train)
    assert len(joined.train) == new + round(new / 3)
    assert joined.train.column("text").to_pylist()[:new] == job.train.column("text").to_pylist()
    assert joined.train.column("label").to_pylist()[:new] == job.train.column("label").to_pylist()
    assert not known.labelled["label"][:new].any()
    assert known.labelled["label"][new:].all()
    topics = dict(tiny_rows(120))
    classes = known.tasks["label"].classes
    for at in range(new, len(joined.train)):
        assert classes[known.targets["label"][at]] == topics[joined.train.column("text")[at].as_py()]
    assert set(known.targets["label"][new:]) == {0, 1, 2}, "every class is drawn"
    assert joined.train.column("label").slice(new).null_count == len(joined.train) - new
    assert with_old_rows(job, recipe_on(old))[0] is job


def test_a_small_table_gives_what_it_has(old: Path, tmp_path: Path) -> None:
    old_rows(9).to_csv(tmp_path / "few.csv", index=False)
    recipe = recipe_on(old, gw.Replay(str(tmp_path / "few.csv"), share=0.9))
    job = job_of(new_rows(), recipe, target="label")
    assert len(with_old_rows(job, recipe)[0].train) == len(job.train) + 9


def test_the_same_seed_draws_the_same_rows_and_another_one_others(old: Path) -> None:
    recipe = recipe_on(old, replay(old))
    job = job_of(new_rows(), recipe, target="label")

    def drawn(seed: int) -> list[str]:
        joined, _ = with_old_rows(job, replace(recipe, seed=seed))
        return joined.train.column("text").to_pylist()[len(job.train) :]

    assert drawn(0) == drawn(0)
    assert drawn(0) != drawn(1)


@pytest.mark.slow
def test_it_keeps_what_a_plain_run_forgets(tmp_path: Path) -> None:
    training = replace(TRAINING, lr=1e-2, head_lr=1e-2, steps=60)
    recipe = gw.Recipe(base="gru:width=16", techniques=[], training=training)
    gw.fit(old_rows(), target="label", recipe=recipe, out=tmp_path / "run", verbose=False)
    old_rows().to_csv(tmp_path / "old.csv", index=False)
    after = {}
    for name, techniques in {"plain": (), "replay": (replay(tmp_path, share=0.5),)}.items():
        recipe = recipe_on(tmp_path, *techniques, steps=60, lr=1e-2, head_lr=1e-2, keep="last")
        model = gw.fit(new_rows(), target="label", recipe=recipe, remember=old_rows(60), verbose=False)
        assert model.report is not None
        (found,) = model.report.remembered
        assert found.before["accuracy"].value > 0.9
        after[name] = found.after["log_loss"].value
    assert after["replay"] < after["plain"] / 2


def test_the_saved_model_knows_nothing_of_the_old_head(old: Path, tmp_path: Path) -> None:
    recipe = recipe_on(old, replay(old))
    model = gw.fit(new_rows(), target="label", recipe=recipe, out=tmp_path / "new", verbose=False)
    loaded = gw.load(tmp_path / "new")
    assert loaded.targets == ("label",)
    assert set(loaded.task.classes) == {"long", "short"}
    assert np.array_equal(model.predict_proba(new_rows(20)), loaded.predict_proba(new_rows(20)))
    assert model.report is not None
    assert model.report.rows_used == 90 - model.report.evaluations["validation"].rows
    uses = {table.name: table.use for table in model.provenance.tables}
    assert uses["old.csv"] == "replayed"


@pytest.mark.slow
def test_a_run_that_was_stopped_goes_on_as_if_nothing_had_been(old: Path, tmp_path: Path) -> None:
    recipe = recipe_on(old, replay(old), evaluations=3)
    whole = gw.fit(new_rows(), target="label", recipe=recipe, verbose=False)
    with pytest.raises(Killed):
        gw.fit(new_rows(), target="label", recipe=recipe, out=tmp_path / "out", listener=Ear("run", 5, Killed))
    resumed = gw.fit(new_rows(), target="label", recipe=recipe, out=tmp_path / "out", resume=True, verbose=False)
    assert same(weights(whole.network), weights(resumed.network))


def test_other_old_labels_make_another_run(old: Path, tmp_path: Path) -> None:
    recipe = recipe_on(old, gw.Replay(str(tmp_path / "old.csv")))
    prints = []
    for shift in (0, 1):
        table = old_rows().assign(label=np.roll(old_rows()["label"], shift))
        table.to_csv(tmp_path / "old.csv", index=False)
        run = make_ready(job_of(new_rows(), recipe, target="label"), recipe)
        prints.append(fingerprint(recipe, run))
    assert prints[0] != prints[1]


def test_a_teacher_is_asked_about_the_old_rows_too(old: Path, tmp_path: Path) -> None:
    gw.fit(new_rows(), target="label", recipe=recipe_on(old), out=tmp_path / "teacher", verbose=False)
    recipe = recipe_on(old, replay(old), gw.Distil(str(tmp_path / "teacher")))
    gw.fit(new_rows(), target="label", recipe=recipe, verbose=False)


@pytest.mark.slow
def test_at_the_command_line(old: Path, tmp_path: Path) -> None:
    new_rows().to_csv(tmp_path / "new.csv", index=False)
    at = ("fit", tmp_path / "new.csv", "--target", "label", "--base", old / "run", "--set", "steps=4")
    spec = f"replay:table={old / 'old.csv'},share=0.3"
    graft(*at, "--with", spec, "--remember", old / "old.csv", "--out", tmp_path / "out").works()
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["remembered"]["label"]["rows"] == 120
    graft(*at, "--with", "replay:table=nowhere.csv", "--out", tmp_path / "two").fails(1, r"nowhere\.csv")
    graft(*at, "--with", "replay", "--out", tmp_path / "three").fails(2, "table")


@pytest.mark.parametrize(
    ("table", "error", "words"),
    [
        (old_rows().drop(columns="label"), DataError, "label"),
        (old_rows().drop(columns="text"), DataError, "text"),
        (old_rows().assign(label="planets"), DataError, "planets"),
        (old_rows().assign(label=None), GraftworkError, "label"),
    ],
)
def test_tables_that_the_old_model_can_not_learn_from(
    old: Path, tmp_path: Path, table: pd.DataFrame, error: type[GraftworkError], words: str
) -> None:
    table.to_csv(tmp_path / "bad.csv", index=False)
    recipe = recipe_on(old, gw.Replay(str(tmp_path / "bad.csv")))
    with pytest.raises(error, match=words):
        plan(new_rows(), target="label", recipe=recipe, verbose=False)


def test_bases_and_bodies_that_it_does_not_work_with(old: Path, base: Path) -> None:
    recipe = gw.Recipe(base=str(base), techniques=[replay(old)], training=TRAINING)
    with pytest.raises(UsageError, match="replay asks what becomes of an old model"):
        plan(new_rows(), target="label", recipe=recipe, verbose=False)
    two = new_rows().assign(size=np.arange(90) / 7)
    with pytest.raises(RefusedError, match="one input each"):
        plan(two, target="label", recipe=recipe_on(old, replay(old)), verbose=False)
    with pytest.raises(RefusedError, match="trainable_features"):
        plan(new_rows(), target="label", recipe=recipe_on(old, gw.Probe(), replay(old)), verbose=False)
    with pytest.raises(RefusedError, match="row_identity"):
        plan(new_rows(), target="label", recipe=recipe_on(old, gw.Mixup(), replay(old)), verbose=False)
