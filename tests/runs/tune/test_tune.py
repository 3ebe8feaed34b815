"""`gw.tune`: killed and gone on with it ends as uninterrupted; two halves are the whole; failures end nothing."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from numpy.linalg import LinAlgError

import graftwork as gw
from graftwork.data.store import writing
from graftwork.errors import DataError, NonFiniteLossError, UsageError
from graftwork.evidence.tune.trials import Trial
from graftwork.runs.tune import preparing
from graftwork.runs.tune.choosing import choosing
from graftwork.runs.tune.choosing.best import Best
from graftwork.runs.tune.folder import holds_study
from graftwork.runs.tune.trials import run as trial_run
from tiny import tiny_bert, tiny_rows, tiny_texts

ROWS = [{"text": text, "label": topic} for text, topic in tiny_rows(72)]
SCRIPT = """
import json, sys
from graftwork.runs.candidates import portfolio
portfolio.PORTFOLIO = ()  # as in this process (`usual_order.py`)
import graftwork as gw
told = json.loads(sys.argv[1])
gw.tune(told["rows"], target="label", recipe=gw.Recipe(base=told["base"], training=gw.Training(epochs=2)),
        trials=told["trials"], try_with=["mixup"], folds=1, batch=2, out=told["out"], resume=told["resume"],
        verbose=False)
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_bert(tmp_path_factory.mktemp("base") / "bert"))


def tune(base: str, trials: int, out: Path | None, **more: Any) -> gw.Tuned:
    recipe = gw.Recipe(base=base, training=gw.Training(epochs=2))
    options: dict[str, Any] = {"try_with": ["mixup"], "folds": 1, "verbose": False, **more}
    return gw.tune(ROWS, target="label", recipe=recipe, trials=trials, out=out, **options)


def came_to(trials: tuple[Trial, ...]) -> list[Any]:
    """All that does not depend on a clock."""
    return [(one.number, one.name, one.state, one.params, one.rungs, one.steps, one.recipe) for one in trials]


def test_without_a_folder_nothing_is_left(base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = tune(base, 1, None)
    assert [one.origin for one in found.trials] == ["default"]
    assert len(found.model.predict(tiny_texts(3))) == 3
    assert list(tmp_path.iterdir()) == []
    assert found.table().num_rows == 1
    assert found.sentences
    assert str(found) in found._repr_html_() or found._repr_html_()


def test_what_fails_is_counted_and_ends_nothing(base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_single = trial_run.run_single

    def failing(*args: Any, **named: Any) -> Any:
        if args[1].head == "mlp":
            raise MemoryError
        return run_single(*args, **named)

    def undecomposed(*_: Any) -> None:
        raise LinAlgError("SVD did not converge")

    monkeypatch.setattr(trial_run, "run_single", failing)
    monkeypatch.setattr(choosing, "transfer_score", undecomposed)
    found = tune(base, 3, tmp_path / "run")
    failed = [one for one in found.trials if one.state == "failed"]
    assert found.outcome.about.transfer == {}
    assert [one.failed for one in failed] == ["The memory is too small for it."]
    assert found.chosen.number not in {one.number for one in failed}
    assert "The memory is too small for it." in (tmp_path / "run" / "tune.html").read_text()


@pytest.mark.slow
def test_a_full_disk_is_said_and_the_best_model_stays(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, act = tmp_path / "run", writing.act

    def full(call: Any, *paths: Path) -> None:
        if any("0001" in str(path) for path in paths):
            raise OSError(28, "No space left on device")
        act(call, *paths)

    monkeypatch.setattr(writing, "act", full)
    with pytest.raises(DataError, match=r"No space left to write .*0001.*Free some space"):
        tune(base, 3, out)
    monkeypatch.setattr(writing, "act", act)
    assert len(gw.load(out).predict(tiny_texts(3))) == 3
    assert holds_study(out)
    assert len(tune(base, 3, out, resume=True).trials) >= 3


@pytest.mark.slow
def test_a_study_is_not_lost_by_a_misspelled_option_beside_new(base: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    tune(base, 1, out)
    trial = out / "tune" / "trials" / "0000" / "trial.json"
    before = trial.read_bytes()
    with pytest.raises(UsageError, match="mixup"):
        tune(base, 1, out, new=True, try_with=["mixupp"])
    assert trial.read_bytes() == before
    tune(base, 1, out, new=True)
    assert trial.read_bytes() != before  # other seconds
    assert not list(out.glob(".tune*"))


def test_what_is_stopped_before_there_is_a_study_is_not_in_the_way(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(preparing, "search_space", stopped)
        with pytest.raises(KeyboardInterrupt):
            tune(base, 1, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    assert tune(base, 1, tmp_path / "run").trials


@pytest.mark.slow
def test_a_study_of_all_rows_goes_on_with_them_within_a_budget(base: str, tmp_path: Path) -> None:
    tune(base, 1, tmp_path / "run")
    again = gw.tune(
        ROWS, target="label", recipe=gw.Recipe(base=base, training=gw.Training(epochs=2)), budget=60, trials=2,
        out=tmp_path / "run", resume=True, try_with=["mixup"], folds=1, verbose=False,
    )  # fmt: skip
    assert len(again.trials) >= 2
    assert again.model.recipe.rows is None


@pytest.mark.slow
def test_ctrl_c_in_a_call_that_goes_on_chooses_among_all(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though none of its own trials is the best so far."""
    run_single, first = trial_run.run_single, tune(base, 2, tmp_path / "run")

    def stopped(*args: Any, **named: Any) -> Any:
        if named["workspace"].folder.parent.name == "0002":
            raise KeyboardInterrupt
        return run_single(*args, **named)

    monkeypatch.setattr(trial_run, "run_single", stopped)
    (tmp_path / "run" / "tune.html").unlink()
    found = tune(base, 4, tmp_path / "run", resume=True)
    assert found.model.interrupted
    assert found.chosen.number == first.chosen.number
    assert (tmp_path / "run" / "tune.html").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("all_anew", [False, True])
def test_after_ctrl_c_nothing_is_trained_once_more_unless_all_would_be(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, all_anew: bool
) -> None:
    first = tune(base, 2, tmp_path / "run")
    best = first.chosen.number

    run_single = trial_run.run_single

    def stopped(*given: Any, **named: Any) -> Any:
        if named["workspace"].folder.parent.name == "0002":
            raise KeyboardInterrupt
        return run_single(*given, **named)

    monkeypatch.setattr(trial_run.TrialRunner, "trains_anew", lambda _, one: all_anew or one.number == best)
    monkeypatch.setattr(trial_run, "run_single", stopped)
    found = tune(base, 4, tmp_path / "run", resume=True)
    assert (found.chosen.number == best) == all_anew
    if not all_anew:
        assert found.trials[best].failed == "There was no time to train it once more."


@pytest.mark.slow
def test_the_memory_that_is_free_later_changes_no_study(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def room() -> bool:
        asked.append(True)
        return len(asked) == 1

    monkeypatch.setattr(preparing, "room_for_large", room)
    tune(base, 1, tmp_path / "run")
    tune(base, 2, tmp_path / "run", resume=True)
    assert asked == [True]


@pytest.mark.slow
def test_the_order_of_a_study_is_that_of_its_first_budget(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, first_trials = list[Any](), preparing.first_trials

    def first(*given: Any, **named: Any) -> Any:
        asked.append((given[4], named["in_front"]))
        return first_trials(*given, **named)

    monkeypatch.setattr(preparing, "first_trials", first)
    tune(base, 1, tmp_path / "run", budget=60)
    tune(base, 1, tmp_path / "run", budget=600, size="1GB", resume=True)
    assert asked == [(60, True), (60, True)]
    tune(base, 1, tmp_path / "limited", budget=60, size="1GB")
    assert asked[2:] == [(60, False)]


@pytest.mark.slow
def test_another_is_chosen_where_no_model_can_be_made_of_the_best(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = Best.keep

    def failing(best: Best, trial: Trial, recipe: gw.Recipe) -> Any:
        if trial.number == 0:
            raise NonFiniteLossError("The loss is not finite.")
        return keep(best, trial, recipe)

    monkeypatch.setattr(Best, "keep", failing)
    found = tune(base, 2, tmp_path / "run")
    assert [one.state for one in found.trials] == ["failed", "finished"]
    assert found.chosen.number == 1
    assert len(gw.load(tmp_path / "run").predict(tiny_texts(3))) == 3
    monkeypatch.setattr(Best, "keep", lambda best, trial, _: failing(best, replace(trial, number=0), _))
    with pytest.raises(UsageError, match=r"None of 2 trials has a score.*not finite"):
        tune(base, 2, tmp_path / "other")


def test_domains_are_not_left_out_in_a_search(base: str) -> None:
    with pytest.raises(UsageError, match="belongs to graft fit"):
        tune(base, 1, None, split_by="domain")


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_two_halves_are_the_whole(base: str, tmp_path: Path) -> None:
    whole = tune(base, 8, tmp_path / "whole", batch=2)
    for trials in (5, 8):
        found = tune(base, trials, tmp_path / "parts", resume=trials > 5, batch=2)
    assert came_to(found.trials) == came_to(whole.trials)
    assert found.chosen.number == whole.chosen.number
    same = [(tmp_path / name / "weights.safetensors").read_bytes() for name in ("whole", "parts")]
    assert same[0] == same[1]


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_killed_at_random_moments_it_ends_as_uninterrupted(base: str, tmp_path: Path) -> None:
    """kill -9 of the whole process, again and again; the model that is there can be loaded at every moment."""
    whole, out, draw = tune(base, 8, tmp_path / "whole", batch=2), tmp_path / "killed", random.Random(0)
    kills = 0
    while kills < 10:
        told = {"rows": ROWS, "base": base, "trials": 8, "out": str(out), "resume": holds_study(out)}
        process = subprocess.Popen([sys.executable, "-c", SCRIPT, json.dumps(told)], env=environment())
        wait_for(out, process, draw.uniform(0.0, 1.0))
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
        if (out / "model.json").is_file():
            gw.load(out)
    assert kills >= 2
    found = tune(base, 8, out, resume=True, batch=2)
    assert came_to(found.trials) == came_to(whole.trials)
    assert found.chosen.number == whole.chosen.number


def wait_for(out: Path, process: subprocess.Popen[bytes], more: float) -> None:
    """Until one trial more was written, and a moment longer: starting a process takes most of the time here."""
    before, until = written(out), time.monotonic() + 300
    while process.poll() is None and written(out) == before and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(more)


def written(out: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in (out / "tune" / "trials").glob("*/trial.json")}


def environment() -> Mapping[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1"}
