"""The command line: argv -> recipe -> call. Heavy imports stay inside the commands, so that --help answers at once."""

from __future__ import annotations

import sys
import time
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graftwork import threads
from graftwork.cli import (
    ablate,
    advise,
    bases,
    cache,
    embed,
    few_shot,
    merge,
    model,
    nearest,
    pretrain,
    profile,
    rl,
    sequence,
    strange,
    sure,
    tune,
    verification,
)
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
    show_warning,
    with_classes,
)
from graftwork.cli.cluster_options import Insecure, OnCluster
from graftwork.cli.data_options import (
    Adapts,
    AllowCode,
    Base,
    Ignore,
    Inputs,
    Join,
    Kinds,
    Metric,
    RecipeFile,
    Remember,
    Roles,
    Seed,
    Set,
    SplitBy,
    Tables,
    Target,
    TaskName,
    Unlabelled,
    Valid,
    With,
)
from graftwork.cli.training import train_and_print
from graftwork.errors import GraftworkError
from graftwork.terminal import say, tell, tell_of

if TYPE_CHECKING:
    from graftwork.recipe import Recipe
    from graftwork.runs.job.data_arguments import DataArguments

app = typer.Typer(
    name="graft",
    help="Adapt a foundation model to your task by combining techniques in one run, and see what each one brought.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        say(f"graftwork {version('graftwork')}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    debug: Annotated[
        bool, typer.Option("--debug", help="show the traceback of an error; works behind any command")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", help="print the version", callback=_version, is_eager=True)
    ] = False,
) -> None:
    del debug, version  # main() and the callback have looked at them already
    context.obj = time.monotonic()  # before anything heavy is loaded: a budget counts from here


@app.command(
    "plan",
    help="Show what fit would do with the same arguments: techniques, what is trained, cost. Trains nothing.",
)
@app.command("fit", help="Adapt a base to a table of labelled rows; write the model and its report.")
def fit_or_plan(
    context: typer.Context,
    train: Tables,
    target: Target = None,
    inputs: Inputs = None,
    join: Join = None,
    ignore: Ignore = None,
    role: Roles = None,
    kind: Kinds = None,
    task: TaskName = None,
    metric: Metric = None,
    valid: Valid = None,
    test: Annotated[Path | None, typer.Option(help="test table, scored at the end; plan does not read it")] = None,
    unlabelled: Unlabelled = None,
    remember: Remember = None,
    other: Annotated[
        str | None,
        typer.Option(help="label of rows that are none of the classes: they teach from where on a row is none"),
    ] = None,
    split_by: SplitBy = None,
    adapt_to_held_out: Adapts = False,
    base: Base = None,
    techniques: With = None,
    classes: Annotated[
        Path | None,
        typer.Option(help="table with columns name and description: the head begins from what classes are called"),
    ] = None,
    settings: Set = None,
    recipe: RecipeFile = None,
    allow_code: AllowCode = None,
    budget: Annotated[
        str | None,
        typer.Option(help="wall time of the whole command: 60s, 5m, 1h; plan says what it allows"),
    ] = None,
    seed: Seed = None,
    out: Annotated[
        Path | None, typer.Option(help="folder for model, report and checkpoints; default: runs/NAME; not for plan")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on with the unfinished run in --out")] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            help="processes that train together, each a part of every batch: of this machine (1 unless said), or, with "
            "--cluster, of its machines (one for each GPU unless said, without GPUs one for each machine)"
        ),
    ] = None,
    cluster: OnCluster = None,
    insecure: Insecure = False,
    track: TrackWith = None,
    on_bad_rows: BadRows = "fail",
    encoding: Encoding = None,
    device: Device = "auto",
) -> None:
    planned = context.info_name == "plan"
    check_paths([*train, valid, test, unlabelled, remember, classes])
    chosen = recipe_of(recipe, base, task, metric, techniques, settings, seed, allow_code=allow_code)
    chosen = with_classes(chosen, classes)
    seconds = seconds_of(budget) if budget is not None else None
    folder = out if out is not None or planned else free_folder(train, resume)
    from graftwork.data.quality.checks import known_choice
    from graftwork.runs.job.data_arguments import DataArguments

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
        remember=remember,
        other=other,
        split_by=split_by,  # type: ignore[arg-type]  # checked there
        adapt_to_held_out=adapt_to_held_out,
        on_bad_rows=known_choice(on_bad_rows),
        encoding=encoding,
    )
    if folder is None or planned:
        _plan(data, chosen, seconds, workers, cluster=cluster, insecure=insecure)
    else:
        from graftwork.runs.fit import fit_data

        commands = commands_of(sys.argv[1:], folder, chosen.code)
        options = {"budget": seconds, "out": folder, "resume": resume, "track": track, "began": context.obj}
        options |= {"workers": workers, "cluster": cluster, "insecure": insecure}
        fitting = partial(fit_data, data, chosen, **options, **commands)
        train_and_print(lambda console: fitting(listener=console), folder, "model")


def _plan(
    data: DataArguments,
    recipe: Recipe,
    budget: float | None,
    workers: int | None,
    *,
    cluster: str | None,
    insecure: bool,
) -> None:
    from graftwork.cli.console import print_plans
    from graftwork.runs.fit import plan_data
    from graftwork.runs.watching import Watching

    with Watching() as console:
        plans = plan_data(
            data, recipe, budget=budget, workers=workers, cluster=cluster, insecure=insecure, listener=console
        )
    print_plans(plans, budget)


@app.command("list")
def list_(
    what: Annotated[str, typer.Argument(help="bases, techniques, tasks, heads or metrics")],
    json: Annotated[bool, typer.Option("--json", help="print the list as JSON")] = False,
) -> None:
    """List what is there to choose from."""
    from graftwork.cli.lists import print_list

    print_list(what, as_json=json)


for part in (
    tune,
    profile,
    ablate,
    advise,
    model,
    sure,
    strange,
    embed,
    nearest,
    verification,
    few_shot,
    merge,
    sequence,
    rl,
    pretrain,
    bases,
    cache,
):
    part.add_commands(app)


def main() -> None:
    """Entry point of `graft`. Exit codes: 0 fine, 1 failed, 2 wrong use, 130 stopped by Ctrl-C."""
    threads.prepare()  # before anything loads torch
    debug = "--debug" in sys.argv
    sys.argv = [argument for argument in sys.argv if argument != "--debug"]
    try:
        with warnings.catch_warnings():
            warnings.showwarning = show_warning
            app(standalone_mode=True)
    except SystemExit as end:
        if isinstance(getattr(end.__context__, "__cause__", None), KeyboardInterrupt):  # typer says nothing of Ctrl-C
            tell("Stopped.")
        raise
    except KeyboardInterrupt:
        tell("Stopped.")
        sys.exit(130)
    except GraftworkError as error:
        if debug:
            raise
        tell_of("error", error)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.exit(1)
    except Exception as error:
        if debug:
            raise
        from graftwork.data.store.cache import full_disk

        full = full_disk(error)
        if full:
            tell(f"error: {full}")
            sys.exit(1)
        tell_of("error", f"{type(error).__name__}: {error}")
        tell("This was not expected. Repeat the command with --debug to see where it happened.")
        sys.exit(1)


if __name__ == "__main__":
    main()
