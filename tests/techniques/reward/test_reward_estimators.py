"""graftwork.techniques.reward.estimators, against the gradient of the expectation itself."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from graftwork.techniques.reward.estimators import exact, group, leave_one_out, policy_gradient, self_critical

ROWS, ANSWERS = 3, 4
DRAW = torch.Generator().manual_seed(3)
LOGITS = torch.randn(ROWS, ANSWERS, generator=DRAW)
REWARDS = torch.randn(ANSWERS, ROWS, generator=DRAW)


def by_enumeration() -> Tensor:
    """d E[r] / d logits of a softmax, written out: p_k (r_k - E[r])."""
    p = torch.softmax(LOGITS, dim=1)
    expected = (p * REWARDS.T).sum(dim=1, keepdim=True)
    return p * (REWARDS.T - expected)


def gradient(loss: Tensor, logits: Tensor) -> Tensor:
    return torch.autograd.grad(loss.sum(), logits)[0]


def test_the_exact_expectation_has_the_gradient_of_the_enumeration():
    logits = LOGITS.clone().requires_grad_()
    log_probs = torch.log_softmax(logits, dim=1).T
    loss = exact(log_probs, REWARDS)
    torch.testing.assert_close(loss, -(torch.softmax(LOGITS, 1) * REWARDS.T).sum(1))
    torch.testing.assert_close(gradient(loss, logits), -by_enumeration())


@pytest.mark.parametrize("way", ["leave one out", "self-critical"])
def test_many_samples_come_to_the_same_gradient(way: str):
    logits = LOGITS.clone().requires_grad_()
    drawn = torch.multinomial(torch.softmax(LOGITS, 1), 200_000, replacement=True, generator=DRAW).T
    log_probs = torch.log_softmax(logits, dim=1).gather(1, drawn.T).T
    rewards = REWARDS.gather(0, drawn)
    of_mode = REWARDS.gather(0, LOGITS.argmax(dim=1)[None])[0]
    advantages = leave_one_out(rewards) if way == "leave one out" else self_critical(rewards, of_mode)
    loss = policy_gradient(log_probs, rewards, advantages)
    torch.testing.assert_close(loss, -rewards.mean(dim=0))
    torch.testing.assert_close(gradient(loss, logits), -by_enumeration(), atol=5e-3, rtol=0)


def test_leave_one_out_has_no_bias_with_two_samples():
    """The mean over all pairs of draws, each as probable as it is."""
    logits = LOGITS[:1].clone().requires_grad_()
    rewards, total = REWARDS[:, :1], torch.zeros(1, ANSWERS)
    p = torch.softmax(LOGITS[0], 0)
    for one in range(ANSWERS):
        for two in range(ANSWERS):
            pair = torch.tensor([[one], [two]])
            log_probs = torch.log_softmax(logits, dim=1).gather(1, pair.T).T
            of_pair = rewards.gather(0, pair)
            loss = policy_gradient(log_probs, of_pair, leave_one_out(of_pair))
            total += p[one] * p[two] * gradient(loss, logits)
    torch.testing.assert_close(total, -by_enumeration()[:1])


def test_a_group_is_standardised():
    advantages = group(REWARDS)
    torch.testing.assert_close(advantages.mean(dim=0), torch.zeros(ROWS), atol=1e-6, rtol=0)
    torch.testing.assert_close(advantages.std(dim=0, correction=0), torch.ones(ROWS))
    torch.testing.assert_close(group(7.0 * REWARDS + 3.0), advantages)
    assert not group(torch.ones(4, 2)).any()
