"""More labelled rows: what they should bring, by the learning curve, and which rows of a pool to label first."""

from __future__ import annotations

from pathlib import Path

from graftwork.data.load import Source, load_like
from graftwork.data.table import Table
from graftwork.evidence.advice.advice import Item
from graftwork.evidence.profile.finding import Finding
from graftwork.evidence.scores.intervals import Interval
from graftwork.networks.manifest import read_manifest_of, schema_of
from graftwork.runs.advice.commands import Commands
from graftwork.shown import counted

LABEL = 50
"""Rows of a pool that are picked where no number is named."""


def read_pool(run: Path, source: Source) -> Table:
    """Rows without labels, with the columns that the run reads; those that can't be read are left out.

    Raises DataError for a column that is missing, or where no row can be read; ModelError where there is no model.
    """
    loaded = load_like(source, schema_of(read_manifest_of(run)), with_target=False, on_bad_rows="skip")
    loaded.warn()
    return loaded.table


def row_items(curve: Finding | None, commands: Commands, pool: str | None, label: int) -> tuple[list[Item], list[str]]:
    """curve: the finding of `learning_curve`. pool: unlabelled rows, where they are a file. label: how many to pick."""
    forecast = list(curve.numbers.get("forecast", ())) if curve is not None else []
    command = commands.label(pool, label)
    if not forecast:
        said = curve.sentences[0] if curve is not None else "No probe tells what more rows would bring."
        if pool is None:
            return [], [said]
        return [Item("rows", f"Label {counted(label)} of {pool}: those the model learns most from.", command)], [said]
    double = forecast[0]
    now = int(curve.numbers["rows"]) if curve is not None else 0
    gain = Interval(*(float(double[name]) for name in ("gain", "gain_low", "gain_high")))
    which = f"of {pool}" if pool else "of a table without labels (POOL.csv)"
    text = (
        f"Label more rows, those {which} first that the model learns most from. The gain is that of "
        f"{int(double['rows']):,} rows in place of {now:,}."
    )
    measured = f"forecast by a probe's learning curve, measured on {curve.numbers['scored_on']}" if curve else ""
    return [Item("rows", text, command, gain, measured)], []
