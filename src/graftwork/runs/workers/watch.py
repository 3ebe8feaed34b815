"""What the driver does while workers train: hears what they say, sees who is lost, stops them where its user says so.

How they are started, and how they and the driver talk, is not known here (`Line`).
"""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from graftwork.errors import WorkersError
from graftwork.evidence.workers import WorkerCost
from graftwork.runs.listener import Listener
from graftwork.runs.workers.faults import raised
from graftwork.runs.workers.heard import Heard
from graftwork.runs.workers.telling import hand_on
from graftwork.shown import counted

IN_VAIN = 3
"""Restarts in a row without a step more than before, after which it is over."""
LAST_WORDS = 10.0
"""Seconds that the others have, once the first worker is done, to say what they cost."""
SAID_ONCE = ("note", "began", "planned")
"""What workers that were started again need not tell again."""


class Line(Protocol):
    """How the driver and its workers talk."""

    def hear(self, seconds: float) -> Heard | None:
        """The next that was said; None where nobody said anything for so long."""

    def stop(self, number: int) -> None:
        """Ask a worker to stop where it is, and to keep what there is."""

    def ended(self) -> str | None:
        """What was said last where all are gone and nobody starts them again; None while that is not so."""

    def last_words(self) -> str:
        """What may tell why workers are lost; empty where nothing does."""


@dataclass
class Watch:
    """A run of several workers as its driver sees it. name: of the run. batch: rows of a step.

    connected: what each worker said of itself, by the number of its connection. attempt: how often all were started
    again. furthest: the step that was reached before that. in_vain: attempts in a row that reached no further.
    steps: when the first and the last step of this attempt came, and which those were. done: what each worker cost.
    """

    line: Line
    name: str
    count: int
    batch: int
    listener: Listener
    connected: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    attempt: int = 0
    furthest: int = 0
    in_vain: int = 0
    stopped: bool = False
    steps: list[tuple[float, int]] = field(default_factory=list)
    done: dict[int, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def costs(self) -> tuple[WorkerCost, ...]:
        """Of the workers that have said it."""
        found = sorted(self.done.values(), key=lambda one: int(one["worker"]))
        return tuple(WorkerCost(run=self.name, rows=self._speed(), **one) for one in found)

    def _speed(self) -> float | None:
        if len(self.steps) < 2 or self.steps[1][1] == self.steps[0][1]:
            return None
        (begun, first), (ended, last) = self.steps
        return (last - first) * self.batch / max(ended - begun, 1e-9)


def watched(watch: Watch) -> tuple[WorkerCost, ...]:
    """Until worker 0 says that all is done; what each cost.

    Raises KeyboardInterrupt where Ctrl-C comes before there is anything to keep, and at the second one, WorkersError
    where workers are lost again and again without a step between, and whatever a worker raised.
    """
    until = None
    while until is None or (len(watch.done) < watch.count and time.monotonic() < until):
        try:
            heard = watch.line.hear(0.5)
            if heard is not None:
                _take(watch, heard)
            elif watch.line.ended() is not None and 0 not in watch.done:
                raise _lost(watch, watch.line.ended() or "")
        except KeyboardInterrupt:
            _stop(watch)
        if 0 in watch.done and until is None:
            until = time.monotonic() + LAST_WORDS
    return watch.costs


def _stop(watch: Watch) -> None:
    """Ctrl-C: worker 0 is asked to keep what there is. Raised again where there is none yet, or at the second one."""
    leading = [number for number, hello in watch.connected.items() if hello["hello"] == 0]
    if watch.stopped or not leading:
        raise KeyboardInterrupt
    watch.stopped = True
    watch.listener.note(f"{watch.name}: stopping, and keeping what there is")
    for number in leading:
        watch.line.stop(number)


def _take(watch: Watch, heard: Heard) -> None:
    """One thing more that was heard."""
    if heard.message is None:
        _gone(watch, heard.number)
    elif "hello" in heard.message:
        _came(watch, heard.number, heard.message)
    elif (hello := watch.connected.get(heard.number)) is not None:  # else of one that was given up
        _said(watch, int(hello["hello"]), heard.message)


def _came(watch: Watch, number: int, hello: Mapping[str, Any]) -> None:
    if hello["attempt"] > watch.attempt:
        step = watch.steps[-1][1] if watch.steps else 0
        watch.in_vain = 0 if step > watch.furthest else watch.in_vain + 1
        watch.furthest = max(watch.furthest, step)
        watch.attempt = hello["attempt"]
        for gathered in (watch.connected, watch.steps, watch.done):
            gathered.clear()
        if watch.stopped:
            raise KeyboardInterrupt
        if watch.in_vain >= IN_VAIN:
            raise _lost(watch, watch.line.last_words())
        watch.listener.note(f"{watch.name}: all {watch.count} workers go on from the last checkpoint")
    if hello["attempt"] == watch.attempt:
        watch.connected[number] = hello
        nodes = Counter(one["node"] for one in watch.connected.values() if "node" in one)
        if nodes.total() == watch.count:
            each = ", ".join(f"{many} on {node}" for node, many in sorted(nodes.items()))
            watch.listener.note(f"{watch.name}: {watch.count} workers: {each}")


def _gone(watch: Watch, number: int) -> None:
    hello = watch.connected.pop(number, None)
    if hello is not None and hello["hello"] not in watch.done and len(watch.connected) == watch.count - 1:
        where = f"process {hello['process']}" + (f" on {hello['node']}" if "node" in hello else "")
        watch.listener.note(f"{watch.name}: worker {hello['hello']} ({where}) was lost")


def _said(watch: Watch, index: int, message: Mapping[str, Any]) -> None:
    if "told" in message:
        if message["told"] == "stepped":
            watch.steps[1 if watch.steps else 0 :] = [(time.monotonic(), int(message["given"][1]["step"]))]
        if not watch.attempt or message["told"] not in SAID_ONCE:
            hand_on(message, watch.listener)
    elif "warning" in message:
        warnings.warn(message["warning"], stacklevel=2)
    elif "failed" in message:
        raise raised(message["failed"], index)
    elif "stopped" in message:
        watch.stopped = True  # there was nothing to keep
        raise KeyboardInterrupt
    elif "done" in message:
        watch.done[index] = message["done"]


def _lost(watch: Watch, said: str) -> WorkersError:
    """For workers that can't be had, or are lost again and again."""
    often = f" {counted(watch.in_vain, 'time')} without a step between" if watch.in_vain else ""
    return WorkersError(
        f"{watch.name}: the {watch.count} workers were lost{often}. Often there is too little memory for so many: "
        "take fewer --workers, or a smaller batch. With --out, --resume goes on from the last checkpoint."
        + (f" The last that was heard of them: {said}" if said else "")
    )
