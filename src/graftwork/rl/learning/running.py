"""A run at work: it begins or goes on, learns until its end or until something ends it, and says what came of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback

from graftwork.core.training.checkpoint import Checkpointing
from graftwork.errors import ModelError
from graftwork.evidence.rl.scored import Scored
from graftwork.progress import Screen
from graftwork.rl.learning.checkpoints import load_checkpoint, save_checkpoint
from graftwork.rl.learning.cloning import ValueFirst, check_cloned, clone, value_steps
from graftwork.rl.learning.course import Best, Clocks, Course
from graftwork.rl.learning.demonstrations import read_demonstrations
from graftwork.rl.learning.learners import device_of, learner, policy_of
from graftwork.rl.learning.run_files import POLICY_FOLDER
from graftwork.rl.learning.vectorised import side_by_side
from graftwork.rl.policies.policy import Policy, load_policy
from graftwork.rl.recipe import STEPS, RLRecipe
from graftwork.rl.sight.adapting import Sight, moved, sight
from graftwork.rl.world.environments import EnvironmentCrashedError, World
from graftwork.rl.world.scoring import Scorer, episode_seeds

WITHOUT_END = 10**12
"""Steps of a run that a budget ends."""
TIMES = 20.0
"""Between two checkpoints, at least, as a multiple of what writing one took."""


@dataclass(frozen=True)
class Asked:
    """What is to be done: a recipe in a world, with a seed. until: `time.monotonic()` of the end. kept: where
    checkpoints go."""

    recipe: RLRecipe
    world: World
    seed: int
    until: float | None = None
    kept: Checkpointing | None = None
    screen: Screen = Screen()  # noqa: RUF009  it shows nothing and holds nothing

    @property
    def steps(self) -> int | None:
        """Steps of all environments together; None where the time alone ends it."""
        return self.recipe.steps or (STEPS if self.until is None else None)

    @property
    def every(self) -> int | None:
        """Steps between two scores; None where the time says it."""
        return self.recipe.evaluate_every or (None if self.steps is None else max(1, self.steps // 20))


@dataclass(frozen=True)
class Outcome:
    """What came of it; see `Run`."""

    policy: Policy
    last: Policy
    scored: tuple[Scored, ...]
    final: Scored | None
    interrupted: bool
    failed: str


def learn(asked: Asked) -> Outcome:
    """Learn, from the beginning or from a checkpoint.

    Raises EnvironmentCrashedError where the environment fails before anything was learned.
    """
    recipe, world = asked.recipe, asked.world
    seen = sight(recipe, world, asked.seed)
    moved(seen.reading, device_of(seen.reading))
    env = side_by_side(
        *(world, seen.reading, recipe.used_envs), normalise=recipe.normalise, discount=recipe.algorithm.discount
    )
    scorer = Scorer(world)
    try:
        return _Running(asked, seen, learner(recipe, seen, env, asked.seed, asked.steps), scorer).learned()
    finally:
        scorer.close()
        with suppress(Exception):
            env.close()


@dataclass
class _Running:
    """What a run holds while it learns."""

    asked: Asked
    sight: Sight
    made: BaseAlgorithm
    scorer: Scorer

    def learned(self) -> Outcome:
        asked, best, clocks = self.asked, Best(), Clocks()
        began = self._resumed(best, clocks)
        callbacks = self._demonstrated(began)
        name = f"{asked.world.name}, seed {asked.seed}"
        keeper = _Keeper(asked.kept, self.made, best, clocks)
        course = Course(
            *(self._score, keeper, asked.screen, name),
            steps=asked.steps,
            every=asked.every,
            until=asked.until,
            best=best,
            clocks=clocks,
        )
        interrupted, failed = False, ""
        try:
            clocks.start()
            left = (asked.steps or WITHOUT_END) - began
            if left > 0:
                self.made.learn(
                    left, callback=[course, *callbacks], log_interval=WITHOUT_END, reset_num_timesteps=not began
                )
            if not best.scored or best.scored[-1].step < self.made.num_timesteps:
                clocks.paused(course.scored)
            keeper(True)
        except KeyboardInterrupt:
            interrupted = True
            if self.made.num_timesteps:
                keeper(True)
        except EnvironmentCrashedError as error:
            failed = str(error)
            if not self.made.num_timesteps:
                raise
            self._after_crash(course, clocks)
            keeper(True)
        except ValueError as error:
            if "nan" not in str(error).lower():
                raise
            failed = f"The policy's numbers are no longer finite after {self.made.num_timesteps:,} steps."
        finally:
            asked.screen.forget(name)
        return self._outcome(best, interrupted=interrupted, failed=failed)

    def _after_crash(self, course: Course, clocks: Clocks) -> None:
        """Score what was learned since the last score, so that it counts, unless playing fails as well."""
        scored = course.best.scored
        if not scored or scored[-1].step < self.made.num_timesteps:
            with suppress(EnvironmentCrashedError, KeyboardInterrupt):
                clocks.paused(course.scored)

    def _resumed(self, best: Best, clocks: Clocks) -> int:
        """The step at which it goes on; 0 where it begins."""
        kept = self.asked.kept
        told = None if kept is None or not kept.resume else load_checkpoint(self.made, kept)
        if told is None or kept is None:
            return 0
        best.scored[:] = [Scored.from_json(one) for one in told["scored"]]
        clocks.seconds, clocks.cpu = float(told["seconds"]), float(told["cpu"])
        with suppress(ModelError, KeyError):  # one that was never scored has no mean
            policy = load_policy(kept.folder / POLICY_FOLDER)
            best.mean, best.step = float(policy.about["mean"]), int(policy.about["step"])
            best.policy, best.written = policy, best.step
        assert self.made.env is not None
        self.made.env.seed((self.asked.seed + self.made.num_timesteps) % 2**31)
        return int(self.made.num_timesteps)

    def _demonstrated(self, began: int) -> list[BaseCallback]:
        """Begin from the demonstrations that the recipe names, unless it goes on; and what the run has to do then."""
        source = self.asked.recipe.demonstrations
        if source is None:
            return []
        check_cloned(self.made)
        if not began:
            self.asked.screen.doing("learning from demonstrations")
            found = read_demonstrations(source, self.asked.world, self.sight.reading, self.asked.seed)
            self.asked.screen.note(clone(self.made, found, self.sight.reading, self.asked.seed).text)
        return [ValueFirst(value_steps(self.asked.steps))]

    def _outcome(self, best: Best, *, interrupted: bool, failed: str) -> Outcome:
        now, final, asked = self._policy({}), None, self.asked
        policy = best.policy or now
        last = best.scored[-1] if best.scored else None
        if not interrupted:
            seeds = episode_seeds(asked.seed, asked.recipe.episodes, last=True)
            step = int(policy.about["step"])
            try:
                final = self.scorer.score(policy.act_many, seeds, step=step)
                final = replace(final, seconds=last.seconds, cpu=last.cpu) if last else final
            except EnvironmentCrashedError as error:
                failed = failed or str(error)
            except KeyboardInterrupt:
                interrupted = True
        return Outcome(policy, now, tuple(best.scored), final, interrupted, failed)

    def _policy(self, about: Mapping[str, Any]) -> Policy:
        found = policy_of(self.made, self.asked.recipe, self.asked.world, self.sight, self.asked.seed)
        return replace(found, about={**found.about, **about})

    def _score(self, step: int, seconds: float, cpu: float) -> tuple[Policy, Scored]:
        policy = self._policy({})
        seeds = episode_seeds(self.asked.seed, self.asked.recipe.episodes)
        found = self.scorer.score(policy.act_many, seeds, step=step, seconds=seconds, cpu=cpu)
        return replace(policy, about={**policy.about, "mean": found.mean}), found


@dataclass
class _Keeper:
    """Writes checkpoints, and the best policy beside them, as often as their time allows."""

    kept: Checkpointing | None
    made: BaseAlgorithm
    best: Best
    clocks: Clocks
    last: float = float("-inf")
    took: float = 0.0

    def __call__(self, last: bool) -> None:
        """last: nothing follows, so that it is written whatever that takes."""
        now = time.monotonic()
        if self.kept is None or (not last and now - self.last < max(self.kept.seconds, TIMES * self.took)):
            return
        self.clocks.paused(self._write)
        self.last = time.monotonic()
        self.took = self.last - now

    def _write(self) -> None:
        assert self.kept is not None
        if self.best.policy is not None and self.best.written != self.best.step:
            self.best.policy.save(self.kept.folder / POLICY_FOLDER)
            self.best.written = self.best.step
        told = {
            "scored": [one.to_json() for one in self.best.scored],
            "seconds": self.clocks.seconds,
            "cpu": self.clocks.cpu,
        }
        save_checkpoint(self.made, self.kept, told)
