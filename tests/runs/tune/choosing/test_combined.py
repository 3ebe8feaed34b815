"""Trials combined at the end of a tune: what they score, cost and become, within limits and under folds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from graftwork.evidence.tune.resampled import Resampled
from graftwork.evidence.tune.trials import Limits, Trial
from graftwork.recipe import Recipe
from graftwork.runs.job.data_arguments import DataArguments
from graftwork.runs.job.job import Job
from graftwork.runs.tune.asked import Asking
from graftwork.runs.tune.choosing import choosing
from graftwork.runs.tune.choosing import combined as combining_trials
from graftwork.runs.tune.choosing.combined import Combined, Combiner
from graftwork.runs.tune.judged import judged_rows
from graftwork.runs.tune.trials.run import TrialRunner
from graftwork.runs.tune.tune import tune_data
from jobs import job_of
from tiny import tiny_bert, tiny_model, tiny_rows

TEXTS = [text for text, _ in tiny_rows(9)]
Ran = tuple[Combiner, list[Trial]]


def frame(rows: int, wrong: int) -> pd.DataFrame:
    """Every so many-th label is another one, so that no model is right everywhere."""
    table = pd.DataFrame(tiny_rows(rows), columns=["text", "label"])
    table["text"] = [f"{text} {at}" for at, text in enumerate(table["text"])]
    table.loc[::wrong, "label"] = "food"
    return table


def ran(job: Job, recipes: list[Recipe], folder: Path) -> Ran:
    runner = TrialRunner(judged_rows(job, recipes[0]), lambda steps: {2: steps} if steps else {}, folder)
    trials = []
    for at, one in enumerate(recipes):
        named = Trial(at, f"trial {at}", "searched", "paused", one.to_dict(), base=one.base_text)
        trials.append(runner.run(named, one, 2))
    return Combiner(runner.judged, runner, dict(enumerate(recipes)), Limits()), trials


def combined(made: Ran, limits: Limits | None = None) -> dict[str, Combined]:
    combiner, trials = made
    combiner = combiner if limits is None else replace(combiner, limits=limits)
    found = combiner.combined(trials, None, lambda: 0.0)
    assert [one.trial.number for one in found] == [4 + at for at in range(len(found))]
    return {one.trial.name.split()[0]: one for one in found}


@pytest.fixture(scope="module")
def recipes(base: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Recipe]:
    """Probes on two bases, and two fine-tunes that end nearly alike."""
    other = tiny_model(tmp_path_factory.mktemp("other") / "gpt2", "gpt2")
    plain = gw.Training(precision="fp32")
    tuned = gw.Training(precision="fp32", steps=3, batch=16, lr=1e-3)
    return [
        gw.Recipe(base=str(base), techniques=[gw.Probe()], training=plain),
        gw.Recipe(base=str(other), techniques=[gw.Probe()], training=plain, head="kernel"),
        gw.Recipe(base=str(base), techniques=[gw.WarmStart()], training=tuned),
        gw.Recipe(base=str(base), techniques=[gw.WarmStart()], training=replace(tuned, lr=9.9e-4)),
    ]


@pytest.fixture(scope="module")
def made(recipes: list[Recipe], tmp_path_factory: pytest.TempPathFactory) -> Ran:
    job = job_of(frame(60, 7), replace(recipes[0], metric="log_loss"), valid=frame(110, 5), target="label")
    return ran(job, recipes, tmp_path_factory.mktemp("trials"))


@pytest.mark.slow
def test_an_ensemble_scores_no_less_costs_the_sum_and_becomes_what_was_scored(made: Ran) -> None:
    combiner, trials = made
    found = combined(made)["ensemble"]
    judged, trial = combiner.judged, found.trial
    assert (trial.score or -9.0) > max(one.score or -9.0 for one in trials)
    assert (trial.origin, trial.state) == ("combined", "finished")
    assert sum(trial.members.values()) == pytest.approx(1)
    for cost in ("latency", "size", "parameters"):
        assert getattr(trial, cost) == pytest.approx(sum(getattr(trials[at], cost) for at in trial.members))
    assert judged.score_given(found.given) == pytest.approx(trial.score)
    model, lead = found.made()
    assert lead.name == trials[next(iter(trial.members))].name
    rows = judged.table.data.to_pandas()
    np.testing.assert_allclose(model.predict_proba(rows), found.given["label"], atol=1e-5)


@pytest.mark.slow
def test_limits_hold_for_what_members_need_together(made: Ran) -> None:
    smallest = sorted(one.size for one in made[1])
    assert "ensemble" not in combined(made, Limits(size=smallest[0] + smallest[1] - 1))
    free = combined(made)["ensemble"].trial
    assert combined(made, Limits(size=free.size))["ensemble"].trial.members == free.members


@pytest.mark.slow
def test_a_soup_is_a_trial_at_the_cost_of_one(made: Ran) -> None:
    found, (combiner, trials) = combined(made)["soup"], made
    assert dict(found.trial.members) == {2: 0.5, 3: 0.5}
    assert (found.trial.size, found.trial.parameters) == (trials[2].size, trials[2].parameters)
    assert combiner.judged.score_given(found.given) == pytest.approx(found.trial.score)
    model, _ = found.made()
    assert not model.members
    rows = combiner.judged.table.data.to_pandas()
    np.testing.assert_allclose(model.predict_proba(rows), found.given["label"], atol=1e-5)
    labels = [model.columns[at] for at in found.given["label"].argmax(axis=1)]
    assert list(model.predict(rows)) == labels


@pytest.mark.slow
def test_a_soup_is_of_fine_tunes_that_there_is_time_to_make_again(made: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Combiner, "_seconds_to_make", lambda *_: 5.0)
    combiner, trials = made
    named = [
        [one.trial.name.split()[0] for one in combiner.combined(trials, seconds, lambda: 0.0)]
        for seconds in (19.0, 21.0)
    ]
    assert ["soup" in names for names in named] == [False, True]


@pytest.mark.slow
def test_a_tune_whose_ensemble_is_chosen_ends_as_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under folds, and whatever chance says of the difference."""
    outcome = choosing.outcome

    def of_ensembles(trials: list[Trial], found: Resampled, *given: object, **named: object) -> object:
        scores = {one.number: one.score for one in trials}
        assert [scores[number] for number in found.numbers] == pytest.approx(list(found.values))
        members = [one for one in trials if one.name.startswith("ensemble")]
        return outcome(members, None, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(choosing, "outcome", of_ensembles)
    monkeypatch.setattr(combining_trials, "greedy_ensemble", lambda *_, **__: {0: 0.6, 1: 0.4})
    recipe = gw.Recipe(base=str(tiny_bert(tmp_path / "bert")), metric="log_loss")
    rows = frame(60, 4)
    data, asking = DataArguments(train=rows, target="label"), Asking(trials=3, folds=2)
    tuned = tune_data(data, recipe, asking, out=tmp_path / "out", command="graft fit rows.csv")
    assert len(tuned.model.members) > 1
    loaded = gw.load(tmp_path / "out")
    np.testing.assert_array_equal(loaded.predict_proba(TEXTS), tuned.model.predict_proba(TEXTS))
    report = tuned.model.report
    assert report is not None
    assert report.command == ""  # a fit makes no ensemble
    (split,) = report.evaluations
    assert report.evaluations[split].rows == 60
    kept = next(one for one in tuned.trials if one.members)
    assert report.evaluations[split].scores["log_loss"].value == pytest.approx(-(kept.score or 0.0), rel=1e-4)
    assert loaded.unusual(TEXTS).shape == (9,)
