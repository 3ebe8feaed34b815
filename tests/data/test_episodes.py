from __future__ import annotations

import numpy as np
import pytest

from graftwork.data.episodes import Episodes, draw, lacking, rows_by_class
from graftwork.errors import UsageError


def test_an_episode_is_layers_of_one_row_a_class() -> None:
    classes = np.array([0, 1, 2, 3, -1] * 8)
    by_class, shape = rows_by_class(classes), Episodes(way=3, shot=2, query=4)
    assert [len(rows) for rows in by_class] == [8, 8, 8, 8]
    rows = draw(by_class, shape, np.random.default_rng(0))
    layers = classes[rows].reshape(-1, 3)
    assert len(layers) == 6
    assert (layers == layers[0]).all()
    assert len(set(layers[0])) == 3
    assert len(set(rows.tolist())) == 18


def test_it_repeats_and_varies() -> None:
    by_class, shape = rows_by_class(np.arange(60) % 6), Episodes(way=5, shot=1, query=3)
    first, again = (draw(by_class, shape, np.random.default_rng(1)) for _ in range(2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, draw(by_class, shape, np.random.default_rng(2)))


def test_every_class_and_row_comes() -> None:
    by_class, generator = rows_by_class(np.arange(12) % 3), np.random.default_rng(0)
    seen = np.concatenate([draw(by_class, Episodes(2, 1, 1), generator) for _ in range(200)])
    counts = np.bincount(seen, minlength=12)
    assert counts.min() > 0.5 * counts.mean()


def test_fewer_rows_mean_fewer_queries_for_each_class() -> None:
    by_class = [np.arange(4), np.arange(4, 20)]
    rows = draw(by_class, Episodes(way=2, shot=1, query=15), np.random.default_rng(0))
    assert len(rows) == 8


def test_what_is_lacking_is_named_with_a_way_out() -> None:
    shape = Episodes(way=3, shot=2, query=5)
    assert lacking(["a", "b", "c"], [7, 8, 9], shape, 7) == ""
    assert "'b' (4)" in lacking(["a", "b", "c"], [7, 4, 9], shape, 7)
    words = lacking(["a", "b"], [7, 8], shape, 7)
    assert "takes 3 classes (way=3), and there are 2: 'a' (7 rows), 'b' (8 rows)" in words
    assert "set way to 2" in words


def test_one_class_makes_no_episode_of_any_way() -> None:
    shape = Episodes(way=5, shot=2, query=5)
    words = lacking(["a"], [9], shape, 7)
    assert words.endswith("and there is 1: 'a' (9 rows). Expected at least 5: add classes.")
    assert "there are 0: no label. Expected" in lacking([], [], shape, 7)


def test_settings_out_of_range() -> None:
    with pytest.raises(UsageError, match=r"way is 1\. Expected 2"):
        Episodes(way=1)
