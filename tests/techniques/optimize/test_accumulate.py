from __future__ import annotations

import pytest
import torch

from graftwork.core.technique import per_batch
from graftwork.techniques import Accumulate, Consistency, LabelSmoothing, SupervisedContrastive
from graftwork.techniques.optimize.accumulate import merge, split


@pytest.mark.parametrize("steps", [2, 5, 24, 100])
@pytest.mark.parametrize("targets", [("classes",), ("classes", "number"), ("many",)])
def test_parts_add_up_to_the_large_batch(steps: int, targets, fixture):
    this = fixture(*targets, unlabelled=(0, 1, 2, 9), weight=torch.rand(24))
    whole = this.gradients()
    parts = this.gradients(Accumulate(steps))
    assert whole.keys() == parts.keys()
    for name, gradient in whole.items():
        torch.testing.assert_close(parts[name], gradient)


def test_what_is_measured_is_the_whole_batch(fixture):
    this = fixture(unlabelled=(3,))
    stages, plain = this.stages(LabelSmoothing(), Accumulate(4)), this.stages(LabelSmoothing())
    found = stages.gradient(stages.objective, this.network, stages.inputs(this.batch))
    expected = plain.objective(this.network.as_forward(), plain.inputs(this.batch))
    torch.testing.assert_close(found.total, expected.total)
    torch.testing.assert_close(found.terms["classes"].value, expected.terms["classes"].value)
    torch.testing.assert_close(found.output.features.rows, expected.output.features.rows)
    assert not found.total.requires_grad


def test_parts_without_a_row_are_left_out(fixture):
    this = fixture(rows=3)
    parts = split(this.batch, 5)
    assert [len(part) for part in parts] == [1, 1, 1]
    assert all(part.size == 3 for part in parts)


def test_total_of_coupled_losses_is_the_sum_of_the_parts(fixture):
    this = fixture()
    stages = this.stages(SupervisedContrastive())
    parts = [stages.objective(this.network.as_forward(), part) for part in split(this.batch, 5)]
    torch.testing.assert_close(merge(parts).total, sum(part.total for part in parts))


def test_terms_of_a_batch_count_for_their_share(fixture):
    this = fixture(rows=5)
    terms = [per_batch(torch.tensor(value), part) for value, part in zip((2.0, 7.0), split(this.batch, 2), strict=True)]
    assert float(sum(term.mean for term in terms)) == pytest.approx((2.0 * 3 + 7.0 * 2) / 5)


def test_each_part_has_its_own_dropout_in_consistency(fixture):
    this = fixture(dropout=0.5)
    assert all(torch.isfinite(g).all() for g in this.gradients(Consistency(), Accumulate(2)).values())
