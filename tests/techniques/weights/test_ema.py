from __future__ import annotations

import pytest
import torch

from graftwork.techniques import EMA
from graftwork.techniques.weights.ema import Average, decay_at


def walk(this, graft, steps):
    for step in range(steps):
        with torch.no_grad():
            for parameter in this.network.parameters():
                if parameter.requires_grad:
                    parameter.fill_(float(step + 1))
        graft.after_step(this.network)


@pytest.mark.parametrize("decay", [0.5, 0.999])
def test_average_by_hand(decay: float, fixture):
    this = fixture()
    graft = EMA(decay).attach(this.network, this.setup)
    start = this.network.get_parameter("heads.0.layers.1.bias").detach().clone()
    walk(this, graft, 5)
    expected = start
    for step in range(1, 6):
        share = min(decay, (1 + step) / (10 + step))
        expected = share * expected + (1 - share) * step
    viewed = graft.view(this.network)
    torch.testing.assert_close(viewed.get_parameter("heads.0.layers.1.bias").detach(), expected)


def test_view_leaves_the_trained_network_alone(fixture):
    this = fixture()
    graft = EMA().attach(this.network, this.setup)
    walk(this, graft, 3)
    before = {name: value.clone() for name, value in this.network.state_dict().items()}
    viewed = graft.view(this.network)
    assert viewed is not this.network
    assert all(torch.equal(value, before[name]) for name, value in this.network.state_dict().items())
    shared = {p.data_ptr() for p in viewed.parameters()} & {p.data_ptr() for p in this.network.parameters()}
    assert not shared


def test_before_any_step_the_view_is_the_network(fixture):
    this = fixture()
    viewed = EMA().attach(this.network, this.setup).view(this.network)
    assert all(torch.equal(value, this.network.state_dict()[name]) for name, value in viewed.state_dict().items())


def test_frozen_weights_and_buffers_come_from_the_network(fixture):
    this = fixture()
    this.network.encoders.requires_grad_(False)
    average = Average(this.network)
    assert all(name.startswith("heads") for name in average.names)
    this.network.heads[0].scale.fill_(3.0)
    assert average.averaged(this.network).heads[0].scale.tolist() == [3.0] * 8


def test_state_is_all_that_a_resume_needs(fixture):
    this, other = fixture(), fixture()
    graft, resumed = EMA().attach(this.network, this.setup), EMA().attach(other.network, other.setup)
    walk(this, graft, 4)
    resumed.state.load_state_dict(graft.state.state_dict())
    walk(this, graft, 2)
    walk(other, resumed, 2)
    for name, value in graft.state.state_dict().items():
        assert torch.equal(value, resumed.state.state_dict()[name])
    assert not list(graft.state.parameters())


def test_decay_rises_to_its_setting():
    assert decay_at(1, 0.999) == pytest.approx(2 / 11)
    assert decay_at(10**6, 0.999) == 0.999
