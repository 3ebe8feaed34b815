"""graftwork.evidence.sure.intervals: against mapie and by hand; coverage over draws; logarithms and quantiles."""

from __future__ import annotations

import numpy as np
import pytest
from fixed import numbers, quantiles

from graftwork.errors import UsageError
from graftwork.evidence.sure.calibration import Calibration
from graftwork.evidence.sure.intervals import conformal_intervals


def test_of_one_number_they_are_those_of_mapie() -> None:
    mapie = pytest.importorskip("mapie.regression")
    from sklearn.linear_model import LinearRegression

    draw = np.random.default_rng(0)
    x, noise = draw.normal(size=(250, 1)), draw.normal(size=250)
    y = 3 * x[:, 0] + noise
    model = LinearRegression().fit(x[:50], y[:50])
    theirs = mapie.SplitConformalRegressor(model, confidence_level=0.9)
    theirs.conformalize(x[50:150], y[50:150])
    _, expected = theirs.predict_interval(x[150:])
    task = numbers(y[:50], log=False)
    rows = Calibration(model.predict(x[50:150])[:, None], y[50:150])
    low, high = conformal_intervals(task, rows, 0.9).bounds(model.predict(x[150:])[:, None])
    assert np.allclose(low, expected[:, 0, 0])
    assert np.allclose(high, expected[:, 1, 0])


@pytest.mark.parametrize("coverage", [0.8, 0.95])
def test_of_a_logarithm_they_are_wide_where_numbers_are_large(coverage: float) -> None:
    draw, held = np.random.default_rng(1), []
    task = numbers(np.exp(draw.normal(size=200) * 2) + 0.01, log=True)
    for _ in range(100):
        centre = draw.normal(size=(600, 1)) * 2
        truth = np.exp(centre[:, 0] + draw.normal(size=600) * 0.3)
        rows = Calibration(np.exp(centre), truth)
        known, new = rows.part(np.arange(200)), rows.part(np.arange(200, 600))
        low, high = conformal_intervals(task, known, coverage).bounds(new.kept)
        held.append(((low <= new.truth) & (new.truth <= high)).mean())
        large = new.kept[:, 0] > 5
        assert (high - low)[large].min() > (high - low)[new.kept[:, 0] < 1].max()
    assert abs(np.mean(held) - coverage) < 0.01


def test_of_quantiles_they_are_moved_apart_or_together_by_one_margin() -> None:
    draw = np.random.default_rng(2)
    task, spread = quantiles(draw.normal(size=100)), np.abs(draw.normal(size=400)) + 0.2
    truth = draw.normal(size=400) * spread
    for factor in (0.5, 4.0):  # too narrow, too wide
        kept = np.stack([-factor * spread, np.zeros(400), factor * spread], axis=1)
        rows = Calibration(kept, truth)
        found = conformal_intervals(task, rows.part(np.arange(200)), 0.9)
        assert (found.margin > 0) == (factor < 1)
        low, high = found.bounds(kept[200:])
        assert (low <= high).all()
        assert np.allclose(low[high > low], (kept[200:, 0] - found.margin)[high > low])
        assert 0.83 < ((low <= truth[200:]) & (truth[200:] <= high)).mean() < 0.95


def test_wrong_use_is_refused() -> None:
    task, rows = numbers(np.arange(10.0)), Calibration(np.zeros((5, 1)), np.zeros(5))
    with pytest.raises(UsageError, match="needs 9 calibration rows"):
        conformal_intervals(task, rows, 0.9)
    with pytest.raises(UsageError, match="above 0 and below 1"):
        conformal_intervals(task, rows, 1.0)
