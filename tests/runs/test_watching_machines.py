"""Where runs are made is shown beside them, and gone when they are done."""

from __future__ import annotations

from graftwork.evidence.tune.trials import Trial
from graftwork.progress import Screen
from graftwork.runs.watching import Watching


class Seen(Screen):
    def __init__(self) -> None:
        self.bars: list[str] = []
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def show(self, name: str, done: int, total: int, unit: str, state: str = "") -> None:
        del done, total, unit, state
        if name not in self.bars:
            self.bars.append(name)

    def forget(self, name: str) -> None:
        if name in self.bars:
            self.bars.remove(name)


def test_where_runs_are_made() -> None:
    seen = Seen()
    watching = Watching(seen)
    watching.placed("one", "node-1")
    watching.placed("two", "node-2")
    assert seen.bars == ["node-1: one", "node-2: two"]
    watching.placed("one", "node-2")
    assert seen.bars == ["node-2: two", "node-2: one"]
    watching.placed("two", "")
    assert seen.bars == ["node-2: one"]
    watching.tried(Trial(3, "one", "searched", "paused", {}, rungs=((10, 0.5),), steps=90), "4 of 9 trials")
    assert seen.bars == []
    assert "(node-2, 4 of 9 trials)" in seen.notes[0]
