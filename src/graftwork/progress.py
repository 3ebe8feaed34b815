"""Progress on stderr: a bar in a terminal and in a notebook, elsewhere a plain line now and then.

Whatever takes long is told a `Screen` and says there what it is about; it never asks. `screen()` chooses one.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, TextIO

from graftwork.shown import shown, shown_line

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

EVERY = 15.0
"""Seconds between two lines where there is no terminal."""
REDRAWN = 0.25
"""Seconds between two drawings of a bar in a notebook."""


class Screen:
    """Shows nothing; subclasses show what they are told."""

    def note(self, text: str) -> None:
        """A line that stays, or several."""

    def doing(self, what: str) -> None:
        """A phase whose length is not known begins: reading a table, writing a report. It ends the one before."""

    def show(self, name: str, done: int, total: int, unit: str, state: str = "") -> None:
        """So much of `name` is done: 120 of 600 steps. state: what else to say of it."""

    def forget(self, name: str) -> None:
        """`name` is done, or given up."""

    def table(self, drawn: Callable[[], Any]) -> None:
        """What is known so far, for rich to draw above all else, in place of the last one; gone with the screen."""

    def counting(self, name: str, unit: str) -> Callable[[int, int], None]:
        """What to call with how many are done of how many."""
        return lambda done, total: self.show(name, done, total, unit)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


SILENT = Screen()


def screen() -> Screen:
    """The screen of this process, to be used in a `with`: bars in a notebook or a terminal that can draw them, else
    lines. A second one at the same time writes lines."""
    if in_notebook():
        return Notebook()
    terminal = sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM", "") not in ("dumb", "unknown")
    return Bars() if terminal and not _DRAWN.locked() else Lines()


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    found = sys.modules.get("IPython")
    shell = found.get_ipython() if found is not None else None
    return getattr(shell, "kernel", None) is not None


@dataclass
class Doing:
    """What is being done: since when (`time.monotonic()`), and how far it is; a total of 0 is not known."""

    name: str
    began: float = field(default_factory=time.monotonic)
    done: int = 0
    total: int = 0
    unit: str = ""
    state: str = ""

    def text(self) -> str:
        """In one line, with the time that it took so far and the time that it may still take."""
        spent = time.monotonic() - self.began
        if not self.total:
            return f"{self.name}: {clock(spent)} so far"
        left = f", about {clock(spent / self.done * (self.total - self.done))} left" if self.done else ""
        state = f", {self.state}" if self.state else ""
        return f"{self.name}: {self.done:,} of {self.total:,} {self.unit}{state}, {clock(spent)} so far{left}"


def clock(seconds: float) -> str:
    """A time as a clock shows it.

    >>> clock(7.4), clock(75), clock(3700)
    ('0:07', '1:15', '1:01:40')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class _Tasks(Screen):
    """Keeps what is being done, the last one told last."""

    def __init__(self) -> None:
        self._tasks: dict[str, Doing] = {}
        self._phase = ""

    def doing(self, what: str) -> None:
        self.forget(self._phase)
        self._phase = what
        self._tasks[what] = Doing(what)

    def show(self, name: str, done: int, total: int, unit: str, state: str = "") -> None:
        self.forget(self._phase)
        one = self._tasks.pop(name, None) or Doing(name)
        one.done, one.total, one.unit, one.state = done, total, unit, state
        self._tasks[name] = one

    def forget(self, name: str) -> None:
        self._tasks.pop(name, None)


class Lines(_Tasks):
    """Notes and phases as lines; between them, one every `every` seconds says how far things are."""

    def __init__(self, stream: TextIO | None = None, every: float = EVERY) -> None:
        super().__init__()
        self._stream, self._every = stream, every
        self._lock, self._end = threading.RLock(), threading.Event()
        self._last = time.monotonic()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._stream = self._stream or sys.stderr
        self._thread = threading.Thread(target=self._tick, name="graftwork progress", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        if self._thread is not None:
            self._thread.join()

    def note(self, text: str) -> None:
        self._write(shown(text))

    def doing(self, what: str) -> None:
        with self._lock:
            super().doing(what)
        self._write(shown_line(what))

    def show(self, name: str, done: int, total: int, unit: str, state: str = "") -> None:
        with self._lock:
            super().show(name, done, total, unit, state)

    def forget(self, name: str) -> None:
        with self._lock:
            super().forget(name)

    def _tick(self) -> None:
        while not self._end.wait(min(1.0, self._every / 2)):
            with self._lock:
                last = next(reversed(self._tasks.values()), None)
            if last is not None and time.monotonic() - self._last >= self._every:
                self._write(shown_line(last.text()))

    def _write(self, line: str) -> None:
        stream = self._stream or sys.stderr
        if stream is None:  # a program without a console
            return
        self._last = time.monotonic()
        try:
            stream.write(line + "\n")
            stream.flush()
        except (OSError, ValueError):  # nobody reads it any more: no reason to lose the run
            pass


_DRAWN = threading.Lock()
"""Held by the bars that are on the terminal: two would draw over each other."""


class Bars(Screen):
    """A bar for each thing that is being done, below the notes. They disappear once it is done."""

    def __init__(self) -> None:
        import rich.console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
        from rich.progress import TimeRemainingColumn as Left

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[count]}", markup=False),
            TimeElapsedColumn(),
            Left(),
            TextColumn("{task.fields[state]}", markup=False),
        )
        console = rich.console.Console(stderr=True, highlight=False, soft_wrap=True)
        self._above: Any = None

        class Below(Progress):
            """The bars, below a table where there is one."""

            def get_renderables(inside) -> Iterable[Any]:
                return [*filter(None, [self._above]), *super().get_renderables()]

        self._progress: Progress = Below(*columns, console=console, transient=True)
        self._tasks: dict[str, TaskID] = {}
        self._phase = ""
        self._drawn = False

    def __enter__(self) -> Self:
        self._drawn = _DRAWN.acquire(blocking=False)
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
        if self._drawn:
            _DRAWN.release()

    def note(self, text: str) -> None:
        self._progress.console.print(shown(text), markup=False)

    def doing(self, what: str) -> None:
        self.forget(self._phase)
        self._phase = what
        self._tasks[what] = self._progress.add_task(shown_line(what), total=None, state="", count="")

    def show(self, name: str, done: int, total: int, unit: str, state: str = "") -> None:
        if name not in self._tasks:
            self.forget(self._phase)
            self._tasks[name] = self._progress.add_task(shown_line(name), total=total, state="", count="")
        task, told, count = self._tasks[name], shown_line(state or unit), f"{done:,}/{total:,}"
        self._progress.update(task, completed=done, total=total, state=told, count=count)

    def table(self, drawn: Callable[[], Any]) -> None:
        self._above = drawn()

    def forget(self, name: str) -> None:
        if name in self._tasks:
            self._progress.remove_task(self._tasks.pop(name))


class Notebook(_Tasks):
    """Notes as printed lines; below them a bar for each thing that is being done, as HTML that needs no widgets."""

    def __init__(self) -> None:
        super().__init__()
        self._handle: Any = None
        self._drawn = 0.0

    def __exit__(self, *_: object) -> None:
        self._tasks.clear()
        self._draw(at_once=True)

    def note(self, text: str) -> None:
        print(shown(text), flush=True)  # noqa: T201  stderr is red in notebooks

    def doing(self, what: str) -> None:
        super().doing(what)
        self._draw(at_once=True)

    def show(self, name: str, done: int, total: int, unit: str, state: str = "") -> None:
        new = name not in self._tasks
        super().show(name, done, total, unit, state)
        self._draw(at_once=new)

    def _draw(self, *, at_once: bool) -> None:
        from html import escape

        from IPython.display import display

        now = time.monotonic()
        if not at_once and now - self._drawn < REDRAWN:
            return
        self._drawn = now
        lines = [shown_line(one.text()) for one in self._tasks.values()]
        bars = [
            f"<progress value='{one.done}' max='{one.total}'></progress>" if one.total else ""
            for one in self._tasks.values()
        ]
        rows = [f"<div>{bar} {escape(line)}</div>" for bar, line in zip(bars, lines, strict=True)]
        data = {"text/plain": "\n".join(lines), "text/html": "".join(rows)}
        if self._handle is None:
            self._handle = display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)
