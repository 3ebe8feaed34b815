"""graftwork.evidence.sure.abstain: the bound against its formula and the beta distribution; errors held over draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from fixed import class_rows, classes, label_sets, numbers, set_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from graftwork.errors import UsageError
from graftwork.evidence.sure.abstain import abstention, binomial_bound, doubts, sgr
from graftwork.evidence.sure.calibration import Calibration


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 2000), st.floats(0, 1), st.floats(0.001, 0.5))
def test_the_bound_is_where_the_binomial_tail_is_delta(rows: int, share: float, delta: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    wrong = min(rows - 1, int(share * rows))
    found = binomial_bound(wrong, rows, delta)
    assert stats.binom.cdf(wrong, rows, found) == pytest.approx(delta, rel=1e-6)
    assert found == pytest.approx(stats.beta.ppf(1 - delta, wrong + 1, rows - wrong), rel=1e-9)


def test_the_bound_is_the_sum_of_its_formula() -> None:
    b = binomial_bound(2, 40, 0.05)
    assert sum(math.comb(40, j) * b**j * (1 - b) ** (40 - j) for j in range(3)) == pytest.approx(0.05)
    assert binomial_bound(7, 7, 0.05) == 1.0


def test_the_error_is_held_in_95_of_100_draws() -> None:
    """Where the model is wrong more often than may be answered, so that it must abstain."""
    draw, task, held, answered = np.random.default_rng(0), classes(4), 0, []
    for _ in range(200):
        rows = class_rows(draw, 3000, 4, signal=5.0)
        known, new = rows.part(np.arange(1000)), rows.part(np.arange(1000, 3000))
        assert (known.kept.argmax(axis=1) != known.truth).mean() > 0.06
        silent = abstention(task, known, 0.05).abstains(task, new.kept)
        answered.append(1 - silent.mean())
        held += (new.kept.argmax(axis=1) != new.truth)[~silent].mean() <= 0.05
    assert held >= 190
    assert np.mean(answered) > 0.3


def test_a_sure_model_answers_nearly_all() -> None:
    rows = Calibration(np.tile([[0.9, 0.1]], (300, 1)).astype(np.float32), np.zeros(300, np.int64))
    found = abstention(classes(2), rows, 0.05)
    assert (found.answered, found.wrong) == (300, 0)
    assert found.bound == pytest.approx(binomial_bound(0, 300, 0.05 / 9))
    assert not found.abstains(classes(2), rows.kept).any()


def test_the_search_divides_delta_among_its_steps() -> None:
    draw = np.random.default_rng(3)
    doubt = np.sort(draw.random(500))
    wrong = draw.random(500) < doubt * 0.5
    found = sgr(doubt, wrong, 0.1, 0.05)
    assert found.answered == (doubt <= found.most).sum()
    assert found.wrong == wrong[doubt <= found.most].sum()
    assert found.bound == binomial_bound(found.wrong, found.answered, 0.05 / math.ceil(math.log2(500)))


def test_what_can_not_be_promised_is_told_with_what_can() -> None:
    rows = class_rows(np.random.default_rng(0), 100, 4)
    with pytest.raises(UsageError, match=r"An error of 0.001 can't be promised.*Ask for 0\.\d+ or more") as refused:
        abstention(classes(4), rows, 0.001)
    possible = float(str(refused.value).partition("Ask for ")[2].split()[0])
    assert abstention(classes(4), rows, possible).answered > 0


def test_label_sets_are_wrong_where_they_are_not_exact() -> None:
    draw, task = np.random.default_rng(1), label_sets(3)
    rows = set_rows(draw, 2000, 3)
    found = abstention(task, rows, 0.6)
    taken = ~found.abstains(task, rows.kept)
    wrong = ((rows.kept >= 0.5) != rows.truth).any(axis=1)
    assert found.wrong == wrong[taken].sum()
    assert wrong[taken].mean() < 0.6 < wrong.mean()


def test_doubt_is_that_of_the_predicted_class() -> None:
    assert doubts(classes(2), np.array([[0.75, 0.25], [0.5, 0.5]], np.float32)).tolist() == [0.25, 0.5]


def test_wrong_use_is_refused() -> None:
    rows = class_rows(np.random.default_rng(0), 100, 4)
    for error in (0.0, 1.0, math.nan):
        with pytest.raises(UsageError, match="error is"):
            abstention(classes(4), rows, error)
    with pytest.raises(UsageError, match="confidence is 1"):
        abstention(classes(4), rows, 0.1, 1.0)
    with pytest.raises(UsageError, match="not for regression"):
        abstention(numbers(np.arange(9.0)), Calibration(np.zeros((9, 1)), np.zeros(9)), 0.1)


def test_a_model_that_is_always_wrong_is_not_told_to_ask_for_an_error_of_1() -> None:
    rows = Calibration(np.tile([[0.9, 0.1]], (30, 1)).astype(np.float32), np.ones(30, np.int64))
    with pytest.raises(UsageError, match="Give more labelled rows") as said:
        abstention(classes(2), rows, 0.5)
    assert "Ask for" not in str(said.value)
