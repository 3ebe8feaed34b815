"""Settings and what was learned stay apart: a task's constructor takes settings only, `learn` fills the rest."""

from __future__ import annotations

import copy
from typing import TypeVar

from graftwork.tasks.task import Task

T = TypeVar("T", bound=Task)


def with_learned(task: T, **learned: object) -> T:
    """A copy of `task` whose fields marked `init=False` hold what was learned."""
    fresh = copy.copy(task)
    for name, value in learned.items():
        object.__setattr__(fresh, name, value)
    return fresh
