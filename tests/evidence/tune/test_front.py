"""The Pareto front, against brute force."""

from __future__ import annotations

import numpy as np
import pytest

from evidence.tune.made_trials import trial
from graftwork.evidence.tune.front import front, undominated


@pytest.mark.parametrize("objectives", [1, 2, 3])
def test_a_front_is_that_of_brute_force(objectives: int) -> None:
    random = np.random.default_rng(objectives)
    for count in (0, 1, 2, 40):
        values = random.integers(5, size=(count, objectives)).astype(float)
        slow = []
        for at in range(count):
            beaten = False
            for other in range(count):
                as_good = all(values[other][k] >= values[at][k] for k in range(objectives))
                beaten |= as_good and any(values[other][k] > values[at][k] for k in range(objectives))
            if not beaten:
                slow.append(at)
        assert undominated(values) == slow


def test_the_front_of_trials_goes_from_the_best_score_to_the_cheapest() -> None:
    trials = [
        trial(0, 0.80, latency=0.002, size=20),
        trial(1, 0.90, latency=0.004, size=20),
        trial(2, 0.85, latency=0.005, size=20),
        trial(3, 0.85, latency=0.005, size=10),
        trial(4, 0.99, latency=0.005, size=10, state="paused"),
        trial(5, 0.99),
    ]
    assert front(trials) == (1, 3, 0)
    assert front(trials, ("score", "latency")) == (1, 0)
    assert front(trials, ("score",)) == (5,)
    assert front([]) == ()


def test_of_two_that_are_the_same_the_plainer_stands() -> None:
    """Latencies that differ by less than is measured are the same."""
    trials = [trial(0, 0.8, latency=0.00201, size=9, techniques=("ema",)), trial(1, 0.8, latency=0.00204, size=9)]
    assert front(trials) == (1,)
