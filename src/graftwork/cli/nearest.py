"""`graft index` and `graft search`: what the command line does with a model of the task retrieval."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Annotated

import typer

from graftwork.cli.arguments import BadRows, Device
from graftwork.errors import ModelError, UsageError
from graftwork.progress import screen
from graftwork.shown import counted
from graftwork.terminal import tell

INDEX = Path("index") / "index.json"
"""What an index has in a model's folder (`graftwork.uses.index`, which takes seconds to import)."""


def add_commands(app: typer.Typer) -> None:
    """Put the two commands into `app`."""
    for command in (index, search):
        app.command()(command)


def index(
    model: Annotated[Path, typer.Argument(help="folder that fit wrote, of the task retrieval")],
    table: Annotated[Path, typer.Argument(help="csv, tsv, json lines, parquet (also .gz), a folder or zip of files")],
    on_bad_rows: BadRows = "fail",
    device: Device = "auto",
) -> None:
    """Embed the rows of a table, for search; the index lies in the model's folder."""
    from graftwork.data.load import load_like
    from graftwork.data.quality.checks import known_choice
    from graftwork.networks.manifest import read_manifest_of, schema_of

    bad_rows = known_choice(on_bad_rows)
    with screen() as on:
        on.doing(f"reading {table}")  # before torch is loaded, which takes seconds
        read = load_like(table, schema_of(read_manifest_of(model)), with_target=False, on_bad_rows=bad_rows)
        for note in read.notes:
            on.note(note)
        on.doing("loading the model")
        import graftwork.model

        made = graftwork.model.load(model).on().searcher().index(read.table, watch=on.counting("indexing", "values"))
    tell(f"{counted(len(made))} indexed in {model}")


def search(
    model: Annotated[Path, typer.Argument(help="folder that fit wrote, with an index")],
    query: Annotated[str, typer.Argument(help="a text, or the path of an image or a sound")],
    k: Annotated[int, typer.Option("--k", help="rows to find")] = 5,
    by: Annotated[str | None, typer.Option(help="column that the query is of; found if one alone can hold it")] = None,
    against: Annotated[str | None, typer.Option(help="column that it is compared with; default: the other one")] = None,
    json: Annotated[bool, typer.Option("--json", help="print a JSON object a line")] = False,
    device: Device = "auto",
) -> None:
    """Find the indexed rows that are most like a query, best first, with their cosines."""
    _check(model, query, k)
    import graftwork.model
    from graftwork.cli.console import print_hits

    print_hits(graftwork.model.load(model).on().searcher().search(query, k, by=by, against=against), as_json=json)


def _check(model: Path, query: str, k: int) -> None:
    """What can be wrong with a search and needs no model to be found."""
    from graftwork.data.read.folders import kind_of
    from graftwork.networks.manifest import read_manifest_of

    read_manifest_of(model)
    if k < 1:
        raise UsageError(f"--k is {k}. Expected 1 or more rows to find.")
    if not (model / INDEX).is_file():
        raise ModelError(f"{model} has no index. Make one: graft index {model} TABLE.")
    if kind_of(PurePath(query)) and not Path(query).expanduser().is_file():
        raise UsageError(f"There is no file {query}, and a query that ends like this names an image or a sound.")
