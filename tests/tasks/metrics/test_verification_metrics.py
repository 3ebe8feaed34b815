"""graftwork.tasks.metrics.verification_metrics against scikit-learn and brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from sklearn.metrics import roc_curve
from sklearn.metrics.pairwise import cosine_similarity

from graftwork.networks.likeness import pairs_of, roc
from graftwork.tasks.metrics.registry import METRICS


def people(count: int = 6, photos: int = 5, noise: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Identities (N,) and embeddings (N, 4) in no order."""
    draw = np.random.default_rng(seed)
    identities = draw.permutation(np.repeat(np.arange(count), photos))
    return identities, draw.normal(size=(count, 4))[identities] + noise * draw.normal(size=(len(identities), 4))


def reference(identities: np.ndarray, embeddings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """False and true accepts by scikit-learn."""
    pairs = list(itertools.combinations(range(len(identities)), 2))
    alike = cosine_similarity(embeddings)
    same = [identities[i] == identities[j] for i, j in pairs]
    far, tar, _ = roc_curve(same, [alike[i, j] for i, j in pairs], drop_intermediate=False)
    return far, tar


@pytest.mark.parametrize("seed", range(4))
def test_equal_error_rate_and_accepts_are_those_of_scikit_learns_curve(seed: int):
    identities, embeddings = people(seed=seed)
    far, tar = reference(identities, embeddings)
    curve = roc(pairs_of(identities, embeddings))
    np.testing.assert_allclose(curve.far, far)
    np.testing.assert_allclose(curve.tar, tar)
    equal = brentq(lambda rate: 1 - rate - float(interp1d(far, tar)(rate)), 0.0, 1.0)
    assert METRICS["eer"](identities, embeddings) == pytest.approx(equal, abs=2e-3)  # ties are steps there
    for limit in (0.01, 0.001):
        assert METRICS[f"tar_at_far_{limit:g}"](identities, embeddings) == tar[far <= limit].max()


def test_perfect_and_hopeless_embeddings():
    identities, embeddings = people(noise=1e-3)
    assert METRICS["eer"](identities, embeddings) == 0.0
    assert METRICS["tar_at_far_0.001"](identities, embeddings) == METRICS["rank1"](identities, embeddings) == 1.0
    identities, embeddings = people(noise=1e3)
    assert METRICS["eer"](identities, embeddings) == pytest.approx(0.5, abs=0.1)


def test_rank1_is_the_nearest_other_row():
    identities, embeddings = people(noise=0.5)
    alike = cosine_similarity(embeddings) - 10 * np.eye(len(identities))
    expected = np.mean(identities[alike.argmax(1)] == identities)
    assert METRICS["rank1"](identities, embeddings) == pytest.approx(expected)
    assert 0.2 < expected < 1.0


def test_rank1_leaves_out_who_is_alone():
    embeddings = np.array([[1.0, 0.0], [1.0, 0.1], [0.9, 0.0]])
    assert METRICS["rank1"](np.array([0, 1, 0]), embeddings) == 1.0


def test_an_identity_that_is_drawn_twice_is_two_that_look_alike():
    """A draw's score is that of a table in which its identities stand as often as drawn; copies of one are no pair."""
    identities, embeddings = people(3)
    drawn = np.array([2.0, 1.0, 0.0])
    of_people = [np.flatnonzero(identities == person) for person in range(3)]
    same, score, weight = [], [], []
    alike = cosine_similarity(embeddings)
    for copy in (0, 0, 1):
        for i, j in itertools.combinations(of_people[copy], 2):
            same.append(True), score.append(alike[i, j]), weight.append(1)
    for i, j in itertools.product(of_people[0], of_people[1]):
        same.append(False), score.append(alike[i, j]), weight.append(2)
    far, tar, _ = roc_curve(same, score, sample_weight=weight, drop_intermediate=False)
    at = int(np.argmax(1 - tar <= far))
    found = METRICS["eer"].scorer(identities, embeddings)(drawn[identities][None])[0]
    assert min(far[at - 1], 1 - tar[at]) - 1e-9 <= found <= max(far[at], 1 - tar[at - 1]) + 1e-9
    one_only = METRICS["eer"].scorer(identities, embeddings)((identities == 0)[None] * 3.0)
    assert np.isnan(one_only).all()


def test_of_many_rows_pairs_are_drawn_and_the_score_stays_near():
    identities, embeddings = people(40, 10)
    everything, some = pairs_of(identities, embeddings, most=10**6), pairs_of(identities, embeddings, most=20_000)
    assert len(everything.scores) == 400 * 399 // 2
    assert len(some.scores) <= 20_000
    assert len({*zip(some.first.tolist(), some.second.tolist(), strict=True)}) == len(some.scores)
    assert (some.first != some.second).all()
    assert 1500 < some.same.sum() <= everything.same.sum()
    assert roc(some).eer == pytest.approx(roc(everything).eer, abs=0.02)
    again = pairs_of(identities, embeddings, most=20_000)
    assert (again.first == some.first).all()
