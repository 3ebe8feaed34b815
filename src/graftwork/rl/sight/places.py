"""Where things are in a picture: a frozen base's map beside its pooled features, on the map's principal components.

Pooled features say what is in a picture and hardly where; what to do depends on where. A map of at most 8 x 8 places
with its few most telling directions, found on the observations that were looked at, says so in about a thousand
numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from graftwork.networks.features import Tokens

SIDE = 8
"""Places a side, at most."""
COMPONENTS = 16
"""Numbers a place, at most."""


@dataclass(frozen=True, eq=False)
class Places:
    """mean (C,), components (C, K): of the map's vectors; their numbers vary as much as pooled features do. count: of
    places."""

    mean: Tensor
    components: Tensor
    count: int

    @property
    def width(self) -> int:
        """Numbers a picture."""
        return self.count * self.components.shape[1]

    def of(self, tokens: Tokens) -> Tensor:
        """(B, width), place by place."""
        vectors = map_of(tokens)
        assert vectors is not None
        return ((vectors - self.mean.to(vectors.device)) @ self.components.to(vectors.device)).flatten(1)


def map_of(tokens: Tokens) -> Tensor | None:
    """The vectors (B, places, C) of the finest map with at most `SIDE` places a side, or of a coarser one; None where
    tokens lie in no plane."""
    maps: Sequence[Tensor] = tokens.levels
    if not maps:
        if tokens.grid is None:
            return None
        height, width = tokens.grid
        maps = (tokens.states.transpose(1, 2).reshape(len(tokens.states), -1, height, width),)
    found = next((one for one in maps if max(one.shape[2:]) <= SIDE), maps[-1]).float()
    if max(found.shape[2:]) > SIDE:
        found = functional.adaptive_avg_pool2d(found, SIDE)
    return found.flatten(2).transpose(1, 2)


def learn_places(maps: Tensor, pooled: Tensor) -> Places:
    """What varies most in maps (N, places, C) of some pictures. pooled (N, W): their features, for the scale."""
    vectors = maps.reshape(-1, maps.shape[2])
    mean = vectors.mean(0)
    centred = vectors - mean
    _, directions = torch.linalg.eigh(centred.T @ centred / len(centred))
    components = directions.flip(1)[:, :COMPONENTS]
    placed, spread = ((maps - mean) @ components).flatten(1).std(0), pooled.std(0)
    gain = spread.square().mean().sqrt() / placed.square().mean().sqrt().clamp(min=1e-12)
    return Places(mean, components * gain, maps.shape[1])
