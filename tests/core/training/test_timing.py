from __future__ import annotations

import itertools

import pytest
import torch

from conformance.table import COMBINATIONS, techniques
from graftwork.core.fit import fit
from graftwork.core.training import timing
from graftwork.core.training.state import scoring_steps
from graftwork.core.training.timing import affordable_steps
from tinyrun import Worlds, same, weights


@pytest.mark.parametrize("names", [(), *COMBINATIONS], ids=lambda names: "+".join(names) or "none")
def test_timing_leaves_the_run_untouched(names: tuple[str, ...], fixtures: Worlds):
    fixture = fixtures("transformer")
    run = fixture.run(techniques(names))
    before = torch.get_rng_state()
    affordable_steps(run, 1000.0)
    assert torch.equal(before, torch.get_rng_state())
    timed = fit(run)
    _, plain = fixture.fit(techniques(names))
    assert same(weights(timed.network), weights(plain.network))
    assert timed.history == plain.history


def test_fewer_steps_are_a_run_of_their_own(fixtures: Worlds):
    fixture = fixtures("transformer")
    run = fixture.run(techniques(COMBINATIONS[0])).with_steps(4)
    assert run.plan.total_steps == 4
    shortened = fit(run)
    _, plain = fixture.fit(techniques(COMBINATIONS[0]), steps=4)
    assert same(weights(shortened.network), weights(plain.network))


@pytest.mark.parametrize(
    ("seconds", "steps"), [(None, 100), (1e6, 100), (0.0, 0), (-5.0, 0)], ids=["no limit", "plenty", "none", "late"]
)
def test_steps_that_fit(seconds: float | None, steps: int, fixtures: Worlds):
    run = fixtures("cnn").run(steps=100, evaluations=1)
    assert affordable_steps(run, seconds).steps == steps


def test_steps_are_the_budget_over_the_time_of_one(fixtures: Worlds, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(timing, "_seconds_per_step", lambda *_: 0.5)
    monkeypatch.setattr(timing, "_seconds_per_evaluation", lambda *_: 0.25)
    run = fixtures("cnn").run(steps=100, epochs=1.0)
    scoring = 0.25 * len(scoring_steps(run))
    found = affordable_steps(run, 20.0 + scoring + 0.01)
    assert found.steps == 40
    assert found.seconds == pytest.approx(20.0 + scoring)


def test_steps_are_timed_by_the_clock_that_is_given(fixtures: Worlds):
    calls = itertools.count()
    found = affordable_steps(fixtures("cnn").run(steps=100), None, lambda: 3.0 * next(calls))
    assert found.step == pytest.approx(3.0)


def test_no_steps_need_no_time(fixtures: Worlds):
    assert affordable_steps(fixtures("cnn").run(steps=0), None) == timing.Timed(0, 0.0)


def test_scoring_is_timed_on_some_rows(fixtures: Worlds, monkeypatch: pytest.MonkeyPatch):
    run = fixtures("cnn").run(steps=10)
    asked, clock = [], iter([0.0, 2.0])
    monkeypatch.setattr(timing, "predict_examples", lambda *given, **_: asked.append(len(given[-1])))
    assert run.valid is not None
    assert timing._seconds_per_evaluation(run, lambda: next(clock)) == pytest.approx(
        2.0 / run.training.batch * len(run.valid)
    )
    assert asked == [run.training.batch]
