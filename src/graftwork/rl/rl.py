"""`graftwork.rl`: a policy that learns by reward in an environment, over one seed or several, and what came of it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graftwork.core.technique import Technique
from graftwork.data.store.cache import storing
from graftwork.data.store.locks import claimed
from graftwork.data.store.writing import is_own
from graftwork.errors import GraftworkError, UsageError
from graftwork.progress import SILENT, Screen, screen
from graftwork.recipe import parse_techniques
from graftwork.rl.algorithms import Algorithm, parse_algorithm
from graftwork.rl.learning.run import Run, check_seed, run_one
from graftwork.rl.policies.manifest import POLICY, is_policy
from graftwork.rl.policies.policy import Policy
from graftwork.rl.recipe import Made, RLRecipe
from graftwork.runs.clock import check_budget

if TYPE_CHECKING:
    from graftwork.evidence.rl.outcome import Outcome

SEEDS = "seeds"
"""The folder in `out` that holds a folder for each seed."""
LEARNING = 0.95
"""Share of a budget that is learned in; the rest is for the report."""


@dataclass(frozen=True, eq=False)
class Learned:
    """What learning by reward gave.

    policy: of the seed that did best while it learned. runs: one a seed. kept: the seed of the policy. command: that
    made it; empty in Python. folder: that it was written to. notes: what else there is to say. stopped: whether Ctrl-C
    came between two runs.
    """

    policy: Policy
    runs: tuple[Run, ...]
    kept: int
    budget: float | None = None
    command: str = ""
    folder: str = ""
    notes: tuple[str, ...] = ()
    stopped: bool = False

    @property
    def recipe(self) -> RLRecipe:
        """What was done."""
        return self.runs[0].recipe

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended it."""
        return self.stopped or any(one.interrupted for one in self.runs)

    @cached_property
    def outcome(self) -> Outcome:
        """What it came to, as the report shows it: beside actions at random, with intervals, with clips."""
        from graftwork.rl.shown.reporting import outcome_of

        return outcome_of(
            self.runs,
            kept=self.kept,
            budget=self.budget,
            command=self.command,
            folder=self.folder,
            notes=self.notes,
        )

    def act(self, observation: Any, deterministic: bool = True) -> Any:
        """The policy's action for one observation; see `Policy.act`."""
        return self.policy.act(observation, deterministic)

    def write(self, folder: str | os.PathLike[str]) -> Path:
        """Write the policy, report.html, scores.json and the clips into a folder. Returns the folder.

        Raises UsageError where it holds a policy.json of something else, DataError where it can't be written.
        """
        from graftwork.evidence.rl.page.files import write

        place = Path(folder)
        with claimed(place), storing(place):
            self.policy.save(place)
            write(place, self.outcome)
        return place

    def __str__(self) -> str:
        from graftwork.evidence.rl.told import told

        return str(told(self.outcome))


def rl(
    env: str | Made,
    *,
    base: str | Mapping[str, str] | None = None,
    algorithm: str | Mapping[str, Any] | Algorithm | None = None,
    with_: Sequence[Technique | str] = (),
    steps: int | None = None,
    budget: float | None = None,
    seeds: int = 1,
    envs: int | None = None,
    normalise: bool = False,
    evaluate_every: int | None = None,
    episodes: int = 20,
    demonstrations: str | os.PathLike[str] | None = None,
    seed: int = 0,
    out: str | os.PathLike[str] | None = None,
    resume: bool = False,
    verbose: bool = True,
) -> Learned:
    """Learn to act in an environment of gymnasium; needs the extra `rl`.

    env: an id ("CartPole-v1"), `module:Class`, or a function that makes an environment. base: what reads pictures and
    texts ("minilm", {"image": "efficientnet-lite0"}); None for small networks of its own. algorithm: ppo, a2c, dqn or
    sac, with settings ("ppo:steps=64"). with_: techniques that adapt a base, such as "lora". steps: of all environments
    together, 100,000 where neither they nor a budget (seconds, of the whole call) are given. seeds: runs that differ in
    the seed alone; `seed` is the first one's. envs, normalise, evaluate_every, episodes, demonstrations: see
    `RLRecipe`. out: a folder for the policy, the report and checkpoints. resume: go on with what is there. verbose:
    show how far it is.

    Raises UsageError, RefusedError or MissingPackageError for what can't begin, EnvironmentCrashedError for an
    environment that fails before anything was learned.
    """
    techniques = parse_techniques([with_] if isinstance(with_, str) else list(with_))
    recipe = RLRecipe(
        env=env,
        base=base,
        algorithm=parse_algorithm(algorithm),
        techniques=() if isinstance(techniques, str) else techniques,
        demonstrations=None if demonstrations is None else str(demonstrations),
        steps=steps,
        envs=envs,
        normalise=normalise,
        evaluate_every=evaluate_every,
        episodes=episodes,
        seed=seed,
    )
    with _shown(verbose) as on:
        return learn(recipe, seeds=seeds, budget=budget, out=out, resume=resume, listener=on)


@contextmanager
def _shown(verbose: bool) -> Iterator[Screen]:
    if not verbose:
        yield SILENT
        return
    with screen() as on:
        yield on


def learn(
    recipe: RLRecipe,
    *,
    seeds: int = 1,
    budget: float | None = None,
    out: str | os.PathLike[str] | None = None,
    resume: bool = False,
    listener: Screen = SILENT,
    command: str = "",
    began: float | None = None,
) -> Learned:
    """`rl` of a recipe. began: `time.monotonic()` from which the budget counts. command: that asked for it. Raises as
    `rl`."""
    if seeds < 1:
        raise UsageError(f"seeds is {seeds}. Expected 1 or more.")
    check_budget(budget)
    check_seed(recipe.seed + seeds - 1)
    folder = None if out is None else Path(out)
    until = None if budget is None else (began or time.monotonic()) + LEARNING * budget
    with claimed(folder):
        if folder is not None:
            check_free(folder, resume=resume)
        runs, notes, stopped = _runs(recipe, seeds, until, folder, resume, listener)
        best = max(runs, key=lambda one: (float(one.policy.about.get("mean", float("-inf"))), -one.seed))
        found = Learned(
            best.policy,
            tuple(runs),
            best.seed,
            budget,
            command=command,
            folder="" if folder is None else str(folder),
            notes=tuple(notes),
            stopped=stopped,
        )
        if folder is not None:
            listener.doing("writing the report")
            found.write(folder)
    return found


def _runs(
    recipe: RLRecipe, seeds: int, until: float | None, folder: Path | None, resume: bool, listener: Screen
) -> tuple[list[Run], list[str], bool]:
    """A run for each seed, until Ctrl-C; what is to be told of those that failed once others have learned; and whether
    Ctrl-C came while one was still prepared."""
    runs, notes = list[Run](), list[str]()
    for at in range(seeds):
        seed = recipe.seed + at
        left = None if until is None else max((until - time.monotonic()) / (seeds - at), 0.0)
        place = None if folder is None else folder / SEEDS / str(seed)
        try:
            run = run_one(recipe, place, seed=seed, budget=left, resume=resume, listener=listener)
        except GraftworkError as error:
            if not runs:
                raise
            notes.append(f"seed {seed}: {error}")
            continue
        except KeyboardInterrupt:
            if not runs:
                raise
            return runs, [*notes, f"stopped before seed {seed} began"], True
        runs.append(run)
        _tell(run, listener)
        if run.interrupted:
            break
    return runs, notes, False


def _tell(run: Run, listener: Screen) -> None:
    last = run.final or (run.scored[-1] if run.scored else None)
    how = f"return {last.mean:.4g}, the mean of {len(last.returns)} episodes" if last else "not scored"
    steps = f"{run.scored[-1].step:,} steps" if run.scored else "0 steps"
    listener.note(f"seed {run.seed}: {how}, after {steps}")
    if run.failed:
        listener.note(f"seed {run.seed} ended before its time: {run.failed} What was learned until then is kept.")


def check_free(folder: Path, *, resume: bool) -> None:
    """Raise UsageError for a folder that holds something that is not of a policy."""
    if not os.path.lexists(folder):
        if resume:
            raise UsageError(f"There is nothing in {folder} to go on with. Leave --resume out, or name another --out.")
        return
    if not folder.is_dir():
        raise UsageError(f"{folder} is a file. Name a folder.")
    names = [each.name for each in folder.iterdir() if not is_own(each.name)]
    if names and SEEDS not in names and not is_policy(folder):
        raise UsageError(f"{folder} holds something that is not a policy ({POLICY}). Choose another folder.")
