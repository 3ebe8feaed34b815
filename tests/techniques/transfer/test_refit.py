"""Refit: what is scored and saved has a head solved on the features as they are; training keeps its own."""

from __future__ import annotations

import copy

import torch

from graftwork.techniques import Refit
from graftwork.techniques.transfer.head_initialisation import start_heads


def test_view_has_the_solved_head_and_training_keeps_its_own(fixture):
    this = fixture()
    graft = Refit(l2=0.1).attach(this.network, this.setup)
    before = {name: tensor.clone() for name, tensor in this.network.state_dict().items()}
    assert graft.view is not None
    viewed = graft.view(this.network)
    assert all(torch.equal(before[name], tensor) for name, tensor in this.network.state_dict().items())
    expected = copy.deepcopy(this.network)
    start_heads(expected, this.setup, 0.1)
    for name, tensor in expected.state_dict().items():
        assert torch.equal(viewed.state_dict()[name], tensor), name
    changed = [name for name, tensor in viewed.state_dict().items() if not torch.equal(tensor, before[name])]
    assert changed
    assert all(name.startswith("heads.") for name in changed)
