"""`Ear`: a listener that keeps what it hears of runs, and can stop one of them at a chosen moment."""

from __future__ import annotations

from graftwork.core.fit import Progress
from graftwork.runs.listener import Listener


class Ear(Listener):
    """notes, names of the runs, (run, step) of each step. Raises `error` in the run `stop`: after its step `step`, or
    when it has been planned where `step` is 0."""

    def __init__(self, stop: str = "", step: int = 0, error: type[BaseException] = KeyboardInterrupt) -> None:
        self.notes: list[str] = []
        self.names: list[str] = []
        self.steps: list[tuple[str, int]] = []
        self._stop, self._error = (stop, step), error

    def note(self, text: str) -> None:
        self.notes.append(text)

    def planned(self, name: str, plan: str) -> None:  # noqa: ARG002
        self.names.append(name)
        if (name, 0) == self._stop:
            raise self._error

    def stepped(self, name: str, progress: Progress) -> None:
        self.steps.append((name, progress.step))
        if (name, progress.step) == self._stop:
            raise self._error
