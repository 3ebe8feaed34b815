from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from graftwork.techniques import LabelSmoothing, SupervisedContrastive
from graftwork.techniques.labels.classes import class_groups
from graftwork.techniques.metric.supervised_contrastive import contrast


def brute_force(features, classes, temperature):
    """Khosla et al. 2020, equation 2, with loops."""
    z = [f / f.norm() for f in features]
    losses = []
    for i in range(len(z)):
        others = [a for a in range(len(z)) if a != i]
        positives = [p for p in others if classes[p] == classes[i]]
        if not positives:
            losses.append(0.0)
            continue
        total = sum(math.exp(float(z[i] @ z[a]) / temperature) for a in others)
        parts = [math.log(math.exp(float(z[i] @ z[p]) / temperature) / total) for p in positives]
        losses.append(-sum(parts) / len(parts))
    return losses


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_equals_the_papers_formula(temperature: float):
    torch.manual_seed(0)
    features, classes = torch.randn(8, 4), torch.tensor([0, 0, 1, 1, 1, 2, 0, 3])
    value, counted = contrast(features, classes, torch.ones(8, dtype=torch.bool), temperature)
    torch.testing.assert_close(value, torch.tensor(brute_force(features, classes, temperature)), atol=1e-5, rtol=1e-5)
    assert counted.tolist() == [True, True, True, True, True, False, True, False]


def test_unused_rows_take_no_part():
    torch.manual_seed(0)
    features, classes = torch.randn(6, 4), torch.tensor([0, 0, 1, 1, 0, 1])
    used = torch.tensor([True, True, True, True, False, False])
    value, counted = contrast(features, classes, used, 0.1)
    expected, _ = contrast(features[:4], classes[:4], used[:4], 0.1)
    torch.testing.assert_close(value[:4], expected)
    assert value[4:].tolist() == [0.0, 0.0]
    assert not counted[4:].any()


@pytest.mark.parametrize("classes", [[0], [0, 1, 2], [1, 1, 1]])
def test_small_batches_give_finite_gradients(classes):
    features = torch.randn(len(classes), 4, requires_grad=True)
    value, _ = contrast(features, torch.tensor(classes), torch.ones(len(classes), dtype=torch.bool), 0.1)
    value.sum().backward()
    assert torch.isfinite(features.grad).all()
    assert torch.isfinite(value).all()


def test_term_is_the_mean_over_rows_with_a_partner(fixture):
    this = fixture(unlabelled=(0,))
    stages = this.stages(SupervisedContrastive(0.5))
    term = stages.objective(this.network.as_forward(), this.batch).terms["supervised-contrastive classes"]
    targets = this.batch.targets["classes"]
    expected, counted = contrast(this.network.features(this.batch).rows, targets, targets >= 0, 0.1)
    torch.testing.assert_close(term.mean, expected[counted].mean())
    assert term.weight == 0.5


def test_softened_targets_are_read_by_their_largest_class(fixture):
    this = fixture()
    stages, plain = this.stages(LabelSmoothing(0.2), SupervisedContrastive()), this.stages(SupervisedContrastive())
    name = "supervised-contrastive classes"
    soft = stages.objective(this.network.as_forward(), stages.inputs(this.batch)).terms[name]
    torch.testing.assert_close(soft.value, plain.objective(this.network.as_forward(), this.batch).terms[name].value)


def test_batches_are_made_of_class_groups_and_hold_every_row_once():
    classes = np.repeat(np.arange(10), 8)
    batches = class_groups(classes, 4, 32, np.random.default_rng(0))
    assert sorted(np.concatenate(batches).tolist()) == list(range(80))
    assert len(batches) == round(80 / 32)
    for batch in batches:
        assert (np.unique(classes[batch], return_counts=True)[1] % 4 == 0).all()


def test_groups_differ_from_epoch_to_epoch_and_repeat_with_the_seed():
    classes = np.arange(30) % 3
    first, again, other = (class_groups(classes, 4, 8, np.random.default_rng([7, epoch])) for epoch in (0, 0, 1))
    assert all((one == two).all() for one, two in zip(first, again, strict=True))
    assert np.concatenate(first).tolist() != np.concatenate(other).tolist()


@pytest.mark.parametrize("rows", [1, 3, 5])
def test_few_rows_make_one_batch(rows):
    (batch,) = class_groups(np.zeros(rows, np.int64), 4, 32, np.random.default_rng(0))
    assert sorted(batch.tolist()) == list(range(rows))
