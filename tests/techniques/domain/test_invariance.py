"""GroupDRO, IRM, V-REx and sampling by domain, against their formulas."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from graftwork.techniques import IRM, DomainSampling, GroupDRO, VREx

DOMAIN = [0] * 12 + [1] * 6 + [2] * 6
LATE = 0.9


def rows_of(code: int) -> list[int]:
    return [at for at, domain in enumerate(DOMAIN) if domain == code]


def measured(this, technique):
    batch = dataclasses.replace(this.batch, progress=LATE)
    return this.stages(technique).objective(this.network.as_forward(), batch)


def test_vrex_is_the_variance_of_the_domains_losses(fixture):
    this = fixture(domain=DOMAIN)
    found = measured(this, VREx(5.0))
    losses = F.cross_entropy(found.output.predictions["classes"], this.batch.targets["classes"], reduction="none")
    expected = np.var([float(losses[rows_of(code)].mean().detach()) for code in range(3)])
    assert float(found.terms["vrex classes"].mean.detach()) == pytest.approx(expected, rel=1e-4)
    assert found.terms["vrex classes"].weight == 5.0


@pytest.mark.parametrize("technique", [VREx(5.0), IRM(5.0)])
def test_the_weight_is_small_while_features_are_learned(technique, fixture):
    this = fixture(domain=DOMAIN)
    early = this.stages(technique).objective(this.network.as_forward(), this.batch)
    assert early.terms[f"{technique.name} classes"].weight == 1.0


def test_irm_is_the_product_of_two_halves_gradients(fixture):
    """The gradient of cross-entropy in a factor on the logits is the mean of sum((p - y) * logits)."""
    this = fixture(domain=DOMAIN)
    found = measured(this, IRM(7.0))
    logits = found.output.predictions["classes"].detach()
    truth = F.one_hot(this.batch.targets["classes"], 3)
    each = ((torch.softmax(logits, 1) - truth) * logits).sum(1)
    products = [each[rows_of(code)[::2]].mean() * each[rows_of(code)[1::2]].mean() for code in range(3)]
    term = found.terms["irm classes"]
    assert float(term.mean.detach()) == pytest.approx(float(torch.stack(products).mean()), rel=1e-4)
    found.total.backward()
    assert this.network.heads[0].layers[1].weight.grad.isfinite().all()


def test_group_dro_weighs_the_domains_as_in_the_paper(fixture):
    this = fixture(domain=DOMAIN)
    stages = this.stages(GroupDRO(0.5))
    plain = this.stages().objective(this.network.as_forward(), this.batch)
    losses = plain.terms["classes"].value.detach()
    means = torch.stack([losses[rows_of(code)].mean() for code in range(3)])
    share = torch.full((3,), 1 / 3)
    for _ in range(2):
        share = share * torch.exp(0.5 * means)
        share = share / share.sum()
        found = stages.objective(this.network.as_forward(), this.batch)
        assert float(found.terms["classes"].mean.detach()) == pytest.approx(float((share * means).sum()), rel=1e-5)
    assert torch.allclose(stages.state["group-dro"][0].share, share)


def test_a_diverging_loss_of_one_domain_takes_all_the_weight_and_gives_it_back(fixture):
    this = fixture(domain=[0] * 12 + [1] * 12)
    weights = GroupDRO(1.0).attach(this.network, this.setup).state[0]
    seen = torch.tensor([True, True])
    weights.update(torch.tensor([1e4, 1.0]), seen, 1.0)
    assert weights.share.tolist() == [1.0, 0.0]
    for _ in range(40):
        weights.update(torch.tensor([0.0, 1.0]), seen, 1.0)
    assert float(weights.share[1]) > 0.99


def test_domains_that_a_batch_lacks_keep_their_ratio(fixture):
    this = fixture(domain=[0] * 12 + [1] * 12)
    setup = dataclasses.replace(this.setup, domains=("a", "b", "c"))
    graft = GroupDRO(0.1).attach(this.network, setup)
    objective = this.stages().objective(this.network.as_forward(), this.batch)
    terms = graft.combine(this.batch, objective.terms)
    weights = graft.state[0].share
    assert float(weights[2]) < 1 / 3
    assert float(weights.sum()) == pytest.approx(1.0)
    assert float(terms["classes"].mean.detach()) > 0


def test_rows_without_a_domain_keep_their_loss(fixture):
    this = fixture(domain=[0] * 10 + [-1] * 4 + [1] * 10)
    plain = this.stages().objective(this.network.as_forward(), this.batch).terms["classes"].value
    changed = this.stages(GroupDRO(5.0)).objective(this.network.as_forward(), this.batch).terms["classes"].value
    assert torch.equal(plain[10:14], changed[10:14])
    assert not torch.allclose(plain[:10], changed[:10])


def test_sampling_weights_by_domain(fixture):
    this = fixture(domain=[0] * 12 + [1] * 6 + [-1] * 6)
    rows = DomainSampling(1.0).attach(this.network, this.setup).rows
    assert rows[:12].sum() == pytest.approx(rows[12:18].sum())
    assert rows[18:].tolist() == [1.0] * 6
    assert rows[:18].mean() == pytest.approx(1.0)
