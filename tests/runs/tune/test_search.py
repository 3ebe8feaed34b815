"""The order of trials, and that it does not depend on where a search was stopped: with runs that take no time."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graftwork.core.settings import Training
from graftwork.evidence.tune.trials import Limits, Trial
from graftwork.recipe import Recipe
from graftwork.runs.clock import Deadline
from graftwork.runs.tune.ladder import TOP, first_level, rungs_of, scores_by_level
from graftwork.runs.tune.search import Planned, Search, Wanted, as_of, named
from graftwork.runs.tune.space.dimensions import Dimension
from graftwork.runs.tune.study.study import NO_LIMITS, open_study
from graftwork.spaces import Choice, Range


class Lines:
    """A space of two bases with a rate, or a probe without."""

    dimensions = (
        Dimension("base", Choice(("gru", "cnn"))),
        Dimension("tuning", Choice(("probe", "full"))),
        Dimension("lr", Range(1e-5, 1e-2, log=True), (("tuning", ("full",)),)),
    )

    def recipe(self, params: Mapping[str, object]) -> Recipe:
        lr = params.get("lr")
        training = Training(lr=None if lr is None else float(f"{lr:.3g}"))
        return Recipe(base=str(params["base"]), techniques=() if lr else ("probe",), training=training)

    def params_of(self, recipe: Recipe) -> Mapping[str, object] | None:
        probe = bool(recipe.techniques)
        found = {"base": recipe.base, "tuning": "probe" if probe else "full"}
        return found if probe else {**found, "lr": recipe.training.lr}


class Killed(Exception):
    """Stands for a process that is stopped."""


@dataclass
class Runs:
    """Runs whose scores are known beforehand; they are kept in a file each. kill_after: so many runs."""

    folder: Path
    kill_after: int | None = None
    takes: Callable[[], None] = lambda: None
    ran: list[tuple[int, int]] = field(default_factory=list)
    failing: Sequence[int] = ()

    def known(self, number: int) -> Trial | None:
        path = self.folder / f"{number}.json"
        if not path.is_file():
            return None
        told = json.loads(path.read_text())
        return Trial(**{**told, "rungs": tuple(map(tuple, told["rungs"])), "techniques": tuple(told["techniques"])})

    def run(self, trial: Trial, recipe: Recipe, until_rung: int, seconds: float | None) -> Trial:
        if self.kill_after is not None and len(self.ran) >= self.kill_after:
            raise Killed
        del seconds
        self.takes()
        self.ran.append((trial.number, until_rung))
        lr = recipe.training.lr
        steps = 0 if lr is None else 90
        rungs = rungs_of(steps) or {TOP: 0}
        good = {"gru": 0.3, "cnn": 0.5}[str(recipe.base)] + (0.0 if lr is None else 0.4 - abs(np.log10(lr) + 3) / 5)
        done = {level: (step, good * (0.7 + 0.1 * level)) for level, step in rungs.items()}
        state = "finished" if until_rung >= TOP or not steps else "paused"
        kept = tuple(done[level] for level in done if level <= max(until_rung, first_level(steps)))
        size = {"gru": 10, "cnn": 90}[str(recipe.base)]
        made = replace(trial, state=state, rungs=kept, steps=steps, size=size)  # type: ignore[arg-type]
        if trial.number in self.failing:
            made = replace(trial, state="failed", failed="The memory is too small for it.")
        self.folder.mkdir(exist_ok=True, parents=True)
        (self.folder / f"{trial.number}.json").write_text(json.dumps(vars(made)))
        return made

    def run_each(self, wanted: Iterator[Wanted]) -> Generator[Trial, None, None]:
        for one in wanted:
            yield self.run(one.trial, one.recipe, one.level, one.seconds)

    def tidy(self, trials: Sequence[Trial], worth: Sequence[Trial]) -> None: ...


class Together(Runs):
    """As many machines run them: all are taken before the first one is done, and the last one is done first."""

    def run_each(self, wanted: Iterator[Wanted]) -> Generator[Trial, None, None]:
        for one in reversed(list(wanted)):
            yield self.run(one.trial, one.recipe, one.level, one.seconds)


FIRST = (
    Planned("probe", "default", Recipe(base="gru", techniques=("probe",)), None),
    Planned("tune", "default", Recipe(base="gru", techniques=(), training=Training(lr=1e-4))),
    Planned("probe of cnn", "base", Recipe(base="cnn", techniques=("probe",))),
)


def search_of(
    folder: Path,
    most: int | None,
    runs: Runs | None = None,
    deadline: Deadline | None = None,
    limits: Limits = NO_LIMITS,
    earlier: Sequence[Trial] = (),
) -> Search:
    return Search(
        FIRST,
        Lines(),
        open_study(folder, 5, limits=limits),
        runs or Runs(folder / "trials"),
        lambda recipe: "no" if recipe.base == "gru" and recipe.training.lr and recipe.training.lr > 5e-3 else "",
        batch=4,
        most=most,
        deadline=deadline,
        earlier=earlier,
    )


def search(*given: Any, **named: Any) -> Search:
    made = search_of(*given, **named)
    made.run()
    return made


def test_the_order_of_trials(tmp_path: Path) -> None:
    runs = Runs(tmp_path / "trials")
    found = search(tmp_path, 11, runs)
    assert [one.origin for one in found.trials.values()] == ["default"] * 2 + ["base"] + ["searched"] * 8
    assert runs.ran[:7] == [(0, TOP), (1, TOP), (2, TOP), (3, 0), (4, 0), (5, 0), (6, 0)]
    assert all(one.params and one.name for one in found.trials.values() if one.origin == "searched")
    recipes = {json.dumps(one.recipe, sort_keys=True, default=str) for one in found.trials.values()}
    assert len(recipes) == 11  # none is tried twice
    promoted = [pair for pair in runs.ran if pair[1] > 0 and pair[0] > 2]
    assert promoted
    rows = open_study(tmp_path, 5).optuna_study.trials
    assert [row.user_attrs["trial"] for row in rows[:3]] == [0, 1, 2]
    assert not any(row.state.name == "RUNNING" for row in rows)


@pytest.mark.parametrize("total", [14, pytest.param(50, marks=pytest.mark.slow)])
def test_two_parts_are_the_whole(total: int, tmp_path: Path) -> None:
    whole = search(tmp_path / "whole", total)
    for parts in ((total // 2, total), (1, 2, 3, 4, 5, 11, total)):
        folder = tmp_path / str(parts)
        for most in parts:
            found = search(folder, most)
            assert len(found.trials) == most
        assert found.trials == whole.trials
        assert values(folder) == values(tmp_path / "whole")


@pytest.mark.parametrize("total", [6, 15])
def test_trials_at_the_same_time_are_those_one_after_the_other(total: int, tmp_path: Path) -> None:
    alone = search(tmp_path / "alone", total)
    runs = Together(tmp_path / "together" / "trials")
    found = search(tmp_path / "together", total, runs)
    assert [number for number, _ in runs.ran[:3]] == [2, 1, 0]
    assert {number: found.trials[number] for number in sorted(found.trials)} == alone.trials
    assert values(tmp_path / "together") == values(tmp_path / "alone")


def test_what_is_beyond_a_limit_takes_no_place_from_the_others(tmp_path: Path) -> None:
    """The larger base scores better, and none of its trials goes on; asked for later, it is so too."""
    free, small = Runs(tmp_path / "free" / "trials"), Runs(tmp_path / "small" / "trials")
    search(tmp_path / "free", 19, free)
    found = search(tmp_path / "small", 19, small, limits=Limits(size=20))

    def gone_on(runs: Runs) -> set[str]:
        trials = [runs.known(number) for number, level in runs.ran if level > 0 and number >= len(FIRST)]
        return {one.recipe["base"] for one in trials if one is not None}

    assert gone_on(free) == {"cnn"}
    assert gone_on(small) == {"gru"}
    assert any(one.state == "finished" and one.steps and one.size == 10 for one in list(found.trials.values())[3:])
    later = Runs(tmp_path / "free" / "trials")
    search(tmp_path / "free", 19, later, limits=Limits(size=20))
    assert gone_on(later) == {"gru"}


def values(folder: Path) -> list[object]:
    return [(row.params, row.values, row.state.name) for row in open_study(folder, 5).optuna_study.trials]


@pytest.mark.slow
def test_a_search_that_is_killed_again_and_again_ends_as_the_whole(tmp_path: Path) -> None:
    whole = search(tmp_path / "whole", 30)
    runs = Runs(tmp_path / "whole-again" / "trials")
    search(tmp_path / "whole-again", 30, runs)
    draw, ran = np.random.default_rng(0), 0
    for _ in range(100):
        killed = Runs(tmp_path / "killed" / "trials", kill_after=int(draw.integers(0, 6)))
        try:
            found = search(tmp_path / "killed", 30, killed)
        except Killed:
            ran += len(killed.ran)
        else:
            ran += len(killed.ran)
            break
    assert found.trials == whole.trials
    assert ran == len(runs.ran)  # nothing that was finished is run again


def test_earlier_trials_that_there_is_no_time_to_come_to_take_part_in_the_choice(tmp_path: Path) -> None:
    before = search(tmp_path, 11)
    earlier, late = list(before.trials.values()), Deadline(0.0, clock=lambda: 1.0)
    runs = Runs(tmp_path / "trials")
    found = search(tmp_path, None, runs, late, earlier=earlier)
    assert runs.ran == []
    assert found.trials == before.trials
    assert found.recipes == before.recipes
    assert found.params == before.params
    assert set(search(tmp_path, 5, Runs(tmp_path / "trials"), late, earlier=earlier).trials) == set(range(5))
    others = [replace(one, recipe={"base": "other"}) for one in earlier]
    assert set(search(tmp_path, None, Runs(tmp_path / "trials"), late, earlier=others).trials) == {0, 1, 2}
    (tmp_path / "trials" / "10.json").unlink()  # damaged
    assert 10 not in search(tmp_path, None, Runs(tmp_path / "trials"), late, earlier=earlier).trials


def test_a_failure_is_counted_and_ends_nothing(tmp_path: Path) -> None:
    found = search(tmp_path, 15, Runs(tmp_path / "trials", failing=(1, 4, 5)))
    assert [one.number for one in found.trials.values() if one.state == "failed"] == [1, 4, 5]
    assert len(found.trials) == 15
    states = [row.state.name for row in open_study(tmp_path, 5).optuna_study.trials]
    assert "FAIL" in states


def test_a_deadline_ends_it_and_what_is_under_way_is_finished_first(tmp_path: Path) -> None:
    now = [0.0]

    def takes() -> None:
        now[0] += 5.0

    found = search(tmp_path, None, Runs(tmp_path / "trials", takes=takes), Deadline(200.0, clock=lambda: now[0]))
    assert 190.0 <= now[0] <= 205.0
    assert len(found.trials) > 10
    best = max(found.trials.values(), key=lambda one: one.score or 0.0)
    assert best.state == "finished"


def test_a_search_that_is_stopped_knows_what_earlier_calls_came_to(tmp_path: Path) -> None:
    found = search(tmp_path, 13, Runs(tmp_path / "trials"), Deadline(200.0, clock=lambda: 0.0))
    stopped = search_of(tmp_path, 17, Runs(tmp_path / "trials", kill_after=0), earlier=list(found.trials.values()))
    with pytest.raises(Killed):
        stopped.run()
    assert stopped.trials == found.trials
    assert {one.state for one in stopped.trials.values()} == {"finished"}


def test_with_a_deadline_the_last_trials_are_not_left_under_way(tmp_path: Path) -> None:
    found = search(tmp_path, 13, Runs(tmp_path / "trials"), Deadline(200.0, clock=lambda: 0.0))
    assert set(found.trials) == set(range(13))
    assert {one.state for one in found.trials.values()} == {"finished"}
    without = search(tmp_path / "other", 13, Runs(tmp_path / "other" / "trials"))
    assert "paused" in {one.state for one in without.trials.values()}  # 25 and 25 more are to be 50


def test_an_exhausted_space_ends_it(tmp_path: Path) -> None:
    class Few(Lines):
        dimensions = Lines.dimensions[:2]

        def recipe(self, params: Mapping[str, object]) -> Recipe:
            return Lines().recipe({**params, "tuning": "probe"})

    made = Search(FIRST, Few(), open_study(tmp_path, 5), Runs(tmp_path / "trials"), lambda _: "", batch=4, most=50)
    made.run()
    assert made.exhausted
    assert len(made.trials) == 3


def test_a_trial_as_it_was() -> None:
    rungs = tuple((step, level / 10) for level, step in rungs_of(90).items())
    done = Trial(0, "", "searched", "finished", {}, rungs=rungs, steps=90)
    assert as_of(done, TOP) == done
    assert as_of(done, 1).state == "paused"
    assert scores_by_level(as_of(done, 1)) == {0: 0.0, 1: 0.1}
    failed = replace(done, state="failed", rungs=rungs[:1], failed="no memory")
    assert as_of(failed, 1) == failed
    assert as_of(failed, 0) == replace(done, state="paused", rungs=rungs[:1])
    probe = Trial(0, "", "default", "finished", {}, rungs=((0, 0.5),))
    assert as_of(probe, 0) == probe


@pytest.mark.parametrize(
    ("recipe", "said"),
    [(Recipe(base="gru", techniques=()), "plain loop on gru"), (Recipe(base="cnn", techniques=["ema"]), "ema on cnn")],
)
def test_names(recipe: Recipe, said: str) -> None:
    assert named(recipe) == said
