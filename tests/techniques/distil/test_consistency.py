from __future__ import annotations

import pytest
import torch

from graftwork.core.technique import Cost
from graftwork.techniques import Consistency
from graftwork.techniques.distil.consistency import disagreement


def measure(this, technique):
    stages = this.stages(technique)
    batch = stages.inputs(this.batch)
    torch.manual_seed(3)
    return stages.objective(this.network.as_forward(), batch)


def test_disagreement_is_half_of_jeffreys_divergence(fixture):
    task = fixture().setup.tasks["classes"]
    first, second = torch.randn(4, 3), torch.randn(4, 3)
    p, q = first.softmax(1), second.softmax(1)
    expected = 0.5 * ((p - q) * (p.log() - q.log())).sum(1)
    torch.testing.assert_close(disagreement(task, first, second), expected)
    assert disagreement(task, first.bfloat16(), second.bfloat16()).dtype == torch.float32


@pytest.mark.parametrize("target", ["classes", "many", "number"])
def test_all_rows_count_labelled_or_not(target, fixture):
    this = fixture(target, dropout=0.5, unlabelled=(1, 2))
    term = measure(this, Consistency(2.0)).terms[f"consistency {target}"]
    assert (term.value > 0).all()
    assert term.count == 24
    assert term.weight == 2.0


def test_without_dropout_nothing_disagrees(fixture):
    term = measure(fixture(), Consistency()).terms["consistency classes"]
    torch.testing.assert_close(term.value, torch.zeros(24), atol=1e-6, rtol=0)


def test_first_pass_is_what_it_would_be_alone(fixture):
    this = fixture(dropout=0.5)
    found = measure(this, Consistency())
    torch.manual_seed(3)
    plain = this.network(this.batch)
    assert torch.equal(found.output.predictions["classes"], plain.predictions["classes"])


def test_gradient_flows_through_both_passes(fixture):
    this = fixture(dropout=0.5, unlabelled=range(24))
    gradients = this.gradients(Consistency())
    assert all(gradient.abs().sum() > 0 for name, gradient in gradients.items() if "bias" not in name)


def test_cost_is_one_more_pass():
    assert Consistency().cost(Cost(1, 1)) == Cost(2, 2)
