"""`graft predict`, `evaluate` and `export`: what the command line does with a model on rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graftwork.cli.arguments import BadRows, Device, Encoding, check_paths, one_or_named
from graftwork.cli.cluster_options import Insecure, OnCluster
from graftwork.cli.strange import Beyond, OtherLabel, Unusual, strange_of
from graftwork.data.store.names import inside
from graftwork.errors import UsageError
from graftwork.progress import SILENT, screen
from graftwork.shown import counted
from graftwork.terminal import say, tell

Table = Annotated[Path, typer.Argument(help="csv, tsv, json lines, parquet (also .gz), xlsx, a folder or zip of files")]
Added = Annotated[
    list[str] | None,
    typer.Option("--with", help="technique at prediction, such as tta:views=4 or tent; repeat for several"),
]

Labelled = Annotated[
    Path | None, typer.Argument(help="csv, tsv, json lines, parquet (also .gz), xlsx, a folder or zip of files")
]

CostsOption = Annotated[
    list[str] | None,
    typer.Option("--costs", help="table of what answers cost: true class, then a column a class; or TARGET=costs.csv"),
]


def add_commands(app: typer.Typer) -> None:
    """Put the three commands into `app`."""
    for command in (predict, evaluate, export):
        app.command()(command)


def predict(
    model: Annotated[Path, typer.Argument(help="folder that fit wrote")],
    table: Table,
    out: Annotated[Path, typer.Option(help="csv, tsv, jsonl or parquet to write")],
    proba: Annotated[bool, typer.Option("--proba", help="add a column with the probability of each class")] = False,
    spreadsheet_safe: Annotated[
        bool,
        typer.Option("--spreadsheet-safe", help="csv, tsv: a ' before texts that a spreadsheet takes for formulas"),
    ] = False,
    unusual: Unusual = False,
    other: OtherLabel = None,
    beyond: Beyond = None,
    coverage: Annotated[
        float | None,
        typer.Option(help="add a set of classes (of numbers an interval) that holds the truth so often, such as 0.9"),
    ] = None,
    sets: Annotated[str, typer.Option(help="lac: the smallest sets; aps: larger ones where a row is harder")] = "lac",
    abstain: Annotated[
        float | None,
        typer.Option(help="leave predictions empty, so that of the others at most so many are wrong, such as 0.05"),
    ] = None,
    costs: CostsOption = None,
    techniques: Added = None,
    parts: Annotated[
        bool, typer.Option("--parts", help="write --out as a folder of parquet files, one for each chunk of rows")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(help="processes that compute, such as the cores of this machine; goes on where it was stopped"),
    ] = None,
    cluster: OnCluster = None,
    insecure: Insecure = False,
    encoding: Encoding = None,
    device: Device = "auto",
) -> None:
    """Predict each row of a table: one output row per input row, in order, original columns kept."""
    from graftwork.data.read.decoding import with_encoding
    from graftwork.deploy.computed_by import ComputedBy
    from graftwork.deploy.predict import predict_file
    from graftwork.deploy.sure import Asked

    strange = strange_of(unusual, other, beyond)
    asked, priced = Asked(coverage, abstain, sets), costs_asked(costs)  # type: ignore[arg-type]  # checked there
    table = with_encoding(table, encoding)
    with screen() as on:
        rows, unreadable = predict_file(
            model,
            table,
            out,
            proba=proba,
            spreadsheet_safe=spreadsheet_safe,
            techniques=techniques or (),
            strange=strange,
            asked=asked,
            costs=priced,
            parts=parts,
            by=ComputedBy(workers, cluster, insecure),
            on=on,
        )
    tell(f"{counted(rows)} predicted into {out}")
    if unreadable:
        tell(f"{unreadable:,} of them could not be read: the prediction is empty, see the column 'reason'")


def evaluate(
    model: Annotated[Path, typer.Argument(help="folder that fit wrote")],
    table: Labelled = None,
    json: Annotated[bool, typer.Option("--json", help="print only the scores, as JSON")] = False,
    by: Annotated[
        list[str] | None,
        typer.Option(help="also by this column, read by the model or not, or by 'length(COLUMN)'; repeat for several"),
    ] = None,
    on_bad_rows: BadRows = "fail",
    costs: CostsOption = None,
    techniques: Added = None,
    env: Annotated[
        str | None, typer.Option(help="act in this environment in place of a table: CartPole-v1, module:Class")
    ] = None,
    episodes: Annotated[
        int | None, typer.Option(help="score so many episodes of classes learned anew; with --env, so many there")
    ] = None,
    way: Annotated[int | None, typer.Option(help="classes of an episode; default: the task's own, or 5")] = None,
    shot: Annotated[int | None, typer.Option(help="rows of a class to learn from; default: the task's, or 1")] = None,
    query: Annotated[int | None, typer.Option(help="rows of a class that are asked, at most; default: 15")] = None,
    robust: Annotated[
        bool, typer.Option("--robust", help="accuracy under attacks, noise, blur, echo or typing errors instead")
    ] = False,
    robust_set: Annotated[
        str | None, typer.Option(help="how that is measured, such as rows=200,epsilons=4/255+8/255,restarts=3")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="folder for its report; default: MODEL/robustness")] = None,
    encoding: Encoding = None,
    device: Device = "auto",
) -> None:
    """Score a model on labelled rows, with 95 % intervals; by episodes, how well it learns their classes anew."""
    from graftwork.cli.acting import check_played, evaluate_in
    from graftwork.cli.console import print_scores
    from graftwork.cli.few_shot import evaluate_episodes, shape_of
    from graftwork.cli.robustness import check_alone, evaluate_robust
    from graftwork.cli.slices import check_by, check_columns
    from graftwork.data.load import load_like
    from graftwork.data.quality.checks import known_choice
    from graftwork.data.read.decoding import with_encoding
    from graftwork.networks.manifest import read_manifest_of, schema_of

    rows_only = {"--by": by, "--costs": costs, "--with": techniques, "--way": way, "--shot": shot, "--query": query}
    check_played(env, table, {**rows_only, "--robust": robust, "--robust-set": robust_set, "--out": out})
    if env is not None or table is None:
        evaluate_in(model, env or "", episodes, as_json=json)
        return
    shape, bad_rows = shape_of(episodes, way, shot, query), known_choice(on_bad_rows)
    check_alone(robust, robust_set, out, bool(shape))
    priced = costs_asked(costs, other=robust or bool(shape))
    check_by(by or (), other=robust or bool(shape))
    table = with_encoding(table, encoding)
    with SILENT if json else screen() as on:
        on.doing(f"reading {table}")  # before torch is loaded, which takes seconds
        read = load_like(table, schema_of(read_manifest_of(model)), with_target=True, on_bad_rows=bad_rows)
        for note in read.notes:
            on.note(note)
        check_columns(read.table, by or ())
        on.doing("loading the model")
        import graftwork.model

        loaded = graftwork.model.load(model).on().predicting_with(*(techniques or ()))
        if robust:
            folder = out if out is not None else inside(model, "robustness")
            evaluate_robust(loaded, read.table, robust_set, folder, as_json=json, on=on)
            return
        if shape:
            on.doing("scoring episodes")
            print_scores(evaluate_episodes(loaded, read.table, shape), as_json=json)
            return
        watch = on.counting("evaluating", "rows")
        found = loaded.evaluate_table(read.table, watch=watch, by=by or (), costs=priced)
    print_scores(found, as_json=json)


def costs_asked(given: list[str] | None, other: bool = False) -> str | dict[str, str] | None:
    """The tables that `--costs` names, or that by target; they are there. other: whether something else than answers is
    scored, which raises UsageError."""
    named = one_or_named(given, "--costs")
    if named is not None and other:
        raise UsageError("--costs is for the answers to all rows. Leave it out, or --robust and episodes.")
    check_paths([Path(one) for one in ([named] if isinstance(named, str) else (named or {}).values())])
    return named


def export(
    model: Annotated[Path, typer.Argument(help="folder that fit wrote")],
    to: Annotated[str, typer.Option(help="transformers")],
    out: Annotated[Path | None, typer.Option(help="folder to write; default: MODEL/export-transformers")] = None,
) -> None:
    """Write a model in the format of another library."""
    if to != "transformers":
        raise UsageError(f"Can't export to '{to}'. Known: transformers.")
    import graftwork.model
    from graftwork.deploy.transformers.export import export_transformers

    folder = out if out is not None else inside(model, "export-transformers")
    for line in export_transformers(graftwork.model.load(model), folder):
        say(line)
