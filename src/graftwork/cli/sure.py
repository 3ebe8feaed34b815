"""`graft calibrate`: labelled rows by which a model can promise something of its predictions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graftwork.cli.arguments import BadRows, Device, Encoding, one_or_named
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
    metric: Annotated[
        list[str] | None,
        typer.Option(help="classes, label sets: choose thresholds by half of the rows, such as macro_f1"),
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

    bad_rows, asked = known_choice(on_bad_rows), one_or_named(metric, "--metric")
    with SILENT if json else screen() as on:
        on.doing(f"reading {table}")  # before torch is loaded, which takes seconds
        schema = schema_of(read_manifest_of(model))
        read = load_like(with_encoding(table, encoding), schema, with_target=True, on_bad_rows=bad_rows)
        for note in read.notes:
            on.note(note)
        on.doing("loading the model")
        import graftwork.model

        loaded = graftwork.model.load(model)
        calibrated = loaded.on().calibrated_on_table(read.table, asked, on.counting("predicting", "rows"))
        folder = calibrated.save(model if out is None else out)
    _print(calibrated, folder, asked, as_json=json)


def _print(model: Model, folder: Path, asked: str | dict[str, str] | None, *, as_json: bool) -> None:
    from graftwork.evidence.sure.measured import measured
    from graftwork.evidence.sure.thresholds import decision, metrics_asked

    known, tasks = model.calibration, model.tasks
    found = {target: measured(tasks[target], rows) for target, rows in known.items()}
    named = {} if asked is None else metrics_asked(tasks, asked)
    decided = {name: decision(tasks[name], known[name], metric) for name, metric in named.items() if name in known}
    if as_json:
        told = {name: {"decision": one.to_json()} for name, one in decided.items()}
        say_json({target: one.to_json() | told.get(target, {}) for target, one in found.items()})
        return
    for target, one in found.items():
        if len(found) > 1:
            say(f"{target}:")
        if target in decided:
            say(decided[target].sentence())
        for line in one.sentences():
            say(line)
        for rows, title in one.tables():
            say_table(rows, title)
    say(f"model: {folder}")
