"""DANN and CDAN: the reversed gradient, the critic, and what it reads."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from torch.nn import functional as F

from graftwork.techniques import CDAN, DANN
from graftwork.techniques.domain.adversary import reverse_gradient, schedule
from graftwork.techniques.domain.cdan import Joint, sureness

DOMAIN = [0] * 11 + [1] * 11 + [-1] * 2


def test_gradient_is_turned_round():
    value = torch.tensor([1.0, 2.0], requires_grad=True)
    (reverse_gradient(value, 0.25) * torch.tensor([3.0, 5.0])).sum().backward()
    assert value.grad is not None
    assert value.grad.tolist() == [-0.75, -1.25]


def test_schedule_is_that_of_the_paper():
    assert schedule(0.0) == 0.0
    assert schedule(0.3) == pytest.approx(2 / (1 + math.exp(-3)) - 1)
    assert 0.999 < schedule(1.0) < 1.0


@pytest.mark.parametrize("technique", [DANN(hidden=4), CDAN(hidden=4)])
def test_the_features_climb_what_the_critic_descends(technique, fixture):
    """One term for both: the critic gets its gradient, the base that gradient reversed."""
    this = fixture(domain=DOMAIN)
    graft = technique.attach(this.network, this.setup)
    output = this.network(this.batch)
    late = dataclasses.replace(this.batch, progress=1.0)
    (term,) = graft.losses(late, output).values()
    term.mean.backward()
    reversed_gradient = this.network.encoders[0].embedding.weight.grad.clone()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in graft.state.parameters())
    assert reversed_gradient.abs().sum() > 0
    with torch.no_grad():  # a step up the features' own gradient makes the critic worse
        this.network.encoders[0].embedding.weight -= 0.5 * reversed_gradient
    (after,) = graft.losses(late, this.network(this.batch)).values()
    assert float(after.mean.detach()) > float(term.mean.detach())


def test_dann_is_the_critics_cross_entropy_on_rows_with_a_domain(fixture):
    this = fixture(domain=DOMAIN)
    graft = DANN(weight=3.0, hidden=4).attach(this.network, this.setup)
    output = this.network(this.batch)
    term = graft.losses(this.batch, output)["dann"]
    expected = F.cross_entropy(graft.state(output.features.rows)[:22], this.batch.domain[:22], reduction="sum") / 24
    assert float(term.mean.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    assert term.weight == 3.0


def test_at_the_beginning_nothing_is_reversed_into_the_features(fixture):
    this = fixture(domain=DOMAIN)
    plain, with_it = this.gradients(), this.gradients(DANN())
    assert all(torch.allclose(value, with_it[name]) for name, value in plain.items())


def test_joint_rows_are_outer_products():
    features, given = torch.randn(3, 4), torch.softmax(torch.randn(3, 2), 1)
    joint = Joint(4, 2, torch.Generator().manual_seed(0))
    expected = torch.stack([torch.outer(f, p).flatten() for f, p in zip(features, given, strict=True)])
    assert torch.allclose(joint(features, given), expected)


def test_wide_joint_rows_keep_inner_products_on_average():
    joint = Joint(512, 20, torch.Generator().manual_seed(0))
    first, second = torch.randn(2, 512), torch.softmax(torch.randn(2, 20), 1)
    rows = joint(first, second)
    assert rows.shape == (2, 4096)
    exact = (first @ first.T) * (second @ second.T)
    assert torch.allclose(rows @ rows.T, exact, rtol=0.3, atol=0.3 * float(exact.diagonal().max()))


def test_sure_rows_count_more():
    weight = sureness(torch.tensor([[1.0, 0.0], [0.5, 0.5]]))
    assert float(weight.mean()) == pytest.approx(1.0)
    assert float(weight[0] / weight[1]) == pytest.approx(2.0 / 1.5)


@pytest.mark.parametrize("technique", [DANN, CDAN])
def test_the_critic_is_the_same_for_the_same_seed_and_no_global_number_is_drawn(technique, fixture):
    this = fixture(domain=DOMAIN)
    before = torch.get_rng_state()
    first, second = (technique().attach(this.network, this.setup).state.state_dict() for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(value, second[name]) for name, value in first.items())
