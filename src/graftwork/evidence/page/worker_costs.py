"""What each worker of a run cost, on a report's page."""

from __future__ import annotations

from collections.abc import Sequence

from graftwork.evidence.page.tables import Grid, Value
from graftwork.evidence.words import duration, line
from graftwork.evidence.workers import WorkerCost


def worker_costs(costs: Sequence[WorkerCost]) -> Grid | None:
    """A worker a row; None where all was done by one process."""
    rows = tuple(
        (
            Value(line(f"{one.run}, worker {one.worker}")),
            Value(line(one.node)),
            Value(duration(one.wall_seconds), one.wall_seconds),
            Value(duration(one.cpu_seconds), one.cpu_seconds),
            Value("" if one.memory is None else f"{one.memory / 2**20:,.0f} MiB", float(one.memory or 0)),
            Value(f"{100 * one.share:.0f} %", one.share),
        )
        for one in costs
    )
    head = ("Worker", "Machine", "Time", "Processor time", "Peak memory", "Adding up, and waiting")
    return Grid("What each worker cost", head, rows, frozenset({2, 3, 4, 5})) if rows else None
