"""Ranks and recall against a ranking by sorting, row for row."""

from __future__ import annotations

import numpy as np
import pytest

from graftwork.networks import likeness
from graftwork.tasks.metrics.registry import METRICS


def embeddings(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    return draw.normal(size=(rows, 4)).astype(np.float32), draw.normal(size=(rows, 4)).astype(np.float32)


def naive(queries: np.ndarray, others: np.ndarray, own: np.ndarray, partner: np.ndarray) -> list[int]:
    """Sort the distinct other sides, and look for the first that stands beside the query's content in some row."""
    found = []
    first_of = {value: at for at, value in reversed(list(enumerate(partner.tolist())))}
    for row in range(len(queries)):
        right = {partner[at] for at in range(len(own)) if own[at] == own[row]}
        order = sorted(first_of, key=lambda value: -float(queries[row] @ others[first_of[value]]))
        found.append(1 + min(order.index(value) for value in right))
    return found


@pytest.mark.parametrize("chunk", [1, 10, likeness.CHUNK])
def test_ranks_are_those_of_sorting(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likeness, "CHUNK", chunk)
    first, second = embeddings(23)
    ids = np.stack([np.arange(23) // 2, np.arange(23) % 17], axis=1)
    for side, column in ((first, 0), (second, 1)):  # rows of the same content have the same embedding
        for value in np.unique(ids[:, column]):
            side[ids[:, column] == value] = side[ids[:, column] == value][0]
    ranks = likeness.partner_ranks(first, second, ids)
    assert ranks[:, 0].tolist() == naive(first, second, ids[:, 0], ids[:, 1])
    assert ranks[:, 1].tolist() == naive(second, first, ids[:, 1], ids[:, 0])


def test_embeddings_that_are_all_the_same_find_nothing() -> None:
    same = np.ones((9, 3), np.float32)
    ids = np.stack([np.arange(9)] * 2, axis=1)
    assert likeness.partner_ranks(same, same, ids).tolist() == [[5.0, 5.0]] * 9


def test_embeddings_that_are_not_finite_come_last() -> None:
    first, second = embeddings(6)
    first[2] = np.nan
    ids = np.stack([np.arange(6)] * 2, axis=1)
    assert likeness.partner_ranks(first, second, ids)[2, 0] >= 6


def test_recall_and_ranks() -> None:
    ranks = np.array([[1, 3], [2, 11], [6, 1], [40, 5]], np.float32)
    truth = np.ones_like(ranks)
    assert METRICS["recall_at_1"](truth, ranks) == 2 / 8
    assert METRICS["recall_at_5"](truth, ranks) == 5 / 8
    assert METRICS["forward_recall_at_10"](truth, ranks) == 3 / 4
    assert METRICS["backward_recall_at_5"](truth, ranks) == 3 / 4
    assert METRICS["reciprocal_rank"](truth, ranks) == pytest.approx(float((1 / ranks.astype(float)).mean()))
    assert METRICS["median_rank"](truth, ranks) == np.quantile(ranks, 0.5, method="inverted_cdf")


def test_weights_are_repetitions() -> None:
    draw = np.random.default_rng(3)
    ranks = draw.integers(1, 30, size=(12, 2)).astype(np.float32)
    counts = draw.integers(0, 4, size=12)
    repeated = np.repeat(ranks, counts, axis=0)
    for name in ("recall_at_5", "forward_recall_at_10", "reciprocal_rank", "median_rank"):
        weighted = METRICS[name].scorer(np.ones_like(ranks), ranks)(counts[None, :].astype(float))
        assert float(weighted[0]) == pytest.approx(METRICS[name](np.ones_like(repeated), repeated))
