from __future__ import annotations

import pytest
import torch

from graftwork.core.compose import descend
from graftwork.core.technique import Cost, LossOutput, Term
from graftwork.networks.features import Features
from graftwork.networks.network import Output
from graftwork.techniques import SAM, Accumulate
from graftwork.techniques.optimize.sam import ascent


def test_ascent_by_hand():
    move = ascent([torch.tensor([1.0, 2.0])], [torch.tensor([3.0, 4.0])], 0.5, adaptive=False)
    torch.testing.assert_close(move[0], torch.tensor([0.3, 0.4]))
    # ASAM: T = |w|, T^2 g / |T g| = [1 * 3, 4 * 4] / |(3, 8)|
    move = ascent([torch.tensor([1.0, 2.0])], [torch.tensor([3.0, 4.0])], 0.5, adaptive=True)
    torch.testing.assert_close(move[0], 0.5 * torch.tensor([3.0, 16.0]) / 73**0.5)


def test_a_flat_point_stays_finite():
    assert ascent([torch.ones(2)], [torch.zeros(2)], 0.5, adaptive=False)[0].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("adaptive", [False, True])
def test_gradient_of_a_quadratic_is_taken_at_the_worst_point(adaptive: bool, fixture):
    """f(w) = |w|^2 / 2 over all weights: the gradient at w + e is w + e."""
    this = fixture()

    def objective(_forward, _batch):
        value = sum(p.square().sum() for p in this.network.parameters()) / 2
        return LossOutput({"f": Term(value, 1.0)}, Output({}, Features(torch.zeros(1))))

    before = {name: p.detach().clone() for name, p in this.network.named_parameters()}
    gradient = SAM(0.1, adaptive=adaptive).attach(this.network, this.setup).gradient(descend)
    measured = gradient(objective, this.network, this.batch)
    weights = list(before.values())
    moves = ascent(weights, weights, 0.1, adaptive)
    torch.testing.assert_close(float(measured.total.detach()), sum(float(w.square().sum()) for w in weights) / 2)
    for (name, parameter), move in zip(this.network.named_parameters(), moves, strict=True):
        torch.testing.assert_close(parameter.grad, before[name] + move)
        assert torch.equal(parameter, before[name])


def test_both_passes_see_the_same_dropout(fixture):
    this = fixture(dropout=0.5)
    seen = []

    def inner(objective, network, batch):
        seen.append(torch.get_rng_state())
        return descend(objective, network, batch)

    stages = this.stages()
    SAM().attach(this.network, this.setup).gradient(inner)(stages.objective, this.network, this.batch)
    assert torch.equal(seen[0], seen[1])


def test_frozen_weights_do_not_move(fixture):
    this = fixture()
    this.network.encoders.requires_grad_(False)
    gradients = this.gradients(SAM())
    assert all(name.startswith("heads") for name in gradients)


def test_around_accumulation_it_is_sam_of_the_whole_batch(fixture):
    this = fixture(unlabelled=(0,))
    whole, parts = this.gradients(SAM()), this.gradients(SAM(), Accumulate(3))
    for name, gradient in whole.items():
        torch.testing.assert_close(parts[name], gradient)


def test_cost_doubles():
    assert SAM().cost(Cost(2, 2)) == Cost(4, 4)
