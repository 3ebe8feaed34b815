"""Options that say what the data are and what is to be done with them, for all commands that train."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Tables = Annotated[
    list[Path],
    typer.Argument(
        help="csv, tsv, json lines, parquet (also .gz), xlsx, a folder or zip of classes; several share inputs alone"
    ),
]
Target = Annotated[
    list[str] | None, typer.Option(help="column to predict; repeat for several; found by its name if not given")
]
Inputs = Annotated[list[str] | None, typer.Option(help="column to read; repeat for several; all if not given")]
Join = Annotated[
    list[str] | None,
    typer.Option(help="COLUMN+COLUMN: texts to read in one sequence (premise+hypothesis); repeat for several"),
]
Ignore = Annotated[list[str] | None, typer.Option(help="column to leave out; repeat for several")]
Roles = Annotated[
    list[str] | None,
    typer.Option(
        "--role",
        help="ROLE=COLUMN: domain, group, weight, split, time (the latest validate); of logged choices reward, "
        "propensity; of rollouts also rollout, step",
    ),
]
Kinds = Annotated[
    list[str] | None, typer.Option("--kind", help="COLUMN=KIND: read it as text, image, audio, number or category")
]
TaskName = Annotated[
    list[str] | None,
    typer.Option("--task", help="such as classification, regression, identity; or TARGET=TASK; all: graft list tasks"),
]
Metric = Annotated[
    list[str] | None, typer.Option(help="score that chooses the best model, such as macro_f1; or TARGET=METRIC")
]
Valid = Annotated[
    Path | None, typer.Option(help="validation table; rows are held out of the training table if not given")
]
Unlabelled = Annotated[
    Path | None, typer.Option(help="further rows to train on, without a target: for techniques that can use them")
]
Remember = Annotated[
    Path | None,
    typer.Option(help="with --base runs/old: rows of the old task, on which its old head is scored before and after"),
]
SplitBy = Annotated[
    str | None, typer.Option("--split-by", help="domain: also train without each domain in turn, and score it there")
]
Adapts = Annotated[
    bool, typer.Option("--adapt-to-held-out", help="with --split-by: see the rows left out, without their target")
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
AllowCode = Annotated[
    list[str] | None,
    typer.Option("--allow-code", help="module of your own that a recipe file may import to train; repeat for several"),
]
Seed = Annotated[int | None, typer.Option(help="seed of everything that is drawn (default 0)")]
