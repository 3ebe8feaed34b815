"""`graft predict`: a saved model and a table in, the table with predictions out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Table = Annotated[Path, typer.Argument(help="csv, tsv, json lines, parquet (also .gz), a folder or zip of files")]
Added = Annotated[
    list[str] | None,
    typer.Option("--with", help="technique at prediction, such as tta:views=4 or tent; repeat for several"),
]


def predict(
    model: Annotated[Path, typer.Argument(help="folder that fit wrote")],
    table: Table,
    out: Annotated[Path, typer.Option(help="csv, tsv, jsonl or parquet to write")],
    proba: Annotated[bool, typer.Option("--proba", help="add a column with the probability of each class")] = False,
    spreadsheet_safe: Annotated[
        bool,
        typer.Option("--spreadsheet-safe", help="csv, tsv: a ' before texts that a spreadsheet takes for formulas"),
    ] = False,
    techniques: Added = None,
) -> None:
    """Predict each row of a table: one output row per input row, in order, original columns kept."""
    from graftwork.deploy.predict import predict_file

    rows, unreadable = predict_file(
        model, table, out, proba=proba, spreadsheet_safe=spreadsheet_safe, techniques=techniques or ()
    )
    typer.echo(f"{rows:,} {'row' if rows == 1 else 'rows'} predicted into {out}", err=True)
    if unreadable:
        typer.echo(
            f"{unreadable:,} of them could not be read: the prediction is empty, see the column 'reason'", err=True
        )
