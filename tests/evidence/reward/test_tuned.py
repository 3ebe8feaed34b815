"""graftwork.evidence.reward.tuned: a model beside the one that a reward began from, and beside the cheaper ways."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evidence.samples import MARKUP, classification, report
from graftwork.core.contract.aim import Aim
from graftwork.evidence.page.page import page
from graftwork.evidence.results import Curves, Series
from graftwork.evidence.reward.tuned import Tuned, held_against
from graftwork.tasks.costs import CostMatrix, bayes
from graftwork.tasks.metrics.registry import METRICS

ROWS = 400
TASK = classification(3)
COSTS = CostMatrix(TASK.classes, np.array([[0.0, 1, 1], [12, 0, 1], [1, 1, 0]]))
DEAR = Aim("costs.csv", costs=COSTS)


def said(seed: int, sure: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """The truth, and probabilities that know something of it."""
    draw = np.random.default_rng(seed)
    truth = draw.integers(3, size=ROWS)
    odds = np.exp(draw.normal(size=(ROWS, 3)) + sure * np.eye(3)[truth])
    return truth, (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)


def as_chosen(choices: np.ndarray) -> np.ndarray:
    """Probabilities of a model that is sure of these choices."""
    return np.where(np.eye(3)[choices] > 0, 0.98, 0.01).astype(np.float32)


def tuned(after: np.ndarray, aim: Aim = DEAR, **more: object) -> Tuned:
    truth, before = said(0)
    return held_against(TASK, aim, truth, before, after, **more)  # type: ignore[arg-type]


def test_the_gain_is_that_of_the_same_rows() -> None:
    truth, before = said(0)
    after = said(0, sure=3.0)[1]
    found = tuned(after, split="test")
    costs = [COSTS.costs[truth, given.argmax(axis=1)] for given in (before, after)]
    assert found.reward.before.value == pytest.approx(costs[0].mean())
    assert found.reward.after.value == pytest.approx(costs[1].mean())
    saved = costs[0] - costs[1]
    assert found.reward.gain.value == pytest.approx(saved.mean())
    drawn = np.random.default_rng(9).integers(ROWS, size=(4000, ROWS))
    assert (found.reward.gain.low, found.reward.gain.high) == pytest.approx(
        np.quantile(saved[drawn].mean(axis=1), [0.025, 0.975]), abs=0.08
    )
    assert {one.after.metric.name for one in found.usual} >= {"accuracy", "macro_f1", "log_loss"}
    assert found.sentences[0].startswith("Mean cost, which was rewarded, went from ")
    assert "on 400 test rows: better by " in found.sentences[0]


def test_a_reward_that_rises_while_usual_scores_fall_is_said() -> None:
    truth, before = said(0)
    found = tuned(as_chosen(bayes(before, COSTS)))
    assert found.reward.gain.low > 0
    warning = found.sentences[-1]
    assert warning.startswith("While the reward rose, ")
    for name in ("Accuracy", "Log-loss"):
        assert name in warning
    assert not any("While the reward" in each for each in tuned(as_chosen(truth)).sentences)


def test_the_cheaper_way_is_measured_beside_it() -> None:
    truth, before = said(0)
    same = tuned(as_chosen(bayes(before, COSTS)))
    (way,) = same.cheaper
    assert way.score.value == pytest.approx(COSTS.costs[truth, bayes(before, COSTS)].mean())
    assert way.ahead.value == way.ahead.low == way.ahead.high == 0.0
    assert "The cheaper way does as well" in same.sentences[1]
    assert "You need no reward tuning" in same.sentences[1]
    assert "graft predict RUN TABLE --costs costs.csv" in same.sentences[1]
    of_several = tuned(as_chosen(bayes(before, COSTS)), target="my state")
    assert "graft predict RUN TABLE --costs 'my state=costs.csv'" in of_several.sentences[1]
    assert "The cheaper way does better" in tuned(before).sentences[1]
    assert "The tuning beats the cheaper way" in tuned(as_chosen(truth)).sentences[1]


def test_thresholds_are_chosen_by_other_rows() -> None:
    truth, before = said(0)
    aim = Aim("macro_f1", metric=METRICS["macro_f1"])
    (crossed,) = tuned(before, aim).cheaper
    (apart,) = tuned(before, aim, tuning=said(1)).cheaper
    for way in (crossed, apart):
        assert "graft calibrate RUN LABELLED --metric macro_f1" in way.how
        assert way.score.value == pytest.approx(METRICS["macro_f1"](truth, before.argmax(axis=1)), abs=0.05)
    assert crossed.score != apart.score
    few = held_against(TASK, aim, truth[:30], before[:30], before[:30])
    assert few.cheaper == ()


def test_a_function_says_what_answers_are_worth() -> None:
    _truth, before = said(0)
    worth = np.random.default_rng(3).random((2, ROWS))
    found = tuned(before, Aim("rewards:profit", judge=lambda *_: worth[0]), judged=(worth[0], worth[1]))
    assert found.reward.gain.value == pytest.approx(worth[1].mean() - worth[0].mean())
    assert found.cheaper == ()
    assert "don't tell the two apart" in found.sentences[0]
    assert "rewards:profit" in found.reward.after.display
    worse = tuned(before, Aim("rewards:profit", judge=lambda *_: worth[0]), judged=(worth[0] + 1, worth[1]))
    assert "Leave the reward out." in worse.sentences[0]


def test_page_card_and_json_say_it() -> None:
    _, before = said(0)
    found = tuned(as_chosen(bayes(before, COSTS)), Aim(MARKUP, costs=COSTS))

    series = Series("reward label", (1, 2, 3), (0.1, 0.2, 0.3))
    told = replace(report(), tuned=(found,), curves=Curves(Series("training loss", (1, 2), (2.0, 1.0)), told=(series,)))
    shown = page(told)
    assert "What the reward brought" in shown
    assert "<script>alert" not in shown
    assert "Reward label, on the rows that are trained on." in shown
    assert any("You need no reward tuning" in each for each in told.summary.lines())
    assert "You need no reward tuning" in told.model_card()
    plain = told.metrics()["tuned"]["target"]
    assert plain["gain"]["low"] > 0
    assert plain["cheaper"][0]["tuned_is_better_by"]["value"] == 0.0
    assert type(told.summary).from_json(told.summary.to_json()) == told.summary
    rows = found.section.grid.rows if found.section.grid else ()
    assert rows[0][0] == "Mean cost (rewarded)"
