"""Racing stops where a verdict is there or out of reach, and looks only when it planned to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evidence.ablation.tables_of_scores import leave_one_out, simulated
from graftwork.evidence.ablation.cells import Cell
from graftwork.evidence.ablation.judge import judged
from graftwork.evidence.ablation.racing import next_look, open_arms, open_comparisons, planned_looks

LOOKS = (5, 10, 20, 40)


@pytest.mark.parametrize("most", range(1, 90))
def test_looks_rise_and_end_at_the_last_repeat(most: int) -> None:
    looks = planned_looks(most)
    assert list(looks) == sorted(set(looks))
    assert looks[-1] == most
    assert all(look >= 5 for look in looks[:-1])


def test_what_is_settled_needs_no_more_repeats() -> None:
    design = leave_one_out(("clear", "unclear"))
    cells = simulated(design, {"clear": 20.0, "unclear": 1.0}, 5, np.random.default_rng(0))
    names = open_comparisons(design, cells, looks=LOOKS)
    assert names == ("unclear",)
    assert open_arms(design, names) == ("all", "without unclear")
    assert next_look(5, LOOKS) == 10
    assert next_look(40, LOOKS) is None


def test_before_the_first_look_everything_is_open() -> None:
    design = leave_one_out(("a", "b"))
    assert open_comparisons(design, [], looks=LOOKS) == ("a", "b")
    assert open_comparisons(design, simulated(design, {"a": 50.0}, 4, np.random.default_rng(0)), looks=LOOKS) == (
        "a",
        "b",
    )


def test_past_the_last_look_nothing_is_open() -> None:
    design = leave_one_out(("a",))
    assert open_comparisons(design, simulated(design, {"a": 0.6}, 40, np.random.default_rng(0)), looks=LOOKS) == ()


def test_what_is_hopeless_or_refused_is_given_up() -> None:
    design = leave_one_out(("nothing", "refused"))
    cells = [replace(c, score=0.5) for c in simulated(design, {}, 10, np.random.default_rng(0))]
    assert open_comparisons(replace(design, refused={"without refused": "no"}), cells, looks=LOOKS) == ()
    assert open_comparisons(replace(design, refused={"without refused": "no"}), cells[:8], looks=LOOKS) == ("nothing",)


def test_a_race_of_nothing_seldom_finds_something_and_saves_runs() -> None:
    """200 races, each stopped as soon as it may: at most 16 tables with a wrong verdict."""
    design, draws = leave_one_out(("useless", "idle", "vain")), np.random.default_rng(11)
    wrong, runs = 0, 0
    for _ in range(200):
        found, cells = race(simulated(design, {}, 40, draws))
        wrong += any(verdict != "open" for verdict in found)
        runs += len(cells)
    assert wrong <= 16
    assert runs < 0.6 * 200 * 40 * 4


def race(cells: list[Cell]) -> tuple[list[str], list[Cell]]:
    design = leave_one_out(("useless", "idle", "vain"))
    upto, done, names = dict.fromkeys(design.arms, 0), 0, ("useless", "idle", "vain")
    seen: list[Cell] = []
    while names and (following := next_look(done, LOOKS)):
        done = following
        upto |= dict.fromkeys(open_arms(design, names), done)
        seen = [cell for cell in cells if cell.repeat < upto[cell.arm]]
        names = open_comparisons(design, seen, looks=LOOKS)
    return [one.verdict for one in judged(design, seen, looks=LOOKS)], seen
