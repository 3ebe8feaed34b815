"""Keeping a run to its time: steps are timed as they go, and a run that would end too late is shortened."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection

from graftwork.core.clock.course import Course

Left = Callable[[], float]
"""Seconds that are left, of whatever clock the budget is counted by; infinite without one."""
WINDOW = 32
"""Steps over which the time of a step is averaged."""
SURE, PASSED = 3, 0.2
"""Steps that must have been seen, and the share of the time that must have passed, before anything is decided: the
first steps are slow by themselves, and what is cut off is not put back."""
TOLERATED = 0.02
"""A run that would be late by less than this share of what is left is not shortened."""


class OutOfTime(Exception):
    """There is no time for what was begun; the run is left out."""


class Pace:
    """The clock of one run. left: until the last step and the last validation should be over. least: steps that are
    made whatever the clock says. evaluation: seconds that scoring validation takes. decided: is told every cut."""

    def __init__(self, left: Left, *, least: int, evaluation: float, decided: Callable[[Course], None]) -> None:
        self._left, self._least, self._evaluation, self._decided = left, least, evaluation, decided
        self._seconds: deque[float] = deque(maxlen=WINDOW)
        self._last, self._next = left(), 0
        self._whole = self._last

    def after_step(self, step: int, course: Course, evaluate_at: Collection[int]) -> Course:
        """The course from here on. evaluate_at: the steps after which validation is scored."""
        left = self._left()
        self._seconds.append(max(self._last - left, 0.0))
        self._last = left
        if step < self._next or len(self._seconds) < SURE or step >= course.end:
            return course
        if left > (1 - PASSED) * self._whole:
            return course
        each = sum(self._seconds) / len(self._seconds)
        scoring = self._evaluation * sum(at >= step for at in evaluate_at)
        if (course.end - step) * each + scoring <= left + TOLERATED * max(left, 0.0):
            return course
        # One validation has to be: the last one. What is left beside those that are planned goes to steps.
        fit = max(left - scoring, min(left - self._evaluation, left / 2)) / max(each, 1e-9)
        end = max(step + max(int(fit), 0), min(self._least, course.end))
        self._next = step + max(SURE, (end - step) // 4)
        if end >= course.end:
            return course
        shorter = course.cut(step, end)
        self._decided(shorter)
        return shorter

    def after_evaluation(self) -> None:
        """Validation was scored: that is no part of the next step, and says what the next scoring will take."""
        left = self._left()
        self._evaluation = max(self._last - left, 0.0)
        self._last = left
