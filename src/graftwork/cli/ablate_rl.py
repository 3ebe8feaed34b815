"""`graft ablate` of learning by reward: `--env ID` with a recipe, or the folder that `graft rl` wrote."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from graftwork.cli.arguments import one_or_named, seconds_of
from graftwork.errors import UsageError
from graftwork.shown import counted
from graftwork.terminal import say, say_json, say_table, tell

if TYPE_CHECKING:
    from graftwork.rl.ablation.ablate import RLAblation
    from graftwork.rl.recipe import RLRecipe

OWN = ("env", "algorithm", "steps", "demonstrations", "normalise")
"""Options of `graft ablate` that are for environments alone, by the names of its parameters."""
_SHARED = ("run", *OWN, "repeats", "budget", "json", "out", "base", "techniques", "seed", "device")


def is_of_environment(run: Path | None, env: str | None) -> bool:
    """Whether an ablation is one of learning by reward."""
    if env is not None:
        return True
    if run is None or not run.expanduser().is_dir():
        return False
    from graftwork.rl.policies.manifest import is_policy

    return is_policy(run.expanduser())


def ablate_policy(context: typer.Context) -> None:
    """`graft ablate`, with the options that were given it. Raises UsageError for those that are for tables."""
    given: Mapping[str, Any] = context.params
    out = None if given["out"] is None else Path(given["out"])  # not converted yet
    _check_options(context, [name for name in given if name not in _SHARED])
    recipe = _recipe(given)
    from graftwork.progress import screen
    from graftwork.rl.ablation.ablate import REPEATS, ablate_recipe

    with screen() as on:
        try:
            found = ablate_recipe(
                recipe,
                repeats=given["repeats"] or REPEATS,
                budget=seconds_of(given["budget"]) if given["budget"] is not None else None,
                out=out,
                command=shlex.join(["graft", *sys.argv[1:]]),
                listener=on,
            )
        except KeyboardInterrupt:
            tell("Stopped. Finished runs are kept: the same command goes on from there.")
            raise typer.Exit(130) from None
    if given["json"]:
        say_json(found.to_json())
    else:
        _print(found, out)


def _print(found: RLAblation, out: Path | None) -> None:
    from graftwork.evidence.ablation.table import table_rows

    say_table(
        table_rows(found.findings, found.outcome.scale),
        f"what each brings, in {found.outcome.scale.what}, over {counted(found.repeats, 'seed')}",
    )
    say("\n".join(one.sentence for one in found.findings))
    if found.failed:
        say(f"{counted(len(found.failed), 'run')} failed: {found.failed[-1].failed}")
    if out is not None:
        say(f"ablation: {out / 'ablation.html'}")


def _recipe(given: Mapping[str, Any]) -> RLRecipe:
    """Of the options, or of a policy's folder with what the options change."""
    from graftwork.rl.recipe import RLRecipe

    options = {
        "env": given["env"],
        "base": one_or_named(given["base"], "--base"),
        "algorithm": given["algorithm"],
        "techniques": given["techniques"],
        "demonstrations": None if given["demonstrations"] is None else str(given["demonstrations"]),
        "steps": given["steps"],
        "normalise": given["normalise"] or None,
        "seed": given["seed"],
    }
    named = {name: value for name, value in options.items() if value is not None}
    if given["run"] is None:
        return RLRecipe(**named)
    folder = Path(given["run"]).expanduser()
    if not is_of_environment(folder, None):
        raise UsageError(
            f"{folder} is no policy that graft rl wrote, and --env names an environment. Leave one of them out."
        )
    return RLRecipe(**_recipe_of_policy(folder, given["env"]) | named)


def _recipe_of_policy(folder: Path, env: str | None) -> dict[str, Any]:
    """What a policy was learned by. Raises UsageError where its environment is code that was not named by the user."""
    from graftwork.rl.policies.policy import load_policy

    plain = load_policy(folder).about.get("recipe")
    if not isinstance(plain, dict) or not isinstance(plain.get("env"), str):
        raise UsageError(f"{folder} does not say how it was learned. Give --env and the recipe's options instead.")
    known = {name: value for name, value in plain.items() if name in _fields()}
    if env is None and ":" in known["env"]:
        raise UsageError(
            f"{folder} was learned in {known['env']}, which is code, and a folder may not choose code to run. If you "
            f"trust it, name it: --env {shlex.quote(known['env'])}."
        )
    return known


def _fields() -> Sequence[str]:
    from graftwork.rl.recipe import RLRecipe

    return tuple(RLRecipe.__dataclass_fields__)


def _check_options(context: typer.Context, names: Sequence[str]) -> None:
    """Raise UsageError for an option that was given and means nothing in an environment."""
    by_name = {one.name: one for one in context.command.params}
    for name in names:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            written = next(iter(by_name[name].opts), f"--{name}")
            raise UsageError(f"{written} is for tables of rows, and this ablation is in an environment. Leave it out.")


def check_no_env_options(context: typer.Context) -> None:
    """Raise UsageError for an option of environments where the ablation is of a table."""
    for name in OWN:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise UsageError(f"--{name} is for learning in an environment, and none is named. Give --env too.")
