"""Who makes the runs of a call: this process, or several workers of this machine."""

from __future__ import annotations

from graftwork.runs.single import RunOne, run_single
from graftwork.runs.workers.checks import check_here, check_number


def run_of(workers: int) -> RunOne:
    """What makes a run by so many workers. Raises UsageError for a number that can't be, and where this machine can't
    run several; warns where there are fewer cores."""
    check_number(workers)
    if workers == 1:
        return run_single
    check_here(workers)
    from graftwork.runs.workers.over_workers import OverWorkers

    return OverWorkers(workers).run
