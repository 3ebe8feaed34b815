"""graftwork.evidence.profile: forecasts of more rows, on curves whose continuation is known."""

from __future__ import annotations

import numpy as np
import pytest

from graftwork.evidence.profile.learning_curve import SizeErrors, forecasts
from graftwork.evidence.profile.more_rows import more_rows, too_few


def drawn(
    seed: int, floor: float = 0.05, height: float = 1.0, slope: float = 0.5, noise: float = 0.3
) -> tuple[list[SizeErrors], float]:
    """Errors of 5 draws of each size, and what the model of four times the rows has."""
    draw = np.random.default_rng(seed)

    def error(rows: int) -> float:
        return float(max(0, floor + height * rows**-slope + draw.normal() * noise / rows**0.5 * 0.5))

    sizes = (62, 125, 250, 500, 1000)
    return [SizeErrors(m, tuple(error(m) for _ in range(5 if m < 1000 else 1))) for m in sizes], error(4000)


def test_the_interval_holds_what_comes_as_often_as_it_says() -> None:
    held, widths = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        curve, truth = drawn(seed, rng.uniform(0, 0.2), rng.uniform(0.5, 3), rng.uniform(0.3, 0.8))
        found = forecasts(curve, [4000])[0]
        assert found.low <= found.error <= found.high
        held.append(found.low <= truth <= found.high)
        widths.append(found.high - found.low)
    assert np.mean(held) >= 0.9
    assert np.mean(widths) < 0.06


def test_a_curve_that_has_levelled_off_promises_nothing() -> None:
    flat = [SizeErrors(m, (0.2, 0.201, 0.199)) for m in (100, 200, 400, 800)]
    found = forecasts(flat, [1600])[0]
    assert found.error == pytest.approx(0.2, abs=0.005)


def test_a_longer_forecast_is_less_sure() -> None:
    curve, _ = drawn(1)
    widths = [found.high - found.low for found in forecasts(curve, [1000, 2000, 4000, 16000])]
    assert widths == sorted(widths)


def test_the_same_curve_gives_the_same_forecast() -> None:
    curve, _ = drawn(2)
    assert forecasts(curve, [2000]) == forecasts(curve, [2000])


def test_no_errors_at_all() -> None:
    curve = [SizeErrors(m, (0.0, 0.0)) for m in (100, 200, 400)]
    found = forecasts(curve, [800])[0]
    assert 0 <= found.low <= found.error <= found.high < 0.02


@pytest.mark.parametrize("curve", [[SizeErrors(10, (0.1, 0.2))] * 2, [SizeErrors(m, (0.1,)) for m in (1, 2, 4)]])
def test_too_little_to_go_by(curve: list[SizeErrors]) -> None:
    with pytest.raises(ValueError, match="needs 3 sizes"):
        forecasts(curve, [100])


def test_the_finding_says_what_doubling_brings() -> None:
    curve, _ = drawn(3)
    finding = more_rows(curve, 1000, metric="accuracy", percent=True, best=1.0, scored="the test rows")
    double = finding.numbers["forecast"][0]
    now = 1 - curve[-1].mean
    assert double["rows"] == 2000
    assert double["gain"] == pytest.approx(double["score"] - now)
    assert double["gain_low"] < double["gain"] < double["gain_high"]
    assert f"about {100 * double['gain']:+.1f} points of accuracy" in finding.sentences[0]
    assert finding.numbers["score"] == pytest.approx(now)
    errors = more_rows(curve, 1000, metric="rmse", percent=False, best=0.0, scored="the test rows")
    assert errors.numbers["score"] == -curve[-1].mean
    assert "points" not in errors.sentences[0]


def test_too_few_rows_are_said_to_be() -> None:
    assert too_few(12).sentences == ("12 rows are too few to say what more of them would bring.",)
