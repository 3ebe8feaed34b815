"""Findings of score tables whose truth is known."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from evidence.ablation.tables_of_scores import cells_of, leave_one_out, shapley_design, simulated
from graftwork.evidence.ablation.cells import Cell, Design
from graftwork.evidence.ablation.judge import interacting, judged, passes_note
from graftwork.evidence.ablation.scale import Scale
from graftwork.evidence.ablation.shapley import exact, passes

POINTS = Scale("Accuracy", "percent")


def test_what_helps_hurts_and_does_neither_is_told() -> None:
    design = leave_one_out(("good", "bad", "idle"))
    found = judged(design, simulated(design, {"good": 6.0, "bad": -6.0}, 10, np.random.default_rng(0)))
    assert [(one.name, one.verdict) for one in found] == [("good", "helps"), ("bad", "hurts"), ("idle", "open")]
    for one in found[:2]:
        assert one.low is not None
        assert one.high is not None
        assert one.holm is not None
        assert one.low < one.value < one.high  # type: ignore[operator]
        assert one.settles == 0
        assert one.repeats == 10
        assert one.p <= one.holm <= 0.05  # type: ignore[operator]
    assert found[0].sentence.startswith("good helps: +")
    assert "bad hurts: -" in found[1].sentence
    assert "idle is not distinguishable from noise" in found[2].sentence


def test_a_value_is_the_mean_of_paired_differences() -> None:
    design = leave_one_out(("a",))
    scores = {"all": [0.9, 0.8, 0.95, 0.85, 0.9, 0.7], "without a": [0.88, 0.79, 0.90, 0.84, 0.9, 0.65]}
    (found,) = judged(design, cells_of(design, scores), scale=POINTS)
    differences = np.subtract(scores["all"], scores["without a"])
    assert found.differences == pytest.approx(tuple(differences))
    assert found.value == pytest.approx(differences.mean())
    assert "+2.3 points" in found.sentence
    assert "6 repeats" in found.sentence


def test_costs_are_paired_differences_too() -> None:
    design = leave_one_out(("a", "b"))
    cells = simulated(design, {}, 5, np.random.default_rng(0))
    (first, _) = judged(design, cells)
    assert (first.costs.seconds, first.costs.parameters, first.costs.memory) == (1.0, 10.0, None)
    measured = [replace(cell, memory=500 if cell.arm == "all" else 200) for cell in cells]
    assert judged(design, measured)[0].costs.memory == 300


def test_no_verdict_from_four_repeats_however_clear() -> None:
    design = leave_one_out(("a",))
    (found,) = judged(design, simulated(design, {"a": 100.0}, 4, np.random.default_rng(0)))
    assert (found.verdict, found.low, found.high, found.p, found.settles) == ("open", None, None, None, 1)
    assert "has no verdict" in found.sentence
    assert "needs 5" in found.sentence


def test_of_nothing_measured_it_says_so() -> None:
    (found,) = judged(leave_one_out(("a",)), [])
    assert (found.value, found.repeats, found.verdict) == (None, 0, "open")
    assert "has no repeat" in found.sentence


def test_runs_that_crash_are_counted_and_leave_their_repeat_out() -> None:
    design = leave_one_out(("a", "b"))
    cells = simulated(design, {"a": 8.0}, 10, np.random.default_rng(0))
    broken = [replace(c, score=None, failed="boom") if (c.arm, c.repeat) == ("without a", 3) else c for c in cells]
    found = judged(design, broken)
    assert [one.repeats for one in found] == [9, 10]
    assert [one.failed for one in found] == [1, 0]
    assert found[0].sentence.endswith("1 run failed.")
    assert found[0].verdict == "helps"
    nan = [replace(c, score=float("nan")) if (c.arm, c.repeat) == ("without a", 3) else c for c in cells]
    assert judged(design, nan)[0].repeats == 9


def test_an_arm_that_cannot_be_run_is_told_and_does_not_count_among_the_comparisons() -> None:
    design = leave_one_out(("a", "b"))
    cells = [c for c in simulated(design, {"a": 3.0}, 10, np.random.default_rng(0)) if c.arm != "without b"]
    found = judged(replace(design, refused={"without b": "c needs b"}), cells)
    assert found[1].refused == "c needs b"
    assert found[1].sentence == "b can't be compared: c needs b"
    assert found[0].holm == found[0].p


def test_one_of_many_that_looks_good_alone_is_not_believed() -> None:
    names = tuple(f"t{at}" for at in range(10))
    design = leave_one_out(names)
    draws = np.random.default_rng(5)
    for _ in range(200):
        found = judged(design, simulated(design, {}, 10, draws))
        lucky = [one for one in found if one.p is not None and one.p < 0.05 and one.verdict == "open"]
        if lucky:
            assert "among so many comparisons chance does that" in lucky[0].sentence
            return
    pytest.fail("chance should have done that")


def test_shapley_findings_sum_to_the_total_and_keep_their_kind() -> None:
    players = ("a", "b", "c")
    design = shapley_design(players)
    cells = simulated(design, {"a": 5.0, "b": -4.0}, 8, np.random.default_rng(0))
    found = judged(design, cells)
    total = np.mean(
        [
            next(c.score for c in cells if c.arm == "a+b+c" and c.repeat == repeat)  # type: ignore[misc]
            - next(c.score for c in cells if c.arm == "none" and c.repeat == repeat)  # type: ignore[operator]
            for repeat in range(8)
        ]
    )
    assert sum(one.value or 0.0 for one in found) == pytest.approx(total, abs=1e-12)
    assert [one.verdict for one in found] == ["helps", "hurts", "open"]
    assert [one.kind for one in found] == ["input", "technique", "technique"]
    assert [one.costs.parameters for one in found] == pytest.approx([10.0] * 3)


def test_a_repeat_counts_for_shapley_values_once_all_its_coalitions_are_there() -> None:
    design = shapley_design(("a", "b"))
    cells = simulated(design, {"a": 5.0}, 7, np.random.default_rng(0))
    cells = [replace(c, score=None, failed="boom") if (c.arm, c.repeat) == ("b", 2) else c for c in cells]
    assert [one.repeats for one in judged(design, cells)] == [6, 6]
    assert [one.failed for one in judged(design, cells)] == [1, 1]


def together(design: Design, pairs: dict[tuple[str, str], float], triple: float = 0.0) -> list[Cell]:
    """Players that bring 1 each, pairs that bring more or less, and little noise."""
    draws = np.random.default_rng(1)
    scores = {
        arm: [
            len(some) + sum(v for p, v in pairs.items() if some >= set(p)) + triple * (some >= {"a", "b", "c"}) + noise
            for noise in draws.normal(0, 0.05, 10)
        ]
        for arm, some in design.arms.items()
    }
    return cells_of(design, scores)


def test_interactions_are_told_by_their_side() -> None:
    design = shapley_design(("a", "b", "c"))
    found = interacting(design, together(design, {("a", "b"): 1.0, ("b", "c"): -1.0}))
    assert [(one.players, one.side) for one in found] == [(("a", "b"), 1), (("a", "c"), 0), (("b", "c"), -1)]
    assert all(one.exact for one in found)
    assert "more together than apart" in found[0].sentence
    assert "one does part of what the other does" in found[2].sentence
    assert interacting(leave_one_out(("a",)), []) == ()
    early = [cell for cell in together(design, {}) if cell.repeat < 4]
    assert all("no verdict yet" in one.sentence for one in interacting(design, early))


def test_passes_find_what_all_coalitions_would_where_players_act_in_pairs() -> None:
    players = tuple("abcde")
    pairs = {("a", "b"): 1.0, ("c", "e"): -2.0}
    every, design = shapley_design(players), shapley_design(players, passes(players))
    cells = together(every, pairs)
    some = [cell for cell in cells if cell.arm in design.arms]
    values = {every.arms[c.arm]: float(np.mean([d.score for d in cells if d.arm == c.arm])) for c in cells}  # type: ignore[misc]
    expected = exact(players, values)
    found = judged(design, some)
    assert {one.name: one.value for one in found} == pytest.approx(expected, abs=0.1)
    assert "agrees with the first" in passes_note(design, some)
    known = {one.players: one for one in interacting(design, some)}
    assert not any(one.exact for one in known.values())
    assert set(known) <= set(combinations(players, 2))
    assert passes_note(every, cells) == ""


def test_the_second_pass_tells_where_three_act_together() -> None:
    players = tuple("abcde")
    design = shapley_design(players, passes(players))
    note = passes_note(design, together(design, {}, triple=5.0))
    assert "disagree" in note
    assert "more than two act together" in note


def test_findings_are_plain_json() -> None:
    design = shapley_design(("a", "b"))
    cells = simulated(design, {"a": 5.0}, 6, np.random.default_rng(0))
    for one in (*judged(design, cells), *interacting(design, cells)):
        assert json.loads(json.dumps(one.to_json())) == one.to_json()
