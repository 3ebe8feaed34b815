"""graftwork.techniques.continual.wise_ft, against its formula."""

from __future__ import annotations

import pytest
import torch

from graftwork.core.compose import compose
from graftwork.errors import UsageError
from graftwork.techniques import EMA, WiSEFT


def walk(network, by: float = 1.0) -> None:
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(by)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5])
def test_every_trained_weight_lies_on_the_line_between_before_and_after(share: float, fixture):
    this = fixture()
    graft = WiSEFT(share).attach(this.network, this.setup)
    before = {name: p.detach().clone() for name, p in this.network.named_parameters()}
    walk(this.network)
    after = {name: p.detach().clone() for name, p in this.network.named_parameters()}
    viewed = graft.view(this.network)
    for name, parameter in viewed.named_parameters():
        assert torch.allclose(parameter, (1 - share) * before[name] + share * after[name], atol=1e-6), name
    assert all(torch.equal(p, after[name]) for name, p in this.network.named_parameters()), (
        "training goes on from there"
    )


def test_frozen_weights_are_those_of_the_network(fixture):
    this = fixture()
    frozen = this.network.encoder("text").embedding.requires_grad_(False)
    graft = WiSEFT(0.5).attach(this.network, this.setup)
    walk(this.network)
    assert torch.equal(graft.view(this.network).encoder("text").embedding.weight, frozen.weight)


def test_beside_an_average_it_is_the_average_that_is_mixed(fixture):
    this = fixture()
    techniques = (EMA(0.5), WiSEFT(0.25))
    assert EMA.phase < WiSEFT.phase, "so that the plan puts them in this order"
    grafts = [each.attach(this.network, this.setup) for each in techniques]
    stages = compose([each.name for each in techniques], grafts, this.setup.tasks)
    start = {name: p.detach().clone() for name, p in this.network.named_parameters()}
    walk(this.network)
    stages.after_step(this.network)
    average = grafts[0].view(this.network)
    viewed = stages.view(this.network)
    for name, parameter in viewed.named_parameters():
        wanted = 0.75 * start[name] + 0.25 * average.get_parameter(name)
        assert torch.allclose(parameter, wanted, atol=1e-6), name


def test_a_share_beyond_one_is_refused():
    with pytest.raises(UsageError, match="wise-ft: share is"):
        WiSEFT(1.5)
