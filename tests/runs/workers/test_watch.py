"""graftwork.runs.workers.watch: what the driver makes of what its workers say, and of their silence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from graftwork.core.clock.pace import OutOfTime
from graftwork.errors import NonFiniteLossError, WorkersError
from graftwork.runs.workers.faults import told_of
from graftwork.runs.workers.heard import Heard
from graftwork.runs.workers.watch import IN_VAIN, Watch, watched
from heard import Ear

CTRL_C = object()
"""Stands for Ctrl-C while the driver listens."""
COST = {"node": "here", "wall_seconds": 4.0, "cpu_seconds": 3.0, "memory": 1, "reducing": 1.0}


class Played:
    """A line on which this is heard, in order; nobody is there afterwards."""

    def __init__(self, *heard: object) -> None:
        self.heard, self.stopped = list(heard), list[int]()

    def hear(self, seconds: float) -> Heard | None:  # noqa: ARG002
        if not self.heard:
            return None
        one = self.heard.pop(0)
        if one is CTRL_C:
            raise KeyboardInterrupt
        assert isinstance(one, Heard)
        return one

    def stop(self, number: int) -> None:
        self.stopped.append(number)

    def ended(self) -> str | None:
        return "Signal 9" if not self.heard else None

    def last_words(self) -> str:
        return "Signal 9"


def hello(number: int, attempt: int = 0, index: int | None = None) -> Heard:
    return Heard(number, {"hello": number % 2 if index is None else index, "process": 10 + number, "attempt": attempt})


def step(number: int, at: int) -> Heard:
    progress = {"step": at, "total": 100, "loss": 1.0, "score": None, "best": None}
    return Heard(number, {"told": "stepped", "given": ["run", progress]})


def done(number: int, worker: int | None = None) -> Heard:
    return Heard(number, {"done": {"worker": number % 2 if worker is None else worker, **COST}})


def watch(*heard: object, ear: Ear | None = None) -> Watch:
    return Watch(Played(*heard), "run", 2, 8, ear or Ear())


def said(number: int, **message: Any) -> Heard:
    found: Mapping[str, Any] = message
    return Heard(number, found)


def test_all_go_through() -> None:
    ear = Ear()
    one = watch(
        hello(0), hello(1), said(0, told="note", given=["a note"]), step(0, 1), step(0, 9), done(1), done(0), ear=ear
    )
    costs = watched(one)
    assert [(cost.worker, cost.run, cost.reducing) for cost in costs] == [(0, "run", 1.0), (1, "run", 1.0)]
    assert costs[0].share == 0.25
    assert costs[0].rows is not None
    assert costs[0].rows > 0
    assert ear.notes == ["a note"]


def test_a_lost_worker_is_said_and_all_go_on() -> None:
    ear = Ear()
    again = (hello(2, 1), hello(3, 1), said(2, told="note", given=["a note"]), step(2, 6), done(2), done(3))
    watched(watch(hello(0), hello(1), step(0, 5), Heard(1, None), Heard(0, None), *again, ear=ear))
    assert ear.notes == ["run: worker 1 (process 11) was lost", "run: all 2 workers go on from the last checkpoint"]


def test_what_was_given_up_is_not_heard() -> None:
    late = said(1, failed=told_of(ValueError("of the attempt before")))
    watched(watch(hello(0), hello(1), hello(2, 1), hello(3, 1), late, done(2), done(3)))


def test_lost_again_and_again_without_a_step_between() -> None:
    heard = [hello(0), hello(1), step(0, 3)]
    for attempt in range(1, IN_VAIN + 2):
        heard += [hello(2 * attempt, attempt), hello(2 * attempt + 1, attempt), step(2 * attempt, 2)]
    one = watch(*heard, done(0))
    with pytest.raises(WorkersError, match=r"lost 3 times without a step between.*--resume.*Signal 9"):
        watched(one)
    assert one.attempt == IN_VAIN + 1  # the first one had brought steps


def test_steps_between_start_the_count_anew() -> None:
    heard = [hello(0), hello(1)]
    for attempt in range(1, 3 * IN_VAIN):
        heard += [step(2 * attempt - 2, attempt), hello(2 * attempt, attempt), hello(2 * attempt + 1, attempt)]
    last = 2 * (3 * IN_VAIN - 1)
    assert len(watched(watch(*heard, done(last), done(last + 1)))) == 2


def test_nobody_is_there_any_more() -> None:
    with pytest.raises(WorkersError, match="The last that was heard of them: Signal 9"):
        watched(watch(hello(0), hello(1)))


@pytest.mark.parametrize("error", [NonFiniteLossError("at step 3"), OutOfTime(), MemoryError("none left")])
def test_an_error_of_a_worker_is_the_call_s(error: Exception) -> None:
    with pytest.raises(type(error)) as found:
        watched(watch(hello(0), hello(1), said(0, failed=told_of(error))))
    assert str(found.value) == str(error)


def test_an_error_that_nobody_expected_names_the_worker() -> None:
    with pytest.raises(WorkersError, match=r"Worker 1 failed: TypeError: no number"):
        watched(watch(hello(0), hello(1), said(1, failed=told_of(TypeError("no number")))))


def test_ctrl_c_asks_worker_0_to_keep_what_there_is() -> None:
    one = watch(hello(1), hello(0), step(0, 1), CTRL_C, done(0), done(1))
    watched(one)
    assert isinstance(one.line, Played)
    assert one.line.stopped == [0]
    assert one.stopped


@pytest.mark.parametrize(
    "heard",
    [
        [CTRL_C],
        [hello(0), hello(1), CTRL_C, CTRL_C, done(0)],
        [hello(0), hello(1), CTRL_C, said(0, stopped=True)],
        [hello(0), hello(1), CTRL_C, Heard(1, None), hello(2, 1)],
    ],
    ids=["before there are any", "twice", "with nothing to keep", "while one is lost"],
)
def test_ctrl_c_ends_it(heard: list[object]) -> None:
    with pytest.raises(KeyboardInterrupt):
        watched(watch(*heard))


def test_a_warning_is_the_call_s() -> None:
    with pytest.warns(UserWarning, match="look out"):
        watched(watch(hello(0), hello(1), said(0, warning="look out"), done(0), done(1)))
