"""The scores of the old task on a report's page: before and after its base was trained further."""

from __future__ import annotations

from collections.abc import Sequence

from graftwork.evidence.forgetting import Remembered
from graftwork.evidence.page.tables import Grid, Value
from graftwork.evidence.words import line


def remembered_table(found: Sequence[Remembered]) -> Grid | None:
    """A metric a row, the one that counts first; None where nothing was to be remembered."""
    rows = [
        (
            Value(f"{line(one.target)}: {score.display}" if len(found) > 1 else score.display),
            Value(score.value_text, score.value, small=score.interval_text),
            Value(one.after[name].value_text, one.after[name].value, small=one.after[name].interval_text),
        )
        for one in found
        for name, score in one.before.items()
        if name in one.after
    ]
    if not rows:
        return None
    head = ("Score of the old task", "Before", "After")
    return Grid("The old head on the base as it was, and as it is now", head, tuple(rows), frozenset({1, 2}))
