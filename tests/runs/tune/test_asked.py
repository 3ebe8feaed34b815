"""What a tune is asked for is checked before anything is read."""

from __future__ import annotations

from typing import Any

import pytest

from graftwork.errors import UsageError
from graftwork.evidence.tune.trials import Limits
from graftwork.runs.tune.asked import BUDGET, Asking, latency_of, size_of


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"budget": 0.0}, "budget is 0 seconds"),
        ({"trials": 0}, "trials is 0"),
        ({"batch": 0}, "batch is 0"),
        ({"folds": 0}, "folds is 0"),
        ({"limits": Limits(latency=-1.0)}, "latency is -1"),
        ({"limits": Limits(size=0)}, "size is 0"),
        ({"try_base": "minilm"}, "a list of texts"),
    ],
)
def test_what_makes_no_sense_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Asking(**given)


def test_a_budget_is_there_where_nothing_ends_the_search() -> None:
    assert Asking().seconds == BUDGET
    assert Asking(trials=3).seconds is None
    assert Asking(trials=3, budget=5.0).seconds == 5.0


@pytest.mark.parametrize("text", ["", "5", "5 m", "-5ms", "0ms", "fast", "5msec", "nan"])
def test_times_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match=r"latency is .* Expected a time such as 5ms"):
        latency_of(text)


@pytest.mark.parametrize("text", ["", "MB", "20TB", "-1MB", "0kB", "20,5MB"])
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match=r"size is .* Expected a size such as"):
        size_of(text)


def test_times_and_sizes_as_people_write_them() -> None:
    assert [latency_of(text) for text in ("5ms", "5 MS", ".5s", "200us")] == [0.005, 0.005, 0.5, 0.0002]
    assert [size_of(text) for text in ("20MB", "20 mb", "1kB", "700", "1MiB")] == [
        20000000,
        20000000,
        1000,
        700,
        1048576,
    ]
    assert latency_of(None) is None
    assert size_of(None) is None
