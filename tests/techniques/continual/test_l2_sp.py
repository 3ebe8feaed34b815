"""graftwork.techniques.continual.l2_sp, against its formula."""

from __future__ import annotations

import pytest
import torch

from graftwork.errors import UsageError
from graftwork.techniques import L2SP


def moved(this, by: float = 0.25) -> None:
    with torch.no_grad():
        for parameter in this.network.parameters():
            parameter.add_(by)


def test_the_gradient_is_the_plain_one_and_the_weight_times_the_way_gone(fixture):
    this, weight = fixture(), 0.3
    stages = this.stages(L2SP(weight))
    start = {name: parameter.detach().clone() for name, parameter in this.network.named_parameters()}
    moved(this)
    plain = this.gradients()
    this.network.zero_grad(set_to_none=True)
    measured = stages.gradient(stages.objective, this.network, this.batch)
    for name, parameter in this.network.named_parameters():
        pull = weight * (parameter.detach() - start[name]) if name.startswith("encoders.") else 0.0
        assert torch.allclose(parameter.grad, plain[name] + pull, atol=1e-6), name
    ways = [
        float((parameter.detach() - start[name]).square().sum())
        for name, parameter in this.network.named_parameters()
        if name.startswith("encoders.")
    ]
    term = measured.terms["l2-sp"]
    assert float(term.mean.detach()) * term.weight == pytest.approx(weight / 2 * sum(ways), rel=1e-5)


def test_at_the_start_it_costs_nothing(fixture):
    this = fixture()
    plain, pulled = this.gradients(), this.gradients(L2SP(5.0))
    assert all(torch.equal(plain[name], pulled[name]) for name in plain)


def test_frozen_weights_are_left_alone(fixture):
    this = fixture()
    this.network.encoder("text").embedding.requires_grad_(False)
    stages = this.stages(L2SP(1.0))
    moved(this)
    measured = stages.gradient(stages.objective, this.network, this.batch)
    trained = sum(
        p.numel() for n, p in this.network.named_parameters() if p.requires_grad and n.startswith("encoders.")
    )
    assert float(measured.terms["l2-sp"].mean.detach()) == pytest.approx(0.25**2 / 2 * trained, rel=1e-5)


def test_the_base_has_no_weight_decay_and_the_head_keeps_its_own(fixture):
    this = fixture()
    groups = this.stages(L2SP()).groups
    assert groups("encoders.0.layers.0.0.weight").decay == 0.0
    assert groups("heads.0.layers.1.weight").decay == 1.0
    assert groups("encoders.0.layers.0.0.weight").lr == 1.0


def test_parts_of_a_batch_add_up(fixture):
    this = fixture()
    stages = this.stages(L2SP(0.5))
    moved(this)
    whole = stages.objective(this.network.as_forward(), this.batch).terms["l2-sp"].mean
    halves = [this.batch.part(torch.arange(start, start + 12)) for start in (0, 12)]
    parts = [stages.objective(this.network.as_forward(), half).terms["l2-sp"].mean for half in halves]
    assert float(sum(parts).detach()) == pytest.approx(float(whole.detach()), rel=1e-6)


def test_a_weight_below_zero_is_refused():
    with pytest.raises(UsageError, match="l2-sp: weight is -1"):
        L2SP(-1.0)
