"""What `graft evaluate` shows of parts of the rows: scores by what `--by` names, and groups that are worse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graftwork.errors import UsageError
from graftwork.shown import counted, shown_line, shown_percent
from graftwork.terminal import say, say_table

if TYPE_CHECKING:
    from graftwork.data.table import Table
    from graftwork.evidence.evaluation import Evaluation
    from graftwork.evidence.slices.worse import Search

_MOST = 10


def check_by(by: Sequence[str], *, other: bool) -> None:
    """Raise UsageError where scores by a column are asked of something that is not scored row by row."""
    if by and other:
        raise UsageError("--by scores parts of the rows; it goes neither with --robust nor with --episodes.")


def check_columns(table: Table, by: Sequence[str]) -> None:
    """Raise UsageError for columns that can't be scored by, before torch is loaded, which takes seconds."""
    if by:
        from graftwork.evidence.slices.columns import asked_partition

        for name in by:
            asked_partition(table, name)


def print_parts(found: Evaluation, target: str = "") -> None:
    """A table for each column that was asked for, then the groups that are clearly worse than the other rows."""
    of = f"{shown_line(target)}: " if target else ""
    metric = next(iter(found.scores), "")
    for asked, parts in found.by.items():
        scored = [one for one in parts if metric in one.scores]
        display = scored[0].scores[metric].display if scored else metric
        rows = [(shown_line(asked), "rows", display)]
        for one in parts:
            score = one.scores[metric].text if metric in one.scores else "too few rows to say"
            rows.append((shown_line(one.domain), f"{one.rows:,}", score))
        say_table(rows, f"{of}by {shown_line(asked)}")
    print_worse(found.slices, numbers=not found.classes, of=of)


def print_worse(search: Search, *, numbers: bool, of: str) -> None:
    """A line a group, with rows to look at; nothing where there is none."""
    from graftwork.evidence.words import amount, of_hundred

    if not search.found:
        return
    say(f"{of}clearly worse than the other rows, of {counted(search.looked_at, 'group')} that were looked at:")
    for one in search.found[:_MOST]:
        if numbers:
            told = f"off by {amount(one.bad)} on average (other rows: {amount(one.rest)})"
        else:
            told = f"{of_hundred(1 - one.bad)} right (other rows: {of_hundred(1 - one.rest)})"
        chance = "less than 0.1" if one.p < 0.001 else shown_percent(one.p)
        rows = ", ".join(str(row) for row in one.worst[:3])
        look = f"; look at rows {rows}" if rows else ""
        say(shown_line(f"  where {one.where}: {told}, {counted(one.rows)}; by chance in {chance} %{look}"))
    if len(search.found) > _MOST:
        say(f"  and {len(search.found) - _MOST:,} more")
