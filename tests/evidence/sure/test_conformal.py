"""graftwork.evidence.sure.conformal: sets against mapie and by hand, and coverage over many draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from fixed import class_rows, classes, label_sets, set_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from graftwork.errors import UsageError
from graftwork.evidence.sure.calibration import Calibration
from graftwork.evidence.sure.conformal import OWN_ROWS, class_groups, conformal_sets, limits_of, quantile, strangeness
from graftwork.evidence.sure.measured import measured


class Answering:
    """An estimator, as mapie wants it, whose rows are its probabilities."""

    _estimator_type = "classifier"

    def __init__(self, count: int) -> None:
        self.classes_ = np.arange(count)

    def fit(self, *_: object) -> Answering:
        return self

    def predict_proba(self, rows: np.ndarray) -> np.ndarray:
        return rows

    def predict(self, rows: np.ndarray) -> np.ndarray:
        return rows.argmax(axis=1)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> object:
        from sklearn.base import BaseEstimator, ClassifierMixin

        class Plain(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
            pass

        return Plain().__sklearn_tags__()


@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
def test_lac_gives_the_sets_of_mapie(coverage: float) -> None:
    mapie = pytest.importorskip("mapie.classification")
    draw = np.random.default_rng(1)
    known, new = class_rows(draw, 99, 4), class_rows(draw, 300, 4)  # 99: no class has a limit of its own
    own = conformal_sets(classes(4), known, coverage).chosen(new.kept)
    theirs = mapie.SplitConformalClassifier(Answering(4), confidence_level=coverage, conformity_score="lac")
    theirs.conformalize(known.kept.astype(np.float64), known.truth)
    _, sets = theirs.predict_set(new.kept.astype(np.float64))
    assert (own == sets[:, :, 0]).mean() > 0.999  # sums of probabilities differ in the last digit


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60), st.floats(0.02, 0.98), st.integers(0, 10**6))
def test_the_quantile_is_the_least_that_covers_the_wanted_share_of_n_plus_1(n: int, coverage: float, seed: int) -> None:
    scores = np.random.default_rng(seed).normal(size=n)
    found = quantile(scores, coverage)
    enough = [score for score in sorted(scores) if (scores <= score).sum() >= (n + 1) * coverage - 1e-9]
    assert found == (enough[0] if enough else math.inf)


@pytest.mark.parametrize("method", ["lac", "aps"])
@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
def test_sets_cover_what_was_asked_for(method: str, coverage: float) -> None:
    draw, task, held = np.random.default_rng(2), classes(5), []
    for _ in range(150):
        rows = class_rows(draw, 500, 5)
        known, new = rows.part(np.arange(200)), rows.part(np.arange(200, 500))
        sets = conformal_sets(task, known, coverage, method)  # type: ignore[arg-type]
        held.append(sets.chosen(new.kept)[np.arange(300), new.truth].mean())
    assert abs(np.mean(held) - coverage) < 0.01


def test_each_class_that_has_the_rows_is_covered_by_itself() -> None:
    """By class, a hard class is covered as well as an easy one; with one limit for all it is not."""
    draw, task, shares = np.random.default_rng(3), classes(3), np.array([0.5, 0.3, 0.2])
    held: list[list[float]] = [[], [], []]
    for _ in range(100):
        rows = class_rows(draw, 2000, 3, shares)
        hard = rows.truth == 2
        kept = rows.kept.copy()
        kept[hard] = kept[hard] ** 0.2
        kept = kept / kept.sum(axis=1, keepdims=True)
        rows = Calibration(kept, rows.truth)
        known, new = rows.part(np.arange(1000)), rows.part(np.arange(1000, 2000))
        sets = conformal_sets(task, known, 0.9)
        assert len(set(sets.groups.tolist())) == 3
        for at in range(3):
            held[at].append(float(sets.chosen(new.kept)[new.truth == at, at].mean()))
    assert all(abs(np.mean(of_class) - 0.9) < 0.012 for of_class in held)


@given(st.lists(st.integers(0, 400), min_size=2, max_size=12))
def test_groups_of_classes_have_rows_enough_or_are_one(counts: list[int]) -> None:
    groups = class_groups(np.array(counts))
    sums = np.bincount(groups, weights=counts)
    assert (sums >= OWN_ROWS).all() or len(sums) == 1
    assert (
        all(counts[at] >= OWN_ROWS for at in range(len(counts)) if (groups == groups[at]).sum() == 1) or len(sums) == 1
    )
    assert set(groups.tolist()) == set(range(len(sums)))


def test_aps_sums_what_is_more_probable_and_a_part_of_the_class() -> None:
    given_rows = np.random.default_rng(4).dirichlet(np.ones(4), 50).astype(np.float32)
    found = strangeness(given_rows, "aps")
    for row, strange in zip(given_rows.astype(np.float64), found, strict=True):
        before = np.array([row[row > p].sum() for p in row])
        share = (strange - before) / row
        assert np.allclose(share, share[0], atol=1e-6)
        assert 0 <= share[0] < 1
    shares = (found - (1 - given_rows.astype(np.float64)))[:, 0]
    assert np.array_equal(strangeness(given_rows[::-1], "aps"), found[::-1])  # wherever a row stands
    assert len(np.unique(shares)) == 50


def test_rows_that_are_nearly_certain_still_differ() -> None:
    given_rows = np.array([[1.0, 1e-12, 1e-12], [1.0, 1e-10, 1e-12]], np.float32)
    found = strangeness(given_rows, "lac")
    assert 0 < found[0, 0] < found[1, 0] < 1e-9


@pytest.mark.parametrize("coverage", [0.8, 0.95])
def test_label_sets_hold_every_label(coverage: float) -> None:
    draw, task, held = np.random.default_rng(5), label_sets(6), []
    for _ in range(100):
        rows = set_rows(draw, 600, 6)
        known, new = rows.part(np.arange(300)), rows.part(np.arange(300, 600))
        chosen = conformal_sets(task, known, coverage).chosen(new.kept)
        held.append((chosen | (new.truth == 0)).all(axis=1).mean())
    assert abs(np.mean(held) - coverage) < 0.01


def test_a_class_without_calibration_rows_shares_the_limit_of_the_rest() -> None:
    draw = np.random.default_rng(6)
    rows = class_rows(draw, 400, 4, np.array([0.45, 0.45, 0.1, 0.0]))
    sets = conformal_sets(classes(4), rows, 0.9)
    assert sets.groups[2] == sets.groups[3]
    assert np.isfinite(sets.limits).all()


@pytest.mark.parametrize("coverage", [0.0, 1.0, -1.0, 2.0, math.nan])
def test_a_coverage_must_be_between_0_and_1(coverage: float) -> None:
    with pytest.raises(UsageError, match="above 0 and below 1"):
        conformal_sets(classes(3), class_rows(np.random.default_rng(0), 50, 3), coverage)


def test_too_few_rows_are_told_with_what_is_possible() -> None:
    rows = class_rows(np.random.default_rng(0), 18, 3)
    with pytest.raises(UsageError, match=r"needs 19 calibration rows at least, and there are 18. Ask for 0.94 or less"):
        conformal_sets(classes(3), rows, 0.95)
    assert np.isfinite(conformal_sets(classes(3), rows, 0.94).limits).all()


def test_another_kind_of_sets_is_refused() -> None:
    with pytest.raises(UsageError, match="lac or aps"):
        conformal_sets(classes(3), class_rows(np.random.default_rng(0), 50, 3), 0.9, "raps")  # type: ignore[arg-type]


def test_a_class_has_no_limit_of_its_own_where_its_rows_could_promise_everything_alone() -> None:
    """150 rows of each of three classes: a coverage of 0.995 needs 199."""
    draw = np.random.default_rng(0)
    rows, truth = class_rows(draw, 450, 3), np.repeat(np.arange(3), 150)
    limits, groups = limits_of(strangeness(rows.kept, "lac"), truth, 0.995)
    assert np.isfinite(limits).all()
    assert len(set(groups.tolist())) == 1
    assert len(set(limits_of(strangeness(rows.kept, "lac"), truth, 0.9)[1].tolist())) == 3


def test_classes_without_calibration_rows_are_named() -> None:
    draw = np.random.default_rng(0)
    rows = class_rows(draw, 200, 4, shares=np.array([0.5, 0.5, 0.0, 0.0]))
    found = measured(classes(4), rows)
    assert found.absent == ("c002", "c003")
    assert "None of them is 'c002' and 'c003': of such rows nothing is promised." in found.sentences()
    assert not measured(classes(2), class_rows(draw, 200, 2)).absent
