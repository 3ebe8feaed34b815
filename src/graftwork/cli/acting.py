"""`graft evaluate MODEL --env ENVIRONMENT`: a model that was fitted on rows or a policy, where its actions count."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graftwork.errors import UsageError
from graftwork.progress import SILENT, Screen, screen
from graftwork.terminal import say, say_json, say_table

if TYPE_CHECKING:
    from graftwork.evidence.rl.scored import Scored

EPISODES = 100
"""That are played where no number is given."""


def check_played(env: str | None, table: Path | None, given: dict[str, Any]) -> None:
    """Raise UsageError unless there is either a table or an environment, and nothing that is for rows alone beside the
    latter. given: other options, by how they are written."""
    if env is None:
        if table is None:
            raise UsageError("Name a table with labelled rows, or an environment to act in: --env CartPole-v1.")
        return
    beside = [name for name, value in given.items() if value] + (["a table"] if table is not None else [])
    if beside:
        raise UsageError(f"--env plays the model in an environment, without rows. Leave {' and '.join(beside)} out.")


def evaluate_in(model: Path, env: str, episodes: int | None, *, as_json: bool) -> None:
    """Play the model or policy and actions at random from the same beginnings, and print what both brought."""
    with SILENT if as_json else screen() as on:
        name, own, chance = _played(model, env, episodes, on)
    found = {name: own, "actions at random": chance}
    if as_json:
        say_json({"env": env, **{name.replace(" ", "_"): one.to_json() for name, one in found.items()}})
        return
    _print(found, env)


def _played(model: Path, env: str, episodes: int | None, on: Screen) -> tuple[str, Scored, Scored]:
    from graftwork.rl.learning.model_actor import load_player, score_model
    from graftwork.rl.policies.acting import Acting
    from graftwork.rl.world.environments import open_world

    if episodes is not None and episodes < 1:
        raise UsageError(f"--episodes is {episodes}. Expected 1 or more.")
    on.doing(f"looking at {env}")
    world = open_world(env)
    on.doing("loading the model")
    player = load_player(model)
    on.doing(f"playing {env}")
    name = "the policy" if isinstance(player, Acting) else "the model"
    return name, *score_model(player, world, episodes=episodes or EPISODES)


def _print(found: Mapping[str, Scored], env: str) -> None:
    from graftwork.evidence.rl.curve import mean_interval

    (name, own), (random, chance) = found.items()
    shown = {name: mean_interval([one.returns]) for name, one in found.items()}
    returns = (f"{one.value:.4g} ({one.low:.4g} to {one.high:.4g})" for one in shown.values())
    rows = [("", *found), ("mean return", *returns)]
    if own.successes is not None and chance.successes is not None:
        shares = [sum(one.successes or ()) / len(one.returns) for one in found.values()]
        rows.append(("success", *(f"{share:.0%}" for share in shares)))
    rows.append(("mean length", *(f"{sum(one.lengths) / len(one.lengths):.4g}" for one in found.values())))
    say_table(rows, f"{len(own.returns):,} episodes of {env}, with 95 % intervals")
    if shown[name].low <= shown[random].high:
        say(f"{name.capitalize()} is not clearly better than actions at random.")
