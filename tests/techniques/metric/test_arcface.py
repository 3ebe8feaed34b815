from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from graftwork.errors import UsageError
from graftwork.networks.heads.layers.cosine import CosineLayer
from graftwork.techniques import ArcFace
from graftwork.techniques.metric.arcface import widened


@pytest.mark.parametrize("margin", [0.0, 0.3, 0.5])
def test_the_angle_to_the_own_class_is_wider_by_the_margin(margin: float) -> None:
    """Deng et al. 2019, equation 3."""
    angles = torch.tensor([[0.2, 1.0, 2.0], [1.5, 0.4, 2.5]])
    classes = torch.tensor([0, 2 if margin <= math.pi - 2.5 else 1])
    expected = angles.clone()
    for row, own in enumerate(classes.tolist()):
        expected[row, own] += margin
    found = widened(8.0 * angles.cos(), classes, margin, 8.0)
    torch.testing.assert_close(found, 8.0 * expected.cos(), atol=1e-4, rtol=1e-4)


def test_it_falls_on_where_the_cosine_would_rise_again() -> None:
    angles = torch.linspace(0.01, math.pi - 0.01, 200).unsqueeze(1)
    values = widened(angles.cos(), torch.zeros(200, dtype=torch.long), 0.5, 1.0)
    assert (values.diff(dim=0) < 0).all()


def test_rows_without_a_class_stay() -> None:
    predictions = torch.tensor([[1.0, -2.0]])
    assert torch.equal(widened(predictions, torch.tensor([-1]), 0.3, 4.0), predictions)


def test_gradients_are_finite_at_the_ends() -> None:
    predictions = torch.tensor([[4.0, -4.0], [-4.0, 4.0]], requires_grad=True)
    widened(predictions, torch.tensor([0, 0]), 0.3, 4.0).sum().backward()
    assert torch.isfinite(predictions.grad).all()


def test_the_loss_is_cross_entropy_of_a_cosine_head(fixture) -> None:
    this = fixture(unlabelled=(1,))
    network = ArcFace(margin=0.2, scale=8.0).adapt(this.network, this.setup)
    head = next(iter(network.heads))
    assert isinstance(head.layers[-1], CosineLayer)
    stages = this.stages(ArcFace(margin=0.2, scale=8.0))
    term = stages.objective(network.as_forward(), this.batch).terms["classes"]
    cosines = F.normalize(network.features(this.batch).rows) @ F.normalize(head.layers[-1].weight).T
    targets, known = this.batch.targets["classes"], this.batch.labelled["classes"]
    wider = cosines.clamp(-1 + 1e-6, 1 - 1e-6).acos()
    wider[known, targets[known]] += 0.2
    expected = F.cross_entropy(8.0 * wider.cos()[known], targets[known])
    torch.testing.assert_close(term.mean, expected, atol=1e-4, rtol=1e-4)


def test_a_head_that_fits_is_kept_and_the_new_one_repeats(fixture) -> None:
    first, again = (ArcFace().adapt(this.network, this.setup) for this in (fixture(), fixture()))
    weight = next(iter(first.heads)).layers[-1].weight
    assert torch.equal(weight, next(iter(again.heads)).layers[-1].weight)
    assert next(iter(ArcFace().adapt(first, fixture().setup).heads)).layers[-1].weight is weight


def test_settings_out_of_range() -> None:
    with pytest.raises(UsageError, match=r"arcface: scale is 0"):
        ArcFace(scale=0.0)
