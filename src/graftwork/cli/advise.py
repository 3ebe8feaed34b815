"""`graft advise`: what to do next with a run, ranked, with the gain that was measured and the command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graftwork.cli.arguments import Device, check_paths
from graftwork.errors import UsageError
from graftwork.terminal import say, say_json

if TYPE_CHECKING:
    from graftwork.evidence.advice.advice import Advice


def add_commands(app: typer.Typer) -> None:
    """Put the command into `app`."""
    app.command()(advise)


def advise(
    run: Annotated[Path, typer.Argument(help="folder that fit wrote")],
    data: Annotated[
        list[str] | None, typer.Option(help="FILE in place of its training table, or valid=FILE, where they moved")
    ] = None,
    unlabelled: Annotated[
        Path | None, typer.Option(help="rows without labels, of which some are to be labelled")
    ] = None,
    label: Annotated[int | None, typer.Option(help="how many of them to pick; default: 50")] = None,
    out: Annotated[Path | None, typer.Option(help="csv, tsv, jsonl or parquet to write the picked rows to")] = None,
    json: Annotated[bool, typer.Option("--json", help="print it as JSON")] = False,
    device: Device = "auto",
) -> None:
    """Say what to do next with a run: rows to label, labels in doubt, other bases, techniques, classes."""
    if (label is not None or out is not None) and unlabelled is None:
        raise UsageError("--label and --out pick rows to label: name the table of rows without labels, --unlabelled.")
    check_paths([unlabelled])
    from graftwork.deploy.advise import advise as advised
    from graftwork.runs.advice.rows import LABEL
    from graftwork.runs.job.data_file import named_tables
    from graftwork.runs.listener import Listener

    found = advised(
        run,
        data=named_tables(data) if data else None,
        unlabelled=unlabelled,
        label=LABEL if label is None else label,
        out=out,
        listener=Listener() if json else None,
    )
    if json:
        say_json(found.to_json())
    else:
        print_advice(found)


def print_advice(found: Advice) -> None:
    """Item by item."""
    say("\n".join(found.lines()))
