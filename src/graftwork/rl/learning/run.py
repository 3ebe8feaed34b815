"""One run of learning by reward: from a recipe and a seed to a policy, its scores and what happened."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from graftwork.core.training.checkpoint import Checkpointing
from graftwork.data.store.locks import claimed
from graftwork.errors import UsageError
from graftwork.evidence.rl.scored import Scored as Scored
from graftwork.progress import SILENT, Screen
from graftwork.rl.algorithms import check_actions
from graftwork.rl.learning.run_files import POLICY_FOLDER, fingerprint_of, read_run, start_afresh, write_run
from graftwork.rl.policies.policy import Policy, load_policy
from graftwork.rl.recipe import RLRecipe
from graftwork.rl.world.environments import open_world

SECONDS = 60.0
"""Between two checkpoints, at least."""


@dataclass(frozen=True)
class Run:
    """What one run gave.

    policy: the one with the highest mean return of `scored`, the last of equals. scored: while it learned, the same
    episodes each time, step 0 first. interrupted: Ctrl-C ended it. failed: what ended it before its time, such as an
    environment that crashed; empty where nothing did. final: the policy scored once more, on episodes that nothing was
    chosen by; None where that could not be done. last: the policy as it was at the end, whatever it scored; None of a
    run that was read back from its folder.
    """

    policy: Policy
    scored: tuple[Scored, ...]
    recipe: RLRecipe
    seed: int
    interrupted: bool = False
    failed: str = ""
    final: Scored | None = None
    last: Policy | None = None


def run_one(
    recipe: RLRecipe,
    folder: Path | None = None,
    *,
    seed: int,
    budget: float | None = None,
    resume: bool = False,
    listener: Screen | None = None,
) -> Run:
    """Learn by the recipe with this seed.

    folder: for checkpoints, the policy and run.json; None keeps nothing. budget: seconds that all of it may take; the
    recipe's steps end it sooner. resume: go on with what is in the folder, or give it back where it is finished; more
    steps than before make it longer. listener: told how far it is.

    Raises UsageError, RefusedError or MissingPackageError where it can't begin, EnvironmentCrashedError where the
    environment fails before anything was learned.
    """
    check_seed(seed)
    until = None if budget is None else time.monotonic() + budget
    world = open_world(recipe.env)
    check_actions(recipe.algorithm, world.actions.kind, world.actions.text)
    from graftwork.rl.learning.running import Asked, learn

    print_of = fingerprint_of(recipe, world, seed)
    with claimed(folder), own_randomness(seed), quiet():
        kept = None
        if folder is not None:
            known = _finished(recipe, folder, seed, print_of) if resume else None
            if known is not None:
                return known
            if not resume:
                start_afresh(folder)
            kept = Checkpointing(folder, print_of, resume, SECONDS)
        found = learn(Asked(recipe, world, seed, until, kept, listener or SILENT))
        run = Run(found.policy, found.scored, recipe, seed, found.interrupted, found.failed, found.final, found.last)
        if folder is not None:
            _write(run, folder, print_of, world.name)
    return run


def _finished(recipe: RLRecipe, folder: Path, seed: int, print_of: str) -> Run | None:
    """The run in the folder, where it is this one and came to its end."""
    found = read_run(folder, print_of)
    if found is None or not found.finished:
        return None
    wanted = recipe.steps
    if wanted is not None and found.scored[-1].step < wanted:
        return None
    policy = load_policy(folder / POLICY_FOLDER)
    return Run(policy, found.scored, recipe, seed, found.interrupted, found.failed, found.final)


def _write(run: Run, folder: Path, print_of: str, name: str) -> None:
    run.policy.save(folder / POLICY_FOLDER)
    write_run(
        folder,
        fingerprint=print_of,
        env=name,
        recipe=run.recipe.to_dict(),
        seed=run.seed,
        scored=run.scored,
        final=run.final,
        failed=run.failed,
        interrupted=run.interrupted,
    )


def check_seed(seed: int) -> None:
    """Raise UsageError for a seed that streams can't begin from."""
    if not 0 <= seed < 2**31:
        raise UsageError(f"seed is {seed}. Expected a whole number from 0 to {2**31 - 1}.")


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
