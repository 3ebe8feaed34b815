"""Attacks that see predictions only: where they do more harm than gradients, the gradients mislead.

Source: Andriushchenko et al. 2020 (Square attack, L-inf), for images; of sounds stretches take the place of squares,
and the embeddings of texts are searched along random directions.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from graftwork.techniques.adversarial.attack import Ball

Margin = Callable[[Tensor, Tensor], Tensor]
"""A change of some rows (b, ...) and which rows they are (b,), to how far each is from being wrong (b,);
below 0 it is."""
_HALVED_AT = (0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
"""Shares of the queries at which the squares become smaller, as in the paper."""


def random_search(margin: Margin, ball: Ball, queries: int, draws: torch.Generator, first: float = 0.8) -> Tensor:
    """Which rows (B,) are wrong at some change that was tried; at most `queries` predictions a row.

    first: share of the values that is changed at a time in the beginning.
    """
    rows = len(ball.centre)
    delta = ball.project(_beginning(ball, draws))
    best = margin(delta, torch.arange(rows))
    for query in range(1, queries):
        left = (best >= 0).nonzero().flatten().cpu()
        if len(left) == 0:
            break
        share = first / 2 ** sum(query >= max(1, at * queries) for at in _HALVED_AT)
        tried = _proposal(ball, delta, share, draws)[left.to(delta.device)]
        found = margin(tried, left)
        better = (found < best[left.to(best.device)]).cpu()
        places = left[better].to(delta.device)
        delta[places], best[places] = tried[better.to(tried.device)], found[better.to(found.device)]
    return best < 0


def _beginning(ball: Ball, draws: torch.Generator) -> Tensor:
    """Images: stripes of the largest change; sounds: its sign drawn for each stretch of 16; else a random change."""
    centre, size = ball.centre, torch.as_tensor(ball.radius)
    if ball.norm != "linf":
        return ball.random(draws)
    if centre.ndim == 4:
        signs = _signs((len(centre), centre.shape[1], 1, centre.shape[3]), draws)
    else:
        signs = _signs((len(centre), -(-centre.shape[1] // 16)), draws).repeat_interleave(16, 1)[:, : centre.shape[1]]
    return (signs.to(centre) * size.to(centre)).expand_as(centre).clone()


def _proposal(ball: Ball, delta: Tensor, share: float, draws: torch.Generator) -> Tensor:
    centre, radius = ball.centre, torch.as_tensor(ball.radius)
    rows = len(centre)
    if ball.norm != "linf":
        noise = torch.randn(centre.shape, generator=draws).to(centre)
        return ball.project(delta + ball.ascent(noise, 1.0) * share)
    if centre.ndim == 4:
        height, width = centre.shape[2:]
        side = max(1, min(round(math.sqrt(share * height * width)), height - 1, width - 1))
        inside = _window(height, side, rows, draws)[:, None, :, None] & _window(width, side, rows, draws)[:, None, None]
        signs = _signs((rows, centre.shape[1], 1, 1), draws)
    else:
        inside = _window(centre.shape[1], max(1, round(share * centre.shape[1] / 4)), rows, draws)
        signs = _signs((rows, 1), draws)
    changed = torch.where(inside.to(delta.device), signs.to(delta) * radius.to(delta), delta)
    return ball.project(changed)


def _window(length: int, size: int, rows: int, draws: torch.Generator) -> Tensor:
    """A stretch of `size` of so many places, drawn for each row (rows, length), bool."""
    start = torch.randint(0, max(1, length - size + 1), (rows, 1), generator=draws)
    places = torch.arange(length)
    return (places >= start) & (places < start + size)


def _signs(shape: tuple[int, ...], draws: torch.Generator) -> Tensor:
    return torch.randint(0, 2, shape, generator=draws).float() * 2 - 1
