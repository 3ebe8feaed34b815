"""Splits: shares, classes, groups, and no row twice."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftwork.data.splits import group_split, latest_split, random_split, split_by_column, stratified_split
from graftwork.errors import DataError, UsageError

_LABELS = st.lists(st.integers(-1, 5), min_size=2, max_size=60).filter(lambda v: sum(x >= 0 for x in v) >= 2)
_SHARE = st.floats(0.05, 0.9)


def _whole(rows: int, train: np.ndarray, valid: np.ndarray) -> None:
    assert np.array_equal(np.sort(np.concatenate([train, valid])), np.arange(rows))
    assert np.array_equal(train, np.sort(train))
    assert np.array_equal(valid, np.sort(valid))


@given(labels=_LABELS, share=_SHARE, seed=st.integers(0, 5))
def test_stratified(labels: list[int], share: float, seed: int) -> None:
    codes = np.array(labels)
    train, valid = stratified_split(codes, share, seed)
    _whole(len(codes), train, valid)
    again = stratified_split(codes, share, seed)
    assert np.array_equal(valid, again[1])
    assert (codes[valid] >= 0).all()
    known = codes[codes >= 0]
    assert set(known) == set(codes[train]) - {-1}  # every class keeps a row
    wanted = min(max(1, round(len(known) * share)), len(known) - 1, len(known) - len(set(known)))
    assert len(valid) == wanted or len(valid) == sum(
        min(int(np.floor(n * share)), n - 1) for n in np.unique(known, return_counts=True)[1]
    )
    for code, size in zip(*np.unique(known, return_counts=True), strict=True):
        assert (codes[valid] == code).sum() >= min(np.floor(size * share), size - 1)


def test_shares_are_those_of_the_classes() -> None:
    codes = np.repeat([0, 1, 2], [600, 300, 100])
    _, valid = stratified_split(codes, 0.1, 0)
    assert np.bincount(codes[valid]).tolist() == [60, 30, 10]
    assert not np.array_equal(valid, stratified_split(codes, 0.1, 1)[1])


@given(rows=st.integers(2, 100), share=_SHARE, seed=st.integers(0, 3))
def test_random(rows: int, share: float, seed: int) -> None:
    train, valid = random_split(rows, share, seed)
    _whole(rows, train, valid)
    assert len(valid) == min(max(1, round(rows * share)), rows - 1)


@given(groups=st.lists(st.integers(0, 6), min_size=4, max_size=50), seed=st.integers(0, 3))
def test_groups_stay_together(groups: list[int], seed: int) -> None:
    values = np.array(groups)
    labels = values % 2
    if len(set(groups)) < 2:
        with pytest.raises(DataError, match="All rows belong to one group"):
            group_split(values, 0.3, seed)
        return
    try:
        train, valid = group_split(values, 0.3, seed, labels)
    except DataError:  # no group is small enough, or each holds a whole class
        sizes = np.unique(values, return_counts=True)[1]
        assert sizes.min() > 0.3 * len(values) or len(set(groups)) <= 4
        return
    _whole(len(values), train, valid)
    assert not set(values[train]) & set(values[valid])
    assert set(labels[train]) == set(labels)


def test_group_split_comes_close_to_its_share() -> None:
    groups = np.repeat(np.arange(100), 10)
    assert len(group_split(groups, 0.2, 0)[1]) == 200
    assert len(group_split(np.array(["a", "b", "a", "c"]), 0.25, 0)[1]) == 1


def test_split_column() -> None:
    column = pa.chunked_array([["train", "Test", " dev ", "training", "validation"]])
    train, valid, test = split_by_column(column, "t.csv")
    assert (train.tolist(), valid.tolist(), test.tolist()) == ([0, 3], [2, 4], [1])
    with pytest.raises(DataError, match=r"t.csv, row 2: split is 'tset'. Did you mean 'test'"):
        split_by_column(pa.chunked_array([["train", "tset"]]), "t.csv")
    with pytest.raises(DataError, match="marks no row as 'train'"):
        split_by_column(pa.chunked_array([["test"]]), "t.csv")


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0])
def test_shares_out_of_range(share: float) -> None:
    with pytest.raises(UsageError, match="Expected a number between 0 and 1"):
        random_split(10, share, 0)


def test_too_few_rows() -> None:
    with pytest.raises(DataError, match="Expected at least two"):
        stratified_split(np.array([0, -1]), 0.5, 0)


def test_rare_classes_validate_with_a_row_and_the_others_keep_theirs() -> None:
    codes = np.repeat([0, 1, 2], [2994, 3, 2])
    _, valid = stratified_split(codes, 0.12, 0, every_class=True)
    assert np.bincount(codes[valid], minlength=3).tolist() == [359, 1, 0], "of two rows, both train"
    assert len(valid) == len(stratified_split(codes, 0.12, 0)[1])
    even = np.repeat(np.arange(5), 40)
    for one, other in zip(
        stratified_split(even, 0.12, 3), stratified_split(even, 0.12, 3, every_class=True), strict=True
    ):
        assert np.array_equal(one, other)


@given(labels=_LABELS, share=_SHARE, seed=st.integers(0, 5))
def test_every_class_with_three_rows_validates(labels: list[int], share: float, seed: int) -> None:
    codes = np.array(labels)
    train, valid = stratified_split(codes, share, seed, every_class=True)
    _whole(len(codes), train, valid)
    for code, size in zip(*np.unique(codes[codes >= 0], return_counts=True), strict=True):
        assert (codes[train] == code).sum() >= 1
        assert size < 3 or (codes[valid] == code).sum() >= 1


@given(
    times=st.lists(st.integers(0, 9), min_size=2, max_size=40).filter(lambda v: len(set(v)) > 1),
    share=_SHARE,
)
def test_the_latest_validate(times: list[int], share: float) -> None:
    when = np.array(times, np.float64)
    train, valid = latest_split(when, share)
    _whole(len(when), train, valid)
    assert when[train].max() < when[valid].min()
    wanted = round(share * len(when))
    cuts = [int((when > one).sum()) for one in np.unique(when)[:-1]]
    assert abs(len(valid) - min(max(1, wanted), len(when) - 1)) == min(
        abs(cut - min(max(1, wanted), len(when) - 1)) for cut in cuts
    )


def test_a_class_that_only_late_rows_have_trains() -> None:
    train, valid = latest_split(np.arange(10.0), 0.4, np.array([0, 1, 0, 1, 0, 1, 0, 2, 0, 1]))
    assert valid.tolist() == [6, 8, 9]
    assert 7 in train


def test_one_time_for_all_has_no_latest_rows() -> None:
    with pytest.raises(DataError, match="the same time"):
        latest_split(np.zeros(5), 0.2)
