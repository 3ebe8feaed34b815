"""Learned weights, against the formulas of Kendall et al. 2018."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from graftwork.techniques import Uncertainty

Build = Callable[..., Any]


def learned(stages: Any) -> nn.Parameter:
    [values] = stages.state.parameters()
    assert isinstance(values, nn.Parameter)
    return values


def test_the_loss_is_that_of_the_paper(fixture: Build) -> None:
    made = fixture("classes", "number", "many", unlabelled=(3, 4))
    stages = made.stages(Uncertainty())
    with torch.no_grad():
        learned(stages).copy_(torch.tensor([0.3, -0.7, 1.1]))
    plain = made.stages().objective(made.network.as_forward(), made.batch).terms
    total = float(stages.objective(made.network.as_forward(), made.batch).total.detach())
    s = [0.3, -0.7, 1.1]
    losses = [float(plain[name].mean.detach()) for name in ("classes", "number", "many")]
    sigma2 = [torch.tensor(value).exp().item() for value in s]
    expected = losses[0] / sigma2[0] + losses[1] / (2 * sigma2[1]) + losses[2] / sigma2[2] + sum(s) / 2
    assert total == pytest.approx(expected, rel=1e-5)


def test_the_learned_noise_ends_where_the_loss_says(fixture: Build) -> None:
    """On fixed predictions the best `exp(s)` of a number is its mean squared error; of classes, twice the loss."""
    made = fixture("classes", "number")
    stages = made.stages(Uncertainty())
    plain = made.stages().objective(made.network.as_forward(), made.batch).terms
    optimizer = torch.optim.LBFGS([learned(stages)], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        total: torch.Tensor = stages.objective(made.network.as_forward(), made.batch).total
        total.backward()
        return total

    optimizer.step(closure)
    expected = [2 * float(plain["classes"].mean.detach()), float(plain["number"].mean.detach())]
    assert learned(stages).exp().tolist() == pytest.approx(expected, rel=1e-3)


def test_parts_of_a_batch_add_up(fixture: Build) -> None:
    made = fixture("classes", "number", unlabelled=(0, 1, 2, 15))
    stages = made.stages(Uncertainty())
    with torch.no_grad():
        learned(stages).fill_(0.4)
    whole = float(stages.objective(made.network.as_forward(), made.batch).total.detach())
    parts = [made.batch.part(torch.arange(start, start + 8)) for start in (0, 8, 16)]
    added = sum(float(stages.objective(made.network.as_forward(), part).total.detach()) for part in parts)
    assert added == pytest.approx(whole, rel=1e-5)


def test_it_starts_with_the_plain_gradient_of_classes(fixture: Build) -> None:
    made = fixture("classes", "many")
    plain, found = made.gradients(), made.gradients(Uncertainty())
    assert all(torch.equal(value, found[name]) for name, value in plain.items())
