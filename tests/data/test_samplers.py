"""Batches: every row, within the budget, in a repeatable order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftwork.data.samplers import LengthBuckets, sorted_batches
from graftwork.errors import UsageError

_LENGTHS = st.lists(st.integers(0, 80), max_size=300).map(lambda values: np.array(values, dtype=np.int64))
_BATCH = st.integers(1, 9)
_TOKENS = st.integers(1, 200)


def _within(batches: list[np.ndarray], lengths: np.ndarray, batch: int, tokens: int) -> None:
    for rows in batches:
        assert 1 <= len(rows) <= batch
        assert len(rows) == 1 or len(rows) * lengths[rows].max() <= tokens


@given(lengths=_LENGTHS, batch=_BATCH, tokens=_TOKENS, seed=st.integers(0, 3), epoch=st.integers(0, 3))
def test_an_epoch_holds_every_row_once(lengths: np.ndarray, batch: int, tokens: int, seed: int, epoch: int) -> None:
    batches = LengthBuckets(lengths, batch, tokens, seed).epoch(epoch)
    assert sorted(row for rows in batches for row in rows.tolist()) == list(range(len(lengths)))
    _within(batches, lengths, batch, tokens)
    again = LengthBuckets(lengths, batch, tokens, seed).epoch(epoch)
    assert [rows.tolist() for rows in batches] == [rows.tolist() for rows in again]


@given(lengths=_LENGTHS, rows=_BATCH, tokens=_TOKENS)
def test_sorted_batches_hold_every_row_once_longest_first(lengths: np.ndarray, rows: int, tokens: int) -> None:
    batches = sorted_batches(lengths, rows, tokens)
    order = [row for batch in batches for row in batch.tolist()]
    assert sorted(order) == list(range(len(lengths)))
    assert (np.diff(lengths[order]) <= 0).all()
    _within(batches, lengths, rows, tokens)


@given(lengths=_LENGTHS.filter(len), seed=st.integers(0, 3), data=st.data())
def test_weights_draw_only_rows_that_weigh(lengths: np.ndarray, seed: int, data: st.DataObject) -> None:
    weights = np.array(
        data.draw(st.lists(st.sampled_from([0.0, 1.0, 3.0]), min_size=len(lengths), max_size=len(lengths)))
    )
    if not weights.sum():
        weights[0] = 1.0
    batches = LengthBuckets(lengths, 4, 100, seed, weights).epoch(0)
    drawn = np.concatenate(batches)
    assert len(drawn) == len(lengths)
    assert (weights[drawn] > 0).all()
    _within(batches, lengths, 4, 100)


def test_weights_are_proportions() -> None:
    weights = np.repeat([1.0, 3.0], 5000)
    drawn = np.concatenate(LengthBuckets(np.ones(10_000, np.int64), 32, 1000, 0, weights).epoch(0))
    assert (drawn >= 5000).mean() == pytest.approx(0.75, abs=0.02)


def test_epochs_and_seeds_differ() -> None:
    lengths = np.random.default_rng(0).integers(1, 60, 500)
    orders = [
        np.concatenate(LengthBuckets(lengths, 8, 10_000, seed).epoch(epoch)).tolist()
        for seed in (0, 1)
        for epoch in (0, 1)
    ]
    assert len({tuple(order) for order in orders}) == 4


def test_little_padding() -> None:
    lengths = np.random.default_rng(0).integers(1, 100, 5000)
    batches = LengthBuckets(lengths, 32, 10**9, 0).epoch(0)
    padded = sum(len(rows) * lengths[rows].max() for rows in batches)
    assert padded < 1.05 * lengths.sum()


def test_steps_count_batches() -> None:
    sampler = LengthBuckets(np.random.default_rng(0).integers(1, 60, 500), 8, 200, 3)
    counts = [len(sampler.epoch(index)) for index in range(3)]
    assert sampler.steps(3) == sum(counts)
    assert sampler.steps(2.5) == counts[0] + counts[1] + -(-counts[2] // 2)
    assert sampler.steps(0) == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch": 0}, "batch is 0"),
        ({"max_tokens": 0}, "max_tokens is 0"),
        ({"weights": np.ones(2)}, "2 weights for 3 rows"),
        ({"weights": np.array([1.0, -1.0, 1.0])}, "finite and not negative"),
        ({"weights": np.zeros(3)}, "one of them above 0"),
    ],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        LengthBuckets(**{"lengths": np.ones(3, np.int64), "batch": 2, "max_tokens": 10, "seed": 0, **changes})
