"""graftwork.runs.tune.trials.reading: probes on other bases learn from as many rows as these have time to read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import graftwork as gw
from graftwork.runs.budget.look import Look
from graftwork.runs.job.job import Job
from graftwork.runs.single.model_from_run import make_model
from graftwork.runs.tune.choosing import choosing
from graftwork.runs.tune.judged import judged_rows
from graftwork.runs.tune.search import proposal
from graftwork.runs.tune.trials import reading
from graftwork.runs.tune.trials import run as trial_run
from graftwork.runs.tune.trials.files import read_trial
from graftwork.runs.tune.trials.run import TrialRunner
from jobs import job_of
from tiny import tiny_rows
from tinyrun import same, weights

SECONDS = 1e6
Passed = Callable[[int], list[float]]


def frame(rows: int) -> pd.DataFrame:
    table = pd.DataFrame(tiny_rows(rows), columns=["text", "label"])
    return table.assign(text=[f"{text} {at}" for at, text in enumerate(table["text"])])


@pytest.fixture(scope="module")
def own(bases: dict[str, str]) -> gw.Recipe:
    return gw.Recipe(base=bases["first"], techniques=["probe"])


@pytest.fixture(scope="module")
def job(own: gw.Recipe) -> Job:
    return job_of(frame(150), own, valid=frame(100), target="label")


@pytest.fixture
def runner(job: Job, own: gw.Recipe, tmp_path: Path) -> TrialRunner:
    """The default's first trial is behind it."""
    made = TrialRunner(judged_rows(job, own), lambda _: {}, tmp_path)
    first = made.run(proposal(0, "probe", "default", own), own, 9)
    assert (first.state, first.rows) == ("finished", None)
    return made


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> Passed:
    """A pass that comes to so many rows; gives the seconds that each was given for a row."""

    def comes_to(rows: int) -> list[float]:
        found = list[float]()

        def pass_of_better(*given: Any) -> int:
            found.append(given[2])
            return rows

        monkeypatch.setattr(reading, "first_look", lambda *_: Look(0.1, 0.2, 0.3, {"text": 1.0}))
        monkeypatch.setattr(reading, "pass_of_better", pass_of_better)
        return found

    return comes_to


def other(bases: dict[str, str], head: str = "linear") -> gw.Recipe:
    return gw.Recipe(base=bases["second"], techniques=["probe"], head=head)


def test_a_probe_on_another_base_learns_from_the_rows_that_fit(
    runner: TrialRunner, bases: dict[str, str], passed: Passed, job: Job
) -> None:
    rates = passed(60)
    done = runner.run(proposal(1, "probe on second", "base", other(bases)), other(bases), 9, SECONDS)
    assert (done.state, done.rows, done.name) == ("finished", 60, "probe on second, 60 rows")
    assert rates == [pytest.approx(0.3)]
    assert len(runner.predictions(1)["label"]) == 100
    assert read_trial(runner.place, 1) == done
    candidate = runner.candidate(done, other(bases))
    assert (candidate.recipe.rows, candidate.recipe.valid_rows) == (60, 100)
    again = TrialRunner(runner.judged, lambda _: {}, runner.place).candidate(done, other(bases))
    assert same(weights(again.network), weights(candidate.network))
    model = make_model(job, candidate)
    repeated = gw.fit(frame(150), valid=frame(100), target="label", recipe=model.recipe, verbose=False)
    assert same(weights(repeated.network), weights(model.network))


def test_further_probes_of_it_learn_from_the_same_rows_also_in_another_call(
    runner: TrialRunner, bases: dict[str, str], passed: Passed
) -> None:
    passed(60)
    runner.run(proposal(1, "probe", "base", other(bases)), other(bases), 9, SECONDS)
    rates, kernel = passed(90), other(bases, "kernel")
    later = TrialRunner(runner.judged, lambda _: {}, runner.place)
    assert later.run(proposal(2, "kernel", "base", kernel), kernel, 9, SECONDS).rows == 60
    assert rates == []


def test_the_base_of_the_first_trial_has_read_all_rows(runner: TrialRunner, own: gw.Recipe, passed: Passed) -> None:
    rates, kernel = passed(60), replace(own, head="kernel")
    done = runner.run(proposal(1, "kernel probe", "default", kernel), kernel, 9, SECONDS)
    assert (done.rows, done.name, rates) == (None, "kernel probe", [])


def test_all_rows_in_time_are_not_told(runner: TrialRunner, bases: dict[str, str], passed: Passed) -> None:
    passed(150)
    done = runner.run(proposal(1, "probe", "base", other(bases)), other(bases), 9, SECONDS)
    assert (done.rows, done.name) == (150, "probe")


def test_too_few_rows_are_left_out_in_this_call(runner: TrialRunner, bases: dict[str, str], passed: Passed) -> None:
    rates, kernel = passed(0), other(bases, "kernel")
    done = runner.run(proposal(1, "probe", "base", other(bases)), other(bases), 9, SECONDS)
    assert (done.state, done.rows, done.failed) == ("left out", None, "There is time for too few rows.")
    assert runner.run(proposal(2, "kernel", "base", kernel), kernel, 9, SECONDS).state == "left out"
    assert len(rates) == 1
    passed(60)
    later = TrialRunner(runner.judged, lambda _: {}, runner.place)
    assert later.run(proposal(1, "probe", "base", other(bases)), other(bases), 9, SECONDS).rows == 60


def test_with_far_more_time_more_rows_are_read(runner: TrialRunner, bases: dict[str, str], passed: Passed) -> None:
    passed(60)
    runner.run(proposal(1, "probe", "base", other(bases)), other(bases), 9, SECONDS)
    passed(90)
    kernel = other(bases, "kernel")
    assert runner.run(proposal(2, "kernel", "base", kernel), kernel, 9, 1.5 * SECONDS).rows == 60
    assert runner.run(proposal(3, "kernel", "base", kernel), kernel, 9, 2.5 * SECONDS).rows == 90


def test_what_a_probe_without_a_limit_has_read_is_not_passed_again(
    runner: TrialRunner, bases: dict[str, str], passed: Passed
) -> None:
    rates, kernel = passed(60), other(bases, "kernel")
    runner.run(proposal(1, "probe", "base", other(bases)), other(bases), 9)
    assert runner.run(proposal(2, "kernel", "base", kernel), kernel, 9, SECONDS).rows is None
    assert rates == []


def test_without_a_limit_in_folds_and_for_fine_tunes_nothing_is_looked_at(
    runner: TrialRunner, bases: dict[str, str], passed: Passed, job: Job, own: gw.Recipe, tmp_path: Path
) -> None:
    rates, lora = passed(60), replace(other(bases), techniques=[gw.LoRA(rank=2)], training=gw.Training(steps=2))
    assert runner.run(proposal(1, "probe", "base", other(bases)), other(bases), 9).rows is None
    assert runner.run(proposal(2, "lora", "searched", lora), lora, 9, SECONDS).rows is None
    folded = TrialRunner(judged_rows(job, own, 2), lambda _: {}, tmp_path / "folds")
    assert folded.run(proposal(0, "probe", "base", other(bases)), other(bases), 9, SECONDS).rows is None
    assert rates == []


def test_under_folds_a_pass_that_takes_too_long_is_left_out(
    bases: dict[str, str], job: Job, own: gw.Recipe, tmp_path: Path
) -> None:
    folded = TrialRunner(judged_rows(job, own, 2), lambda _: {}, tmp_path / "folds")
    done = folded.run(proposal(0, "probe", "base", other(bases)), other(bases), 9, -1.0)
    assert (done.state, done.failed) == ("left out", "There was no time for its first step.")


def test_in_folds_all_rows_train_whatever_a_recipe_says_of_rows(job: Job, own: gw.Recipe, tmp_path: Path) -> None:
    recipe = replace(own, rows=60, valid_rows=20)
    small = job.sample(60, 0, 20)
    folded = TrialRunner(judged_rows(small, recipe, 2), lambda _: {}, tmp_path / "folds")
    seen, run = list[int](), trial_run.run_single

    def seeing(job: Job, *given: Any, **named: Any) -> Any:
        seen.append(len(job.train))
        return run(job, *given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trial_run, "run_single", seeing)
        done = folded.run(proposal(0, "probe", "default", recipe), recipe, 9)
        folded.candidate(done, recipe)
    assert (sum(seen[:2]), seen[2]) == (80, 80)


def test_a_tune_tries_them_in_front_and_names_them(
    bases: dict[str, str], passed: Passed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates, scored = passed(40), list[int]()

    def transfer_score(job: Job, _: gw.Recipe) -> float:
        scored.append(len(job.train))
        return 0.0

    monkeypatch.setattr(choosing, "transfer_score", transfer_score)
    tuned = gw.tune(
        frame(150),
        valid=frame(100),
        target="label",
        recipe=gw.Recipe(base=bases["first"]),
        try_base=[bases["second"]],
        budget=600,
        trials=7,
        out=tmp_path / "m",
        verbose=False,
    )
    on_second = [one for one in tuned.trials if bases["second"] in one.base and not one.steps]
    assert on_second
    assert all(one.rows == 40 for one in on_second)
    assert len(rates) == len({one.base for one in on_second})
    assert any("40 rows" in one.name for one in on_second)
    assert sorted(scored) == [40, 150]  # LogME reads no row that no probe has read
