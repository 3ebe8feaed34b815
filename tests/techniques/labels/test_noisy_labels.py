"""Generalised cross-entropy and small-loss selection."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from graftwork.errors import RefusedError, UsageError
from graftwork.techniques import GeneralisedCrossEntropy, SmallLoss
from graftwork.techniques.labels.generalised_cross_entropy import generalised
from graftwork.techniques.labels.small_loss import kept


def test_gce_is_the_papers_formula_between_cross_entropy_and_absolute_error():
    predictions, classes = torch.randn(6, 4), torch.tensor([0, 1, 2, 3, 0, 1])
    target, p = F.one_hot(classes, 4).float(), predictions.softmax(1).gather(1, classes[:, None])[:, 0]
    torch.testing.assert_close(generalised(predictions, target, 0.7), (1 - p**0.7) / 0.7)
    torch.testing.assert_close(generalised(predictions, target, 1.0), 1 - p)
    near = F.cross_entropy(predictions, classes, reduction="none")
    torch.testing.assert_close(generalised(predictions, target, 1e-4), near, rtol=1e-3, atol=1e-3)
    assert torch.isfinite(generalised(torch.tensor([[-1e4, 1e4]]), torch.tensor([[1.0, 0.0]]), 0.7)).all()


def test_gce_replaces_the_loss_of_single_class_targets_only(fixture):
    this = fixture("classes", "number", unlabelled=(1,))
    stages, plain = this.stages(GeneralisedCrossEntropy(0.5)), this.stages()
    found = stages.objective(this.network.as_forward(), this.batch)
    before = plain.objective(this.network.as_forward(), this.batch)
    assert list(found.terms) == list(before.terms)
    assert torch.equal(found.terms["number"].value, before.terms["number"].value)
    p = found.output.predictions["classes"].softmax(1)
    own = p[torch.arange(24), this.batch.targets["classes"].clamp(min=0)]
    expected = 2 * (1 - own.sqrt()) * this.batch.labelled["classes"]
    torch.testing.assert_close(found.terms["classes"].value, expected)
    assert found.terms["classes"].value[1] == 0


def test_gce_is_refused_where_no_target_has_one_class_a_row(fixture):
    with pytest.raises(RefusedError, match="needs a target with one class a row"):
        fixture("many").stages(GeneralisedCrossEntropy())
    with pytest.raises(UsageError, match=r"q is 1.5. Expected a number from 0 to 1"):
        GeneralisedCrossEntropy(1.5)


def test_kept_are_the_smallest_losses_of_the_candidates():
    losses = torch.tensor([3.0, 1.0, 2.0, 0.5, 4.0])
    candidates = torch.tensor([True, True, True, False, True])
    assert kept(losses, candidates, 0.5).tolist() == [False, True, True, False, False]
    assert kept(losses, candidates, 1.0).tolist() == candidates.tolist()
    assert kept(losses, candidates, 0.01).tolist() == [False, True, False, False, False]
    assert not kept(losses, torch.zeros(5, dtype=torch.bool), 0.5).any()


def test_the_loss_is_the_mean_over_the_kept_rows(fixture):
    this = fixture(unlabelled=(1, 2, 3, 4))
    values = this.stages().objective(this.network.as_forward(), this.batch).terms["classes"].value
    found = this.stages(SmallLoss(0.25, 0.0)).objective(this.network.as_forward(), this.batch).terms["classes"]
    smallest = np.sort(values.detach().numpy()[this.batch.labelled["classes"].numpy()])[: math.ceil(0.75 * 20)]
    assert float(found.mean.detach()) == pytest.approx(float(smallest.mean()), rel=1e-6)


def test_weights_do_not_decide_what_is_left_out(fixture):
    weight = torch.ones(24)
    weight[:6] = 100.0
    this, plain = fixture(weight=weight), fixture()
    first, second = (
        one.stages(SmallLoss(0.5, 0.0)).objective(one.network.as_forward(), one.batch).terms["classes"].value != 0
        for one in (this, plain)
    )
    assert torch.equal(first, second)


def test_the_share_falls_to_what_is_wrong():
    technique = SmallLoss(0.4, 0.5)
    assert [technique.share(p) for p in (0.0, 0.25, 0.5, 1.0)] == pytest.approx([1.0, 0.8, 0.6, 0.6])
    assert SmallLoss(0.4, 0.0).share(0.0) == pytest.approx(0.6)
    with pytest.raises(UsageError, match="noise is 1"):
        SmallLoss(1.0)
