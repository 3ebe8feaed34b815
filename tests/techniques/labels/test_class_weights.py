from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

from graftwork.errors import RefusedError
from graftwork.techniques import BalancedSampling, ClassWeights, LabelSmoothing, Mixup
from graftwork.techniques.labels.classes import balance


def test_power_one_is_balanced_in_scikit_learn():
    targets = np.array([0] * 7 + [1] * 2 + [2])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=targets)
    np.testing.assert_allclose(balance(targets, np.ones(10, bool), 3, 1.0), expected)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 2.0])
def test_mean_over_rows_is_one(power: float):
    targets = np.array([0] * 7 + [1] * 2 + [2])
    weights = balance(targets, np.ones(10, bool), 3, power)
    assert weights[targets].mean() == pytest.approx(1.0)
    assert weights[2] / weights[0] == pytest.approx(7**power)


def test_missing_class_and_missing_labels_do_no_harm():
    weights = balance(np.array([0, 0, 1, -1]), np.array([True, True, True, False]), 3, 1.0)
    assert weights.tolist() == [0.75, 1.5, 1.0]


def test_batch_weights_multiply_and_skip_unlabelled_rows(fixture):
    this = fixture(unlabelled=(0,), weight=torch.full((24,), 2.0))
    weighted = this.stages(ClassWeights()).inputs(this.batch)
    targets = this.setup.targets["classes"]
    table = balance(targets, targets >= 0, 3, 1.0)
    expected = 2.0 * np.where(targets >= 0, table[targets], 1.0)
    np.testing.assert_allclose(weighted.weight.numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_commutes_with_label_smoothing(order, fixture):
    this = fixture()
    techniques = [ClassWeights(), LabelSmoothing(0.3)]
    alone = this.stages(ClassWeights()).inputs(this.batch).weight
    both = this.stages(*[techniques[at] for at in order]).inputs(this.batch)
    assert torch.equal(both.weight, alone)


def test_balanced_sampling_gives_every_class_the_same_share(fixture):
    this = fixture(unlabelled=(4,))
    rows = this.stages(BalancedSampling()).rows
    targets = this.setup.targets["classes"]
    shares = [rows[targets == c].sum() for c in range(3)]
    np.testing.assert_allclose(shares, shares[0])
    assert rows[4] == pytest.approx(rows[targets >= 0].mean())


@pytest.mark.parametrize("technique", [ClassWeights(), BalancedSampling()], ids=lambda t: t.name)
def test_refused_without_one_class_a_row(technique, fixture):
    this = fixture("many", "number")
    with pytest.raises(RefusedError, match=r"one class a row, but this run predicts 'many' \(multilabel\), 'number'"):
        technique.attach(this.network, this.setup)


def test_runs_with_mixup(fixture):
    this = fixture()
    assert all(torch.isfinite(gradient).all() for gradient in this.gradients(ClassWeights(), Mixup()).values())
