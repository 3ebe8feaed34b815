"""`graft embed`: the rows of a table as vectors, by a base or by a model that was tuned."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graftwork.cli.arguments import Device, Encoding, check_paths, one_or_named
from graftwork.progress import screen
from graftwork.shown import counted
from graftwork.terminal import tell


def add_commands(app: typer.Typer) -> None:
    """Put the command into `app`."""
    app.command()(embed)


def embed(
    table: Annotated[Path, typer.Argument(help="csv, tsv, json lines, parquet (also .gz), xlsx, a folder or zip")],
    out: Annotated[Path, typer.Option(help="parquet (the rows with a column `embedding`) or npy to write")],
    base: Annotated[
        list[str] | None, typer.Option(help="a base, or a folder that fit wrote; or COLUMN=BASE; default: as in fit")
    ] = None,
    inputs: Annotated[
        list[str] | None,
        typer.Option(help="column to embed; repeat for several; all but numbers if not given"),
    ] = None,
    encoding: Encoding = None,
    device: Device = "auto",
) -> None:
    """Embed each row of a table: one vector a row and input, in order. Trains nothing."""
    from graftwork.data.read.decoding import with_encoding

    check_paths([table])
    with screen() as on:
        from graftwork.deploy.embed import embed_file

        named = one_or_named(base, "--base") or "auto"
        source = with_encoding(table, encoding)
        widths, rows, unread = embed_file(source, out, base=named, inputs=inputs, on=on)
    sizes = ", ".join(f"{name}: {width:,} numbers" for name, width in widths.items())
    tell(f"{counted(rows)} embedded into {out} ({sizes})")
    if unread:
        tell(f"{unread:,} of them could not be read: their numbers are NaN")
