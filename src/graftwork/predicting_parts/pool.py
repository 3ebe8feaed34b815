"""Processes that do one part of the work at a time: told in lines of JSON, replaced when they end, never left behind.

Plain child processes of this Python (`subprocess`), not `multiprocessing`: nothing is pickled, and a script needs no
`if __name__ == "__main__"`. Each ends by itself as soon as nobody holds the other end of its input any more.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from graftwork import errors
from graftwork.progress import SILENT, Screen
from graftwork.threads import THREADS, WAITING, usable

TRIES = 2
"""Processes that a part may end before it is given up."""
STARTS = 3
"""Processes in a row that may end before they are ready, each in the place of the one before."""
AHEAD = 2
"""Parts that a process holds at a time where there are many, so that it never waits for the next one."""
SHOWN_ERROR = 500
"""Characters of what a process wrote before it ended, at most."""


class PartLost(errors.WorkerError):
    """A part has ended each process that took it. part: its number. tries: how many. how: the last one ended."""

    def __init__(self, part: int, tries: int, how: str) -> None:
        super().__init__(f"part {part}: {how}")
        self.part, self.tries, self.how = part, tries, how


@dataclass(eq=False)
class _Process:
    """given: numbers of the parts that it holds, the first one is at work. ready: it has answered once."""

    index: int
    popen: subprocess.Popen[bytes]
    error: IO[bytes]
    given: deque[int] = field(default_factory=deque)
    ready: bool = False
    reader: threading.Thread | None = None

    def send(self, message: Mapping[str, Any]) -> None:
        """A line; one that has ended meanwhile is met where its output ends."""
        assert self.popen.stdin is not None
        with suppress(OSError):
            self.popen.stdin.write(json.dumps(message).encode() + b"\n")
            self.popen.stdin.flush()

    def how_it_ended(self) -> str:
        """For a reader; waits until it has."""
        code = self.popen.wait()
        self.error.seek(0)
        last = self.error.read().decode(errors="replace").strip()[-SHOWN_ERROR:]
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        return f"{how}{': ' if last else ''}{last}"


class Pool:
    """`count` processes of a module that calls `served`. on: is told when one ended and was replaced."""

    def __init__(self, module: str, count: int, on: Screen = SILENT) -> None:
        self._module, self._on = module, on
        self._told: list[Mapping[str, Any]] = []
        self._replies: queue.Queue[tuple[_Process, bytes]] = queue.Queue()
        self._unready = Counter[int]()
        self._processes: list[_Process] = []
        try:
            for index in range(count):
                self._processes.append(self._start(index, count))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._processes)

    def tell(self, message: Mapping[str, Any]) -> None:
        """What every process has to know before its first part; those that replace one are told too."""
        self._told.append(message)
        for process in self._processes:
            process.send(message)

    def at_work(self) -> list[str]:
        """What each process that has a part is about, for a reader."""
        return [f"worker {one.index}: part {one.given[0] + 1}" for one in self._processes if one.given]

    def keep(self, count: int) -> None:
        """End those that are too many."""
        while len(self._processes) > count:
            _end(self._processes.pop())

    def results(self, parts: Mapping[int, Mapping[str, Any]]) -> Iterator[tuple[int, str, dict[str, Any]]]:
        """What the processes answer, in any order, with the number of the part and who it was: {"done": part, …} once
        for each part, and {"at": part, …} as often as it says how far it is.

        Raises `PartLost` for a part that ended `TRIES` processes, WorkerError where none can begin, and what a process
        raised itself, if it is an error for users.
        """
        waiting, ended, left = deque(sorted(parts)), Counter[int](), len(parts)
        while left:
            self._hand_out(waiting, parts)
            process, line = self._replies.get()
            if process not in self._processes:  # it was ended, or replaced
                continue
            if not line:
                self._replace(process, waiting, ended)
                continue
            reply: dict[str, Any] = json.loads(line)
            process.ready, self._unready[process.index] = True, 0
            if "failed" in reply:
                raise error_of(reply["failed"])
            if "done" in reply:
                process.given.remove(reply["done"])
                left -= 1
            for said in ("done", "at"):
                if said in reply:
                    yield reply[said], f"worker {process.index}", reply

    def close(self) -> None:
        """End all, whatever they do."""
        self.keep(0)

    def _start(self, index: int, count: int) -> _Process:
        environment = {**WAITING, **os.environ, "GRAFTWORK_WORKER": str(index)}
        if environment.get(THREADS, str(usable())) == str(usable()):  # not the user's own wish
            environment[THREADS] = str(max(1, usable() // count))
        package = str(Path(errors.__file__).parents[1])
        others = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [package, *others]))  # an empty one is this folder
        error = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `_end`
        popen = subprocess.Popen(
            [sys.executable, "-P", "-m", self._module],  # -P: a file in this folder can't pass for a module
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=error,
            env=environment,
            start_new_session=True,  # Ctrl-C is for the process that the user started
        )
        process = _Process(index, popen, error)
        process.reader = threading.Thread(target=self._read, args=(process,), daemon=True)
        process.reader.start()
        for message in self._told:
            process.send(message)
        return process

    def _read(self, process: _Process) -> None:
        assert process.popen.stdout is not None
        with process.popen.stdout as answers:
            for line in answers:
                if line.endswith(b"\n"):
                    self._replies.put((process, line))
        self._replies.put((process, b""))

    def _hand_out(self, waiting: deque[int], parts: Mapping[int, Mapping[str, Any]]) -> None:
        """The first parts to those that hold fewest; towards the end, one each."""
        for held in range(AHEAD):
            for process in self._processes:
                if len(process.given) == held and (len(waiting) > len(self._processes) if held else waiting):
                    part = waiting.popleft()
                    process.given.append(part)
                    process.send({"part": part, **parts[part]})

    def _replace(self, process: _Process, waiting: deque[int], ended: Counter[int]) -> None:
        how = process.how_it_ended()
        if not process.ready:
            self._unready[process.index] += 1
            if self._unready[process.index] == STARTS:
                raise errors.WorkerError(f"A worker ended before it began, {STARTS} times ({how}).")
        elif process.given:
            at_work = process.given[0]
            ended[at_work] += 1
            if ended[at_work] == TRIES:
                raise PartLost(at_work, TRIES, how)
        waiting.extendleft(reversed(process.given))
        self._on.note(f"worker {process.index} ended ({how.splitlines()[0]}); another one does its part again")
        _end(process)
        self._processes[self._processes.index(process)] = self._start(process.index, len(self._processes))


def _end(process: _Process) -> None:
    process.popen.kill()
    process.popen.wait()
    assert process.popen.stdin is not None
    with suppress(OSError):  # it had ended, with something unread
        process.popen.stdin.close()
    process.error.close()
    if process.reader is not None:
        process.reader.join(timeout=10)


def error_of(told: Mapping[str, str]) -> errors.GraftworkError:
    """What a process raised, as the same error."""
    kind = getattr(errors, told["kind"], None)
    if isinstance(kind, type) and issubclass(kind, errors.GraftworkError):
        return kind(told["text"])
    return errors.WorkerError(f"A worker failed: {told['kind']}: {told['text']}")
