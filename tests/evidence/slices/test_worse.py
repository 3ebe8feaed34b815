"""graftwork.evidence.slices.worse: a group is named only where it is clearly worse, however many are looked at."""

from __future__ import annotations

import numpy as np
import pytest

from graftwork.evidence.slices.partition import Partition, of_values
from graftwork.evidence.slices.worse import worse_slices

NUMBERS = np.arange(1, 2001)


def by(values: list[str], name: str = "city") -> Partition:
    return of_values("column", name, values)


def drawn(rng: np.random.Generator, groups: int, rows: int, name: str) -> Partition:
    return Partition("column", name, tuple(f"v{at}" for at in range(groups)), rng.integers(groups, size=rows))


def test_the_worse_group_is_found() -> None:
    # 25 of 50 rows of 'there' are wrong, 10 of 150 of 'here': 35 of 200 in all.
    bad = np.array([1.0] * 25 + [0.0] * 25 + [1.0] * 10 + [0.0] * 140)
    found = worse_slices([by(["there"] * 50 + ["here"] * 150)], bad, NUMBERS[:200])
    (one,) = found.found
    assert (one.where, one.rows, one.bad, one.rest, one.overall) == ("'city' is 'there'", 50, 0.5, 10 / 150, 0.175)
    assert one.worst == tuple(range(1, 11))
    assert found.looked_at == 2


def test_p_values_are_those_of_fisher_and_of_the_rank_sum() -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    mask = rng.random(300) < 0.2
    wrong = (rng.random(300) < np.where(mask, 0.45, 0.2)).astype(float)
    parts = [Partition("column", "c", ("a", "b"), np.where(mask, 0, 1))]
    (one,) = worse_slices(parts, wrong, NUMBERS[:300]).found
    table = [[wrong[mask].sum(), (1 - wrong[mask]).sum()], [wrong[~mask].sum(), (1 - wrong[~mask]).sum()]]
    assert one.p == pytest.approx(2 * stats.fisher_exact(table, alternative="greater").pvalue, rel=1e-9)
    off = np.round(rng.exponential(np.where(mask, 2.0, 1.0)), 1)  # with ties
    (one,) = worse_slices(parts, off, NUMBERS[:300]).found
    known = stats.mannwhitneyu(off[mask], off[~mask], alternative="greater", use_continuity=False, method="asymptotic")
    assert one.p == pytest.approx(2 * known.pvalue, rel=1e-6)


@pytest.mark.parametrize("numbers", [False, True])
def test_chance_makes_a_group_in_at_most_5_of_100_tables(numbers: bool) -> None:
    rng = np.random.default_rng(0)
    told = 0
    for _ in range(200):
        parts = [drawn(rng, 5, 400, f"c{at}") for at in range(12)]
        bad = rng.exponential(size=400) ** 2 if numbers else (rng.random(400) < 0.3).astype(float)
        told += bool(worse_slices(parts, bad, NUMBERS[:400]).found)
    assert told <= 17  # 10 expected at most; 17 or more of 200 in 1.5 % of such tests


def test_rows_that_belong_together_are_no_evidence_of_their_own() -> None:
    # Each person is right or wrong in all of 20 rows, and lives in one city: rows alone would show a worse city often.
    rng = np.random.default_rng(0)
    alone = together = 0
    for _ in range(60):
        person = np.repeat(np.arange(100), 20)
        bad = (rng.random(100) < 0.3).astype(float)[person]
        city = Partition("column", "city", ("a", "b", "c"), rng.integers(3, size=100)[person])
        alone += bool(worse_slices([city], bad, NUMBERS).found)
        together += bool(worse_slices([city], bad, NUMBERS, together=person).found)
    assert alone > 20
    assert together <= 7


def test_a_difference_between_people_is_still_found() -> None:
    person = np.repeat(np.arange(100), 5)
    bad = np.where(person < 30, np.arange(500) % 2, 0).astype(float)
    city = Partition("column", "city", ("bad", "good"), np.where(person < 30, 0, 1))
    (one,) = worse_slices([city], bad, NUMBERS[:500], together=person).found
    assert one.value == "bad"


def test_few_rows_are_left_alone() -> None:
    bad = np.array([1.0] * 10 + [0.0] * 200)
    assert worse_slices([by(["there"] * 10 + ["here"] * 200)], bad, NUMBERS[:210]).looked_at == 0
    assert worse_slices([], bad, NUMBERS[:210]).found == ()
    assert worse_slices([by(["a"] * 210)], bad, NUMBERS[:210]).looked_at == 0


def test_a_small_difference_is_not_told_however_sure() -> None:
    bad = np.zeros(2000)
    bad[:220] = 1.0  # 22 of 100 in the first half, 18 of 100 in the second
    bad[1000:1180] = 1.0
    values = ["a"] * 1000 + ["b"] * 1000
    assert worse_slices([by(values)], bad, NUMBERS).found == ()


def test_the_same_rows_are_told_once() -> None:
    bad = np.array([1.0] * 40 + [0.0] * 160)
    parts = [by(["x"] * 50 + ["y"] * 150, "one"), by(["u"] * 52 + ["v"] * 148, "two")]
    (one,) = worse_slices(parts, bad, NUMBERS[:200]).found
    assert one.where == "'one' is 'x'"
    assert one.same == ("'two' is 'u'",)


def test_the_largest_errors_are_named_first() -> None:
    off = np.concatenate([np.linspace(5, 9, 40), np.ones(160)])
    (one,) = worse_slices([by(["far"] * 40 + ["near"] * 160)], off, NUMBERS[:200]).found
    assert one.worst[:2] == (40, 39)
    assert one.bad == pytest.approx(7.0)
