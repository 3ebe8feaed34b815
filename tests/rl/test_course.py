"""When a run is scored and when it ends."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from graftwork.progress import SILENT
from graftwork.rl.learning.course import Best, Clocks, Course


def ran(seconds_before: float, steps: int) -> Any:
    """The algorithm after a look at the clock, in the middle of a budget of ten seconds."""
    course = Course(
        *(lambda *_: None, lambda _: None, SILENT, "a run"),  # type: ignore[arg-type,return-value]
        steps=None,
        every=None,
        until=time.monotonic() + 10.0,
        best=Best(),
        clocks=Clocks(seconds=seconds_before),
    )
    course.began -= 10.0
    course.model = SimpleNamespace(_total_timesteps=0)  # type: ignore[assignment]
    course.num_timesteps = steps
    assert course._on_step()
    return course.model


@pytest.mark.parametrize(("before", "share"), [(0.0, 1 / 2), (60.0, 70 / 80)])
def test_what_fades_fades_with_the_time_and_goes_on_fading(before: float, share: float) -> None:
    assert 1000 / ran(before, 1000)._total_timesteps == pytest.approx(share, abs=0.01)
