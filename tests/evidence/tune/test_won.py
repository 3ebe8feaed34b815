"""What is said of the winner, of doubts, and of what to do next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from evidence.tune.made_trials import a_tune, answers, judged, redone, scored, trial
from graftwork.evidence.ablation.scale import Scale
from graftwork.evidence.scores.intervals import Interval
from graftwork.evidence.tune.choice import Chosen
from graftwork.evidence.tune.doubts import came_late, doubts
from graftwork.evidence.tune.next_steps import cheaper, next_steps
from graftwork.evidence.tune.optimism import Optimism
from graftwork.evidence.tune.outcome import About, Outcome, outcome
from graftwork.evidence.tune.trials import Limits
from graftwork.evidence.tune.won import won

POINTS = Scale("Accuracy", "percent")


def commands(found: Outcome) -> list[str]:
    return [one.command for one in next_steps(found)]


def told(*trials: Any, chosen: Chosen, gaps: dict[int, Interval] | None = None, **about: Any) -> Outcome:
    return Outcome(trials, chosen, POINTS, About(rows=500, **about), gaps or {}, None, (), ())


def test_the_winner_is_named_with_its_score_and_the_intervals() -> None:
    found = a_tune()
    said = won(found)
    gap = found.chosen.to_default
    assert gap is not None
    assert said[0] == (
        f"The model of 'label' that is kept is trial 5, 'fine-tune 5 of minilm': Accuracy "
        f"{100 * (found.kept.score or 0):.1f} % on 400 rows that it was not trained on."
    )
    default = found.trial(found.chosen.default or 0)
    assert said[1] == (
        f"Beside the best of what graft fit would have tried (trial {default.number}, '{default.name}'): "
        f"{POINTS.gain(gap.value)}, 95 % interval {POINTS.interval(gap.low, gap.high)}, on the same rows. That is more "
        "than chance."
    )
    assert said[-1].startswith("6 trials were compared on the same rows")
    assert "over the default" in said[-1]


GAP = {1: Interval(-0.01, -0.03, 0.01)}
LEAD = "The best score is that of trial 1, 'trial 1' (+1.0 points, 95 % interval -1.0 to +3.0), but "


def test_where_the_default_stands_it_says_why_the_best_score_was_not_kept() -> None:
    chosen = Chosen(0, 1, "default", (0,), 1, 0, GAP[1])
    said = won(told(trial(0, 0.80), trial(1, 0.81), chosen=chosen, gaps=GAP))
    assert said[1] == f"{LEAD}the luckiest of so many gets as far ahead by chance, so the default stands."
    assert "the search found nothing that is better by more than chance" in said[2]


def test_a_smaller_one_says_what_it_saves() -> None:
    trials = [trial(0, 0.8, parameters=11_000_000), trial(1, 0.81, parameters=33_000_000), trial(2, 0.79)]
    said = won(told(*trials, chosen=Chosen(0, 1, "smaller", (0, 2), 1, 2), gaps=GAP))
    assert said[1].startswith(
        f"{LEAD}this one is within one standard error of it and smaller: 11 million parameters instead of 33 million."
    )


@pytest.mark.parametrize(
    ("kept", "best", "saved"),
    [
        ({}, {"techniques": ("mixup", "ema")}, "no technique instead of 2"),
        ({"techniques": ("ema",)}, {"techniques": ("mixup", "ema")}, "1 technique instead of 2"),
        ({"base": "minilm"}, {"base": "copy"}, "it is on 'minilm', which was tried before 'copy'"),
    ],
)
def test_the_plainest_of_those_that_are_better_says_in_what(
    kept: dict[str, Any], best: dict[str, Any], saved: str
) -> None:
    found = told(trial(0, 0.8, **kept), trial(1, 0.81, **best), chosen=Chosen(0, 1, "plainest", (0, 1), 1), gaps=GAP)
    assert won(found)[1] == (
        f"{LEAD}the luckiest of so many gets as far ahead by chance. Of the 2 that are better than the default by more "
        f"than chance, and that chance can't tell from the best, this is the plainest: {saved}."
    )
    near = replace(found, chosen=replace(found.chosen, rule="near"))
    assert won(near)[1] == f"{LEAD}this one is within one standard error of it and plainer: {saved}."


def test_a_best_score_that_is_itself_not_better_by_more_than_chance_is_told_so() -> None:
    trials, chosen = [trial(0, 0.8), trial(1, 0.81), trial(2, 0.7)], Chosen(0, 1, "plainest", (0,), 1, 2)
    said = won(told(*trials, chosen=chosen, gaps=GAP))[1]
    assert said.endswith(", which is not better than the default by more than chance. Only this one is.")
    said = won(told(*trials, chosen=replace(chosen, among=(0, 2)), gaps=GAP))[1]
    assert said.endswith("by more than chance. Of the 2 that are this is the plainest.")


def test_an_error_is_shown_as_it_is_and_its_gain_above_zero() -> None:
    less = Scale("Mean error", "own", less=True)
    found = replace(a_tune(), scale=less)
    found = replace(found, optimism=Optimism(Interval(-12.0, -14.0, -11.0), 0.5, Interval(2.0, 1.0, 3.0), 0.9, 6, 400))
    assert won(found)[-1] == (
        "6 trials were compared on the same rows: the winner of many is partly lucky, by 0.5 here, by estimate. On new "
        "rows expect about 12 (11 to 14), and +2, 95 % interval +1 to +3, over the default."
    )


def test_where_luck_added_nothing_it_says_so() -> None:
    found = replace(a_tune(), optimism=Optimism(Interval(0.9, 0.8, 0.95), -0.002, None, 1.0, 3, 400))
    assert won(found)[-1] == (
        "3 trials were compared on the same rows, which added no luck to speak of here, by estimate. On new rows "
        "expect about 90.0 % (80.0 % to 95.0 %)."
    )
    rounding = replace(found, scale=Scale("Log-loss", "own", less=True))
    rounding = replace(rounding, optimism=Optimism(Interval(-0.1, -0.2, -0.1), 8e-23, None, 1.0, 3, 400))
    assert "which added no luck to speak of here" in won(rounding)[-1]


def test_without_intervals_it_says_why() -> None:
    one = a_tune()
    found = outcome(one.trials, None, POINTS, one.about, why="the words of a row are scored together")
    said = won(found)
    assert said[-1].startswith("How much of the difference is chance can't be told: the words of a row are scored")
    assert not any("interval" in sentence for sentence in said)


def test_the_test_table_is_told_first_and_no_doubt_asks_for_one() -> None:
    found = a_tune(tested="Accuracy 91.0 % (88.0 % to 93.5 %)")
    assert won(found)[1] == "On rows that no trial was compared on: Accuracy 91.0 % (88.0 % to 93.5 %)."
    assert not any("test table" in one for one in doubts(found))
    assert not any("graft evaluate" in one for one in commands(found))


def test_a_default_that_never_came_to_its_end_is_said() -> None:
    found = told(trial(4, 0.8), chosen=Chosen(4, 4))
    assert "no default to compare it with" in won(found)[1]


def test_what_was_not_trained_to_its_end_is_said() -> None:
    found = told(trial(0, 0.8, state="paused"), chosen=Chosen(0, 0, default=0, unfinished=True))
    assert won(found)[0].endswith("It was not trained to its end: no trial was.")
    found = told(trial(0, 0.8, state="paused"), trial(1, 0.9), chosen=Chosen(0, 0, default=0, unfinished=True))
    assert won(found)[0].endswith("It was not trained to its end: no trial that was keeps the limits.")


def test_doubts_are_those_that_there_is_a_reason_for() -> None:
    found = a_tune(rows=120, limits=Limits(latency=0.0125, size=150_000_000), refused=2, folds=5)
    said = " ".join(doubts(found))
    for part in (
        "1 trial of 8 failed: Out of memory: 3.2 GB were needed.",
        "Only 120 rows judged the trials: differences below some",
        "It takes 12 ms a row of the 12 ms allowed",
        "1 trial was paused early",
        "The scores are those of 5 models",
        "2 proposals could not be run",
    ):
        assert part in said
    assert "Its weights take" not in said
    assert "toss" not in said
    assert "proposals. The estimate" not in said


def test_a_calm_tune_has_few_doubts() -> None:
    found = outcome([trial(0, 0.8), trial(1, 0.9)], None, POINTS, About(rows=5000, tested="91 %"), why="x")
    assert doubts(found) == []


def test_a_toss_up_is_called_one() -> None:
    estimate = Optimism(Interval(0.8, 0.7, 0.9), 0.01, None, 0.304, 12, 400)
    said = doubts(replace(a_tune(), optimism=estimate))
    assert any("on draws of the judged rows this one is chosen in 30 of 100." in one for one in said)
    assert not any("Other rows" in one for one in doubts(replace(a_tune(), optimism=replace(estimate, again=0.7))))


def test_better_ones_beyond_the_limits_are_named() -> None:
    said = doubts(a_tune(limits=Limits(latency=0.005)))
    assert any("can't be kept within the limits, first of all trial 5, 'fine-tune 5 of minilm'" in one for one in said)


def test_an_ensemble_was_fitted_to_the_judged_rows() -> None:
    one = trial(3, 0.9, origin="combined", members={0: 0.5, 1: 0.5})
    found = outcome([trial(0, 0.8), trial(1, 0.8), one], None, POINTS, About(rows=900, tested="x"), why="x")
    assert [said[:36] for said in doubts(found)] == ["Which models it is made of, and thei"]


def test_many_proposals_are_a_doubt() -> None:
    random = np.random.default_rng(1)
    plain = answers(0.8, 300, random)
    found = judged({0: plain} | {at: redone(plain, 0.1, 0.8, random) for at in range(1, 12)})
    said = doubts(outcome(scored(found), found, POINTS, About(rows=300)))
    assert any("for each of its 11 proposals" in one for one in said)


def test_what_to_do_next_is_a_command_each() -> None:
    assert commands(a_tune(seconds=500.0, command="")) == [
        "graft evaluate runs/x test.csv",
        "graft ablate runs/x",
        "graft predict runs/x new.csv --out predictions.csv",
    ]
    assert len(next_steps(a_tune(interrupted=True))) == 5


def test_a_search_that_was_cut_short_is_gone_on_with() -> None:
    first = a_tune(interrupted=True)
    assert commands(first)[0] == "graft tune train.csv --target label --out runs/x --resume"
    again = a_tune(interrupted=True, command="graft tune train.csv --resume")
    assert commands(again)[0] == "graft tune train.csv --resume --out runs/x"
    afresh = a_tune(interrupted=True, command="graft tune train.csv --new --out=runs/x")
    assert commands(afresh)[0] == "graft tune train.csv --out=runs/x --resume"
    counted = a_tune(interrupted=True, command="graft tune train.csv --trials 25 --out x")
    assert commands(counted)[0] == "graft tune train.csv --trials 50 --out x --resume"
    late = a_tune(seconds=62.0)
    assert came_late(late)
    assert any("more time may bring more" in one for one in doubts(late))
    assert not came_late(a_tune(seconds=500.0))


def test_a_much_cheaper_one_on_the_front_is_offered_with_its_limits() -> None:
    found = a_tune(
        seconds=500.0, command="graft tune train.csv --resume --out 'runs/a b' --size 9MB", folder="runs/a b"
    )
    one = cheaper(found)
    assert one is not None
    assert one.number in found.front
    assert one.latency < 0.6 * found.kept.latency
    command = next(command for command in commands(found) if "cheaper" in command)
    assert one.size < 0.6 * found.kept.size  # so that is what it saves; a time is measured anew, and differs
    assert command == f"graft tune train.csv --size {one.size / 1e6:.0f}MB --out 'runs/a b-cheaper'"
    quick = replace(found, trials=tuple(replace(each, size=found.kept.size) for each in found.trials))
    command = next(command for command in commands(quick) if "cheaper" in command)
    assert f"--latency {1300 * one.latency:.2g}ms --out" in command


def test_where_most_fail_that_is_mended_first() -> None:
    trials = [trial(0, 0.8), *(trial(at, None, state="failed", failed="no memory") for at in range(1, 4))]
    found = outcome(trials, None, POINTS, About(rows=900), why="x")
    assert next_steps(found)[0].text.startswith("Mend what most trials failed of")
    anew = replace(found, about=replace(found.about, command="graft tune train.csv"))
    assert next_steps(anew)[0].command == "graft tune train.csv --new"


def test_few_rows_that_leave_it_open_are_a_reason_to_label() -> None:
    small, large = trial(0, 0.80), trial(1, 0.81)
    found = told(small, large, chosen=Chosen(0, 1, "default", (0,), 1, 0), folder="runs/x")
    assert "graft advise runs/x" in commands(replace(found, about=replace(found.about, rows=90)))
    assert "graft advise runs/x" not in commands(found)
