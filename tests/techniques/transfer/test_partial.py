from __future__ import annotations

import pytest
import torch

from graftwork.errors import UsageError
from graftwork.networks.network import frozen_depth
from graftwork.techniques import Full, LayerDecay, LoRA, Partial


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_only_the_top_blocks_are_trained(blocks: int, fixture):
    this = fixture()
    Partial(blocks).adapt(this.network, this.setup)
    encoder = next(this.network.each_encoder())
    assert frozen_depth(encoder) == 3 - blocks
    assert all(parameter.requires_grad for parameter in this.network.heads.parameters())
    assert all(p.requires_grad for block in encoder.blocks()[3 - blocks :] for m in block for p in m.parameters())


def test_more_blocks_than_the_base_has(fixture):
    this = fixture()
    with pytest.raises(UsageError, match=r"blocks is 4, but the base \(tiny\) has 3 blocks"):
        Partial(4).adapt(this.network, this.setup)


def test_full_changes_nothing(fixture):
    this = fixture()
    assert Full().adapt(this.network, this.setup) is this.network
    assert all(parameter.requires_grad for parameter in this.network.parameters())


def test_layer_decay_by_distance_from_the_head(fixture):
    this = fixture()
    groups = LayerDecay(0.5).attach(this.network, this.setup).groups
    factors = {name: groups(name).lr for name, _ in this.network.named_parameters()}
    assert factors["encoders.0.layers.1.0.weight"] == 0.5
    assert factors["encoders.0.layers.0.0.bias"] == 0.25
    assert factors["encoders.0.embedding.weight"] == 0.125
    assert factors["heads.0.layers.1.weight"] == 1.0
    assert all(groups(name).decay == 1.0 for name in factors)
    assert groups("a technique's own").lr == 1.0


def test_layer_decay_reaches_adapters(fixture):
    this = fixture()
    LoRA().adapt(this.network, this.setup)
    groups = LayerDecay(0.5).attach(this.network, this.setup).groups
    assert groups("encoders.0.layers.0.0.lora_A.default.weight").lr == 0.25
    assert torch.is_tensor(this.network.get_parameter("encoders.0.layers.0.0.lora_A.default.weight"))
