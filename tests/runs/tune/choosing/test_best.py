"""The best so far: what is written, and what is known of it when writing fails or an earlier call has more."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from graftwork.evidence.tune.trials import Limits, Trial
from graftwork.recipe import Recipe
from graftwork.runs.tune.choosing import best as best_module
from graftwork.runs.tune.choosing.best import Best, best_score

TRIAL = Trial(0, "trial", "searched", "finished", {}, rungs=((9, 0.5),), latency=0.01, size=10)


@dataclass
class Written:
    """Stands for what writes models. fails: raised once."""

    folder: Path | None = None
    fails: BaseException | None = None
    models: list[str] = field(default_factory=list)

    def written(self, model: str, _: object) -> str:
        if self.fails is not None:
            fails, self.fails = self.fails, None
            raise fails
        self.models.append(model)
        return model


class Runner:
    def candidate(self, trial: Trial, _: Recipe) -> int:
        return trial.number


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> tuple[Best, Written]:
    monkeypatch.setattr(best_module, "make_model", lambda _, number: f"model {number}")
    monkeypatch.setattr(best_module, "calibrating", lambda _: None)
    written, anything = Written(), cast(Any, None)
    return Best(anything, cast(Any, Runner()), cast(Any, written), Limits(latency=0.05)), written


def trial(number: int, score: float, **other: Any) -> Trial:
    return replace(TRIAL, number=number, rungs=((9, score),), **other)


def test_only_what_is_better_finished_and_within_the_limits_is_written(made: tuple[Best, Written]) -> None:
    best, written = made
    for one in (trial(0, 0.5), trial(1, 0.4), trial(2, 0.9, state="paused"), trial(3, 0.9, latency=1.0), trial(4, 0.6)):
        best.consider(one, Recipe())
    assert written.models == ["model 0", "model 4"]


def test_a_better_model_of_an_earlier_call_stays(made: tuple[Best, Written]) -> None:
    best, written = made
    earlier = [trial(0, 0.7), trial(1, 0.9, state="paused"), trial(2, 0.95, latency=1.0), trial(3, 0.6)]
    best.bar = best_score(earlier, best.limits)
    assert best.bar == 0.7
    best.consider(trial(4, 0.65), Recipe())
    assert written.models == []
    best.consider(trial(5, 0.75), Recipe())
    assert written.models == ["model 5"]
    assert best_score([], best.limits) is None


@pytest.mark.parametrize("error", [MemoryError(), KeyboardInterrupt()])
def test_what_could_not_be_written_is_not_taken_for_the_model(made: tuple[Best, Written], error: BaseException) -> None:
    best, written = made
    best.consider(trial(0, 0.5), Recipe())
    written.fails = error
    with pytest.raises(type(error)):
        best.consider(trial(1, 0.9), Recipe())
    assert best.keep(trial(1, 0.9), Recipe()) == "model 1"
    written.fails = error
    with pytest.raises(type(error)):
        best.keep(trial(2, 0.9), Recipe())
    assert best.keep(trial(1, 0.9), Recipe()) == "model 1"
    assert written.models == ["model 0", "model 1", "model 1"]  # nobody knows what a broken write left in the folder
