"""What the command line says of unusual rows: options of `graft predict`, and `graft reference`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graftwork.cli.arguments import Device, Encoding
from graftwork.errors import UsageError
from graftwork.progress import screen
from graftwork.shown import counted
from graftwork.terminal import tell

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
    """Put the command into `app`."""
    app.command()(reference)


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
