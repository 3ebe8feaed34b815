"""`graft tune`: a table and a budget in, the best combination of base, techniques and settings out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from graftwork.cli.arguments import (
    BadRows,
    Device,
    Encoding,
    TrackWith,
    check_paths,
    commands_of,
    free_folder,
    pairs_of,
    recipe_of,
    seconds_of,
    with_classes,
)
from graftwork.cli.cluster_options import Insecure, OnCluster
from graftwork.cli.data_options import (
    AllowCode,
    Base,
    Ignore,
    Inputs,
    Join,
    Kinds,
    Metric,
    RecipeFile,
    Roles,
    Seed,
    Set,
    Tables,
    Target,
    TaskName,
    Unlabelled,
    Valid,
    With,
)
from graftwork.terminal import say, say_json, tell

if TYPE_CHECKING:
    from graftwork.runs.tune.choosing.tuned import Tuned

OWN = ("--trials", "--try-base", "--try-with", "--latency", "--size", "--folds", "--batch", "--track", "--cluster")
FLAGS = ("--pareto", "--resume", "--new", "--json", "--insecure")
"""Options that `graft fit`, which repeats what was chosen, does not have or need; the first ones have a value."""


def add_commands(app: typer.Typer) -> None:
    """Put the command into `app`."""
    app.command()(tune)


def tune(
    context: typer.Context,
    train: Tables,
    budget: Annotated[
        str | None, typer.Option(help="wall time of the whole command: 2m, 1h; 10m without it and without --trials")
    ] = None,
    trials: Annotated[int | None, typer.Option(help="how many to run, ensembles and soups of them not counted")] = None,
    try_base: Annotated[
        list[str] | None,
        typer.Option(
            help="base to try beside fit's, COLUMN=BASE of several inputs; repeat; default: those here that suit"
        ),
    ] = None,
    try_with: Annotated[
        list[str] | None,
        typer.Option(help="technique to try beside fit's, such as mixup; repeat; default: those that suit the rows"),
    ] = None,
    latency: Annotated[str | None, typer.Option(help="what one row may take here: 5ms")] = None,
    size: Annotated[str | None, typer.Option(help="what the weights may take: 20MB")] = None,
    pareto: Annotated[
        bool, typer.Option("--pareto", help="search for the front of quality, latency and size, not quality alone")
    ] = False,
    folds: Annotated[
        int | None, typer.Option(help="parts by which trials are compared, 1: one split; 5 where few rows validate")
    ] = None,
    batch: Annotated[int, typer.Option(help="trials that are proposed together")] = 4,
    target: Target = None,
    inputs: Inputs = None,
    join: Join = None,
    ignore: Ignore = None,
    role: Roles = None,
    kind: Kinds = None,
    task: TaskName = None,
    metric: Metric = None,
    valid: Valid = None,
    test: Annotated[Path | None, typer.Option(help="test table, scored at the end; it chooses nothing")] = None,
    unlabelled: Unlabelled = None,
    other: Annotated[str | None, typer.Option(help="label of rows that are none of the classes, as for fit")] = None,
    base: Base = None,
    techniques: With = None,
    classes: Annotated[Path | None, typer.Option(help="table with columns name and description, as for fit")] = None,
    settings: Set = None,
    recipe: RecipeFile = None,
    allow_code: AllowCode = None,
    seed: Seed = None,
    out: Annotated[
        Path | None, typer.Option(help="folder for model, reports and the study; default: runs/NAME")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="go on with the study in --out, also with more --trials or time")
    ] = False,
    new: Annotated[bool, typer.Option("--new", help="begin afresh in --out, where an earlier study is")] = False,
    cluster: OnCluster = None,
    insecure: Insecure = False,
    track: TrackWith = None,
    json: Annotated[bool, typer.Option("--json", help="print what was found as JSON")] = False,
    on_bad_rows: BadRows = "fail",
    encoding: Encoding = None,
    device: Device = "auto",
) -> None:
    """Search for the best combination of base, techniques and settings; a whole model is there from the first trial."""
    check_paths([*train, valid, test, unlabelled, classes])
    given = recipe_of(recipe, base, task, metric, techniques, settings, seed, allow_code=allow_code)
    chosen = with_classes(given, classes)
    seconds = seconds_of(budget) if budget is not None else None
    from graftwork.data.quality.checks import known_choice
    from graftwork.evidence.tune.trials import Limits
    from graftwork.runs.job.data_arguments import DataArguments
    from graftwork.runs.tune.asked import Asking, latency_of, size_of
    from graftwork.runs.tune.tune import tune_data

    asking = Asking(
        budget=seconds,
        trials=trials,
        try_base=try_base or (),
        try_with=try_with or (),
        limits=Limits(latency_of(latency), size_of(size)),
        pareto=pareto,
        folds=folds,
        batch=batch,
    )
    data = DataArguments(
        train=train if len(train) > 1 else train[0],
        target=target,
        inputs=inputs,
        join=join or (),
        ignore=ignore or (),
        roles=pairs_of(role, "--role"),
        kinds=pairs_of(kind, "--kind"),
        valid=valid,
        test=test,
        unlabelled=unlabelled,
        other=other,
        on_bad_rows=known_choice(on_bad_rows),
        encoding=encoding,
    )
    folder = out if out is not None else free_folder(train, resume)
    options: dict[str, Any] = {"out": folder, "resume": resume, "new": new, "track": track, "began": context.obj}
    options |= {"cluster": cluster, "insecure": insecure}
    command = fit_command(sys.argv[1:], folder, chosen.code)
    commands = commands_of(sys.argv[1:], folder) | {"command": command}
    tuning = partial(tune_data, data, chosen, asking, **options, **commands)
    _tune_and_print(lambda console: tuning(listener=console), folder, as_json=json)


def fit_command(arguments: Sequence[str], folder: Path, code: Sequence[str] = ()) -> str:
    """The command that trains what was chosen once more, by itself. code: modules that it imports to train.

    >>> fit_command(["tune", "t.csv", "--trials", "9", "--target=y", "--size=2MB", "--new"], Path("runs/t"))
    'graft fit t.csv --target=y --recipe runs/t/recipe.yaml --out runs/t-again'
    """
    kept, skip = [], False
    for argument in arguments:
        if skip or argument in OWN:
            skip = not skip
        elif argument not in FLAGS and not argument.startswith(tuple(f"{option}=" for option in OWN)):
            kept.append(argument)
    return commands_of(["fit", *kept[1:]], folder, code)["command"]


def _tune_and_print(tuning: Any, folder: Path, *, as_json: bool) -> None:
    """Raises Exit with the code 130 where Ctrl-C stopped it."""
    from graftwork.cli.console import print_result
    from graftwork.networks.manifest import is_model
    from graftwork.runs.tune.folder import holds_study
    from graftwork.runs.watching import Watching

    again = f"Go on with the same command, --out {folder} and --resume (without --new)."
    with Watching() as console:
        try:
            tuned: Tuned = tuning(console)
        except KeyboardInterrupt:
            there = f"{folder} holds the best so far" if is_model(folder) else "there is no model yet"
            tell(f"Stopped: {there}. {again if holds_study(folder) else 'Nothing was tried.'}")
            raise typer.Exit(130) from None
    if as_json:
        say_json(tuned.to_json())
    else:
        print_result(tuned.model, folder)
        say("\n".join(tuned.sentences))
        say(f"search: {folder / 'tune.html'}")
    if tuned.interrupted:
        tell(f"Stopped: this is the best so far. {again}")
        raise typer.Exit(130)
