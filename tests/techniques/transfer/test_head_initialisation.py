"""Heads that begin solved: which rows count, and what stays as it is."""

from __future__ import annotations

import pytest
import torch

from graftwork.techniques import Probe, WarmStart


@pytest.mark.parametrize("technique", [Probe(), WarmStart()], ids=lambda t: t.name)
@pytest.mark.parametrize("head", ["linear", "mlp:width=16"])
def test_every_head_starts_from_the_labelled_rows(technique, head, fixture):
    this = fixture("classes", "number", head=head, unlabelled=(0, 1))
    labelled = torch.from_numpy(this.setup.labelled["classes"])
    plain_losses = this.stages().objective(this.network.eval().as_forward(), this.batch).terms
    technique.adapt(this.network, this.setup)
    technique.start(this.network, this.setup)
    started = this.stages().objective(this.network.eval().as_forward(), this.batch).terms
    for name, term in started.items():
        assert term.mean < plain_losses[name].mean
    assert labelled.sum() == 22


def test_probe_freezes_the_base_and_warm_start_does_not(fixture):
    probed, warm = fixture(), fixture()
    Probe().adapt(probed.network, probed.setup)
    WarmStart().adapt(warm.network, warm.setup)
    assert all(name.startswith("heads") for name, p in probed.network.named_parameters() if p.requires_grad)
    assert all(parameter.requires_grad for parameter in warm.network.parameters())
    assert "trainable_features" in Probe().drops
    assert Probe().claims >= WarmStart().claims


def test_a_target_without_any_label_is_left_as_it_is(fixture):
    this = fixture("classes", unlabelled=range(24))
    before = this.network.heads[0].layers[1].weight.clone()
    WarmStart().start(this.network, this.setup)
    assert torch.equal(this.network.heads[0].layers[1].weight, before)
