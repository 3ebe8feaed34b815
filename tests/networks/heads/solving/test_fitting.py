"""A head solved on features, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier

from graftwork.networks.heads.rows import RowHead
from graftwork.networks.heads.solving import fitting
from graftwork.networks.heads.solving import linear as solve
from graftwork.networks.heads.solving.fitting import USUAL, choose_l2, fit_linear
from graftwork.networks.heads.solving.linear import Rows, solve_linear, standardise
from graftwork.networks.heads.solving.problem import Problem
from graftwork.tasks.classification import Classification
from graftwork.tasks.multilabel import Multilabel
from graftwork.tasks.regression import Regression


def classification(classes: int) -> Classification:
    names = [f"c{index}" for index in range(classes)]
    return Classification().learn(pa.chunked_array([names * 2]), "table")


def clouds(rows: int, width: int, classes: int, seed: int = 0, noise: float = 1.0):
    generator = np.random.default_rng(seed)
    targets = generator.integers(0, classes, rows)
    centres = np.random.default_rng(99).normal(size=(classes, width))
    return (centres[targets] + noise * generator.normal(size=(rows, width))).astype(np.float32), targets


def plain(features, targets, weight=None):
    width = features.shape[1]
    weight = np.ones(len(features), np.float32) if weight is None else weight
    return Rows(features, targets, weight, torch.zeros(width), torch.ones(width))


@pytest.mark.parametrize("penalty", [0.1, 1.0, 10.0])
def test_multinomial_equals_scikit_learn(penalty: float):
    features, targets = clouds(300, 6, 4, noise=2.0)
    found = solve_linear(plain(features, targets), classification(4), l2=penalty, tolerance=1e-6)
    expected = LogisticRegression(C=1 / penalty, tol=1e-8, max_iter=2000).fit(features, targets)
    np.testing.assert_allclose(found.weight.numpy(), expected.coef_, atol=2e-3)
    probabilities = torch.softmax(torch.from_numpy(features) @ found.weight.T + found.bias, 1).numpy()
    np.testing.assert_allclose(probabilities, expected.predict_proba(features), atol=1e-3)


def test_two_classes_equal_scikit_learn_at_twice_the_c():
    features, targets = clouds(200, 5, 2, noise=2.0)
    found = solve_linear(plain(features, targets), classification(2), l2=1.0, tolerance=1e-6)
    expected = LogisticRegression(C=2.0, tol=1e-8, max_iter=2000).fit(features, targets)
    np.testing.assert_allclose((found.weight[1] - found.weight[0]).numpy(), expected.coef_[0], atol=2e-3)


def test_row_weights_equal_scikit_learn():
    features, targets = clouds(200, 5, 3, noise=2.0)
    weight = np.random.default_rng(1).uniform(0, 3, 200).astype(np.float32)
    weight[:40] = 0
    found = solve_linear(plain(features, targets, weight), classification(3), l2=1.0, tolerance=1e-6)
    expected = LogisticRegression(C=1.0, tol=1e-8, max_iter=2000).fit(features, targets, sample_weight=weight)
    np.testing.assert_allclose(found.weight.numpy(), expected.coef_, atol=2e-3)


def test_regression_equals_ridge():
    features, _ = clouds(200, 5, 3)
    values = (features @ np.arange(5) + 1).astype(np.float32)
    task = Regression().learn(pa.chunked_array([values.tolist()]), "table")
    standard = ((values - values.mean()) / values.std()).astype(np.float32)
    found = solve_linear(plain(features, standard), task, l2=4.0, tolerance=1e-6)
    expected = Ridge(alpha=2.0).fit(features, standard)
    np.testing.assert_allclose(found.weight.numpy()[0], expected.coef_, atol=1e-3)
    assert float(found.bias[0]) == pytest.approx(expected.intercept_, abs=1e-3)


def test_multilabel_equals_one_problem_a_class():
    task = Multilabel().learn(pa.chunked_array([[["a"], ["b"], ["c"]]]), "t.csv")
    features, targets = clouds(200, 5, 3, noise=2.0)
    many = np.eye(3, dtype=np.uint8)[targets]
    many[::7] = 1
    # The task's loss is a mean over the classes, so the same penalty weighs three times as much.
    found = solve_linear(plain(features, many), task, l2=1.0 / 3, tolerance=1e-6)
    expected = OneVsRestClassifier(LogisticRegression(C=1.0, tol=1e-8)).fit(features, many)
    for row, model in zip(found.weight.numpy(), expected.estimators_, strict=True):
        np.testing.assert_allclose(row, model.coef_[0], atol=3e-3)


def test_chunks_shift_and_scale_are_only_another_way_to_write_it(monkeypatch):
    features, targets = clouds(150, 5, 3, noise=2.0)
    features = features * np.array([1, 50, 0.2, 1, 1], np.float32) + 3
    shift, scale = standardise(features, np.ones(150))
    np.testing.assert_allclose(shift, features.mean(0), rtol=1e-4)
    np.testing.assert_allclose(scale, 1 / features.std(0), rtol=1e-4)
    whole = solve_linear(plain((features - shift) * scale, targets), classification(3), l2=1.0, tolerance=1e-6)
    monkeypatch.setattr(solve, "CHUNK", 37)
    np.testing.assert_allclose(standardise(features, np.ones(150))[1], scale, rtol=1e-5)
    rows = Rows(features, targets, np.ones(150, np.float32), torch.from_numpy(shift), torch.from_numpy(scale))
    found = solve_linear(rows, classification(3), l2=1.0, tolerance=1e-6)
    torch.testing.assert_close(found.weight, whole.weight, atol=2e-3, rtol=0)


def test_memory_mapped_features_are_read_as_they_are(tmp_path):
    features, targets = clouds(100, 5, 3)
    np.save(tmp_path / "features.npy", features)
    mapped = np.load(tmp_path / "features.npy", mmap_mode="r")
    one = solve_linear(plain(features, targets), classification(3), l2=1.0)
    two = solve_linear(plain(mapped, targets), classification(3), l2=1.0)
    assert torch.equal(one.weight, two.weight)


def test_constant_features_do_no_harm():
    features, targets = clouds(100, 5, 3)
    features[:, 2] = 4.0
    head = RowHead(5, 3)
    fit_linear(head, Problem(features, targets, classification(3)))
    assert torch.isfinite(head.of_rows(torch.from_numpy(features))).all()
    assert torch.isfinite(head.scale).all()


def test_head_predicts_what_was_solved():
    features, targets = clouds(200, 6, 3, noise=2.0)
    head = RowHead(6, 3)
    assert fit_linear(head, Problem(features, targets, classification(3), l2=0.5)) == 0.5
    standard = (features - features.mean(0)) / features.std(0) / np.sqrt(6)
    expected = LogisticRegression(C=2.0, tol=1e-8, max_iter=2000).fit(standard, targets).predict_proba(standard)
    found = torch.softmax(head.of_rows(torch.from_numpy(features)), 1).detach().numpy()
    np.testing.assert_allclose(found, expected, atol=5e-3)


def test_the_penalty_fits_the_noise():
    noisy = clouds(300, 40, 3, noise=9.0)
    clean = clouds(3000, 40, 3, noise=0.7)
    strengths = [fit_linear(RowHead(40, 3), Problem(*rows, classification(3))) for rows in (noisy, clean)]
    assert strengths[0] > strengths[1]


def test_few_rows_take_the_usual_penalty():
    features, targets = clouds(12, 5, 3)
    assert choose_l2(plain(features, targets), classification(3), seed=0) == (USUAL, None)


def test_large_tables_choose_the_penalty_on_some_rows(monkeypatch):
    monkeypatch.setattr(fitting, "CHOOSE_ON", 100)
    features, targets = clouds(1000, 5, 3)
    kept, held = fitting._fifth(plain(features, targets), classification(3), np.random.default_rng(0))
    assert len(kept) + len(held) == 100
    assert not set(kept) & set(held)


def test_mlp_learns_what_no_linear_head_can_and_repeats():
    generator = np.random.default_rng(0)
    features = generator.normal(size=(600, 2)).astype(np.float32)
    targets = (features[:, 0] * features[:, 1] > 0).astype(np.int64)
    heads = []
    for _ in range(2):
        torch.manual_seed(0)
        head = RowHead(2, 2, "mlp:width=32,dropout=0.1")
        state = torch.get_rng_state()
        head.solve(Problem(features, targets, classification(2), seed=3))
        assert torch.equal(torch.get_rng_state(), state)
        heads.append(head)
    accuracy = (heads[0].eval().of_rows(torch.from_numpy(features)).argmax(1).numpy() == targets).mean()
    assert accuracy > 0.9
    assert all(torch.equal(a, b) for a, b in zip(heads[0].parameters(), heads[1].parameters(), strict=True))
    assert all(parameter.grad is None for parameter in heads[0].parameters())


def test_a_dead_feature_is_not_blown_up():
    features = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    features[:, 2] = 1 + 1e-6 * features[:, 2]
    _, scale = standardise(features, np.ones(50, np.float32))
    assert scale[2] == pytest.approx(30 * float(np.median(scale[[0, 1, 3]])), rel=0.2)


def test_a_search_that_begins_near_ends_where_one_from_zero_does_and_sooner():
    features, targets = clouds(1500, 32, 20, noise=4.0)
    task, asked = classification(20), []

    def solved(rows: slice, near: RowHead | None = None) -> RowHead:
        asked.append(0)

        def count() -> None:
            asked[-1] += 1

        head = RowHead(32, 20)
        fit_linear(head, Problem(features[rows], targets[rows], task, l2=1 / 16, check=count), near)
        return head

    first = solved(slice(0, 1000))
    alone, near = solved(slice(500, 1500)), solved(slice(500, 1500), first)
    for one, other in zip(alone.parameters(), near.parameters(), strict=True):
        np.testing.assert_allclose(one.detach().numpy(), other.detach().numpy(), atol=0.02)
    assert asked[2] < asked[1]
