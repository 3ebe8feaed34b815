"""From the runs of a call to what is shown of them: beside random actions, with clips, and with what to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from graftwork.errors import GraftworkError
from graftwork.evidence.rl.outcome import About, Commands, Outcome
from graftwork.evidence.rl.scored import Scored, SeedRun
from graftwork.rl.learning.run import Run
from graftwork.rl.recipe import RLRecipe
from graftwork.rl.shown.clips import clips
from graftwork.rl.shown.commands import commands
from graftwork.rl.world.environments import World, open_world
from graftwork.rl.world.scoring import Scorer, episode_seeds
from graftwork.runs.finished.costs import versions

CLIPPED = 5
"""Episodes that are recorded, of which two are shown."""
_PACKAGES = ("gymnasium", "stable_baselines3")


def outcome_of(
    runs: Sequence[Run],
    *,
    kept: int,
    budget: float | None = None,
    command: str = "",
    folder: str = "",
    notes: Sequence[str] = (),
    filmed: bool = True,
) -> Outcome:
    """runs: one a seed, at least one. kept: the seed whose policy is saved. budget: seconds that were given. command:
    that made it; empty in Python. folder: that the policy is written to. filmed: whether to record clips.

    What fails here (an environment that crashes when it is drawn) is said, and loses nothing that was learned.
    """
    recipe = runs[0].recipe
    best = next((run for run in runs if run.seed == kept), runs[0])
    world = open_world(recipe.env)
    random, said = _random(world, recipe)
    found, missing = ((), "none was asked for.") if not filmed else _clips(world, best)
    about = About(
        env=world.name,
        algorithm=recipe.algorithm.spec,
        network=_network(recipe),
        parts=parts_of(recipe),
        envs=recipe.used_envs,
        steps=recipe.steps,
        budget=budget,
        threshold=_threshold(world),
        recipe=_yaml(recipe),
        command=command,
        commands=commands(recipe, len(runs), folder, _made(runs), budget) if command else Commands(),
        versions=versions_used(),
        notes=(*notes, *said),
    )
    seeds = tuple(SeedRun(one.seed, one.scored, one.final, one.interrupted, one.failed) for one in runs)
    return Outcome(about, seeds, best.seed, random, found, missing)


def parts_of(recipe: RLRecipe) -> tuple[str, ...]:
    """What of a recipe can be left out, as it is called: its base, techniques, demonstrations and normalisation."""
    there = {
        "base": recipe.base is not None,
        **{one.name: True for one in recipe.techniques},
        "demonstrations": recipe.demonstrations is not None,
        "normalisation": recipe.normalise,
    }
    return tuple(name for name, is_there in there.items() if is_there)


def _made(runs: Sequence[Run]) -> int:
    """Steps of learning, the most of a run."""
    return max((one.step for run in runs for one in run.scored), default=0)


def _network(recipe: RLRecipe) -> str:
    """What reads observations, in words."""
    if recipe.base is None:
        return "read by a small network of its own"
    named = recipe.base if isinstance(recipe.base, str) else ", ".join(f"{n}: {b}" for n, b in recipe.base.items())
    how = ", ".join(one.name for one in recipe.techniques) or "frozen"
    return f"read by {named} ({how})"


def _random(world: World, recipe: RLRecipe) -> tuple[Scored | None, list[str]]:
    """Episodes of random actions; None where the environment fails at them."""
    scorer = Scorer(world)
    try:
        return scorer.random(episode_seeds(recipe.seed, recipe.episodes, last=True)), []
    except GraftworkError as error:
        return None, [f"there is nothing to hold it against: acting at random failed. {error}"]
    finally:
        scorer.close()


def _clips(world: World, run: Run) -> tuple[Any, str]:
    if not world.draws:
        return (), "the environment can't draw itself (it has no render mode rgb_array)."
    if not run.scored and run.final is None:
        return (), "nothing was learned."
    return clips(world.made, run.policy.act_many, episode_seeds(run.seed, CLIPPED, last=True))


def _threshold(world: World) -> float | None:
    """The mean return from which on an environment counts as solved, where its registration says one."""
    env: Any = None
    with suppress(Exception):
        env = world.made(None)
        return float(env.spec.reward_threshold)
    return None


def _yaml(recipe: RLRecipe) -> str:
    import yaml

    text: str = yaml.safe_dump(_plain(recipe.to_dict()), sort_keys=False, allow_unicode=True)
    return text


def _plain(value: Any) -> Any:
    """Tuples as lists."""
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value


def versions_used() -> dict[str, str]:
    """Of the packages that compute."""
    found = versions()
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found
