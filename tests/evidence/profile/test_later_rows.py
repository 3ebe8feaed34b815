"""What a random split hides is said where it is certain, and only there."""

from __future__ import annotations

import pytest

from graftwork.evidence.profile.later_rows import later_rows
from graftwork.evidence.scores.intervals import Score
from graftwork.tasks.metrics.registry import METRICS

ACCURACY, ERROR = METRICS["accuracy"], METRICS["mae"]


def score(value, half, metric=ACCURACY):
    return Score(value, value - half, value + half, metric)


def test_a_clear_difference_is_said_with_its_interval():
    found = later_rows("opened", "2024-05-01", 200, score(0.70, 0.03), [score(0.80, 0.03), score(0.82, 0.03)])
    assert found.numbers["hidden"] == pytest.approx(0.11)
    assert found.numbers["hidden_low"] == pytest.approx(0.11 - 2**0.5 * 0.03, abs=1e-4)
    assert "+11.0 points (+6.8 points to +15.2 points)" in found.sentences[1]
    assert "--role time=opened" in found.remedy


def test_what_may_be_chance_is_not_called_a_difference():
    found = later_rows("opened", "2024-05-01", 200, score(0.78, 0.03), [score(0.80, 0.03)])
    assert "hides nothing" in found.sentences[1]
    assert not found.remedy


def test_of_errors_less_is_better():
    found = later_rows("year", "2019", 200, score(12.0, 0.5, ERROR), [score(10.0, 0.5, ERROR)])
    assert found.numbers["hidden"] == pytest.approx(2.0)
    assert found.remedy
    easier = later_rows("year", "2019", 200, score(8.0, 0.5, ERROR), [score(10.0, 0.5, ERROR)])
    assert "easier" in easier.sentences[1]
