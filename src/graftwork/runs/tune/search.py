"""The trials of a tune in their order: what `fit` would try, the same probes on other bases, then what is proposed.

It is a program that is always run from its beginning: what was proposed, run and told before is looked up and not done
again, so that a search that was killed, or ended after fewer trials, goes on as if it had never stopped. Decisions
depend on scores, values and numbers alone; a clock only says when it ends.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from graftwork import specs
from graftwork.evidence.tune.choice import keeps
from graftwork.evidence.tune.trials import Origin, Trial
from graftwork.recipe import Recipe
from graftwork.runs.clock import Deadline
from graftwork.runs.tune.ladder import TOP, best_paused, first_level, rungs_of, scores_by_level, taken_up
from graftwork.runs.tune.space.dimensions import Dimension
from graftwork.runs.tune.study.study import REPEATED, Study

SHARE = 0.25
"""Of the time that is left, what a proposed run may take from its first step to its last."""
ENDS = 0.2
"""Of the whole time, what is left when no new trials are proposed, and paused ones are finished instead."""
LEAST = 0.05
"""Of the whole time, with less than which nothing is begun."""


class Space(Protocol):
    """The search space: recipes of proposed values, and the values of recipes."""

    @property
    def dimensions(self) -> Sequence[Dimension]: ...
    def recipe(self, params: Mapping[str, object], /) -> Recipe: ...
    def params_of(self, recipe: Recipe, /) -> Mapping[str, object] | None: ...


@dataclass(frozen=True)
class Wanted:
    """A trial, to be run until it is scored at a level. seconds: until its very end; None without a limit."""

    trial: Trial
    recipe: Recipe
    level: int
    seconds: float | None = None


class Runner(Protocol):
    """What runs trials, and keeps them. Those of `run_each` need nothing of each other: they may be run at the same
    time, and are given as they are done; the next one is asked for when there is room for it."""

    def known(self, number: int, /) -> Trial | None: ...
    def run_each(self, wanted: Iterator[Wanted], /) -> Generator[Trial, None, None]: ...
    def tidy(self, trials: Sequence[Trial], worth: Sequence[Trial], /) -> None: ...


@dataclass(frozen=True)
class Planned:
    """A trial that is not proposed. share: of the time that is left, what it may take; None for one that has to be."""

    name: str
    origin: Origin
    recipe: Recipe
    share: float | None = 1.0


class Over(Exception):
    """The search has come to its end."""


@dataclass(frozen=True)
class _Try:
    """A trial and the level that it is to be scored at. share: of the time that is left."""

    trial: Trial
    level: int
    share: float | None


@dataclass
class Search:
    """first: what is tried before anything is proposed. refused: why a recipe can't be run, or "". most: trials; None
    for as many as there is time for. ran: hears of each trial that was run, with its recipe, and not of those that were
    known. rested: is told when all that could be run at the same time has been run. earlier: trials of earlier calls;
    those that it does not come to again are there in the end as they were left. trials, recipes: by number, as far as
    it has come. exhausted: there was nothing new to propose."""

    first: Sequence[Planned]
    space: Space
    study: Study
    runner: Runner
    refused: Callable[[Recipe], str]
    batch: int
    most: int | None = None
    deadline: Deadline | None = None
    ran: Callable[[Trial, Recipe], None] | None = None
    rested: Callable[[], None] | None = None
    earlier: Sequence[Trial] = ()
    trials: dict[int, Trial] = field(default_factory=dict)
    recipes: dict[int, Recipe] = field(default_factory=dict)
    params: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    exhausted: bool = False
    _whole: float = 0.0

    def run(self) -> None:
        """Until there are enough trials, the time is up, or there is nothing new to propose."""
        self._whole = self.deadline.left() if self.deadline else 0.0
        try:
            for part in (self._try_each, self._finish_paused):
                with suppress(Over):
                    part()
        finally:  # the loop saw trials as they were at each decision; since then some may have come further
            self._with_earlier()
            self.trials = {number: self.runner.known(number) or one for number, one in self.trials.items()}

    def _try_each(self) -> None:
        self._run_each(self._first())
        for number in range(len(self.first)):
            if self.params[number]:
                self.study.add(self.trials[number], self.params[number], self.space.dimensions)
        begin = len(self.first)
        while self._time_for_more() and not self.exhausted:
            self._try_batch(begin)
            begin += self.batch

    def _first(self) -> Iterator[_Try]:
        for number, planned in enumerate(self.first):
            self._check_number(number)
            trial = proposal(number, planned.name, planned.origin, planned.recipe)
            params = self.space.params_of(planned.recipe)
            self.recipes[number], self.params[number] = planned.recipe, params or {}
            yield _Try(trial, TOP, planned.share)

    def _try_batch(self, begin: int) -> None:
        """Propose a whole batch, run it, tell what came of it, and take up what has earned it."""
        numbers = range(begin, begin + self.batch)
        self._check_number(begin)
        for number in numbers:
            self._propose(number)
        asked = [number for number in numbers if self.params[number]]
        if not asked:
            self.exhausted = True
            return
        self._run_each(self._proposed(asked))
        self._check_number(numbers[-1])
        for number in asked:
            self.study.tell(self.trials[number])
        further = taken_up(self._within_limits(), self.study.objectives)
        self._run_each(_Try(self.trials[number], level, 1.0) for number, level in further)
        for number, _ in further:
            self.study.add(self.trials[number], self.params[number], self.space.dimensions)
        self.runner.tidy(list(self.trials.values()), self._within_limits())

    def _proposed(self, numbers: Sequence[int]) -> Iterator[_Try]:
        for number in numbers:
            self._check_number(number)
            recipe = self.recipes[number]
            trial = replace(proposal(number, named(recipe), "searched", recipe), params=self.params[number])
            yield _Try(trial, 0, SHARE)

    def _propose(self, number: int) -> None:
        """A recipe that was not tried before and that no plan refuses. Without one the trial is left out."""
        tried = {_plain(self._as_in_space(one)) for one in range(number) if one in self.recipes}

        def unwanted(params: Mapping[str, Any]) -> str:
            recipe = self.space.recipe(params)
            return REPEATED if _plain(recipe) in tried else self.refused(recipe)

        dimensions = self.space.dimensions
        params = self.study.proposed(number, dimensions) or self.study.propose(number, dimensions, unwanted) or {}
        self.params[number] = params
        if params:
            self.recipes[number] = self.space.recipe(params)

    def _as_in_space(self, number: int) -> Recipe:
        """A recipe as the space writes it, by which it is told to be the same as another."""
        params = self.params.get(number)
        return self.space.recipe(params) if params else self.recipes[number]

    def _run_each(self, tries: Iterator[_Try]) -> None:
        """Each as it is known, or run now. Raises Over once it comes to one that has no time, or is too many; those
        before it are run."""
        over = list[Over]()

        def wanted() -> Iterator[Wanted]:
            try:
                for one in tries:
                    more = self._wanted(one)
                    if more is not None:
                        yield more
            except Over as error:
                over.append(error)

        with closing(self.runner.run_each(wanted())) as each:
            for done in each:
                self.trials[done.number] = done
                if self.ran is not None:
                    self.ran(done, self.recipes[done.number])
        if self.rested is not None:
            self.rested()
        if over:
            raise over[0]

    def _wanted(self, one: _Try) -> Wanted | None:
        """What is left to run of it; None where it is known."""
        trial, known = one.trial, self.runner.known(one.trial.number)
        if known is not None and _alike(known, trial):
            if _came_to(known, one.level):
                self.trials[trial.number] = as_of(known, one.level)
                return None
            trial = known if known.state == "paused" else trial
        seconds = None
        if self.deadline is not None and one.share is not None:
            left = self.deadline.left()
            if left < LEAST * self._whole:
                raise Over
            seconds = left * one.share
        return Wanted(trial, self.recipes[trial.number], one.level, seconds)

    def _finish_paused(self) -> None:
        """With a deadline: what time is left goes to the best of those that are under way."""
        while (
            self.deadline is not None and (one := best_paused(self._within_limits(), self.study.objectives)) is not None
        ):
            self._run_each(iter([_Try(one, TOP, 1.0)]))
            if self.trials[one.number].state == "paused":
                break

    def _with_earlier(self) -> None:
        """Trials of earlier calls that there was no time to come to again take part in the choice."""
        for one in self.earlier:
            if one.number in self.trials or (self.most is not None and one.number >= self.most):
                continue
            planned = self.first[one.number] if one.number < len(self.first) else None
            params = one.params if planned is None else self.space.params_of(planned.recipe) or {}
            if planned is None and not params:
                continue
            recipe = self.space.recipe(params) if planned is None else planned.recipe
            if _alike(one, proposal(one.number, one.name, one.origin, recipe)) and self.runner.known(one.number):
                self.trials[one.number], self.recipes[one.number], self.params[one.number] = one, recipe, params

    def _within_limits(self) -> list[Trial]:
        """Those that could be kept: what is beyond a limit takes no place from them, however well it scores."""
        return [one for one in self.trials.values() if keeps(one, self.study.limits)]

    def _time_for_more(self) -> bool:
        return self.deadline is None or self.deadline.left() > ENDS * self._whole

    def _check_number(self, number: int) -> None:
        if self.most is not None and number >= self.most:
            raise Over


def proposal(number: int, name: str, origin: Origin, recipe: Recipe) -> Trial:
    """A trial of which nothing was run."""
    techniques = tuple(specs.write(one, one.name) for one in recipe.listed)
    return Trial(number, name, origin, "paused", recipe.to_dict(), base=recipe.base_text, techniques=techniques)


def named(recipe: Recipe) -> str:
    """What people call a recipe: its techniques, its base, and its head where that is named.

    >>> named(Recipe(base="gru", techniques=["mixup:alpha=0.3"], head="mlp"))
    'mixup on gru, head mlp'
    """
    techniques = " + ".join(one.name for one in recipe.listed) or "plain loop"
    head = "" if recipe.head in ("auto", "linear") else f", head {recipe.head}"
    return f"{techniques} on {recipe.base_text}{head}"


def as_of(trial: Trial, level: int) -> Trial:
    """A trial as it was when it had just been scored at a level, or at the lowest one above that its steps have."""
    limit, levels = _limit(trial, level), {step: one for one, step in rungs_of(trial.steps).items()}
    rungs = tuple(rung for rung in trial.rungs if levels.get(rung[0], TOP) <= limit)
    gone_on = len(rungs) < len(trial.rungs) or (trial.state == "failed" and limit in scores_by_level(trial))
    return replace(trial, state="paused", rungs=rungs, failed="") if gone_on else trial


def _came_to(trial: Trial, level: int) -> bool:
    if trial.state == "left out":
        return False
    return trial.state in ("finished", "failed") or max(scores_by_level(trial), default=-1) >= _limit(trial, level)


def _limit(trial: Trial, level: int) -> int:
    return max(level, first_level(trial.steps))


def _alike(known: Trial, trial: Trial) -> bool:
    """Whether it is the same trial, as the files have it."""
    return json.dumps(known.recipe, default=str) == json.dumps(trial.recipe, default=str)


def _plain(recipe: Recipe) -> str:
    return json.dumps(recipe.to_dict(), sort_keys=True, default=str)
