from __future__ import annotations

import pytest
import torch
from torch import nn

from graftwork.errors import RefusedError
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.registry import parse_base
from graftwork.techniques import LoRA
from graftwork.techniques.transfer.lora import candidates, merge
from pictures import tiny_lite

FORMS = [LoRA(), LoRA(4, dora=True), LoRA(2, rslora=True, dropout=0.1), LoRA(3, targets="0.0")]


def trained(network):
    return {name for name, parameter in network.named_parameters() if parameter.requires_grad}


def disturb(network):
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter.add_(0.3 * torch.randn_like(parameter))


@pytest.mark.parametrize("technique", FORMS, ids=str)
def test_only_adapters_and_heads_are_trained_and_nothing_is_predicted_otherwise(technique, fixture):
    this = fixture()
    this.network.eval()
    before = this.network(this.batch).predictions["classes"]
    technique.adapt(this.network, this.setup)
    this.network.eval()
    torch.testing.assert_close(this.network(this.batch).predictions["classes"], before, atol=1e-6, rtol=0)
    names = trained(this.network)
    assert all(name.startswith("heads") or "lora_" in name for name in names)
    assert any("lora_A" in name for name in names)
    assert {name for name in names if name.startswith("heads")} == {"heads.0.layers.1.weight", "heads.0.layers.1.bias"}


@pytest.mark.parametrize("technique", FORMS, ids=str)
def test_fold_gives_the_plain_network_back(technique, fixture):
    this = fixture()
    keys = list(this.network.state_dict())
    types = [type(module) for module in this.network.modules()]
    technique.adapt(this.network, this.setup)
    disturb(this.network)
    this.network.eval()
    before = this.network(this.batch).predictions["classes"]
    folded = technique.attach(this.network, this.setup).fold(this.network)
    assert list(folded.state_dict()) == keys
    assert [type(module) for module in folded.modules()] == types
    torch.testing.assert_close(folded(this.batch).predictions["classes"], before, atol=1e-6, rtol=0)
    # The network in training is not touched: it can be validated, saved and trained on.
    assert torch.equal(this.network(this.batch).predictions["classes"], before)
    assert not hasattr(next(folded.each_encoder()), "peft_config")


def test_every_trained_tensor_gets_a_gradient(fixture):
    this = fixture()
    LoRA().adapt(this.network, this.setup)
    disturb(this.network)
    gradients = this.gradients()
    assert gradients.keys() == trained(this.network)


def test_start_is_the_same_for_a_seed_and_draws_nothing_from_the_main_stream(fixture):
    first, second = fixture(), fixture()
    torch.manual_seed(0)
    state = torch.get_rng_state()
    LoRA().adapt(first.network, first.setup)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(99)
    LoRA().adapt(second.network, second.setup)
    for (name, one), two in zip(first.network.named_parameters(), second.network.parameters(), strict=True):
        assert torch.equal(one, two), name


def test_convolutions_are_adapted_too(fixture):
    this = fixture()
    encoder = next(this.network.each_encoder())
    encoder.layers[0] = nn.Sequential(nn.Unflatten(1, (2, 4)), nn.Conv1d(2, 2, 3, padding=1), nn.Flatten())
    keys = list(this.network.state_dict())
    LoRA(2).adapt(this.network, this.setup)
    disturb(this.network)
    assert "encoders.0.layers.0.1.lora_A.default.weight" in trained(this.network)
    this.network.eval()
    folded = LoRA(2).attach(this.network, this.setup).fold(this.network)
    assert list(folded.state_dict()) == keys
    expected = this.network(this.batch).features.rows
    torch.testing.assert_close(folded(this.batch).features.rows, expected, atol=1e-6, rtol=0)


def test_unknown_target_lists_candidates(fixture):
    this = fixture()
    with pytest.raises(RefusedError, match=r"ends with 'query'. Expected one of: 0"):
        LoRA(targets="query").adapt(this.network, this.setup)


def test_dropout_of_adapters_is_a_fact_for_others():
    assert LoRA(dropout=0.1).gives == {"dropout"}
    assert not LoRA().gives


def test_adapters_learn_at_their_own_rate(fixture):
    this = fixture()
    LoRA(dora=True).adapt(this.network, this.setup)
    groups = LoRA(dora=True, rate=5.0).attach(this.network, this.setup).groups
    for name in trained(this.network):
        assert groups(name).lr == (1.0 if name.startswith("heads") else 5.0)


def test_pointwise_convolutions_are_adapted_and_those_of_each_channel_are_not(tmp_path):
    encoder = parse_base(str(tiny_lite(tmp_path))).build(TrainingRows(), 0)
    found = candidates(encoder)
    assert found == [name for name, module in encoder.named_modules() if getattr(module, "kernel_size", 0) == (1, 1)]
    assert not any("depthwise" in name or "stem" in name for name in found)
    assert any("head" in name for name in found)
    # a rank that divides no number of groups; the correction starts from nothing and is added in at the end
    pixels = {"pixels": torch.rand(2, 3, 64, 64)}
    with torch.no_grad():
        before = encoder.eval()(pixels)
        LoRA(3)._inject(encoder)
        torch.testing.assert_close(encoder.eval()(pixels), before, atol=1e-5, rtol=1e-4)
        for name, parameter in encoder.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.05)
        disturbed = encoder(pixels)
        assert not torch.allclose(disturbed, before, atol=1e-3)
        merged = merge(torch.nn.ModuleList([encoder]))[0]
        assert not any("lora" in name for name, _ in merged.named_parameters())
        torch.testing.assert_close(merged(pixels), disturbed, atol=1e-4, rtol=1e-3)
