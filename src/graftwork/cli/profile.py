"""`graft profile`: what a table is like before anything is trained on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graftwork.cli.arguments import Device, Encoding, check_paths, one_or_named, pairs_of
from graftwork.cli.data_options import Ignore, Inputs, Join, Kinds, Roles, Seed, Target, TaskName
from graftwork.terminal import say, say_json, tell


def add_commands(app: typer.Typer) -> None:
    """Put the command into `app`."""
    app.command("profile")(profile)


def profile(
    train: Annotated[Path, typer.Argument(help="csv, tsv, json lines, parquet (also .gz), xlsx, a folder or zip")],
    target: Target = None,
    test: Annotated[Path | None, typer.Option(help="test table: what of it training knows, and how it differs")] = None,
    inputs: Inputs = None,
    join: Join = None,
    ignore: Ignore = None,
    role: Roles = None,
    kind: Kinds = None,
    task: TaskName = None,
    base: Annotated[
        list[str] | None, typer.Option(help="base whose features are looked at; or COLUMN=BASE, image=BASE")
    ] = None,
    features: Annotated[
        bool, typer.Option("--features/--no-features", help="without features: seconds, and no label errors")
    ] = True,
    drop: Annotated[
        str | None,
        typer.Option(
            help="rows to leave out: duplicates,near-duplicates,conflicts,overlap,label-errors,unusable; with --clean"
        ),
    ] = None,
    clean: Annotated[
        Path | None, typer.Option(help="csv, tsv, jsonl or parquet to write without them; a log is written beside it")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="print only the findings, as JSON")] = False,
    out: Annotated[Path | None, typer.Option(help="HTML page to write")] = None,
    seed: Seed = None,
    on_bad_rows: Annotated[
        str, typer.Option("--on-bad-rows", help="skip: rows that can't be used are a finding; or fail")
    ] = "skip",
    encoding: Encoding = None,
    device: Device = "auto",
) -> None:
    """Say what a labelled table is like, and what to settle before training. Trains nothing."""
    check_paths([train, test])
    from graftwork.data.quality.checks import known_choice
    from graftwork.deploy.predict import check_out
    from graftwork.deploy.profile import cleaning_of, profile_data
    from graftwork.recipe import Recipe
    from graftwork.runs.job.data_arguments import DataArguments
    from graftwork.runs.listener import Listener
    from graftwork.runs.watching import Watching

    if out is not None:
        check_out(out, train, kinds=("html",))
    data = DataArguments(
        train=train,
        test=test,
        target=target,
        inputs=inputs,
        join=join or (),
        ignore=ignore or (),
        roles=pairs_of(role, "--role"),
        kinds=pairs_of(kind, "--kind"),
        on_bad_rows=known_choice(on_bad_rows),
        encoding=encoding,
    )
    recipe = Recipe(
        base=one_or_named(base, "--base") or "auto", task=one_or_named(task, "--task") or "auto", seed=seed or 0
    )
    cleaning = cleaning_of(train, [drop] if drop else [], clean)
    if json:
        found = profile_data(data, recipe, cleaning, features=features, listener=Listener())
        say_json(found.to_json())
    else:
        with Watching() as watching:
            found = profile_data(data, recipe, cleaning, features=features, listener=watching)
        say("\n".join(found.lines()))
    if out is not None:
        found.write(out)
        tell(f"page: {out}")
