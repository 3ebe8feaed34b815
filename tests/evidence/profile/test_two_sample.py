"""graftwork.evidence.profile.two_sample: the classifier two-sample test, against scipy's binomial test."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from graftwork.evidence.profile.two_sample import ALPHA, chance_of, two_sample


@pytest.mark.parametrize(("right", "rows"), [(60, 100), (50, 100), (3, 10), (1040, 2000), (2600, 5000)])
def test_the_chance_is_that_of_a_binomial_test(right: int, rows: int) -> None:
    expected = binomtest(right, rows, alternative="greater").pvalue
    assert chance_of(right, rows) == pytest.approx(expected, abs=1e-3)


def test_guesses_differ_as_seldom_as_the_level_says() -> None:
    draw = np.random.default_rng(0)
    is_test = np.arange(200) % 2 == 0
    found = [two_sample(draw.random(200), is_test, np.arange(200)).numbers["differs"] for _ in range(400)]
    assert np.mean(found) <= 2.5 * ALPHA


def test_a_shift_is_said_with_the_rows_that_show_it() -> None:
    draw = np.random.default_rng(0)
    is_test = np.arange(200) % 2 == 0
    of_test = np.clip(np.where(is_test, 0.7, 0.3) + 0.2 * draw.normal(size=200), 0, 1)
    finding = two_sample(of_test, is_test, np.arange(200) + 1)
    assert finding.numbers["differs"]
    assert finding.remedy
    assert "differ clearly" in finding.sentences[0]
    assert {note.table for note in finding.rows} == {"test"}
    assert all(is_test[note.row - 1] for note in finding.rows)
    assert finding.rows[0].row - 1 == np.flatnonzero(is_test)[of_test[is_test].argmax()]


def test_alike_tables_are_said_to_be() -> None:
    draw = np.random.default_rng(1)
    finding = two_sample(draw.random(100), np.arange(100) % 2 == 0, np.arange(100), name="pool")
    assert "look like the training rows" in finding.sentences[0]
    assert not finding.rows
    assert not finding.remedy
