"""Trials combined at the end of a tune: what they score, cost and become, within limits and under folds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from graftwork.evidence.tune.trials import Limits, Trial
from graftwork.recipe import Recipe
from graftwork.runs.job.job import Job
from graftwork.runs.tune.combined import Combined
from graftwork.runs.tune.judged import judged_rows
from graftwork.runs.tune.trial_run import TrialRunner
from jobs import job_of
from tiny import tiny_model, tiny_rows

TEXTS = [text for text, _ in tiny_rows(9)]
Ran = tuple[Combined, dict[int, Trial], dict[int, Recipe]]


def frame(rows: int, wrong: int) -> pd.DataFrame:
    """Every so many-th label is another one, so that no model is right everywhere."""
    table = pd.DataFrame(tiny_rows(rows), columns=["text", "label"])
    table["text"] = [f"{text} {at}" for at, text in enumerate(table["text"])]
    table.loc[::wrong, "label"] = "food"
    return table


def ran(job: Job, recipes: list[Recipe], folder: Path, limits: Limits = Limits()) -> Ran:  # noqa: B008
    runner = TrialRunner(judged_rows(job, recipes[0]), lambda steps: {2: steps} if steps else {}, folder)
    trials = {}
    for at, one in enumerate(recipes):
        named = Trial(at, f"trial {at}", "searched", "paused", one.to_dict(), base=one.base_text)
        trials[at] = runner.run(named, one, 2)
    return Combined(runner, limits), trials, dict(enumerate(recipes))


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


def test_an_ensemble_is_a_trial_that_scores_no_less_and_costs_the_sum(made: Ran) -> None:
    combined, trials, recipes = made
    found = combined.ensemble(list(trials.values()), 9)
    assert found is not None
    judged = combined.runner.judged
    alone = [judged.score_given(combined.given(one)) for one in trials.values()]
    assert (found.score or -9.0) > max(alone)
    assert (found.number, found.origin, found.state) == (9, "combined", "finished")
    assert sum(found.members.values()) == pytest.approx(1)
    for cost in ("latency", "size", "parameters"):
        assert getattr(found, cost) == pytest.approx(sum(getattr(trials[at], cost) for at in found.members))
    given = combined.given(found)
    expected = sum(weight * combined.given(trials[at])["label"] for at, weight in found.members.items())
    np.testing.assert_allclose(given["label"], expected, atol=1e-6)
    assert judged.score_given(given) == pytest.approx(found.score)
    model, runs = combined.model(found, trials, recipes)
    assert [run.name for run in runs] == [trials[at].name for at in found.members]
    rows = judged.table.data.to_pandas()
    np.testing.assert_allclose(model.predict_proba(rows), given["label"], atol=1e-5)
    assert combined.ensemble(list(trials.values()), 9) == replace(found, at=pytest.approx(found.at, abs=99))


def test_limits_hold_for_what_members_need_together(made: Ran) -> None:
    combined, trials, _ = made
    every = list(trials.values())
    smallest = sorted(one.size for one in every)
    tight = Combined(combined.runner, Limits(size=smallest[0] + smallest[1] - 1))
    assert tight.ensemble(every, 9) is None
    free = combined.ensemble(every, 9)
    assert free is not None
    exact = Combined(combined.runner, Limits(size=free.size)).ensemble(every, 9)
    assert exact is not None
    assert exact.members == free.members


def test_a_soup_is_a_trial_at_the_cost_of_one(made: Ran) -> None:
    combined, trials, recipes = made
    found = combined.soup(list(trials.values()), recipes, 10)
    assert found is not None
    assert dict(found.members) == {2: 0.5, 3: 0.5}
    assert (found.size, found.parameters) == (trials[2].size, trials[2].parameters)
    assert found.latency > 0
    model, runs = combined.model(found, trials, recipes)
    assert not model.members
    assert len(runs) == 1
    rows = combined.runner.judged.table.data.to_pandas()
    np.testing.assert_allclose(model.predict_proba(rows), combined.given(found)["label"], atol=1e-5)


def test_a_plain_trial_is_its_own_model(made: Ran) -> None:
    combined, trials, recipes = made
    model, runs = combined.model(trials[0], trials, recipes)
    assert (model.members, len(runs)) == ((), 1)
    rows = combined.runner.judged.table.data.to_pandas()
    np.testing.assert_allclose(model.predict_proba(rows), combined.given(trials[0])["label"], atol=1e-5)


def test_one_trial_or_none_is_combined_with_nothing(made: Ran) -> None:
    combined, trials, recipes = made
    assert combined.ensemble([trials[0]], 9) is None
    assert combined.ensemble([trials[0], replace(trials[1], state="paused")], 9) is None
    assert combined.soup([trials[0], trials[2]], recipes, 9) is None


def test_under_folds_members_are_trained_on_all_rows(recipes: list[Recipe], tmp_path: Path) -> None:
    how = [replace(one, metric="log_loss") for one in recipes[:2]]
    combined, trials, known = ran(job_of(frame(40, 5), how[0], target="label"), how, tmp_path)
    assert combined.runner.judged.folds > 1
    assert combined.soup(list(trials.values()), known, 5) is None
    found = combined.ensemble(list(trials.values()), 5)
    assert found is not None
    model, runs = combined.model(found, trials, known)
    assert len(model.members) == len(runs) == 2
    assert model.predict_proba(TEXTS).shape == (9, 3)
