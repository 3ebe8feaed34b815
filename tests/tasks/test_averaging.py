"""Which tasks several models can answer together, and what the mean of their answers is."""

from __future__ import annotations

import numpy as np
import pytest

from graftwork.tasks.averaging import weighted_mean, why_not_averaged
from graftwork.tasks.registry import TASKS

AVERAGED = {"bandit", "classification", "decision", "multilabel", "quantile-regression", "regression"}


@pytest.mark.parametrize("name", sorted(TASKS.here))
def test_each_task_is_averaged_or_says_why_not(name: str) -> None:
    why = why_not_averaged(TASKS[name]())
    assert (why == "") == (name in AVERAGED)
    assert not why or name in why


def test_probabilities_stay_probabilities_and_quantiles_in_order() -> None:
    drawn = np.random.default_rng(0)
    found = [drawn.dirichlet(np.ones(4), size=50).astype(np.float32) for _ in range(3)]
    mean = weighted_mean(found, [0.5, 0.3, 0.2])
    assert mean.dtype == np.float32
    np.testing.assert_allclose(mean, 0.5 * found[0] + 0.3 * found[1] + 0.2 * found[2], atol=1e-7)
    np.testing.assert_allclose(mean.sum(axis=1), 1, atol=1e-6)
    quantiles = [np.sort(drawn.normal(size=(20, 3)), axis=1) for _ in range(2)]
    assert (np.diff(weighted_mean(quantiles, [0.25, 0.75]), axis=1) >= 0).all()
