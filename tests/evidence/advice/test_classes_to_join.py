"""graftwork.evidence.advice.classes: classes that are taken for each other, and classes with a kind that is missed."""

from __future__ import annotations

import numpy as np
import pytest

from graftwork.evidence.advice.classes import divided_classes, mixed_up


def test_the_pair_that_is_mixed_up_both_ways() -> None:
    truth = np.repeat([0, 1, 2], 100)
    chosen = truth.copy()
    chosen[:20], chosen[100:130] = 1, 0  # 20 and 30 of 0 and 1
    chosen[200:260] = 0  # 60 of 2 are taken for 0, none the other way: no pair to join
    (one,) = mixed_up(truth, chosen, 3)
    assert (one.first, one.second, one.rows, one.mixed) == (0, 1, 200, 50)
    joined = np.where(truth == 1, 0, truth) == np.where(chosen == 1, 0, chosen)
    assert one.gain.value == pytest.approx(joined.mean() - (truth == chosen).mean())
    assert one.gain.low < one.gain.value < one.gain.high


def test_the_interval_is_wider_where_more_pairs_were_looked_at() -> None:
    truth = np.repeat([0, 1], 100)
    chosen = np.where(np.arange(200) % 3 == 0, 1 - truth, truth)
    few, many = mixed_up(truth, chosen, 3)[0].gain, mixed_up(truth, chosen, 40)[0].gain
    assert many.low < few.low < few.value == many.value < few.high < many.high


def test_few_mistakes_make_no_pair() -> None:
    truth = np.repeat([0, 1, 2], 100)
    assert mixed_up(truth, truth, 3) == []
    chosen = truth.copy()
    chosen[:3], chosen[100:101] = 1, 0
    assert mixed_up(truth, chosen, 3) == []


def test_a_class_with_a_kind_of_rows_that_is_missed() -> None:
    rng = np.random.default_rng(0)
    kind = np.arange(400) % 2
    features = rng.normal(size=(400, 6)) * 0.1 + np.where(kind[:, None] == 0, 1.0, -1.0)
    truth, chosen = np.zeros(400, np.int64), np.zeros(400, np.int64)
    chosen[(kind == 1) & (rng.random(400) < 0.6)] = 1
    (one,) = divided_classes(truth, chosen, 2, features, None, np.arange(1, 401))
    assert one.index == 0
    assert one.part.bad > 0.4
    assert one.part.rest < one.part.bad / 2
    assert all(kind[row - 1] == 1 for row in one.part.worst)


def test_chance_divides_no_class() -> None:
    rng = np.random.default_rng(0)
    told = 0
    for _ in range(40):
        truth = np.repeat([0, 1, 2], 150)
        chosen = np.where(rng.random(450) < 0.3, (truth + 1) % 3, truth)
        told += bool(divided_classes(truth, chosen, 3, rng.normal(size=(450, 5)), None, np.arange(450)))
    assert told <= 5
