"""The t distribution against scipy's."""

from __future__ import annotations

import math

import pytest

from graftwork.evidence.scores.student_t import quantile, two_sided

stats = pytest.importorskip("scipy.stats")


@pytest.mark.parametrize("freedom", [1, 2, 4, 9, 19, 39, 199, 5000])
def test_tails_are_those_of_scipy(freedom: int) -> None:
    for t in (0.0, 1e-6, 0.1, 0.7, 1.0, 2.0, 3.5, 10.0, 80.0):
        assert two_sided(t, freedom) == pytest.approx(2 * stats.t.sf(t, freedom), rel=1e-9, abs=1e-290)
        assert two_sided(-t, freedom) == two_sided(t, freedom)


@pytest.mark.parametrize("freedom", [1, 4, 9, 39, 5000])
def test_quantiles_are_those_of_scipy(freedom: int) -> None:
    for level in (0.0, 0.5, 0.8, 0.95, 0.9875, 0.99, 0.9999):
        assert quantile(level, freedom) == pytest.approx(stats.t.ppf((1 + level) / 2, freedom), rel=1e-8, abs=1e-12)


def test_what_is_infinitely_far_away_never_happens() -> None:
    assert two_sided(math.inf, 4) == 0.0
