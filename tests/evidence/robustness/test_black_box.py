"""Attacks that see predictions only, against models whose worst case is known."""

from __future__ import annotations

import pytest
import torch

from graftwork.evidence.robustness.black_box import random_search
from graftwork.techniques.adversarial.attack import Ball


def draws():
    return torch.Generator().manual_seed(0)


def linear(weight, least):
    """Margin of a linear model: below 0 where the change has taken more than `least` off."""
    return lambda delta, rows: least[rows] + (delta * weight).flatten(1).sum(1)


@pytest.mark.parametrize("shape", [(4, 3, 8, 8), (4, 200)])
def test_it_fools_what_can_be_fooled_and_nothing_else(shape):
    """Of a linear model the worst case in the ball is known: epsilon times the sum of the absolute weights."""
    weight = torch.randn(shape[1:], generator=draws())
    if len(shape) == 4:
        weight = weight.mean((1, 2), keepdim=True).expand(shape[1:])  # alike over the places, as squares find it
    worst = 0.1 * float(weight.abs().sum())
    share = 0.9 if len(shape) == 4 else 0.2
    least = torch.tensor([0.0, share * worst, 1.01 * worst, 2 * worst])
    centre = torch.full(shape, 0.5)
    fooled = random_search(linear(weight, least), Ball(centre, 0.1, "linf", 0.0, 1.0), 600, draws())
    assert fooled.tolist() == [True, True, False, False]


def test_along_random_directions_it_goes_downhill():
    centre = torch.zeros(3, 5, 4)
    weight = torch.randn(5, 4, generator=draws())
    worst = 2.0 * float(weight.norm())
    least = torch.tensor([0.5, 0.7, 1.01]) * worst
    fooled = random_search(linear(weight, least), Ball(centre, 2.0, "l2"), 800, draws())
    assert fooled.tolist() == [True, True, False]


def test_every_change_that_is_tried_stays_in_the_ball_and_the_range():
    centre, seen = torch.rand(3, 3, 6, 6, generator=draws()), []

    def margin(delta, rows):
        seen.append((centre[rows], delta))
        return torch.ones(len(rows))

    random_search(margin, Ball(centre, 0.2, "linf", 0.0, 1.0), 30, draws())
    assert len(seen) == 30
    for rows, delta in seen:
        assert float(delta.abs().max()) <= 0.2 + 1e-6
        assert float((rows + delta).min()) >= -1e-6
        assert float((rows + delta).max()) <= 1 + 1e-6


def test_rows_that_are_fooled_are_not_asked_again():
    asked = []

    def margin(_, rows):
        asked.append(rows.tolist())
        return torch.where(rows == 1, -1.0, 1.0)

    fooled = random_search(margin, Ball(torch.rand(3, 3, 4, 4), 0.1), 4, draws())
    assert fooled.tolist() == [False, True, False]
    assert asked == [[0, 1, 2], [0, 2], [0, 2], [0, 2]]
