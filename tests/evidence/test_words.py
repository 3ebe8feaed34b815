"""graftwork.evidence.words: numbers as a reader without statistics is told them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftwork.evidence.scores.intervals import Interval
from graftwork.evidence.words import amount, duration, line, listed, of_hundred, share_of

SHARES = st.floats(0, 1)


@given(st.lists(SHARES, min_size=3, max_size=3).map(sorted))
def test_a_share_keeps_its_order_and_hides_no_mistake(values: list[float]) -> None:
    low, value, high = values
    found = share_of(Interval(value, low, high))
    assert 0 <= found.low <= found.about <= found.high <= found.of
    assert abs(found.about / found.of - value) <= 0.005 + 1e-9
    if found.of == 100 and 0 < value < 1:
        assert 0 < found.about < 100


@pytest.mark.parametrize(
    ("interval", "between"),
    [
        ((0.93, 0.92, 0.94), "between 92 and 94"),
        ((0.99, 0.98, 1.0), "at least 98"),
        ((0.02, 0.0, 0.05), "at most 5"),
        ((0.934, 0.9335, 0.9345), "between 934 and 934"),
    ],
)
def test_between(interval: tuple[float, float, float], between: str) -> None:
    found = share_of(Interval(*interval)).between
    assert found == ("" if between == "between 934 and 934" else between)


@given(SHARES)
def test_a_part_of_hundred_is_true(share: float) -> None:
    told = of_hundred(share)
    if " of " in told and "fewer" not in told:
        count, _, whole = told.partition(" of ")
        whole_number = int(whole.replace(",", ""))
        assert abs(int(count.replace(",", "")) / whole_number - share) <= 0.5 / whole_number + 1e-12
    assert (told == "none") == (share == 0)
    assert (told == "all") == (share == 1)


@pytest.mark.parametrize(
    ("value", "interval", "expected"),
    [
        (47_123.0, (47_123.0, 45_200.0, 49_100.0), "47,000"),
        (47_123.0, (47_123.0, 47_100.0, 47_150.0), "47,100"),
        (0.517, (0.517, 0.49, 0.54), "0.52"),
        (5_858_000.0, None, "5,900,000"),
        (3.0, (3.0, 1.0, 90.0), "3"),
        (0.0, None, "0"),
    ],
)
def test_an_amount_has_the_digits_that_are_known(
    value: float, interval: tuple[float, float, float] | None, expected: str
) -> None:
    assert amount(value, Interval(*interval) if interval else None) == expected


def test_names_and_times() -> None:
    assert listed(["a", "b", "c"]) == "'a', 'b' and 'c'"
    assert listed([f"n{at}" for at in range(9)], most=2) == "'n0', 'n1' and 7 more"
    assert line("a\x1b[31m\n\nb") == "a\\x1b[31m b"
    assert duration(119.6) == "2 min"
