"""A run that would be late is shortened, ends in time whatever the clock does, and can be repeated and resumed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from graftwork.core.clock.course import Course
from graftwork.core.clock.pace import Pace
from graftwork.core.fit import Fitted, fit
from graftwork.core.run import Run
from graftwork.core.training.checkpoint import Checkpointing
from tinyrun import Killed, Worlds, same, weights


class Ticking:
    """A clock of which each reading is some seconds later than the one before."""

    def __init__(self, left: float, seconds: Callable[[], float]) -> None:
        self.at, self._seconds = left, seconds

    def left(self) -> float:
        self.at -= self._seconds()
        return self.at


def paced(ticking: Ticking, heard: list[Course], least: int = 1) -> Pace:
    return Pace(ticking.left, least=least, evaluation=1.0, decided=heard.append)


@pytest.fixture
def run(fixtures: Worlds) -> Callable[..., Run]:
    return lambda **training: fixtures("transformer").run(steps=60, evaluations=3, **training)


def test_a_run_in_time_is_not_touched(run: Callable[..., Run]) -> None:
    heard: list[Course] = []
    done = fit(run(), pace=paced(Ticking(1e4, lambda: 1.0), heard))
    plain = fit(run())
    assert (done.steps, done.cuts, heard) == (60, (), [])
    assert same(weights(done.network), weights(plain.network))
    assert done.history == plain.history


def test_a_slow_run_ends_in_time_and_its_numbers_repeat_it(run: Callable[..., Run]) -> None:
    heard: list[Course] = []
    ticking = Ticking(40.0, lambda: 1.0)
    done = fit(run(), pace=paced(ticking, heard))
    assert 20 < done.steps < 40
    assert done.steps == done.cuts[-1] == heard[-1].end
    assert ticking.at > -3
    assert [point.step for point in done.history][-1] == done.steps
    assert len(done.history) == 3
    again = fit(run(cuts=done.cuts))
    assert (again.steps, again.cuts) == (done.steps, done.cuts)
    assert same(weights(again.network), weights(done.network))
    assert again.history == done.history


@pytest.mark.parametrize("seed", range(5))
def test_a_machine_that_changes_its_speed(seed: int, run: Callable[..., Run]) -> None:
    draw = random.Random(seed)
    heard: list[Course] = []
    ticking = Ticking(50.0, lambda: draw.choice([0.3, 0.5, 1.0, 3.0]))
    done = fit(run(), pace=paced(ticking, heard))
    assert ticking.at > -8
    assert same(weights(fit(run(cuts=done.cuts)).network), weights(done.network))


def test_first_steps_that_are_slow_shorten_nothing(run: Callable[..., Run]) -> None:
    """To begin with, memory is taken and kernels are chosen; there would be time for all steps."""
    heard, seconds = list[Course](), iter([0.0, *[0.4] * 8, *[0.1] * 1000])
    done = fit(run(), pace=paced(Ticking(20.0, lambda: next(seconds)), heard))
    assert (done.steps, heard) == (60, [])


def test_steps_that_take_much_of_the_time_decide_at_once(run: Callable[..., Run]) -> None:
    heard: list[Course] = []
    fit(run(), pace=paced(Ticking(40.0, lambda: 4.0), heard))
    assert heard[0].cuts[0] == 3


def test_the_least_number_of_steps_is_made(run: Callable[..., Run]) -> None:
    done = fit(run(), pace=paced(Ticking(0.0, lambda: 1.0), [], least=12))
    assert done.steps == 12


@pytest.mark.parametrize("stop", [5, 15, 25])
def test_stopped_and_resumed_it_is_the_same_run(stop: int, run: Callable[..., Run], tmp_path: Path) -> None:
    """What was decided is kept apart from the checkpoints, at once."""

    def end(progress: object) -> None:
        if getattr(progress, "step", 0) == stop:
            raise Killed

    def checkpoints(resume: bool) -> Checkpointing:
        return Checkpointing(tmp_path / "c", "fingerprint", resume, seconds=0.0)

    whole = fit(run(), pace=paced(Ticking(40.0, lambda: 1.0), []))
    heard: list[Course] = []
    with pytest.raises(Killed):
        fit(run(), pace=paced(Ticking(40.0, lambda: 1.0), heard), observers=[end], checkpoints=checkpoints(False))
    decided = heard[-1].cuts if heard else ()
    resumed: Fitted = fit(run(cuts=decided), checkpoints=checkpoints(True))
    if decided == whole.cuts:
        assert same(weights(resumed.network), weights(whole.network))
    again = fit(run(cuts=resumed.cuts))
    assert same(weights(again.network), weights(resumed.network))
    assert replace(again, network=resumed.network) == resumed
