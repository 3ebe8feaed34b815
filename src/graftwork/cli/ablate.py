"""`graft ablate`: what each technique, input column or value of a setting brings, by runs with and without it."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graftwork.cli.ablate_rl import ablate_policy, check_no_env_options, is_of_environment
from graftwork.cli.arguments import (
    BadRows,
    Device,
    Encoding,
    TrackWith,
    check_paths,
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
    Target,
    TaskName,
    Unlabelled,
    Valid,
    With,
)
from graftwork.errors import UsageError
from graftwork.shown import counted
from graftwork.terminal import say, say_json, say_table, tell

if TYPE_CHECKING:
    from graftwork.recipe import Recipe
    from graftwork.runs.ablation.ablate import Asking
    from graftwork.runs.ablation.ablation import Ablation
    from graftwork.runs.job.data_arguments import DataArguments


def add_commands(app: typer.Typer) -> None:
    """Put the command into `app`."""
    app.command()(ablate)


def ablate(
    context: typer.Context,
    run: Annotated[
        Path | None,
        typer.Argument(help="the folder of a run or of a policy, or a table with --recipe or --with; none with --env"),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(help="of a run: FILE in place of its training table, or valid=FILE, unlabelled=FILE"),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(help="leave-one-out (the default), add-one-in, shapley (and interactions), between (settings)"),
    ] = None,
    between: Annotated[
        list[str] | None,
        typer.Option(help="SETTING=VALUE+VALUE to compare: lr=1e-4+3e-4, lora.rank=4+16; repeat for several"),
    ] = None,
    columns: Annotated[bool, typer.Option("--columns", help="also train without each input column")] = False,
    repeats: Annotated[
        int | None, typer.Option(help="seeds and splits to repeat it on (default 10; verdicts need 5)")
    ] = None,
    budget: Annotated[str | None, typer.Option(help="wall time: 10m, 1h; as many repeats as it has time for")] = None,
    equal: Annotated[str, typer.Option(help="what all runs get the same of: steps, or seconds")] = "steps",
    race: Annotated[bool, typer.Option("--race", help="no further repeats of what is decided")] = False,
    keep: Annotated[
        Path | None, typer.Option(help="also train the recipe without what did not earn its place, into this folder")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="print it as JSON")] = False,
    out: Annotated[Path | None, typer.Option(help="folder for the page, the table and the data; default: none")] = None,
    cluster: OnCluster = None,
    insecure: Insecure = False,
    track: TrackWith = None,
    target: Target = None,
    inputs: Inputs = None,
    join: Join = None,
    ignore: Ignore = None,
    role: Roles = None,
    kind: Kinds = None,
    task: TaskName = None,
    metric: Metric = None,
    valid: Valid = None,
    unlabelled: Unlabelled = None,
    base: Base = None,
    techniques: With = None,
    classes: Annotated[Path | None, typer.Option(help="table with columns name and description, as for fit")] = None,
    settings: Set = None,
    recipe: RecipeFile = None,
    allow_code: AllowCode = None,
    seed: Seed = None,
    on_bad_rows: BadRows = "fail",
    encoding: Encoding = None,
    env: Annotated[
        str | None, typer.Option(help="gymnasium environment to learn in, in place of a table; see graft rl")
    ] = None,
    algorithm: Annotated[str | None, typer.Option(help="with --env: ppo, a2c, dqn or sac, with settings")] = None,
    steps: Annotated[int | None, typer.Option(help="with --env: steps of each run")] = None,
    demonstrations: Annotated[Path | None, typer.Option(help="with --env: table to learn from first")] = None,
    normalise: Annotated[bool, typer.Option("--normalise", help="with --env: scale numbers and rewards")] = False,
    device: Device = "auto",
) -> None:
    """Show what each technique of a run brings: runs with and without it on the same rows, verdicts with intervals."""
    if is_of_environment(run, env):
        ablate_policy(context)
        return
    check_no_env_options(context)
    if run is None:
        raise UsageError("Name the folder of a run, or a table with --with TECHNIQUE; or an environment: --env ID.")
    check_paths([valid, unlabelled, classes] + ([] if run.expanduser().is_dir() else [run]))
    seconds = seconds_of(budget) if budget is not None else None
    from graftwork.data.quality.checks import known_choice
    from graftwork.runs.ablation.ablate import Asking
    from graftwork.runs.ablation.asked import data_of, is_run, recipe_to_train
    from graftwork.runs.job.data_file import named_tables
    from graftwork.runs.workspace import check_free

    asking = Asking(
        method=method,  # type: ignore[arg-type]  # checked there
        between=between or (),
        columns=columns,
        repeats=repeats,
        budget=seconds,
        equal=equal,  # type: ignore[arg-type]
        race=race,
    )
    begin = recipe_to_train(run, allow_code or ()) if is_run(run) and recipe is None else None
    given = recipe_of(recipe, base, task, metric, techniques, settings, seed, begin, allow_code)
    chosen = with_classes(given, classes)
    options = {
        "target": target,
        "inputs": inputs,
        "join": join or (),
        "ignore": ignore or (),
        "roles": pairs_of(role, "--role"),
        "kinds": pairs_of(kind, "--kind"),
        "valid": valid,
        "unlabelled": unlabelled,
        "encoding": encoding,
    }
    options |= {} if known_choice(on_bad_rows) == "fail" else {"on_bad_rows": on_bad_rows}
    tables = data_of(run, options, named_tables(data) if data else None, with_test=keep is not None)
    check_free(keep)  # not only after all runs of the ablation
    if keep is not None and out is not None and keep.resolve() == out.resolve():
        raise UsageError(f"--keep and --out are both {out}. Name two folders: one for the model, one for the page.")
    found = _measured(tables, chosen, asking, context.obj, out, track, cluster=cluster, insecure=insecure)
    if json:
        say_json(found.to_json())
    else:
        print_ablation(found, out)
    if keep is not None:
        _keep(tables, found, keep)


def print_ablation(found: Ablation, out: Path | None) -> None:
    """A line a comparison, and what it comes to in words."""
    from graftwork.evidence.ablation.table import interaction_rows, table_rows

    over = f"over {counted(found.repeats, 'repeat')}"
    say_table(table_rows(found.findings, found.scale), f"what each brings, in {found.scale.what}, {over}")
    if found.interactions:
        say_table(interaction_rows(found.interactions, found.scale), "what two bring together beyond what each brings")
    sentences = [one.sentence for one in found.findings] + [one.sentence for one in found.interactions]
    say("\n".join(filter(None, [*sentences, found.outcome.check])))
    if found.failed:
        say(f"{counted(len(found.failed), 'run')} failed: {found.failed[-1].failed}")
    if found.dropped or found.ignored:
        left = ", ".join([*found.dropped, *found.ignored])
        say(f"Not shown to earn its place: {left}. Train without: the same command with --keep FOLDER.")
    if out is not None:
        say(f"ablation: {out / 'ablation.html'}")


def _measured(
    tables: DataArguments,
    recipe: Recipe,
    asking: Asking,
    began: float,
    out: Path | None,
    track: str | None,
    *,
    cluster: str | None,
    insecure: bool,
) -> Ablation:
    """Raises Exit with the code 130 where Ctrl-C stopped it."""
    from graftwork.runs.ablation.ablate import ablate_data
    from graftwork.runs.watching import Watching

    with Watching() as console:
        try:
            return ablate_data(
                tables,
                recipe,
                asking,
                listener=console,
                began=began,
                out=out,
                cluster=cluster,
                insecure=insecure,
                track=track,  # type: ignore[arg-type]  # checked there
                command=shlex.join(["graft", *sys.argv[1:]]),
            )
        except KeyboardInterrupt:
            tell("Stopped. Finished runs are kept: the same command goes on from there.")
            raise typer.Exit(130) from None


def _keep(tables: DataArguments, found: Ablation, folder: Path) -> None:
    """Train what earned its place."""
    from functools import partial

    from graftwork.cli.arguments import commands_of
    from graftwork.cli.training import train_and_print
    from graftwork.runs.fit import fit_data

    out = [*found.dropped, *found.ignored]
    tell(f"training without {', '.join(out)}" if out else "training the recipe as it is: nothing is left out")
    data = replace(tables, ignore=[*tables.ignore, *found.ignored])
    commands = commands_of(sys.argv[1:], folder, found.pruned().code)
    train = partial(fit_data, data, found.pruned(), out=folder, **commands)
    train_and_print(lambda console: train(listener=console), folder, "model")
