"""`graft calibrate`: labelled rows by which a model can promise something of its predictions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graftwork.cli.arguments import BadRows, Device, Encoding
from graftwork.progress import SILENT, screen
from graftwork.terminal import say, say_json, say_table

if TYPE_CHECKING:
    from graftwork.model import Model

Table = Annotated[Path, typer.Argument(help="labelled rows that the model has not learned from, nor was chosen by")]


def add_commands(app: typer.Typer) -> None:
    """Put the command into `app`."""
    app.command()(calibrate)


def calibrate(
    model: Annotated[Path, typer.Argument(help="folder that fit wrote")],
    table: Table,
    out: Annotated[
        Path | None, typer.Option(help="folder for the calibrated model; default: MODEL itself, which is replaced")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="print only what was found, as JSON")] = False,
    on_bad_rows: BadRows = "fail",
    encoding: Encoding = None,
    device: Device = "auto",
) -> None:
    """Rest the sets, intervals and abstention of `graft predict` on labelled rows; say what they can promise."""
    from graftwork.data.load import load_like
    from graftwork.data.quality.checks import known_choice
    from graftwork.data.read.decoding import with_encoding
    from graftwork.networks.manifest import read_manifest_of, schema_of

    bad_rows = known_choice(on_bad_rows)
    with SILENT if json else screen() as on:
        on.doing(f"reading {table}")  # before torch is loaded, which takes seconds
        schema = schema_of(read_manifest_of(model))
        read = load_like(with_encoding(table, encoding), schema, with_target=True, on_bad_rows=bad_rows)
        for note in read.notes:
            on.note(note)
        on.doing("loading the model")
        import graftwork.model

        loaded = graftwork.model.load(model)
        calibrated = loaded.on().calibrated_on_table(read.table, on.counting("predicting", "rows"))
        folder = calibrated.save(model if out is None else out)
    _print(calibrated, folder, as_json=json)


def _print(model: Model, folder: Path, *, as_json: bool) -> None:
    from graftwork.evidence.sure.measured import measured

    found = {target: measured(model.tasks[target], rows) for target, rows in model.calibration.items()}
    if as_json:
        say_json({target: one.to_json() for target, one in found.items()})
        return
    for target, one in found.items():
        if len(found) > 1:
            say(f"{target}:")
        for line in one.sentences():
            say(line)
        for rows, title in one.tables():
            say_table(rows, title)
    say(f"model: {folder}")
