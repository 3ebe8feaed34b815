"""`graft index` and `graft search`: what the command line does with a model of the task retrieval."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graftwork.terminal import tell


def add_commands(app: typer.Typer) -> None:
    """Put the two commands into `app`."""
    for command in (index, search):
        app.command()(command)


def index(
    model: Annotated[Path, typer.Argument(help="folder that fit wrote, of the task retrieval")],
    table: Annotated[Path, typer.Argument(help="csv, tsv, json lines, parquet (also .gz), a folder or zip of files")],
    on_bad_rows: Annotated[str, typer.Option("--on-bad-rows", help="fail, or skip rows that can't be used")] = "fail",
) -> None:
    """Embed the rows of a table, for search; the index lies in the model's folder."""
    import graftwork.model
    from graftwork.data.checks import known_choice

    made = graftwork.model.load(model).index(table, on_bad_rows=known_choice(on_bad_rows))
    tell(f"{len(made):,} {'row' if len(made) == 1 else 'rows'} indexed in {model}")


def search(
    model: Annotated[Path, typer.Argument(help="folder that fit wrote, with an index")],
    query: Annotated[str, typer.Argument(help="a text, or the path of an image or a sound")],
    k: Annotated[int, typer.Option("--k", help="rows to find")] = 5,
    by: Annotated[str | None, typer.Option(help="column that the query is of; found if one alone can hold it")] = None,
    against: Annotated[str | None, typer.Option(help="column that it is compared with; default: the other one")] = None,
    json: Annotated[bool, typer.Option("--json", help="print a JSON object a line")] = False,
) -> None:
    """Find the indexed rows that are most like a query, best first, with their cosines."""
    import graftwork.model
    from graftwork.console import print_hits

    print_hits(graftwork.model.load(model).search(query, k, by=by, against=against), as_json=json)
