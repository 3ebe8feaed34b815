"""graftwork.evidence.two_samples agrees with scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import fisher_exact, ks_2samp

from graftwork.evidence.two_samples import numbers_differ, shares_differ


@given(st.integers(1, 60), st.integers(1, 60), st.data(), st.sampled_from([0.2, 0.01, 1e-4]))
def test_shares_by_fisher(of_first: int, of_second: int, data: st.DataObject, alpha: float) -> None:
    first, second = data.draw(st.integers(0, of_first)), data.draw(st.integers(0, of_second))
    table = [[second, of_second - second], [first, of_first - first]]
    side = "greater" if second / of_second > first / of_first else "less"
    p = fisher_exact(table, alternative=side).pvalue
    if abs(p - alpha / 2) > 1e-9:
        assert shares_differ(first, of_first, second, of_second, alpha) == (p < alpha / 2)


def test_many_rows() -> None:
    assert shares_differ(10_000, 40_000, 11_000, 40_000, 1e-4)
    assert not shares_differ(10_000, 40_000, 10_050, 40_000, 1e-4)
    assert not shares_differ(0, 10, 0, 10, 0.5)


@pytest.mark.parametrize("shift", [0.0, 0.15, 0.3, 0.6])
def test_numbers_by_kolmogorov_and_smirnov(shift: float) -> None:
    draw = np.random.default_rng(0)
    first, second = draw.normal(size=300), draw.normal(size=200) + shift
    p = ks_2samp(first, second, method="asymp").pvalue
    for alpha in (0.05, 1e-3):
        assert numbers_differ(first, second, alpha) == (p < alpha)
    assert not numbers_differ(first, np.zeros(0), 0.05)
