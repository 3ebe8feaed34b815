"""What `graft evaluate --robust` does: accuracy under attack and corruption, as tables and as a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from graftwork.errors import UsageError
from graftwork.progress import Screen
from graftwork.terminal import say, say_json, say_table

if TYPE_CHECKING:
    from graftwork.data.table import Table
    from graftwork.evidence.robustness.measure import Robustness
    from graftwork.model import Model


def evaluate_robust(
    model: Model, table: Table, settings: str | None, folder: Path, *, as_json: bool, on: Screen
) -> None:
    """Measure on a table that has been read, write the report into `folder`, and show it."""
    from graftwork.runs.finished.robustness import robustness_of, settings_of

    given = settings_of(settings or "")
    found = robustness_of(model, table, given, out=folder, watch=lambda text: on.doing(f"trying: {text}"))
    if as_json:
        say_json(found.to_json())
    else:
        print_robustness(found, folder)


def print_robustness(found: Robustness, folder: Path) -> None:
    """A table for each attack and for the corruptions of each input, and what to doubt."""
    from graftwork.evidence.robustness.report import attack_rows, corruption_rows, title

    for one in found.attacked:
        say_table(attack_rows(one), title(one))
    for each in found.corrupted:
        say_table(corruption_rows(each), title(each))
    for note in found.notes:
        say(f"note: {note}")
    say(f"report: {folder / 'robustness.html'}")


def check_alone(robust: bool, settings: str | None, out: Path | None, episodes: bool) -> None:
    """Raise UsageError for options that don't go together."""
    for option, value in (("--robust-set", settings), ("--out", out)):
        if value is not None and not robust:
            raise UsageError(f"{option} is for a measurement of robustness. Give --robust too, or leave it out.")
    if out is not None and out.exists() and not out.is_dir():
        raise UsageError(f"--out {out} is a file. Name a folder.")
    if robust and episodes:
        raise UsageError("--robust and --episodes are two measurements. Give one of them.")
