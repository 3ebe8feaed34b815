"""`graft pretrain`: a base of one's own, from rows without labels."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

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
    seconds_of,
)
from graftwork.cli.training import train_and_print
from graftwork.errors import UsageError


def add_commands(app: typer.Typer) -> None:
    """Put the command into `app`."""
    app.command()(pretrain)


def pretrain(
    context: typer.Context,
    corpus: Annotated[Path, typer.Argument(help="table of texts, pictures or sounds, or a folder of them; no labels")],
    base: Annotated[
        str, typer.Option(help="what is trained: minilm, bert-small, gru, small-cnn, mel-cnn, mel-gru, a folder")
    ] = "auto",
    objective: Annotated[
        str, typer.Option(help="auto, masked-language (texts), simclr or masked-image (pictures), masked-mel (sounds)")
    ] = "auto",
    size: Annotated[str | None, typer.Option(help="small, medium or large, of a base from scratch")] = None,
    budget: Annotated[str | None, typer.Option(help="wall time of the whole command: 60s, 10m, 1h")] = None,
    watch: Annotated[
        Path | None, typer.Option(help="small labelled table: the score of a probe on it chooses the weights to keep")
    ] = None,
    target: Annotated[str | None, typer.Option(help="the target in the table of --watch")] = None,
    inputs: Annotated[list[str] | None, typer.Option(help="column to read, where there are several")] = None,
    techniques: Annotated[
        list[str] | None, typer.Option("--with", help="technique in place of the objective's own; repeat for several")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="setting, such as epochs=50 or patience=3; repeat for several")
    ] = None,
    seed: Annotated[int, typer.Option(help="seed of everything that is drawn")] = 0,
    out: Annotated[Path | None, typer.Option(help="folder for the base and its report; default: runs/NAME")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on with the unfinished run in --out")] = False,
    track: TrackWith = None,
    on_bad_rows: BadRows = "skip",
    encoding: Encoding = None,
    device: Device = "auto",
) -> None:
    """Pretrain a base on your own texts, pictures or sounds without labels; graft fit --base FOLDER starts from it."""
    if target is not None and watch is None:
        raise UsageError("--target names a column of the table of --watch. Give --watch labelled.csv, too.")
    check_paths([corpus, watch])
    seconds = seconds_of(budget) if budget is not None else None
    folder = out if out is not None else free_folder([corpus], resume)
    from graftwork.data.quality.checks import known_choice
    from graftwork.runs.job.watched import Watch
    from graftwork.runs.pretrain.pretrain import Pretraining, pretrain_data

    asked = Pretraining(
        base=base,
        objective=objective,
        size=size,
        techniques=techniques,
        settings=pairs_of(settings, "--set"),
        seed=seed,
        inputs=inputs,
        on_bad_rows=known_choice(on_bad_rows),
        encoding=encoding,
    )
    command = commands_of(sys.argv[1:], folder)["asked"]
    train = partial(
        pretrain_data,
        corpus,
        asked,
        budget=seconds,
        watch=None if watch is None else Watch(watch, target),
        out=folder,
        resume=resume,
        track=track,  # type: ignore[arg-type]  # checked there
        command=command,
        given=command,
        began=context.obj,
    )
    train_and_print(lambda console: train(listener=console), folder, "base")
