"""One run of learning by reward: from a recipe and a seed to a policy, its scores and what happened."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from graftwork.data.store.locks import claimed
from graftwork.errors import UsageError
from graftwork.progress import SILENT, Screen
from graftwork.rl.adapting import moved, sight
from graftwork.rl.algorithms import check_actions
from graftwork.rl.environments import EnvironmentCrashedError, World, open_world
from graftwork.rl.policy import Policy
from graftwork.rl.recipe import STEPS, RLRecipe
from graftwork.rl.scored import Scored as Scored
from graftwork.rl.scoring import Scorer, episode_seeds

if TYPE_CHECKING:
    from graftwork.rl.course import Best


@dataclass(frozen=True)
class Run:
    """What one run gave.

    policy: the one with the highest mean return of `scored`, the last of equals. scored: while it learned, the same
    episodes each time, step 0 first. interrupted: Ctrl-C ended it. failed: what ended it before its time, such as an
    environment that crashed; empty where nothing did. final: the policy scored once more, on episodes that nothing was
    chosen by; None where that could not be done.
    """

    policy: Policy
    scored: tuple[Scored, ...]
    recipe: RLRecipe
    seed: int
    interrupted: bool = False
    failed: str = ""
    final: Scored | None = None


def run_one(
    recipe: RLRecipe,
    folder: Path | None = None,
    *,
    seed: int,
    budget: float | None = None,
    listener: Screen | None = None,
) -> Run:
    """Learn by the recipe with this seed.

    folder: that is claimed while it runs; None for none. budget: seconds that all of it may take; the recipe's steps
    end it sooner. listener: told how far it is.

    Raises UsageError, RefusedError or MissingPackageError where it can't begin, EnvironmentCrashedError where the
    environment fails before anything was learned.
    """
    until = None if budget is None else time.monotonic() + budget
    world = open_world(recipe.env)
    check_actions(recipe.algorithm, world.actions.kind, world.actions.text)
    with claimed(folder), own_randomness(seed), quiet():
        return _Running(recipe, world, seed, until, listener or SILENT, folder).run()


@contextmanager
def own_randomness(seed: int) -> Iterator[None]:
    """Inside, all global random streams begin from the seed; outside they are as they were."""
    import numpy as np
    import torch

    kept = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.default_generator.manual_seed(seed)
        yield
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])
        torch.set_rng_state(kept[2])


@contextmanager
def quiet() -> Iterator[None]:
    """Inside, warnings of the two libraries that a user can do nothing about stay away."""
    import warnings

    with warnings.catch_warnings():
        # A batch need not divide the rollout: the last one of an epoch is smaller.
        warnings.filterwarnings("ignore", message="You have specified a mini-batch size", category=UserWarning)
        yield


class _Running:
    """A run at work."""

    def __init__(
        self, recipe: RLRecipe, world: World, seed: int, until: float | None, screen: Screen, folder: Path | None
    ) -> None:
        self.recipe, self.world, self.seed, self.until, self.screen = recipe, world, seed, until, screen
        self.folder = folder
        self.steps = recipe.steps if recipe.steps is not None or until is not None else STEPS
        self.every = recipe.evaluate_every or (None if self.steps is None else max(1, self.steps // 20))
        self.scorer = Scorer(world)
        self.seeds = episode_seeds(seed, recipe.episodes)

    def run(self) -> Run:
        from graftwork.rl.course import Best, Clocks, Course
        from graftwork.rl.learners import device_of, learner
        from graftwork.rl.vectorised import side_by_side

        recipe, best, clocks = self.recipe, Best(), Clocks()
        self.sight = sight(recipe, self.world, self.seed)
        moved(self.sight.reading, device_of(self.sight.reading))
        env = side_by_side(
            *(self.world, self.sight.reading, recipe.used_envs),
            normalise=recipe.normalise,
            discount=recipe.algorithm.discount,
        )
        self.model = learner(recipe, self.sight, env, self.seed, self.steps)
        name = f"{self.world.name}, seed {self.seed}"
        course = Course(
            *(self._score, lambda _: None, self.screen, name),
            steps=self.steps,
            every=self.every,
            until=self.until,
            best=best,
            clocks=clocks,
        )
        interrupted, failed = False, ""
        try:
            clocks.began = (time.monotonic(), time.process_time())
            self.model.learn(self.steps or 10**12, callback=course, log_interval=10**9)
            if best.scored[-1].step < self.model.num_timesteps:
                clocks.paused(course.scored)
        except KeyboardInterrupt:
            interrupted = True
        except EnvironmentCrashedError as error:
            failed = str(error)
            if not self.model.num_timesteps:
                raise
        except ValueError as error:
            if "nan" not in str(error).lower():
                raise
            failed = f"The policy's numbers are no longer finite after {self.model.num_timesteps:,} steps."
        finally:
            self.screen.forget(name)
            with suppress(Exception):
                env.close()
        return self._finished(best, interrupted=interrupted, failed=failed)

    def _finished(self, best: Best, *, interrupted: bool, failed: str) -> Run:
        policy = best.policy or self._policy()
        final = None
        if not interrupted:
            try:
                seeds = episode_seeds(self.seed, self.recipe.episodes, last=True)
                last = best.scored[-1] if best.scored else None
                spent = (last.seconds, last.cpu) if last else (0.0, 0.0)
                final = self.scorer.score(policy.act_many, seeds, step=best.step, seconds=spent[0], cpu=spent[1])
            except EnvironmentCrashedError as error:
                failed = failed or str(error)
        self.scorer.close()
        return Run(policy, tuple(best.scored), self.recipe, self.seed, interrupted, failed, final)

    def _policy(self) -> Policy:
        from graftwork.rl.learners import policy_of

        return policy_of(self.model, self.recipe, self.world, self.sight, self.seed)

    def _score(self, step: int, seconds: float, cpu: float) -> tuple[Policy, Scored]:
        policy = self._policy()
        return policy, self.scorer.score(policy.act_many, self.seeds, step=step, seconds=seconds, cpu=cpu)


def check_seed(seed: int) -> None:
    """Raise UsageError for a seed that streams can't begin from."""
    if not 0 <= seed < 2**31:
        raise UsageError(f"seed is {seed}. Expected a whole number from 0 to {2**31 - 1}.")
