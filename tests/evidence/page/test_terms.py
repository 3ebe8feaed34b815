"""graftwork.evidence.page.terms: every score has its line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from graftwork.evidence.page.terms import term
from graftwork.tasks.metrics.registry import METRICS


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_explained(name: str) -> None:
    assert term(METRICS[name])


def test_places() -> None:
    assert term(METRICS["recall_at_1"]) == "share of searches in which the right one is first"
    assert term(METRICS["backward_recall_at_10"]) == (
        "share of searches in which the right one is among the first 10, the first searched by the second"
    )
    own = replace(METRICS["accuracy"], name="of one's own")
    assert term(own) == ""
    assert term(replace(own, meaning="what it says")) == "what it says"
