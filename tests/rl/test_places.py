"""What tells where things are in a picture: against numpy's own principal components, and on pictures that move."""

from __future__ import annotations

import numpy as np
import torch

from graftwork.networks.features import Tokens
from graftwork.rl.sight.places import SIDE, learn_places, map_of


def test_components_are_those_that_vary_most() -> None:
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(30, 9, 5, generator=generator) * torch.tensor([3.0, 0.1, 1.0, 0.2, 2.0]) + 4.0
    found = learn_places(maps, torch.ones(30, 3).cumsum(0))
    centred = maps.reshape(-1, 5).numpy() - maps.reshape(-1, 5).numpy().mean(0)
    directions = np.linalg.svd(centred, full_matrices=False)[2]
    own = found.components.numpy() / np.linalg.norm(found.components.numpy(), axis=0)
    assert np.allclose(np.abs((own.T * directions).sum(1)), 1.0, atol=1e-3)
    placed = found.of(Tokens(maps, torch.ones(30, 9, dtype=torch.bool), (3, 3)))
    assert placed.shape == (30, found.width)
    rms = placed.std(0).square().mean().sqrt()
    assert torch.isclose(rms, torch.ones(30, 3).cumsum(0).std(0).square().mean().sqrt(), rtol=1e-3)


def test_the_finest_map_that_is_small_enough_is_taken() -> None:
    levels = tuple(torch.zeros(2, 4, side, side) for side in (32, 16, 8, 4))
    tokens = Tokens(torch.zeros(2, 16, 4), torch.ones(2, 16, dtype=torch.bool), (4, 4), levels)
    assert map_of(tokens).shape == (2, 64, 4)  # type: ignore[union-attr]
    large = Tokens(tokens.states, tokens.counts, (4, 4), levels[:1])
    assert map_of(large).shape == (2, SIDE * SIDE, 4)  # type: ignore[union-attr]
    assert map_of(Tokens(tokens.states, tokens.counts)) is None


def test_what_moves_is_told_apart() -> None:
    maps = torch.zeros(8, 16, 3)
    for row in range(8):
        maps[row, 2 * row] = torch.tensor([1.0, -1.0, 0.5])
    found = learn_places(maps, torch.randn(8, 4, generator=torch.Generator().manual_seed(0)))
    placed = found.of(Tokens(maps, torch.ones(8, 16, dtype=torch.bool), (4, 4)))
    apart = torch.cdist(placed, placed) + torch.eye(8)
    assert apart.min() > 0.5
