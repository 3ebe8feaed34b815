"""The contrastive losses against loops over pairs, as the papers write them."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from graftwork.tasks.embedding.contrast import clip_loss, siglip_loss

ROWS = 5


def sides(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    left, right = (F.normalize(torch.randn(ROWS, 3, generator=draw), dim=1) for _ in range(2))
    return left, right


def likeness(left: torch.Tensor, right: torch.Tensor, row: int, other: int) -> float:
    return sum(a * b for a, b in zip(left[row].tolist(), right[other].tolist(), strict=True))


def test_clip_is_the_mean_cross_entropy_of_both_ways() -> None:
    left, right = sides()
    scale = 7.0
    found = clip_loss(left, right, torch.eye(ROWS, dtype=torch.bool), torch.tensor(scale))
    for row in range(ROWS):
        there = [math.exp(scale * likeness(left, right, row, other)) for other in range(ROWS)]
        back = [math.exp(scale * likeness(left, right, other, row)) for other in range(ROWS)]
        expected = -0.5 * (math.log(there[row] / sum(there)) + math.log(back[row] / sum(back)))
        assert float(found[row]) == pytest.approx(expected, rel=1e-5)


def test_clip_takes_the_mean_over_several_partners() -> None:
    left, right = sides(1)
    same = torch.eye(ROWS, dtype=torch.bool)
    same[0, 3] = same[3, 0] = True
    found = clip_loss(left, right, same, torch.tensor(2.0))
    logits = (2.0 * left @ right.T).tolist()
    total = math.log(sum(math.exp(value) for value in logits[0]))
    there = sum(logits[0][at] - total for at in (0, 3)) / 2
    column = [row[0] for row in logits]
    total = math.log(sum(math.exp(value) for value in column))
    back = sum(column[at] - total for at in (0, 3)) / 2
    assert float(found[0]) == pytest.approx(-0.5 * (there + back), rel=1e-5)


def test_rows_that_are_equal_cost_the_same_marked_or_not() -> None:
    """Equal rows can't be told apart, so that the mean over both partners is that of each."""
    left = right = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    alone = torch.eye(3, dtype=torch.bool)
    marked = alone.clone()
    marked[0, 1] = marked[1, 0] = True
    losses = [clip_loss(left, right, same, torch.tensor(5.0)) for same in (alone, marked)]
    torch.testing.assert_close(*losses)


def test_siglip_is_a_logistic_loss_of_every_pair() -> None:
    left, right = sides(2)
    scale, bias = 4.0, -1.5
    same = torch.eye(ROWS, dtype=torch.bool)
    same[1, 2] = True
    found = siglip_loss(left, right, same, torch.tensor(scale), torch.tensor(bias))
    for row in range(ROWS):
        expected = 0.0
        for other in range(ROWS):
            sign = 1 if row == other or (row, other) == (1, 2) else -1
            expected -= math.log(1 / (1 + math.exp(-sign * (scale * likeness(left, right, row, other) + bias))))
        assert float(found[row]) == pytest.approx(expected, rel=1e-5)
