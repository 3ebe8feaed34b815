"""One cell of an ablation of learning by reward: an arm learned with one seed, scored, and kept for the next call."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from graftwork.data.store.cache import digest
from graftwork.devices import chosen
from graftwork.errors import GraftworkError
from graftwork.evidence.ablation.cells import Cell
from graftwork.progress import Screen
from graftwork.rl.algorithms import check_actions
from graftwork.rl.learning.run import Run, run_one
from graftwork.rl.learning.run_files import demonstrations_digest
from graftwork.rl.recipe import RLRecipe
from graftwork.rl.shown.reporting import versions_used
from graftwork.rl.sight.adapting import sight
from graftwork.rl.world.environments import World, open_world
from graftwork.runs.ablation.own_code import PROCESS, code_digests
from graftwork.runs.stored import Finished, keep, recall
from graftwork.shown import shown_line

FORMAT = 1
"""Of what is kept of a run; part of its key."""


@dataclass
class Cells:
    """Makes cells. about: by arm, what its weights and code are, which `check` finds out."""

    screen: Screen
    about: dict[str, str] = field(default_factory=dict)

    def check(self, name: str, recipe: RLRecipe) -> None:
        """Raise what refuses an arm, before anything is learned."""
        world = open_world(recipe.env)
        check_actions(recipe.algorithm, world.actions.kind, world.actions.text)
        self.about[name] = digest(_weights(recipe, world), *_code(recipe, world), demonstrations_digest(recipe))

    def cell(self, name: str, recipe: RLRecipe, repeat: int) -> Cell:
        """Of an arm and a repeat, which is a seed: found among the finished runs, or made now.

        A run that fails is a cell that says so. Raises KeyboardInterrupt for Ctrl-C, DataError where it can't be kept.
        """
        seed = recipe.seed + repeat
        key = self._key(name, recipe, seed)
        kept = recall(key)
        if kept is not None:
            return _cell(name, repeat, kept, reused=True)
        try:
            run = run_one(recipe, None, seed=seed, listener=self.screen)
        except GraftworkError as error:
            return Cell(name, repeat, None, 0, 1, failed=shown_line(str(error)))
        if run.interrupted:
            raise KeyboardInterrupt
        if run.failed or run.final is None:
            return Cell(name, repeat, None, 0, 1, failed=shown_line(run.failed or "it could not be scored"))
        finished = _finished(run)
        about: Mapping[str, Any] = {"recipe": _plain(recipe), "arm": name, "seed": seed}
        keep(key, finished, {}, about)
        return _cell(name, repeat, finished, reused=False)

    def _key(self, name: str, recipe: RLRecipe, seed: int) -> str:
        """Changes with all that decides what a run scores."""
        plain = repr(replace(recipe, env=recipe.env_name, seed=0))
        return digest(f"rl {FORMAT}", plain, str(seed), self.about[name], chosen().type, repr(versions_used()))


def _finished(run: Run) -> Finished:
    """Seeds have no rows in common, so that there are none that overlap: rows of 0 say so to the test."""
    assert run.final is not None
    end = run.scored[-1] if run.scored else run.final
    return Finished(run.final.mean, 0, max(end.step, 1), end.cpu, 0.0, 0, 0)


def _cell(name: str, repeat: int, kept: Finished, *, reused: bool) -> Cell:
    return Cell(name, repeat, kept.score, 0, kept.trained_rows, kept.seconds, reused=reused)


def _weights(recipe: RLRecipe, world: World) -> str:
    """Of what it sees with, before anything is learned. Raises what refuses the base or a technique."""
    found = sight(recipe, world, recipe.seed)
    hasher = hashlib.sha256()
    for module in [found.sees, *(one.encoder for one in found.reading.inputs)]:
        for name, tensor in sorted(module.state_dict().items()):
            hasher.update(name.encode())
            hasher.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return hasher.hexdigest()


def _code(recipe: RLRecipe, world: World) -> list[str]:
    """Of the environment and of techniques of others; of an environment that Python makes nothing is known in another
    process."""
    env = world.made(None)
    try:
        used = [env.unwrapped, *recipe.techniques]
        return [*code_digests(used), *([] if isinstance(recipe.env, str) else [PROCESS, repr(recipe.env)])]
    finally:
        with suppress(Exception):
            env.close()


def _plain(recipe: RLRecipe) -> dict[str, Any]:
    import json

    plain: dict[str, Any] = json.loads(json.dumps(recipe.to_dict(), default=str))
    return plain
