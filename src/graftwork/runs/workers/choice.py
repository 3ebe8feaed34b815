"""Who makes the runs of a call: this process, or several workers of this machine."""

from __future__ import annotations

import shlex

from graftwork.recipe import Recipe
from graftwork.runs.single import RunOne, run_single
from graftwork.runs.workers.checks import check_here, check_number


def run_of(workers: int, asked: Recipe) -> RunOne:
    """What makes the runs of a recipe by so many workers. Raises UsageError for a number that can't be,
    and where this machine can't run several; warns where there are fewer cores."""
    check_number(workers)
    if workers == 1:
        return run_single
    check_here(workers)
    from graftwork.runs.workers.over_workers import OverWorkers

    return OverWorkers(workers, asked).run


def repeating(command: str | None, *, by_workers: bool) -> str | None:
    """The command that repeats the run that was kept: without --workers where one process made it, since its recipe
    names now what nobody had named, and several workers may refuse that."""
    if command is None or by_workers:
        return command
    words = shlex.split(command)
    if OPTION in words:
        at = words.index(OPTION)
        del words[at : at + 2]
    return shlex.join(word for word in words if not word.startswith(f"{OPTION}="))


OPTION = "--workers"
