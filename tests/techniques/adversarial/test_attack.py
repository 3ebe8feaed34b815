"""Attacks against what can be worked out: the worst case of a linear model, and a search over a fine grid."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from graftwork.techniques.adversarial.attack import Ball, fgsm, pgd, step_size

WEIGHT = torch.tensor([1.0, -2.0, 0.5, 0.0])
SIGN = torch.tensor([1.0, -1.0, 1.0])


def logistic(inputs):
    """Loss of a linear model on rows of the classes +1, -1, +1."""
    return lambda delta: F.softplus(-SIGN * ((inputs + delta["x"]) @ WEIGHT))


def draws(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("attack", ["fgsm", "one", "many", "random", "restarts"])
def test_linf_finds_the_worst_case_of_a_linear_model(attack):
    inputs = torch.rand(3, 4, generator=draws())
    balls = {"x": Ball(inputs, 0.1, low=0.0, high=1.0)}
    harm = logistic(inputs)
    found = {
        "fgsm": lambda: fgsm(harm, balls),
        "one": lambda: pgd(harm, balls, 1),
        "many": lambda: pgd(harm, balls, 10),
        "random": lambda: pgd(harm, balls, 10, draws()),
        "restarts": lambda: pgd(harm, balls, 10, draws(), restarts=3),
    }[attack]()["x"]
    worst = (inputs - 0.1 * SIGN[:, None] * WEIGHT.sign()).clamp(0, 1)
    matters = WEIGHT != 0
    torch.testing.assert_close((inputs + found)[:, matters], worst[:, matters])


def test_l2_finds_the_worst_case_of_a_linear_model():
    inputs = torch.randn(3, 4, generator=draws())
    radius = torch.tensor([0.1, 0.5, 2.0])
    found = pgd(logistic(inputs), {"x": Ball(inputs, radius, "l2")}, 5)["x"]
    expected = -SIGN[:, None] * radius[:, None] * WEIGHT / WEIGHT.norm()
    torch.testing.assert_close(found, expected)


def test_restarts_reach_what_a_grid_search_finds():
    """A wavy loss of two inputs, with several peaks in the ball."""
    inputs = torch.zeros(1, 2)

    def harm(delta):
        x, y = (inputs + delta["x"]).unbind(1)
        return torch.sin(9 * x) + torch.cos(7 * y + 1) + 0.3 * x - 0.2 * y

    line = torch.linspace(-1, 1, 401)
    grid = torch.cartesian_prod(line, line)
    best = harm({"x": grid}).max()
    found = harm(pgd(harm, {"x": Ball(inputs, 1.0)}, 60, draws(), step=0.01, restarts=40))
    assert float(found) == pytest.approx(float(best), abs=5e-3)


def test_a_restart_never_does_worse_than_the_first_climb():
    inputs = torch.rand(5, 6, generator=draws(1))
    layer = torch.randn(6, 6, generator=draws(2))

    def harm(delta):
        return torch.sin(4 * (inputs + delta["x"]) @ layer).sum(1)

    balls = {"x": Ball(inputs, 0.3)}
    once, more = (harm(pgd(harm, balls, 4, draws(), restarts=times)) for times in (1, 4))
    assert (more >= once - 1e-6).all()
    assert (more > once + 1e-3).any()


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_changes_stay_in_the_ball_in_the_range_and_where_they_may(norm):
    inputs = torch.rand(8, 3, 5, generator=draws())
    mask = torch.zeros(8, 3, 5, dtype=torch.bool)
    mask[:, :2] = True
    ball = Ball(inputs, 0.4, norm, 0.0, 1.0, mask)
    for delta in (ball.random(draws(3)), ball.project(10 * torch.randn(8, 3, 5, generator=draws(4)))):
        size = delta.abs().amax((1, 2)) if norm == "linf" else delta.flatten(1).norm(dim=1)
        assert (size <= 0.4 + 1e-6).all()
        assert float((inputs + delta).min()) >= -1e-6
        assert float((inputs + delta).max()) <= 1 + 1e-6
        assert not delta[:, 2].any()
        assert delta[:, :2].any()


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_random_start_is_spread_evenly_over_the_ball(norm):
    ball = Ball(torch.zeros(4000, 2), 2.0, norm)
    drawn = ball.random(draws())
    inner = (drawn.abs().amax(1) if norm == "linf" else drawn.norm(dim=1)) < 1.0
    assert float(inner.float().mean()) == pytest.approx(0.25, abs=0.03)  # a ball of half the radius, in two dimensions
    assert drawn.mean(0).abs().max() < 0.06


def test_several_inputs_are_attacked_together_and_what_has_no_influence_is_left():
    inputs = torch.rand(3, 4, generator=draws())
    balls = {"x": Ball(inputs, 0.1), "y": Ball(inputs, 0.2), "idle": Ball(inputs, 0.3)}
    found = pgd(lambda delta: (delta["x"] + 2 * delta["y"]).sum(1), balls, 6)
    torch.testing.assert_close(found["x"], torch.full((3, 4), 0.1))
    torch.testing.assert_close(found["y"], torch.full((3, 4), 0.2))
    assert not found["idle"].any()


def test_parameters_get_no_gradient():
    weight = torch.randn(4, requires_grad=True)
    inputs = torch.rand(3, 4)
    pgd(lambda delta: (inputs + delta["x"]) @ weight, {"x": Ball(inputs, 0.1)}, 2)
    assert weight.grad is None


def test_step_sizes():
    assert step_size(10, True) == 0.25
    assert step_size(1, True) == 1.25
    assert step_size(1, False) == 1.0
