"""graftwork.ablate: whole ablations of quick heads on columns."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from graftwork.errors import DataError, NumericalError, UsageError
from graftwork.runs import finished_store
from graftwork.runs.ablation import cell as cells_module
from graftwork.runs.ablation import rounds as rounds_module
from graftwork.runs.ablation.ablation import Ablation
from graftwork.runs.ablation.repeats import Repeat, pool_of, repeat_of
from heard import Ear
from jobs import job_of

RECIPE = gw.Recipe(base="columns", metric="balanced_accuracy", techniques=[gw.Probe(l2=0.1), gw.ClassWeights()])


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Finished runs of its own; nothing warms up."""
    monkeypatch.setenv("GRAFTWORK_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(cells_module.Runner, "warm", lambda *_: None)


def frame(rows: int = 200) -> pd.DataFrame:
    """A third of the rows are of the rare class, told by two of three columns."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(rows, 3))
    rare = x[:, 0] + 0.5 * x[:, 1] + draw.normal(size=rows) > 1.2
    table = pd.DataFrame(x, columns=["a", "b", "c"])
    table["kind"] = np.where(rare, "yes", "no")
    return table


def ablate(train: Any, **more: Any) -> Ablation:
    """Class weights alone: the head is solved, so that a run takes milliseconds."""
    given: dict[str, Any] = {"recipe": RECIPE, "target": "kind", "method": "add-one-in", "verbose": False, **more}
    return gw.ablate(train, **given)


def told(found: Ablation) -> dict[str, Any]:
    """All that does not depend on when a run was made."""
    plain = found.to_json()
    cells = [{name: value for name, value in cell.items() if name != "reused"} for cell in plain.pop("cells")]
    return plain | {"cells": cells, "reused": None}


SHORT = gw.Recipe(
    base="columns", techniques=["class-weights", "label-smoothing"], training=gw.Training(steps=2, precision="fp32")
)


def short(train: Any, **more: Any) -> Ablation:
    return ablate(train, recipe=SHORT, method="leave-one-out", **more)


def test_a_repeat_holds_a_fifth_out_by_class_and_shares_no_row() -> None:
    pool = pool_of(job_of(frame(), RECIPE, target="kind"))
    labels = np.array(pool.table.values("kind"))
    for number in range(3):
        repeat = repeat_of(pool, RECIPE, number)
        parts = [repeat.train, repeat.valid, repeat.held]
        assert sorted(np.concatenate(parts).tolist()) == list(range(200))
        assert len(repeat.held) == 40
        share = np.mean(labels == "yes")
        assert abs(np.mean(labels[repeat.held] == "yes") - share) < 0.02
        assert repeat.seed == number
    assert set(repeat_of(pool, RECIPE, 0).held) != set(repeat_of(pool, RECIPE, 1).held)


def test_rows_come_back_into_the_order_of_their_table() -> None:
    table = frame()
    pool = pool_of(job_of(table, RECIPE, target="kind"))
    assert pool.table.values("a") == table["a"].tolist()


def test_a_validation_table_is_drawn_from_too_and_a_test_table_never() -> None:
    table = frame(300)
    job = job_of(table[:150], RECIPE, target="kind", valid=table[150:200], test=table[200:])
    pool = pool_of(job)
    assert pool.table.values("a") == table["a"][:200].tolist()


def test_whole_groups_are_held_out() -> None:
    table = frame()
    table["who"] = np.arange(200) // 10
    pool = pool_of(job_of(table, RECIPE, target="kind", roles={"group": "who"}))
    repeat = repeat_of(pool, RECIPE, 0)
    held, others = set(repeat.held // 10), set(np.concatenate([repeat.train, repeat.valid]) // 10)
    assert not held & others


def test_rows_with_the_same_text_stay_together() -> None:
    table = pd.DataFrame({"text": [f"word {at // 2} here" for at in range(120)], "kind": ["x", "x", "y", "y"] * 30})
    recipe = gw.Recipe(base="gru", techniques=[])
    pool = pool_of(job_of(table, recipe, target="kind", kinds={"text": "text"}))
    repeat = repeat_of(pool, recipe, 0)
    assert not set(repeat.held // 2) & set(np.concatenate([repeat.train, repeat.valid]) // 2)


def test_rows_without_a_label_are_trained_on_and_never_scored() -> None:
    table = frame()
    pool = pool_of(job_of(table, RECIPE, target="kind", unlabelled=table[["a", "b", "c"]][:50]))
    repeat = repeat_of(pool, RECIPE, 0)
    assert len(pool.table) == 250
    assert set(np.flatnonzero([value is None for value in pool.table.values("kind")])) <= set(repeat.train)
    assert None not in np.array(pool.table.values("kind"), dtype=object)[repeat.held].tolist()
    assert repeat.trained_rows == 160  # or the variance of few labelled rows would be corrected for too little


def test_with_times_it_is_said_that_rows_of_all_times_are_scored() -> None:
    table = frame()
    table["day"] = pd.date_range("2024-01-01", periods=len(table)).strftime("%Y-%m-%d")
    ear = Ear()
    found = ablate(table, repeats=1, roles={"time": "day"}, listener=ear)
    assert "drawn over all times of 'day'" in " ".join(found.notes)
    assert any("drawn over all times" in line for line in ear.notes)


def test_each_arm_is_scored_on_the_same_rows() -> None:
    found = short(frame(), repeats=2)
    assert [(cell.arm, cell.repeat) for cell in found.cells] == [
        (arm, repeat) for repeat in range(2) for arm in found.design.arms
    ]
    assert {(cell.rows, cell.trained_rows) for cell in found.cells} == {(40, 160)}


@pytest.mark.slow
def test_a_score_is_that_of_the_same_fit_made_by_hand() -> None:
    """The arm `class-weights alone` on repeat 1: a fit of its rows, evaluated on those held out."""
    table = frame()
    found = ablate(table, repeats=2, recipe=RECIPE)
    pool = pool_of(job_of(table, RECIPE, target="kind"))
    repeat = repeat_of(pool, RECIPE, 1)
    alone = gw.Recipe(base="columns", metric="balanced_accuracy", techniques=[gw.Probe(l2=0.1)], seed=1)
    assert isinstance(repeat, Repeat)
    model = gw.fit(
        table.iloc[repeat.train],
        valid=table.iloc[repeat.valid] if len(repeat.valid) else None,
        target="kind",
        recipe=alone,
        verbose=False,
    )
    by_hand = model.evaluate(table.iloc[repeat.held]).scores["balanced_accuracy"].value
    (cell,) = [one for one in found.cells if one.arm == "probe alone" and one.repeat == 1]
    assert cell.score == pytest.approx(by_hand, abs=1e-6)


@pytest.mark.slow
def test_columns_that_help_are_kept_and_others_left_out() -> None:
    table, recipe = frame(400), gw.Recipe(base="columns", metric="balanced_accuracy", techniques=[gw.Probe(l2=0.1)])
    found = ablate(table, method=None, recipe=recipe, columns=True, repeats=6)
    verdicts = {one.name: one.verdict for one in found.findings}
    assert verdicts["a"] == "helps"
    assert verdicts["c"] == "open"
    assert "c" in found.ignored
    assert "a" not in found.ignored
    model = gw.fit(table.drop(columns=list(found.ignored)), target="kind", recipe=found.pruned(), verbose=False)
    assert {column.name for column in model.schema.inputs} == {"a", "b", "c"} - set(found.ignored)


def clear() -> pd.DataFrame:
    """Told by one column."""
    return frame().assign(kind=np.where(frame()["a"] > 0, "yes", "no"))


UNTRAINED = gw.Training(steps=1, head_lr=1e-7, precision="fp32")


def test_techniques_that_help_are_kept_and_others_left_out() -> None:
    techniques = [gw.Probe(l2=0.1), gw.LabelSmoothing(0.1)]
    found = ablate(clear(), repeats=6, recipe=gw.Recipe(base="columns", techniques=techniques, training=UNTRAINED))
    assert {one.name: one.verdict for one in found.findings} == {"probe": "helps", "label-smoothing": "open"}
    assert found.pruned().listed == (gw.Probe(l2=0.1),)


def test_nothing_is_left_out_before_there_is_a_verdict() -> None:
    found = short(frame(), repeats=3)
    assert found.pruned().listed == SHORT.listed
    assert {one.holm for one in found.findings} == {None}


@pytest.mark.slow
def test_a_better_value_is_taken_over() -> None:
    training = gw.Training(steps=30, head_lr=1e-7, precision="fp32")
    poor = gw.Recipe(base="columns", techniques=[], training=training)
    found = ablate(clear(), recipe=poor, method=None, between=["head_lr=1e-7+3e-2"], repeats=6)
    assert found.findings[0].verdict == "helps"
    assert found.pruned().training.head_lr == 3e-2


@pytest.mark.slow
def test_the_same_runs_are_not_made_twice() -> None:
    first = short(frame(), repeats=2)
    assert first.reused == 0
    again = short(frame(), repeats=2)
    assert again.reused == 1
    assert told(again) == told(first)
    more = short(frame(), repeats=3)
    assert more.reused == pytest.approx(2 / 3)
    changed = frame()
    changed.loc[0, "a"] += 1
    assert short(changed, repeats=2).reused == 0


def test_the_order_of_techniques_makes_no_other_run() -> None:
    short(frame(), repeats=1)
    turned = gw.Recipe(base="columns", techniques=SHORT.listed[::-1], training=SHORT.training)
    assert ablate(frame(), recipe=turned, method="leave-one-out", repeats=1).reused == 1


@pytest.mark.slow
def test_a_resumed_ablation_is_the_uninterrupted_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = short(frame(), repeats=3)
    monkeypatch.setenv("GRAFTWORK_HOME", str(tmp_path / "second"))
    real, made = cells_module.run_single, []

    def stopped(*args: Any, **more: Any) -> Any:
        made.append(more["name"])
        if len(made) == 5:
            raise KeyboardInterrupt
        return real(*args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(cells_module, "run_single", stopped)
        with pytest.raises(KeyboardInterrupt):
            short(frame(), repeats=3)
    assert finished_store.store().entries == 4
    resumed = short(frame(), repeats=3)
    assert resumed.reused == pytest.approx(4 / 9)
    scores = [(cell.arm, cell.repeat, cell.score) for cell in whole.cells]
    assert [(cell.arm, cell.repeat, cell.score) for cell in resumed.cells] == scores
    assert [one.differences for one in resumed.findings] == [one.differences for one in whole.findings]
    assert [one.sentence for one in resumed.findings] == [one.sentence for one in whole.findings]


@pytest.mark.slow
def test_killed_at_any_moment_no_finished_run_is_lost(tmp_path: Path) -> None:
    frame().to_csv(tmp_path / "t.csv", index=False)
    command = [
        *(sys.executable, "-m", "graftwork.cli", "ablate", "t.csv", "--target", "kind", "--base", "columns"),
        *("--with", "class-weights", "--with", "label-smoothing", "--set", "steps=2", "--repeats", "5", "--json"),
    ]
    homes = {name: {**os.environ, "GRAFTWORK_HOME": str(tmp_path / name)} for name in ("whole", "killed")}
    whole = subprocess.run(command, cwd=tmp_path, env=homes["whole"], capture_output=True, check=True, text=True)
    runs = tmp_path / "killed" / "runs"
    for wanted in (2, 7):
        process = subprocess.Popen(
            command, cwd=tmp_path, env=homes["killed"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 240
        while len(list(runs.glob("*/run.json"))) < wanted and time.monotonic() < until and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert len([path for path in runs.glob("*/run.json") if not path.parent.name.startswith(".")]) >= wanted - 1
    again = subprocess.run(command, cwd=tmp_path, env=homes["killed"], capture_output=True, check=True, text=True)
    first, second = json.loads(whole.stdout), json.loads(again.stdout)
    assert first["reused"] == 0
    assert second["reused"] > 0
    assert [(c["arm"], c["repeat"], c["score"]) for c in first["cells"]] == [
        (c["arm"], c["repeat"], c["score"]) for c in second["cells"]
    ]
    for one, other in zip(first["findings"], second["findings"], strict=True):
        assert {**one, "costs": None} == {**other, "costs": None}


def test_runs_that_fail_are_counted_and_end_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    real = cells_module.run_single

    def failing(*args: Any, **more: Any) -> Any:
        if more["name"] == "without class-weights":
            raise MemoryError
        return real(*args, **more)

    monkeypatch.setattr(cells_module, "run_single", failing)
    ear = Ear()
    found = short(frame(), repeats=3, listener=ear)
    assert [(cell.arm, cell.failed) for cell in found.failed] == [
        ("without class-weights", "The memory is too small for it.")
    ] * 3
    assert next(note for note in ear.notes if "failed" in note) == (
        "repeat 1, without class-weights: failed. The memory is too small for it."
    )
    by_name = {one.name: one for one in found.findings}
    assert by_name["class-weights"].failed == 3
    assert by_name["label-smoothing"].repeats == 3
    assert found.to_json()["failed"] == 3


@pytest.mark.slow
def test_a_repeat_whose_rows_can_not_be_split_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def some(pool: Any, recipe: gw.Recipe, number: int) -> Repeat:
        if number == 1:
            raise DataError("No group can validate.")
        return repeat_of(pool, recipe, number)

    monkeypatch.setattr(rounds_module, "repeat_of", some)
    found = ablate(frame(), repeats=3)
    assert {cell.repeat for cell in found.cells} == {0, 2}
    assert found.notes == ("repeat 2 is left out, its rows can't be split: No group can validate.",)


def test_where_every_run_fails_it_ends_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: Any, **__: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(cells_module, "run_single", failing)
    with pytest.raises(NumericalError, match=r"Not one of the 6 runs of the first 2 repeats.*The memory is too small"):
        short(frame(), repeats=10)


def test_a_budget_too_small_for_one_pair_names_the_least() -> None:
    with pytest.raises(UsageError, match=r"budget of 0\.01s is too small: 5 repeats of one pair.*Give --budget \d+"):
        short(frame(), budget=0.01)


def test_a_budget_says_what_it_has_time_for() -> None:
    ear = Ear()
    found = short(frame(), budget=60, repeats=5, listener=ear)
    assert any("the budget has time for about" in note for note in ear.notes)
    assert found.repeats == 5


def test_what_it_will_take_is_said_before_it_begins() -> None:
    ear = Ear()
    short(frame(), repeats=2, listener=ear)
    assert any("2 repeats are 6 runs, about" in note for note in ear.notes)
    short(frame(), repeats=3, listener=ear)
    assert any("3 repeats are 9 runs, 6 of them finished before" in note for note in ear.notes)
    assert "reused: 67% of the runs had been finished before" in ear.notes


@pytest.mark.slow
def test_a_race_stops_what_is_decided() -> None:
    table = frame(400)
    recipe = gw.Recipe(base="columns", metric="balanced_accuracy", techniques=[gw.Probe(l2=0.1)])
    found = ablate(table, recipe=recipe, method=None, columns=True, race=True, repeats=10)
    assert found.looks == (5, 10)
    by_arm = {arm: sum(cell.arm == arm for cell in found.cells) for arm in found.design.arms}
    assert by_arm["without a"] == 5
    assert by_arm["without c"] == 10
    assert by_arm["all"] == 10


def test_equal_seconds_gives_steps_by_time_and_keeps_them() -> None:
    recipe = gw.Recipe(base="table-mlp", techniques=["sam"], training=gw.Training(steps=40, precision="fp32"))
    ear = Ear()
    found = ablate(frame(), recipe=recipe, method="leave-one-out", equal="seconds", repeats=1, listener=ear)
    steps = {name: arm.recipe.training.steps for name, arm in found.arms.items()}
    assert steps["all"] == 40
    without = steps["without sam"]
    assert without is not None
    assert without > 40  # sam goes forward and backward twice
    again = ablate(frame(), recipe=recipe, method="leave-one-out", equal="seconds", repeats=1)
    assert {name: arm.recipe.training.steps for name, arm in again.arms.items()} == steps
    assert again.reused == 1


def test_an_arm_that_can_not_be_run_is_said_and_the_others_are_compared() -> None:
    texts = pd.DataFrame({"text": [f"{word} here" for word in ("cat", "dog")] * 40, "kind": ["x", "y"] * 40})
    recipe = gw.Recipe(
        base="gru:width=8",
        techniques=["supervised-contrastive", "refit", "ema"],
        training=gw.Training(steps=2, precision="fp32"),
    )
    found = ablate(texts, recipe=recipe, method="leave-one-out", repeats=1, kinds={"text": "text"})
    assert all(one.refused or one.repeats == 1 for one in found.findings)


@pytest.mark.slow
def test_a_run_is_found_again_by_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    frame().to_csv("t.csv", index=False)
    gw.fit("t.csv", target="kind", recipe=SHORT, out="run", verbose=False)
    found = gw.ablate("run", repeats=2, verbose=False, out="out")
    assert {one.name for one in found.findings} == {"class-weights", "label-smoothing"}
    assert (tmp_path / "out" / "ablation.json").is_file()
    assert gw.ablate("run", repeats=2, verbose=False, out="out").reused == 1
    frame(210).to_csv("t.csv", index=False)
    with pytest.raises(DataError, match=r"t\.csv has changed since run was made"):
        gw.ablate("run", verbose=False)
    assert gw.ablate("run", data="t.csv", repeats=1, verbose=False).reused == 0
    with pytest.raises(UsageError, match=r"is a run, which says itself how its tables were read. Drop target"):
        gw.ablate("run", target="kind", verbose=False)
    with pytest.raises(UsageError, match="a table is named"):
        gw.ablate("t.csv", data="t.csv", recipe=SHORT, target="kind", verbose=False)


def test_a_run_whose_head_was_solved_lets_the_others_make_steps(tmp_path: Path) -> None:
    recipe = gw.Recipe(base="columns", techniques=[gw.Probe(l2=0.1)])
    frame().to_csv(tmp_path / "t.csv", index=False)
    gw.fit(tmp_path / "t.csv", target="kind", recipe=recipe, out=tmp_path / "run", verbose=False)
    found = gw.ablate(tmp_path / "run", repeats=1, verbose=False)
    assert [one.training.steps for one in (found.recipe,)] == [None]


def test_an_out_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds something else"):
        short(frame(), repeats=1, out=tmp_path)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"method": "leave-two-out"}, "method is 'leave-two-out'"),
        ({"equal": "rows"}, "equal is 'rows'"),
        ({"repeats": 0}, "repeats is 0"),
        ({"budget": -1.0}, "budget is -1 seconds"),
        ({"recipe": gw.Recipe(techniques=[])}, "no technique"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(more: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        ablate(frame(), **more)
