"""What a user sees of the trials of a tune, and that a recorder hands them on."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rich.console import Console

from graftwork.evidence.tune.trials import Trial
from graftwork.progress import Lines, Screen
from graftwork.runs.listener import Listener, Recorder
from graftwork.runs.watching import Watching
from graftwork.tasks.metrics.registry import metric_for
from graftwork.tasks.regression import Regression

PROBE = Trial(0, "linear probe of minilm", "default", "finished", {}, rungs=((0, 0.5),))
PAUSED = Trial(1, "lora of minilm", "searched", "paused", {}, rungs=((10, 0.4),), steps=90)


def shown_of(*told: tuple[Trial, str]) -> list[str]:
    stream = io.StringIO()
    with Watching(Lines(stream)) as watching:
        for trial, state in told:
            watching.tried(trial, state)
    return stream.getvalue().splitlines()


def test_a_trial_is_a_line_with_its_score_and_whether_it_is_the_best_so_far() -> None:
    again = replace(PAUSED, state="finished", rungs=((10, 0.4), (90, 0.6)))
    assert shown_of((PROBE, "9:50 left"), (PAUSED, "9:40 left"), (again, "")) == [
        "trial 0, linear probe of minilm: 0.5000, the best so far (9:50 left)",
        "trial 1, lora of minilm: 0.4000 after 10 of 90 steps (9:40 left)",
        "trial 1, lora of minilm: 0.6000, the best so far",
    ]


def test_a_tie_is_no_new_best() -> None:
    alike = replace(PAUSED, state="finished", rungs=((90, 0.5),))
    assert "best" not in shown_of((PROBE, ""), (alike, ""))[1]


def test_a_failed_trial_says_why() -> None:
    failed = Trial(2, "full of gru", "searched", "failed", {}, failed="The memory is too small for it.")
    assert shown_of((failed, "")) == ["trial 2, full of gru: failed. The memory is too small for it."]


def test_scores_are_shown_as_people_read_them() -> None:
    """An error is negative inside, so that more is better; nobody wants to read that."""
    stream = io.StringIO()
    with Watching(Lines(stream)) as watching:
        watching.scored_by({"price": metric_for("mae", Regression())})
        watching.tried(replace(PROBE, rungs=((0, -1.5),)), "")
    assert "1.5000" in stream.getvalue()
    assert "-1.5" not in stream.getvalue()


def test_the_best_so_far_is_that_of_all_calls() -> None:
    stream = io.StringIO()
    with Watching(Lines(stream)) as watching:
        Recorder(watching).resumed([PROBE])
        watching.tried(PAUSED, "")
        watching.tried(replace(PAUSED, rungs=((10, 0.4), (30, 0.6))), "")
    assert ["the best so far" in line for line in stream.getvalue().splitlines()] == [False, True]


def test_a_recorder_hands_trials_on() -> None:
    class Ear(Listener):
        def __init__(self) -> None:
            self.heard: list[tuple[Trial, str]] = []

        def tried(self, trial: Trial, state: str) -> None:
            self.heard.append((trial, state))

    ear = Ear()
    Recorder(ear).tried(PROBE, "next")
    assert ear.heard == [(PROBE, "next")]


def test_a_screen_that_draws_shows_the_trials_as_they_are_now() -> None:
    drawn: list[str] = []

    class Drawing(Screen):
        def table(self, made: Callable[[], Any]) -> None:
            console = Console(file=io.StringIO(), width=120)
            console.print(made())
            drawn.append(console.file.getvalue())  # type: ignore[attr-defined]

    watching = Watching(Drawing())
    watching.scored_by({"price": metric_for("mae", Regression())})
    for trial in (replace(PROBE, rungs=((0, -1.5),)), replace(PAUSED, rungs=((10, -2.5),))):
        watching.tried(trial, "9:40 left")
    assert "linear probe of minilm" in drawn[0]
    assert "lora" not in drawn[0]
    assert all(words in drawn[1] for words in ("1.5", "2.5", "paused after 10 of 90 steps", "9:40 left"))
    assert "-1.5" not in drawn[1]
