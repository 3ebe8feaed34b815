"""Trials on other machines come to what they come to here, whichever machines run them and are lost under them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import graftwork as gw
from fakehands import FakeHands, Fate
from graftwork.cluster.checks import Asks
from graftwork.cluster.work import Crew
from graftwork.core.training.checkpoint import Checkpointing
from graftwork.data.store import cache
from graftwork.errors import UsageError
from graftwork.evidence.tune.trials import Trial
from graftwork.runs.machines.heard import Hearing
from graftwork.runs.tune.judged import Judged, judged_rows
from graftwork.runs.tune.ladder import TOP, rungs_of
from graftwork.runs.tune.search import Wanted, proposal
from graftwork.runs.tune.trials import on_node
from graftwork.runs.tune.trials.on_cluster import TrialsOnCluster
from graftwork.runs.tune.trials.on_node import Shared, run_trial
from graftwork.runs.tune.trials.run import TrialRunner
from graftwork.runs.workspace import Workspace
from heard import Ear
from jobs import job_of
from tiny import tiny_rows

STEPS = 72
RECIPES = [
    gw.Recipe(
        base="gru:width=8",
        techniques=(gw.Mixup(0.3),) if at % 2 else (),
        seed=at,
        training=gw.Training(steps=STEPS, batch=8, precision="fp32", evaluations=1, lr=1e-3),
    )
    for at in range(3)
]


@pytest.fixture(scope="module", params=[1, 2], ids=["one split", "folds"])
def judged(request: pytest.FixtureRequest) -> Judged:
    table = pd.DataFrame(tiny_rows(60), columns=["text", "label"])
    return judged_rows(job_of(table, RECIPES[0], target="label"), RECIPES[0], request.param)


def on_machines(judged: Judged, folder: Path, fate: Fate | None = None) -> tuple[TrialsOnCluster, FakeHands, Ear, list]:
    local, ear, notes = TrialRunner(judged, rungs_of, folder), Ear(), list[str]()
    options: dict[str, Any] = {} if fate is None else {"fate": fate}
    hands = FakeHands(run_trial, Shared(judged, folder.name, 1, "cpu", os.getcwd()), **options)
    made = TrialsOnCluster(local, Crew(hands, lambda told, node: hearing(told, node), notes.append, 1), Asks())
    hearing = Hearing(ear, made.name)
    return made, hands, ear, notes


def came_to(run_each: Callable[..., Any], keep: Callable[[int], Trial | None]) -> dict[int, Any]:
    """All trials to the first rung, then the last two to their end."""
    found: dict[int, Trial] = {}
    for level, numbers in ((0, (0, 1, 2)), (TOP, (1, 2))):
        wanted = []
        for number in numbers:
            recipe = RECIPES[number]
            trial = found.get(number) or proposal(number, f"trial {number}", "searched", recipe)
            wanted.append(Wanted(trial, recipe, level))
        found |= {one.number: one for one in run_each(iter(wanted))}
    assert {number: keep(number) for number in found} == found
    return {number: (one.state, one.rungs, one.steps, one.size) for number, one in sorted(found.items())}


@pytest.mark.slow
def test_it_is_as_here(judged: Judged, tmp_path: Path) -> None:
    here = TrialRunner(judged, rungs_of, tmp_path / "here")
    expected = came_to(here.run_each, here.known)
    assert [one[0] for one in expected.values()] == ["paused", "finished", "finished"]
    there, hands, ear, _ = on_machines(judged, tmp_path / "there")
    assert came_to(there.run_each, there.known) == expected
    assert {place for _, place in hands.begun} == {"id-0", "id-1"}
    assert {name for name, _ in ear.steps} == {"trial 0", "trial 1", "trial 2"}
    again = {number: there.local.predictions(number) for number in expected}
    for number, found in again.items():
        assert (found["label"] == here.predictions(number)["label"]).all()
    left = list((cache.cache_dir() / cache.SPOOL).glob("tune-*/*")) if cache.cache_dir().is_dir() else []
    assert left == []


@pytest.mark.slow
def test_lost_machines_change_nothing(judged: Judged, tmp_path: Path) -> None:
    here = TrialRunner(judged, rungs_of, tmp_path / "here")
    there, hands, _, notes = on_machines(
        judged, tmp_path / "lost", lambda piece, times: ("machine", "worker", "done")[min(times + piece.number, 3) - 1]
    )
    assert came_to(there.run_each, there.known) == came_to(here.run_each, here.known)
    assert notes
    assert len(hands.begun) > 5


def test_a_trial_that_ends_its_process_in_vain_has_failed(judged: Judged, tmp_path: Path) -> None:
    there, _, _, _ = on_machines(judged, tmp_path / "failing", lambda piece, times: "worker")  # noqa: ARG005
    trial = proposal(0, "trial 0", "searched", RECIPES[0])
    (done,) = there.run_each(iter([Wanted(trial, RECIPES[0], 0)]))
    assert done.state == "failed"
    assert done.failed == "Its process ended 3 times in a row without getting further (no memory)."
    assert there.known(0) == done


def test_a_machine_goes_on_from_the_checkpoint_of_a_process_that_was_ended(
    judged: Judged, monkeypatch: pytest.MonkeyPatch
) -> None:
    def often(space: Workspace, name: str, fingerprint: str) -> Checkpointing:
        assert space.folder is not None
        return Checkpointing(space.folder / name, fingerprint, space.resume, seconds=0.0, sparing=True)

    monkeypatch.setattr(Workspace, "checkpoints", often)

    class Ended(BaseException):
        pass

    steps: list[int] = []

    def tell(what: str, value: Any = None, *, last: int = 10**6) -> None:
        if what == "stepped":
            steps.append(value[1].step)
            if value[1].step >= last:
                raise Ended

    shared = Shared(judged, "again", 1, "cpu", os.getcwd())
    given = on_node.Given(Wanted(proposal(0, "one", "searched", RECIPES[0]), RECIPES[0], 1), {})
    with pytest.raises(Ended):
        run_trial(shared, given, lambda what, value=None: tell(what, value, last=20))
    steps.clear()
    done = run_trial(shared, given, tell)
    whole = run_trial(replace(shared, key="whole"), given, tell)
    assert done.trial.rungs == whole.trial.rungs
    assert steps[0] == 20


def test_insecure_alone_is_refused() -> None:
    with pytest.raises(UsageError, match="give --cluster too"):
        gw.tune([{"text": "a", "label": "b"}], insecure=True, verbose=False)
