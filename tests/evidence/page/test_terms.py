"""graftwork.evidence.page.terms: every score has its line."""

from __future__ import annotations

import pytest

from graftwork.evidence.page.terms import term
from graftwork.tasks.metrics.registry import METRICS


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_explained(name: str) -> None:
    assert term(name)


def test_places() -> None:
    assert term("recall_at_1") == "share of searches in which the right one is first"
    assert term("backward_recall_at_10") == (
        "share of searches in which the right one is among the first 10, the first searched by the second"
    )
    assert term("of one's own") == ""
