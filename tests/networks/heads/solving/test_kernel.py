"""The kernel head against scikit-learn's kernel ridge regression and a leave-one-out loop."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch
from sklearn.kernel_ridge import KernelRidge

from graftwork.errors import NumericalError
from graftwork.networks.heads.kernel import Kernel
from graftwork.networks.heads.layers.kernel import KernelLayer
from graftwork.networks.heads.rows import RowHead
from graftwork.networks.heads.solving.cholesky import cholesky
from graftwork.networks.heads.solving.kernel import Chosen, fit_kernel, leave_one_out
from graftwork.networks.heads.solving.problem import Problem
from graftwork.tasks.classification import Classification
from graftwork.tasks.regression import Regression


@pytest.fixture
def rows() -> tuple[np.ndarray, np.ndarray, Classification]:
    draw = np.random.default_rng(0)
    features = draw.normal(size=(90, 5)).astype(np.float32)
    classes = (features[:, 0] ** 2 + features[:, 1] > 1).astype(np.int64) + (features[:, 2] > 1)
    return features, classes, Classification().learn(pa.chunked_array([[f"c{c}" for c in classes]]), "rows")


def solved_on(head: RowHead, problem: Problem) -> Chosen:
    assert isinstance(head.settings, Kernel)
    return fit_kernel(head, layer_of(head), head.settings.landmarks, problem)


def layer_of(head: RowHead) -> KernelLayer:
    layer = head.layers[0]
    assert isinstance(layer, KernelLayer)
    return layer


def test_scores_are_those_of_kernel_ridge_regression(rows):
    features, classes, task = rows
    head = RowHead(5, task.outputs, "kernel")
    solved = solved_on(head, Problem(features, classes, task))
    scaled = ((torch.from_numpy(features) - head.shift) * head.scale).numpy()
    truth = np.eye(task.outputs)[classes]
    gamma = 1.0 / float(layer_of(head).spread)
    peer = KernelRidge(alpha=solved.penalty, kernel="rbf", gamma=gamma).fit(scaled, truth - truth.mean(0))
    expected = (peer.predict(scaled) + truth.mean(0)) * solved.factor
    np.testing.assert_allclose(head.of_rows(torch.from_numpy(features)).detach().numpy(), expected, atol=2e-3)


def test_spread_is_the_mean_squared_distance(rows):
    features, classes, task = rows
    head = RowHead(5, task.outputs, "kernel")
    solved_on(head, Problem(features, classes, task))
    scaled = ((torch.from_numpy(features) - head.shift) * head.scale).double()
    assert float(layer_of(head).spread) == pytest.approx(float(torch.cdist(scaled, scaled).square().mean()), rel=1e-3)


def test_leave_one_out_equals_a_loop():
    draw = np.random.default_rng(1)
    x, y = draw.normal(size=(12, 3)), draw.normal(size=(12, 2))
    kernel = np.exp(-((x[:, None] - x[None]) ** 2).sum(-1))
    found = leave_one_out(torch.from_numpy(kernel), torch.from_numpy(y), 0.3).numpy()
    for row in range(12):
        rest = [other for other in range(12) if other != row]
        weights = np.linalg.solve(kernel[np.ix_(rest, rest)] + 0.3 * np.eye(11), y[rest])
        np.testing.assert_allclose(found[row], kernel[row, rest] @ weights, atol=1e-8)


def test_a_sample_of_landmarks_predicts_nearly_the_same(rows):
    features, classes, task = rows
    full, sampled = RowHead(5, task.outputs, "kernel"), RowHead(5, task.outputs, "kernel:landmarks=60")
    for head in (full, sampled):
        solved_on(head, Problem(features, classes, task))
    assert layer_of(sampled).landmarks.shape == (60, 5)
    with torch.no_grad():
        labels = [head.of_rows(torch.from_numpy(features)).argmax(1) for head in (full, sampled)]
    assert (labels[0] == labels[1]).float().mean() > 0.9


def test_learns_what_a_linear_head_can_not_and_leaves_unlabelled_rows_out(rows):
    features, classes, task = rows
    weight = np.ones(90, np.float32)
    weight[:30] = 0
    head = RowHead(5, task.outputs, "kernel")
    solved_on(head, Problem(features, classes, task, weight=weight))
    assert len(layer_of(head).landmarks) == 60
    with torch.no_grad():
        right = head.of_rows(torch.from_numpy(features)).argmax(1).numpy() == classes
    assert right[30:].mean() > 0.95


def test_numbers_keep_their_scale():
    draw = np.random.default_rng(2)
    features = draw.normal(size=(80, 2)).astype(np.float32)
    values = 100 + 10 * np.sin(features[:, 0])
    task = Regression().learn(pa.chunked_array([values.tolist()]), "rows")
    targets, _ = task.encode(pa.chunked_array([values.tolist()]), "rows", np.arange(80))
    head = RowHead(2, 1, "kernel")
    solved = solved_on(head, Problem(features, targets, task))
    assert solved.factor == 1.0
    with torch.no_grad():
        given = task.in_units(head.of_rows(torch.from_numpy(features)).numpy()).ravel()
    assert np.abs(given - values).mean() < 2.0


def test_a_saved_head_comes_back_with_its_landmarks(rows):
    features, classes, task = rows
    head = RowHead(5, task.outputs, "kernel")
    solved_on(head, Problem(features, classes, task))
    again = RowHead(**head.config())
    again.load_state_dict(head.state_dict(), assign=True)
    with torch.no_grad():
        assert torch.equal(head.of_rows(torch.from_numpy(features)), again.of_rows(torch.from_numpy(features)))


def near_duplicates(rows: int, width: int, noise: float) -> tuple[np.ndarray, np.ndarray, Classification]:
    """Short texts that say the same 40 times over, as a base sees them: features that differ in the last digits."""
    draw = np.random.default_rng(0)
    said = draw.normal(size=(rows // 40, width))
    features = np.repeat(said, 40, axis=0) + noise * draw.normal(size=(rows, width))
    classes = np.repeat(np.arange(rows // 40) % 10, 40)
    return (
        features.astype(np.float32),
        classes,
        Classification().learn(pa.chunked_array([[str(c) for c in range(10)]]), ""),
    )


@pytest.mark.parametrize("noise", [0.0, 1e-6, 1e-3])
@pytest.mark.parametrize("landmarks", [1500, 10_000])
def test_near_duplicates_are_solved(noise: float, landmarks: int, recwarn: pytest.WarningsRecorder):
    features, classes, task = near_duplicates(2000, 64, noise)
    head = RowHead(64, task.outputs, f"kernel:landmarks={landmarks}")
    solved_on(head, Problem(features, classes, task))
    found = head.of_rows(torch.from_numpy(features)).detach().numpy()
    assert np.isfinite(found).all()
    assert (found.argmax(axis=1) == classes).mean() > 0.99
    assert not recwarn.list


def test_where_single_precision_holds_nothing_changes(rows):
    features, _, _ = rows
    x = torch.from_numpy(features)
    gram = torch.exp(-torch.cdist(x, x).square()) + 0.1 * torch.eye(90)
    assert torch.equal(cholesky(gram.clone()), torch.linalg.cholesky(gram))


def test_where_single_precision_fails_double_does_it():
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(400, 3, generator=draw, dtype=torch.float64)
    exact = (x @ x.T) * 1e5 + torch.eye(400, dtype=torch.float64)
    assert int(torch.linalg.cholesky_ex(exact.float())[1]), "this needs a matrix that single precision can't factor"
    factor = cholesky((exact.float()).clone())
    assert factor.dtype == torch.float64
    assert torch.dist(factor @ factor.T, exact) / exact.norm() < 1e-3


def test_a_ridge_that_matters_is_said_and_one_that_does_not_help_is_an_error():
    slightly = torch.eye(50, dtype=torch.float64)
    slightly[0, 0] = -2e-3
    with pytest.warns(UserWarning, match="ridge of 0.01 more"):
        cholesky(slightly)
    with pytest.raises(NumericalError, match="--set head=linear"):
        cholesky(-torch.eye(50))
    with pytest.raises(NumericalError, match="not finite"):
        cholesky(torch.full((50, 50), torch.nan))


def test_a_penalty_is_chosen_where_rows_are_all_the_same(rows):
    _, classes, task = rows
    head = RowHead(5, task.outputs, "kernel")
    solved_on(head, Problem(np.ones((90, 5), np.float32), classes, task))
    assert np.isfinite(head.of_rows(torch.ones(3, 5)).detach().numpy()).all()
