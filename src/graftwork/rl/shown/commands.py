"""The commands that a report of learning by reward ends with: the same recipe for longer, with more seeds, ablated."""

from __future__ import annotations

import math
import shlex
from dataclasses import replace

from graftwork.evidence.rl.outcome import Commands
from graftwork.rl.recipe import RLRecipe
from graftwork.runs.clock import shown as shown_budget
from graftwork.specs import write as written

SEEDS, LONGER = 5, 3
"""Seeds that are recommended, and how many times as long, where it still learns."""


def commands(recipe: RLRecipe, seeds: int, folder: str, made: int, budget: float | None = None) -> Commands:
    """What can be copied to go on; none for an environment that a command can't name.

    folder: that all was written to; empty for none. made: steps that were learned for. budget: seconds that were given.
    What only makes a run longer, or adds seeds to it, goes on with what is in the folder.
    """
    if not isinstance(recipe.env, str):
        return Commands()
    on = " --resume" if folder else ""
    longer = replace(recipe, steps=_round_up(LONGER * max(made, 1)))
    again = command_of(recipe, seeds, folder, budget)
    return Commands(
        longer=command_of(longer, seeds, folder) + on,
        seeds=command_of(recipe, SEEDS, folder, budget) + on,
        resume=again + on if folder else "",
        normalise=command_of(replace(recipe, normalise=True), seeds, "", budget),
        ablate=f"graft ablate {shlex.quote(folder)}{_code(recipe.env)}" if folder else "",
        use=f"gw.load_policy({folder!r}).act(observation)" if folder else "",
    )


def command_of(recipe: RLRecipe, seeds: int, folder: str, budget: float | None = None) -> str:
    """The call that makes a recipe. budget: told where the recipe says no number of steps."""
    told = ["graft", "rl", "--env", str(recipe.env)]
    bases = {"": recipe.base} if isinstance(recipe.base, str) else recipe.base or {}
    for name, base in bases.items():
        told += ["--base", f"{name}={base}" if name else str(base)]
    told += ["--algorithm", recipe.algorithm.spec]
    for technique in recipe.techniques:
        told += ["--with", written(technique, technique.name)]
    told += ["--normalise"] if recipe.normalise else []
    usual = RLRecipe(env=recipe.env)
    for name in ("demonstrations", "steps", "envs", "evaluate_every", "episodes", "seed"):
        value = getattr(recipe, name)
        if value != getattr(usual, name):
            told += [f"--{name.replace('_', '-')}", str(value)]
    told += ["--budget", shown_budget(budget)] if budget is not None and recipe.steps is None else []
    told += ["--seeds", str(seeds)] if seeds > 1 else []
    told += ["--out", folder] if folder else []
    return shlex.join(told)


def _code(env: str) -> str:
    """An environment that is code has to be named again."""
    return f" --env {shlex.quote(env)}" if ":" in env else ""


def _round_up(steps: int) -> int:
    """To two digits, as people write it."""
    unit = int(10 ** max(0, int(math.log10(steps)) - 1))
    return -(-steps // unit) * unit
