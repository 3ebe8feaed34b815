"""The command line: argv -> recipe -> call. Heavy imports stay inside the commands, so that --help answers at once."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from graftwork.arguments import free_folder, pairs_of, recipe_of, repeat_command, seconds_of
from graftwork.errors import GraftworkError, UsageError

BEGAN = time.monotonic()

app = typer.Typer(
    name="graft",
    help="Adapt a foundation model to your task by combining techniques in one run, and see what each one brought.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Table = Annotated[Path, typer.Argument(help="csv, tsv, json lines or parquet, also .gz")]
Target = Annotated[str | None, typer.Option(help="column to predict; found by its name if not given")]
Inputs = Annotated[list[str] | None, typer.Option(help="column to read; repeat for several; all if not given")]
Ignore = Annotated[list[str] | None, typer.Option(help="column to leave out; repeat for several")]
Roles = Annotated[list[str] | None, typer.Option("--role", help="ROLE=COLUMN: domain, group, weight or split")]
Kinds = Annotated[
    list[str] | None, typer.Option("--kind", help="COLUMN=KIND: read it as text, image, audio, number or category")
]
TaskName = Annotated[
    str | None, typer.Option("--task", help="classification, multilabel or regression; see list tasks")
]
Metric = Annotated[str | None, typer.Option(help="score that chooses the best model, such as macro_f1")]
Valid = Annotated[
    Path | None, typer.Option(help="validation table; rows are held out of the training table if not given")
]
Base = Annotated[
    list[str] | None,
    typer.Option(help="base to adapt: a name, a folder or a hub id; or COLUMN=BASE, image=BASE"),
]
With = Annotated[
    list[str] | None, typer.Option("--with", help="technique, such as lora:rank=16; repeat; none: plain loop")
]
Set = Annotated[list[str] | None, typer.Option("--set", help="setting, such as lr=1e-4; repeat for several")]
RecipeFile = Annotated[Path | None, typer.Option("--recipe", help="recipe.yaml; options given here change it")]
Seed = Annotated[int | None, typer.Option(help="seed of everything that is drawn (default 0)")]
BadRows = Annotated[str, typer.Option("--on-bad-rows", help="fail, or skip rows without text or label")]


@app.callback()
def debugging(
    debug: Annotated[
        bool, typer.Option("--debug", help="show the traceback of an error; works behind any command")
    ] = False,
) -> None:
    del debug  # main() has looked at it already


@app.command()
def fit(
    train: Table,
    target: Target = None,
    inputs: Inputs = None,
    ignore: Ignore = None,
    role: Roles = None,
    kind: Kinds = None,
    task: TaskName = None,
    metric: Metric = None,
    valid: Valid = None,
    test: Annotated[Path | None, typer.Option(help="test table, scored at the end")] = None,
    base: Base = None,
    techniques: With = None,
    settings: Set = None,
    recipe: RecipeFile = None,
    budget: Annotated[str | None, typer.Option(help="wall time of the whole command: 60s, 5m, 1h")] = None,
    seed: Seed = None,
    out: Annotated[
        Path | None, typer.Option(help="folder for model, report and checkpoints; default: runs/NAME")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on with the unfinished run in --out")] = False,
    on_bad_rows: BadRows = "fail",
) -> None:
    """Adapt a base to a table of labelled rows; write the model and its report."""
    chosen = recipe_of(recipe, base, task, metric, techniques, settings, seed)
    seconds = seconds_of(budget) if budget is not None else None
    folder = out if out is not None else free_folder(train, resume)
    from graftwork.console import Console, print_result
    from graftwork.data.checks import known_choice
    from graftwork.runs.fit import fit as run

    with Console() as console:
        model = run(
            train,
            target=target,
            inputs=inputs,
            ignore=ignore or (),
            roles=pairs_of(role, "--role"),
            kinds=pairs_of(kind, "--kind"),
            valid=valid,
            test=test,
            recipe=chosen,
            budget=seconds,
            out=folder,
            resume=resume,
            on_bad_rows=known_choice(on_bad_rows),
            listener=console,
            command=repeat_command(sys.argv[1:], folder),
            began=BEGAN,
        )
    print_result(model, folder)
    if model.interrupted:
        typer.echo(
            f"Stopped: this is the best so far. Go on with the same command, --out {folder} and --resume.", err=True
        )
        raise typer.Exit(130)


@app.command()
def plan(
    train: Table,
    target: Target = None,
    inputs: Inputs = None,
    ignore: Ignore = None,
    role: Roles = None,
    kind: Kinds = None,
    task: TaskName = None,
    metric: Metric = None,
    valid: Valid = None,
    test: Annotated[Path | None, typer.Option(help="as for fit; not read")] = None,
    base: Base = None,
    techniques: With = None,
    settings: Set = None,
    recipe: RecipeFile = None,
    budget: Annotated[str | None, typer.Option(help="as for fit: how many steps it allows is said")] = None,
    seed: Seed = None,
    out: Annotated[Path | None, typer.Option(help="as for fit; not written")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="as for fit; not looked at")] = False,
    on_bad_rows: BadRows = "fail",
) -> None:
    """Show what fit would do with the same arguments: techniques, what is trained and cached, cost. Trains nothing."""
    del test, out, resume
    chosen = recipe_of(recipe, base, task, metric, techniques, settings, seed)
    seconds = seconds_of(budget) if budget is not None else None
    from graftwork.console import Console, print_plans
    from graftwork.data.checks import known_choice
    from graftwork.runs.fit import plan as make

    with Console() as console:
        plans = make(
            train,
            target=target,
            inputs=inputs,
            ignore=ignore or (),
            roles=pairs_of(role, "--role"),
            kinds=pairs_of(kind, "--kind"),
            valid=valid,
            recipe=chosen,
            on_bad_rows=known_choice(on_bad_rows),
            listener=console,
        )
    print_plans(plans, seconds)


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(help="folder that fit wrote")],
    table: Table,
    out: Annotated[Path, typer.Option(help="csv, tsv, jsonl or parquet to write")],
    proba: Annotated[bool, typer.Option("--proba", help="add a column with the probability of each class")] = False,
) -> None:
    """Predict each row of a table: one output row per input row, in order, original columns kept."""
    from graftwork.deploy.predict import predict_file

    rows, unreadable = predict_file(model, table, out, proba=proba)
    typer.echo(f"{rows:,} {'row' if rows == 1 else 'rows'} predicted into {out}", err=True)
    if unreadable:
        typer.echo(
            f"{unreadable:,} of them could not be read: the prediction is empty, see the column 'reason'", err=True
        )


@app.command()
def evaluate(
    model: Annotated[Path, typer.Argument(help="folder that fit wrote")],
    table: Table,
    json: Annotated[bool, typer.Option("--json", help="print only the scores, as JSON")] = False,
    on_bad_rows: BadRows = "fail",
) -> None:
    """Score a model on labelled rows, with 95 % intervals."""
    import graftwork.model
    from graftwork.console import print_scores
    from graftwork.data.checks import known_choice

    evaluation = graftwork.model.load(model).evaluate(table, on_bad_rows=known_choice(on_bad_rows))
    print_scores(evaluation, as_json=json)


@app.command()
def export(
    model: Annotated[Path, typer.Argument(help="folder that fit wrote")],
    to: Annotated[str, typer.Option(help="transformers")],
    out: Annotated[Path | None, typer.Option(help="folder to write; default: MODEL/export-transformers")] = None,
) -> None:
    """Write a model in the format of another library."""
    if to != "transformers":
        raise UsageError(f"Can't export to '{to}'. Known: transformers.")
    import graftwork.model
    from graftwork.deploy.transformers import export_transformers

    folder = out if out is not None else model / "export-transformers"
    for line in export_transformers(graftwork.model.load(model), folder):
        typer.echo(line)


@app.command("list")
def list_(what: Annotated[str, typer.Argument(help="bases, techniques or tasks")]) -> None:
    """List what is there to choose from."""
    from graftwork.console import print_list

    print_list(what)


def main() -> None:
    """Entry point of `graft`. Exit codes: 0 fine, 1 failed, 2 wrong use, 130 stopped by Ctrl-C."""
    debug = "--debug" in sys.argv
    sys.argv = [argument for argument in sys.argv if argument != "--debug"]
    try:
        app(standalone_mode=True)
    except KeyboardInterrupt:
        typer.echo("Stopped.", err=True)
        sys.exit(130)
    except GraftworkError as error:
        if debug:
            raise
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.exit(1)
    except Exception as error:
        if debug:
            raise
        typer.echo(f"error: {type(error).__name__}: {error}", err=True)
        typer.echo("This was not expected. Repeat the command with --debug to see where it happened.", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
