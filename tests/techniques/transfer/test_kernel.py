"""The kernel head against scikit-learn's kernel ridge regression and a leave-one-out loop."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch
from sklearn.kernel_ridge import KernelRidge

from graftwork.networks.head import Head, KernelLayer
from graftwork.tasks.classification import Classification
from graftwork.tasks.regression import Regression
from graftwork.techniques.transfer.head_start import fit_kernel
from graftwork.techniques.transfer.kernel import leave_one_out


@pytest.fixture
def rows() -> tuple[np.ndarray, np.ndarray, Classification]:
    draw = np.random.default_rng(0)
    features = draw.normal(size=(90, 5)).astype(np.float32)
    classes = (features[:, 0] ** 2 + features[:, 1] > 1).astype(np.int64) + (features[:, 2] > 1)
    return features, classes, Classification().learn(pa.chunked_array([[f"c{c}" for c in classes]]), "rows")


def layer_of(head: Head) -> KernelLayer:
    layer = head.layers[0]
    assert isinstance(layer, KernelLayer)
    return layer


def test_scores_are_those_of_kernel_ridge_regression(rows):
    features, classes, task = rows
    head = Head(5, task.outputs, "kernel")
    solved = fit_kernel(head, features, classes, task)
    scaled = ((torch.from_numpy(features) - head.shift) * head.scale).numpy()
    truth = np.eye(task.outputs)[classes]
    gamma = 1.0 / float(layer_of(head).spread)
    peer = KernelRidge(alpha=solved.penalty, kernel="rbf", gamma=gamma).fit(scaled, truth - truth.mean(0))
    expected = (peer.predict(scaled) + truth.mean(0)) * solved.factor
    np.testing.assert_allclose(head(torch.from_numpy(features)).detach().numpy(), expected, atol=2e-3)


def test_spread_is_the_mean_squared_distance(rows):
    features, classes, task = rows
    head = Head(5, task.outputs, "kernel")
    fit_kernel(head, features, classes, task)
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
    full, sampled = Head(5, task.outputs, "kernel"), Head(5, task.outputs, "kernel:landmarks=60")
    for head in (full, sampled):
        fit_kernel(head, features, classes, task)
    assert layer_of(sampled).landmarks.shape == (60, 5)
    with torch.no_grad():
        labels = [head(torch.from_numpy(features)).argmax(1) for head in (full, sampled)]
    assert (labels[0] == labels[1]).float().mean() > 0.9


def test_learns_what_a_linear_head_can_not_and_leaves_unlabelled_rows_out(rows):
    features, classes, task = rows
    weight = np.ones(90, np.float32)
    weight[:30] = 0
    head = Head(5, task.outputs, "kernel")
    fit_kernel(head, features, classes, task, weight=weight)
    assert len(layer_of(head).landmarks) == 60
    with torch.no_grad():
        right = head(torch.from_numpy(features)).argmax(1).numpy() == classes
    assert right[30:].mean() > 0.95


def test_numbers_keep_their_scale():
    draw = np.random.default_rng(2)
    features = draw.normal(size=(80, 2)).astype(np.float32)
    values = 100 + 10 * np.sin(features[:, 0])
    task = Regression().learn(pa.chunked_array([values.tolist()]), "rows")
    targets, _ = task.encode(pa.chunked_array([values.tolist()]), "rows", np.arange(80))
    head = Head(2, 1, "kernel")
    solved = fit_kernel(head, features, targets, task)
    assert solved.factor == 1.0
    with torch.no_grad():
        given = task.probabilities(head(torch.from_numpy(features))).numpy().ravel()
    assert np.abs(given - values).mean() < 2.0


def test_a_saved_head_comes_back_with_its_landmarks(rows):
    features, classes, task = rows
    head = Head(5, task.outputs, "kernel")
    fit_kernel(head, features, classes, task)
    again = Head(**head.config())
    again.load_state_dict(head.state_dict(), assign=True)
    with torch.no_grad():
        assert torch.equal(head(torch.from_numpy(features)), again(torch.from_numpy(features)))
