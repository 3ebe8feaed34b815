"""What `graft evaluate --robust` does: accuracy under attack and corruption, as tables and as a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import rich.box
import rich.markup
from rich.table import Table

from graftwork import console
from graftwork.errors import UsageError

if TYPE_CHECKING:
    from graftwork.evidence.robustness.measure import Robustness
    from graftwork.model import Model


def evaluate_robust(
    model: Model, table: Path, on_bad_rows: str, settings: str | None, folder: Path, *, as_json: bool
) -> None:
    """Measure, write the report into `folder`, and show it."""
    import typer

    from graftwork.data.checks import known_choice
    from graftwork.runs.robustness import robustness

    watch = None if as_json else lambda text: typer.echo(f"trying: {text}", err=True)
    found = robustness(model, table, settings or "", out=folder, on_bad_rows=known_choice(on_bad_rows), watch=watch)
    if as_json:
        print(json.dumps(found.to_json(), ensure_ascii=False))  # noqa: T201
    else:
        print_robustness(found, folder)


def print_robustness(found: Robustness, folder: Path) -> None:
    """A table for each attack and for the corruptions of each input, and what to doubt."""
    from graftwork.evidence.robustness.report import attack_rows, corruption_rows, title

    for one in found.attacked:
        _print(title(one), attack_rows(one))
    for each in found.corrupted:
        _print(title(each), corruption_rows(each))
    for note in found.notes:
        console.OUT.print(f"note: {note}", markup=False)
    console.OUT.print(f"report: {folder / 'robustness.html'}", markup=False)


def check_alone(robust: bool, settings: str | None, out: Path | None, episodes: bool) -> None:
    """Raise UsageError for options that don't go together."""
    for option, value in (("--robust-set", settings), ("--out", out)):
        if value is not None and not robust:
            raise UsageError(f"{option} is for a measurement of robustness. Give --robust too, or leave it out.")
    if out is not None and out.exists() and not out.is_dir():
        raise UsageError(f"--out {out} is a file. Name a folder.")
    if robust and episodes:
        raise UsageError("--robust and --episodes are two measurements. Give one of them.")


def _print(title: str, rows: list[tuple[str, ...]]) -> None:
    shown = Table(box=rich.box.SIMPLE_HEAD, title=rich.markup.escape(title), title_justify="left", title_style="")
    for heading in rows[0]:
        shown.add_column(heading)
    for row in rows[1:]:
        shown.add_row(*map(rich.markup.escape, row))
    console.OUT.print(shown)
