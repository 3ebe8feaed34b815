"""What the command line says of unusual rows: options of `graft predict`, `graft drift` and `graft reference`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graftwork.cli.arguments import Device, Encoding
from graftwork.errors import UsageError
from graftwork.progress import SILENT, screen
from graftwork.shown import counted, shown_json
from graftwork.terminal import say, tell

if TYPE_CHECKING:
    from graftwork.deploy.strange import Strange

Unusual = Annotated[
    bool, typer.Option("--unusual", help="add a column: how unlike the training rows a row is, from 0 to 1")
]
OtherLabel = Annotated[
    str | None, typer.Option("--other", help="label of rows that are none of the classes: those that are too unusual")
]
Beyond = Annotated[
    float | None,
    typer.Option("--beyond", help="with --other: how unusual those are, from 0 to 1; default: 0.99"),
]


def strange_of(unusual: bool, other: str | None, beyond: float | None) -> Strange:
    """What is asked of unusual rows. Raises UsageError for a threshold without a label, or out of its range."""
    from graftwork.deploy.strange import NOT_ASKED, Strange

    if beyond is not None and other is None:
        raise UsageError("--beyond says which rows get the label of --other: name that too.")
    if other is None:
        return Strange(unusual) if unusual else NOT_ASKED
    from graftwork.evidence.strange.other import Other

    return Strange(unusual, Other(other, beyond))


def add_commands(app: typer.Typer) -> None:
    """Put the two commands into `app`."""
    for command in (drift, reference):
        app.command()(command)


def drift(
    model: Annotated[Path, typer.Argument(help="folder that fit wrote")],
    table: Annotated[Path, typer.Argument(help="rows to compare with those it was trained on; no labels needed")],
    alpha: Annotated[
        float, typer.Option(help="of tables that are like the training rows, the share that is said to differ at most")
    ] = 0.01,
    json: Annotated[bool, typer.Option("--json", help="print only the comparisons, as JSON")] = False,
    encoding: Encoding = None,
    device: Device = "auto",
) -> None:
    """Say whether a table differs from the rows that a model was trained on: by column, by features, by predictions."""
    from graftwork.cli.arguments import check_paths
    from graftwork.data.read.decoding import with_encoding

    check_paths([table])
    with SILENT if json else screen() as on:
        from graftwork.deploy.drift import drift_of_file

        found = drift_of_file(model, with_encoding(table, encoding), alpha, on)
    if json:
        say(shown_json(found.to_json()))
        return
    for line in found.lines():
        say(line)


def reference(
    model: Annotated[Path, typer.Argument(help="folder that fit wrote")],
    table: Annotated[Path, typer.Argument(help="rows like those it was trained on, best others than those")],
    encoding: Encoding = None,
    device: Device = "auto",
) -> None:
    """Give a model that has none a reference: what its training rows were like, so that it can say what is unusual."""
    from graftwork.cli.arguments import check_paths
    from graftwork.data.read.decoding import with_encoding

    check_paths([table])
    with screen() as on:
        on.doing("loading the model")
        from graftwork.deploy.reference import add_reference

        rows = add_reference(model, with_encoding(table, encoding), on)
    tell(f"{model} keeps {counted(rows)} of {table} as its reference")
