"""graftwork.runs.tune.trials.heard: how far a search is said to be."""

from __future__ import annotations

from graftwork.evidence.tune.trials import Trial
from graftwork.runs.clock import Deadline
from graftwork.runs.listener import Listener
from graftwork.runs.tune.trials.heard import Heard


class Told(Listener):
    def __init__(self) -> None:
        self.states: list[str] = []

    def tried(self, trial: Trial, state: str) -> None:  # noqa: ARG002
        self.states.append(state)


def test_a_trial_that_is_taken_up_again_does_not_count_backwards() -> None:
    told = Told()
    heard = Heard(told, Deadline(50.0, clock=lambda: 20.0), 24)
    for number in (0, 11, 3):
        heard.done(Trial(number, "", "searched", "paused", {}))
    assert told.states == ["1 of 24 trials, 30 s left", "12 of 24 trials, 30 s left", "12 of 24 trials, 30 s left"]


def test_without_a_budget_or_a_number_of_trials_nothing_is_left_to_say() -> None:
    told = Told()
    Heard(told, None, None).done(Trial(0, "", "searched", "paused", {}))
    assert told.states == [""]
