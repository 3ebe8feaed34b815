"""A policy from logs, whole: what is tried by default, what is predicted, what a later log says of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from command import graft
from graftwork.data.load import load
from graftwork.recipe import Recipe
from graftwork.runs.candidates.usual import usual_recipes
from graftwork.runs.job.data_arguments import DataArguments
from graftwork.runs.job.job import make_job
from graftwork.runs.listener import Listener
from graftwork.runs.single.run import make_ready, run_single
from graftwork.runs.tune.choosing.combining import calibrated_predictions, ensemble_of
from graftwork.runs.workspace import Workspace
from graftwork.tasks.metrics.registry import score
from tiny import tiny_bert

ACTIONS = np.array(["mail", "phone", "visit"])
ROLES = {"reward": "gain", "propensity": "chance"}


def visits(rows: int, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Two numbers, of which the larger one says what is best; actions drawn by a skewed policy; what each brings."""
    draw = np.random.default_rng(seed)
    seen = draw.normal(size=(rows, 2))
    brings = np.stack([seen[:, 0], seen[:, 1], -seen.sum(axis=1)], axis=1)
    shares = np.array([0.6, 0.3, 0.1])
    action = draw.choice(3, rows, p=shares)
    log = pd.DataFrame({"a": seen[:, 0], "b": seen[:, 1], "action": ACTIONS[action]})
    log["gain"] = brings[np.arange(rows), action] + draw.normal(0, 0.3, rows)
    log["chance"] = shares[action]
    return log, brings


def recipe(*techniques: str, **settings: object) -> Recipe:
    training = gw.Training(head_lr=1e-2, epochs=10, **settings)  # type: ignore[arg-type]
    return gw.Recipe(base="columns", task="bandit", techniques=list(techniques), training=training)


@pytest.mark.parametrize("logged", [True, False])
def test_the_policy_is_better_and_its_value_is_told(logged: bool, tmp_path: Path) -> None:
    train, _ = visits(900)
    later, brings = visits(900, 1)
    roles = ROLES if logged else {"reward": "gain"}
    drop = [] if logged else ["chance"]
    model = gw.fit(
        train.drop(columns=drop),
        target="action",
        roles=roles,
        recipe=recipe("probe", "doubly-robust"),
        out=tmp_path / "model",
        verbose=False,
    )
    chosen = np.searchsorted(ACTIONS, model.predict(later[["a", "b"]]))
    truth = brings[np.arange(len(later)), chosen].mean()
    assert truth > 0.9 * brings.max(axis=1).mean()
    score = model.evaluate(later.drop(columns=drop)).scores["policy_value"]
    assert score.low <= truth <= score.high
    again = gw.load(tmp_path / "model")
    np.testing.assert_array_equal(again.predict_proba(later[["a", "b"]]), model.predict_proba(later[["a", "b"]]))
    page = (tmp_path / "model" / "report.html").read_text(encoding="utf-8")
    assert "the logged one" in page
    assert "Which actions are chosen" in page
    assert ("No propensities were logged" in page) == (not logged)


def test_the_default_takes_what_the_task_brings() -> None:
    log, _ = visits(300)
    wanted = Recipe(base="columns", task="bandit")
    job = make_job(DataArguments(train=log, target="action", roles=ROLES), wanted)
    made = dict(usual_recipes(job, wanted))
    assert made
    assert all("doubly-robust" in [one.name for one in each.listed] for each in made.values())


def test_every_run_of_the_default_can_be_made(tmp_path: Path) -> None:
    """Of a text and numbers on a pretrained base: probes, each kind alone, late fusion, a fine-tune."""
    log, _ = visits(300)
    log["text"] = ["cat dog" if at % 2 else "rain snow" for at in range(300)]
    base = {"text": str(tiny_bert(tmp_path / "bert")), "table": "columns"}
    wanted = Recipe(base=base, task="bandit")
    job = make_job(DataArguments(train=log, target="action", roles=ROLES), wanted)
    made = dict(usual_recipes(job, wanted))
    assert {"mlp probe", "linear probe", "late fusion", "tune"} <= set(made)
    for one in made.values():
        assert make_ready(job, one).plan.total_steps > 0


def test_at_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    log, _ = visits(300)
    log.to_csv("log.csv", index=False)
    said = ["--task", "bandit", "--target", "action", "--role", "reward=gain", "--role", "propensity=chance"]
    plain = ["--base", "columns", "--with", "probe", "--with", "doubly-robust", "--set", "steps=20"]
    ran = graft("fit", "log.csv", *said, *plain, "--out", "model").works()
    assert "Value of the policy" in ran.out
    assert "the best single action, '" in ran.out
    graft("predict", "model", "log.csv", "--proba", "--out", "chosen.csv").works()
    assert {"prediction", "p(mail)", "p(phone)", "p(visit)"} <= set(pd.read_csv("chosen.csv").columns)
    assert "Effective sample" in graft("evaluate", "model", "log.csv").works().out
    log.drop(columns="chance").to_csv("later.csv", index=False)
    graft("evaluate", "model", "later.csv").fails(1, "no column 'chance', which held the propensity")


def test_rollouts_stay_on_one_side_of_the_split() -> None:
    log, _ = visits(300)
    log["visitor"] = np.arange(300) // 5
    job = make_job(
        DataArguments(train=log, target="action", roles={**ROLES, "rollout": "visitor"}),
        Recipe(base="columns", task="bandit"),
    )
    assert job.valid is not None
    sides = [set(table.values("visitor")) for table in (job.train, job.valid)]
    assert not sides[0] & sides[1]
    assert load(log, target="action", roles={**ROLES, "rollout": "visitor"}).table.schema.role("rollout") is not None


@pytest.mark.parametrize("logged", [True, False])
def test_policies_together_are_judged_by_all_that_metrics_read(logged: bool) -> None:
    log, _ = visits(300)
    roles = ROLES if logged else {"reward": "gain"}
    log = log if logged else log.drop(columns="chance")
    given = recipe("probe", steps=10)
    job = make_job(DataArguments(train=log, target="action", roles=roles), given)
    assert job.valid is not None
    several = [
        run_single(job, one, name="run", workspace=Workspace(), listener=Listener())
        for one in (given, recipe("probe", "doubly-robust", steps=10))
    ]
    task, (targets, labelled) = job.tasks["action"], job.tasks["action"].encode_rows(job.valid, "action")
    for one in several:
        own = calibrated_predictions(job, one.predictions or {}, {"action": (targets, labelled)})["action"]
        assert score(task, "policy_value", targets[labelled], own[labelled]) == pytest.approx(one.score, abs=1e-6)
    together = ensemble_of(job, several, [0.5, 0.5])
    found = together.evaluate(log).scores["policy_value"]
    assert log["gain"].mean() < found.value < log["gain"].max()
