from __future__ import annotations

import dataclasses

import pytest
import torch

from graftwork.techniques import SWA


def walk(this, graft, steps: range) -> None:
    for step in steps:
        with torch.no_grad():
            for parameter in this.network.parameters():
                parameter.fill_(float(step))
        graft.after_step(this.network)


def bias(network) -> float:
    return float(network.get_parameter("heads.0.layers.1.bias").detach()[0])


@pytest.mark.parametrize(("share", "averaged"), [(0.3, [8, 9, 10]), (1.0, range(1, 11)), (0.01, [10])])
def test_mean_of_the_last_steps(share: float, averaged, fixture):
    this = fixture()
    graft = SWA(share).attach(this.network, dataclasses.replace(this.setup, total_steps=10))
    walk(this, graft, range(1, 11))
    assert bias(graft.view(this.network)) == pytest.approx(sum(averaged) / len(averaged))


def test_before_the_averaged_part_the_weights_themselves_are_viewed(fixture):
    this = fixture()
    graft = SWA(0.2).attach(this.network, dataclasses.replace(this.setup, total_steps=10))
    walk(this, graft, range(1, 5))
    assert bias(graft.view(this.network)) == 4.0


def test_a_resume_in_the_middle_of_the_averaged_part_goes_on(fixture):
    this, other = fixture(), fixture()
    setup = dataclasses.replace(this.setup, total_steps=10)
    graft, resumed = SWA(0.5).attach(this.network, setup), SWA(0.5).attach(other.network, setup)
    walk(this, graft, range(1, 8))
    resumed.state.load_state_dict(graft.state.state_dict())
    walk(other, resumed, range(8, 11))
    assert bias(resumed.view(other.network)) == pytest.approx((6 + 7 + 8 + 9 + 10) / 5)
