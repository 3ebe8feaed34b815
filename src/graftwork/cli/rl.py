"""`graft rl`: a policy that learns by reward in an environment."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graftwork.cli.arguments import Device, commands_of, one_or_named, seconds_of
from graftwork.errors import UsageError
from graftwork.terminal import say, tell

if TYPE_CHECKING:
    from graftwork.rl.rl import Learned


def add_commands(app: typer.Typer) -> None:
    """Put the command into `app`."""
    app.command()(rl)


def rl(
    context: typer.Context,
    env: Annotated[str, typer.Option(help="id of a gymnasium environment, such as CartPole-v1; or module:Class")],
    base: Annotated[
        list[str] | None,
        typer.Option(help="base that reads what it shows: minilm, a folder, image=efficientnet-lite0; repeat"),
    ] = None,
    algorithm: Annotated[
        str | None, typer.Option(help="ppo (the default), a2c, dqn or sac, with settings: ppo:steps=64,lr=7e-4")
    ] = None,
    techniques: Annotated[
        list[str] | None, typer.Option("--with", help="technique that adapts the base, such as lora:rank=16; repeat")
    ] = None,
    demonstrations: Annotated[
        Path | None, typer.Option(help="table of observations and the column action, to be learned from first")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="steps of all environments together; default: 100,000, or what a budget allows")
    ] = None,
    budget: Annotated[str | None, typer.Option(help="wall time of the whole command: 60s, 10m, 1h")] = None,
    seeds: Annotated[int, typer.Option(help="runs that differ in the seed alone: how much luck there is in one")] = 1,
    seed: Annotated[int, typer.Option(help="of the first run")] = 0,
    envs: Annotated[int | None, typer.Option(help="environments side by side; default: the algorithm's usual")] = None,
    normalise: Annotated[
        bool, typer.Option("--normalise", help="scale numbers and rewards by what was met so far")
    ] = False,
    evaluate_every: Annotated[int | None, typer.Option(help="steps between two scores; default: a twentieth")] = None,
    episodes: Annotated[int, typer.Option(help="episodes of each score")] = 20,
    out: Annotated[
        Path | None, typer.Option(help="folder for policy, report and checkpoints; default: runs/ENV")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on with what is in --out")] = False,
    device: Device = "auto",
) -> None:
    """Learn to act in an environment by reward, with a base as what it sees with; write the policy and its report."""
    seconds = seconds_of(budget) if budget is not None else None
    if resume and out is None:
        raise UsageError("--resume needs --out: the folder of the unfinished run.")
    folder = out if out is not None else _free(env)
    from graftwork.progress import screen
    from graftwork.rl.recipe import RLRecipe
    from graftwork.rl.rl import learn

    recipe = RLRecipe(
        env=env,
        base=one_or_named(base, "--base"),
        algorithm=algorithm,  # type: ignore[arg-type]  # parsed there
        techniques=techniques or (),  # type: ignore[arg-type]
        demonstrations=None if demonstrations is None else str(demonstrations),
        steps=steps,
        envs=envs,
        normalise=normalise,
        evaluate_every=evaluate_every,
        episodes=episodes,
        seed=seed,
    )
    command = commands_of(sys.argv[1:], folder)["asked"]
    with screen() as on:
        learned = learn(
            recipe,
            seeds=seeds,
            budget=seconds,
            out=folder,
            resume=resume,
            listener=on,
            command=command,
            began=context.obj,
        )
    _print(learned, folder)


def _print(learned: Learned, folder: Path) -> None:
    say(str(learned))
    say(f"policy: {folder}\nreport: {folder / 'report.html'}")
    if learned.interrupted:
        tell(f"Stopped: this is the best so far. Go on with the same command, --out {folder} and --resume.")
        raise typer.Exit(130)


def _free(env: str) -> Path:
    """A new folder below runs/, named for the environment."""
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", env.rpartition(":")[2]).strip("-.") or "policy"
    folders = (Path("runs") / (name if number == 1 else f"{name}-{number}") for number in range(1, 10_000))
    return next(folder for folder in folders if not folder.exists())
