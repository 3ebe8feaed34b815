"""`graft merge` and `graft soup`: several saved models become one, without training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graftwork.cli.arguments import BadRows
from graftwork.progress import screen

if TYPE_CHECKING:
    from graftwork.runs.merging.merge import Mixed

Models = Annotated[list[Path], typer.Argument(help="folders that fit wrote: two or more")]
Out = Annotated[Path, typer.Option(help="folder to write the model and its report to")]


def add_commands(app: typer.Typer) -> None:
    """Put the two commands into `app`."""
    for command in (merge, soup):
        app.command()(command)


def merge(
    models: Models,
    out: Out,
    method: Annotated[str, typer.Option(help="average, task-arithmetic, ties, or auto: the best on --on")] = "average",
    on: Annotated[
        list[Path] | None,
        typer.Option(help="validation table with its target, one for each model in their order: settings are chosen"),
    ] = None,
    test: Annotated[
        list[Path] | None, typer.Option(help="the same for the scores of the report; left out, it scores --on")
    ] = None,
    scale: Annotated[float | None, typer.Option(help="factor on what training added to the base")] = None,
    density: Annotated[float | None, typer.Option(help="share of it that ties keeps of each model")] = None,
    on_bad_rows: BadRows = "fail",
) -> None:
    """Merge models of different domains or tasks that were trained from one base; the base must still be there."""
    from graftwork.data.quality.checks import known_choice
    from graftwork.runs.merging.merge import merge as run

    bad_rows = known_choice(on_bad_rows)
    with screen() as shown:
        mixed = run(
            models,
            method=method,
            on=on,
            test=test,
            scale=scale,
            density=density,
            out=out,
            on_bad_rows=bad_rows,
            watch=shown.doing,
        )
    _print(mixed, out)


def soup(
    runs: Models,
    out: Out,
    valid: Annotated[Path | None, typer.Option(help="validation table that chooses the runs; greedy needs it")] = None,
    method: Annotated[str, typer.Option(help="greedy: as many runs as help on --valid; uniform: all")] = "greedy",
    test: Annotated[Path | None, typer.Option(help="table for the scores of the report")] = None,
    on_bad_rows: BadRows = "fail",
) -> None:
    """Average runs of one task and base into one model that predicts at the cost of one."""
    from graftwork.data.quality.checks import known_choice
    from graftwork.runs.merging.soup import soup as run

    bad_rows = known_choice(on_bad_rows)
    with screen() as shown:
        mixed = run(runs, valid=valid, method=method, test=test, out=out, on_bad_rows=bad_rows, watch=shown.doing)
    _print(mixed, out)


def _print(mixed: Mixed, folder: Path) -> None:
    from graftwork.cli.console import print_mixed

    print_mixed(mixed.report, folder)
