"""Towers in closed form against scikit-learn's CCA, and what they find on rows they have not seen."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.cross_decomposition import CCA

from graftwork.networks.heads.rows import RowHead
from graftwork.networks.heads.solving.correlation import USUAL, Sides, choose, covariances, solve
from graftwork.networks.heads.solving.problem import Problem
from graftwork.tasks.embedding.retrieval import Retrieval

P, Q = 5, 4


def pairs(rows: int, seed: int = 0, noise: float = 0.5) -> np.ndarray:
    """Two views of three hidden numbers, side by side; the first columns hold nothing in common."""
    draw, maps = np.random.default_rng(seed), np.random.default_rng(99)
    hidden = draw.normal(size=(rows, 3))
    sides = [hidden @ maps.normal(size=(3, width)) + noise * draw.normal(size=(rows, width)) for width in (P, Q)]
    return np.concatenate(sides, axis=1).astype(np.float32)


def plain(features: np.ndarray) -> Sides:
    width = features.shape[1]
    return Sides(features, features.mean(axis=0), np.ones(width), P)


def numbered(rows: int) -> np.ndarray:
    return np.stack([np.arange(rows)] * 2, axis=1)


def test_directions_are_those_of_scikit_learn() -> None:
    features = pairs(400)
    found = solve(covariances(plain(features)), penalty=0.0)
    model = CCA(n_components=3, scale=False, max_iter=5000, tol=1e-10)
    expected = model.fit_transform(features[:, :P], features[:, P:])
    x, y = plain(features).read(slice(None))
    for ours, theirs in zip(((x @ found.first).numpy(), (y @ found.second).numpy()), expected, strict=True):
        for index in range(3):
            assert abs(np.corrcoef(ours[:, index], theirs[:, index])[0, 1]) == pytest.approx(1.0, abs=1e-4)
    correlations = [np.corrcoef(expected[0][:, at], expected[1][:, at])[0, 1] for at in range(3)]
    np.testing.assert_allclose(found.correlations[:3].numpy(), correlations, atol=1e-4)


def test_outputs_are_uncorrelated_with_variance_1() -> None:
    features = pairs(300)
    known, penalty = covariances(plain(features)), 0.2
    found = solve(known, penalty)
    ridge = known.first + penalty * torch.eye(P)
    torch.testing.assert_close(found.first.T @ ridge @ found.first, torch.eye(Q, dtype=torch.float64))


def test_covariances_do_not_depend_on_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    features = pairs(50)
    whole = covariances(plain(features))
    monkeypatch.setattr("graftwork.networks.heads.solving.correlation.CHUNK", 7)
    torch.testing.assert_close(covariances(plain(features)).between, whole.between)


def test_partners_are_found_on_other_rows() -> None:
    train, test = pairs(500), pairs(100, seed=1)
    task = Retrieval(width=6)
    head = RowHead(P + Q, task.outputs, "towers", (P, Q))
    head.solve(Problem(train, numbered(500), task))
    with torch.inference_mode():
        _, ranks = task.metric_inputs(numbered(100), task.keep(head.of_rows(torch.from_numpy(test))))
    assert (ranks <= 10).mean() > 0.6  # by chance 0.1
    last = head.layers[0].towers[0][-1].weight  # type: ignore[index, union-attr]
    assert bool((last[Q:] == 0).all()), "there are no more directions than features of the narrower side"


def test_rows_of_weight_0_change_nothing() -> None:
    features, task = pairs(200), Retrieval(width=3)
    weight = np.ones(200, np.float32)
    weight[150:] = 0
    broken = features.copy()
    broken[150:] = 1e3
    heads = [RowHead(P + Q, task.outputs, "towers", (P, Q)) for _ in range(2)]
    for head, rows in zip(heads, (features, broken), strict=True):
        head.solve(Problem(rows, numbered(200), task, weight=weight, l2=0.1))
    probe = torch.from_numpy(features[:5])
    torch.testing.assert_close(heads[0].of_rows(probe), heads[1].of_rows(probe))


def test_few_rows_take_the_usual_settings() -> None:
    draw = np.random.default_rng(0)
    assert choose(plain(pairs(20)), numbered(20), 4, (3.0, 0.3), draw) == USUAL
    assert choose(plain(pairs(20)), numbered(20), 4, (0.7,), draw) == (0.7, USUAL[1])
    penalty, _ = choose(plain(pairs(300)), numbered(300), 4, (1000.0, 0.1), draw)
    assert penalty == 0.1
