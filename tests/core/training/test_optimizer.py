from __future__ import annotations

import math

import pytest
import torch

from graftwork.core.settings import Training
from graftwork.core.training.optimizer import clip, make_optimizer, set_rates
from graftwork.techniques import LayerDecay, Probe
from tinyrun import DEPTH, Worlds


def test_every_trained_parameter_has_its_rate_and_decay(fixtures: Worlds):
    run = fixtures("transformer").run([LayerDecay(0.5)], started=False)
    optimizer = make_optimizer(run.network, run.stages, run.training)
    names = {id(p): name for name, p in run.network.named_parameters()}
    found = {
        names[id(p)]: (group["lr"], group["weight_decay"]) for group in optimizer.param_groups for p in group["params"]
    }
    above = run.network.blocks_above()
    for name, parameter in run.network.named_parameters():
        if not parameter.requires_grad:
            assert name not in found
            continue
        lr = 3e-3 * 0.5 ** (above[name] + 1) if name in above else 1e-2
        assert found[name] == (pytest.approx(lr), 0.05 if parameter.ndim > 1 else 0.0)
    assert len({above[name] for name in found if name in above}) == DEPTH


def test_frozen_parameters_are_left_out(fixtures: Worlds):
    run = fixtures("transformer").run([Probe()], started=False)
    optimizer = make_optimizer(run.network, run.stages, run.training)
    count = sum(p.numel() for group in optimizer.param_groups for p in group["params"])
    assert count == run.plan.trained == sum(p.numel() for p in run.network.heads.parameters())


def test_rates_follow_the_schedule_from_their_own_base():
    parameters = [torch.nn.Parameter(torch.ones(2)) for _ in range(2)]
    groups = [{"params": [p], "lr": lr, "base_lr": lr} for p, lr in zip(parameters, (0.1, 0.4), strict=True)]
    optimizer = torch.optim.AdamW(groups)
    for step, factor in enumerate((0.5, 1.0, 1.0, 0.5)):
        set_rates(optimizer, Training(warmup=0.5), step, 4)
        assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.1 * factor, 0.4 * factor])


@pytest.mark.parametrize(("largest", "scaled"), [(1.0, 0.2), (10.0, 1.0), (0.0, 1.0)])
def test_clip_is_of_the_whole_gradient_and_gives_its_norm(largest: float, scaled: float):
    parameters = [torch.nn.Parameter(torch.zeros(1)) for _ in range(3)]
    parameters[0].grad, parameters[1].grad = torch.tensor([3.0]), torch.tensor([4.0])
    norm = clip(torch.optim.SGD([{"params": [p]} for p in parameters], lr=1.0), largest)
    assert float(norm) == pytest.approx(5.0)
    assert [p.grad.item() for p in parameters[:2] if p.grad is not None] == pytest.approx([3 * scaled, 4 * scaled])


def test_a_norm_that_is_not_finite_shows_also_without_clipping():
    parameter = torch.nn.Parameter(torch.zeros(1))
    parameter.grad = torch.tensor([float("nan")])
    assert math.isnan(float(clip(torch.optim.SGD([parameter], lr=1.0), 0.0)))
