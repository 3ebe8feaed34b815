"""`graft run`: a sequence of runs from a YAML file."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graftwork.cli.arguments import Device
from graftwork.cli.data_options import AllowCode
from graftwork.terminal import say, say_table, tell

if TYPE_CHECKING:
    from graftwork.runs.sequences.sequence import Finished


def add_commands(app: typer.Typer) -> None:
    """Put the command into `app`."""
    app.command()(run)


def run(
    sequence: Annotated[Path, typer.Argument(help="YAML with a list of steps, each a recipe with its data")],
    out: Annotated[Path, typer.Option(help="folder for the steps: a model and its report each, and a summary")],
    resume: Annotated[bool, typer.Option("--resume", help="go on with the unfinished sequence in --out")] = False,
    allow_code: AllowCode = None,
    device: Device = "auto",
) -> None:
    """Run several fits one after the other, later ones on the models of earlier ones: distil, tune on, self-train."""
    from graftwork.runs.sequences.sequence import run_sequence
    from graftwork.runs.watching import Watching

    arguments = [argument for argument in sys.argv[1:] if argument != "--resume"]
    with Watching() as console:
        done = run_sequence(
            str(sequence),
            out=out,
            resume=resume,
            listener=console,
            command=shlex.join(["graft", *arguments]),
            allow_code=allow_code or (),
        )
    _print(done, out)
    if done and done[-1].interrupted:
        tell(f"Stopped in step {done[-1].name}. Go on with the same command and --resume.")
        raise typer.Exit(130)


def _print(done: Sequence[Finished], out: Path) -> None:
    from graftwork.runs.sequences.sequence import SUMMARY, summary

    say_table(summary(done))
    say(f"steps: {out}\nsummary: {out / SUMMARY}")
