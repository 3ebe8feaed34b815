"""Whether an encoder gives the same features when it starts in the middle of its layers, found out by trying."""

from __future__ import annotations

import json

import torch

from graftwork.data.batch import Hidden, Inputs
from graftwork.networks.stacks import steady
from graftwork.networks.text.encoder import TextEncoder

_FOUND: set[str] = set()
"""Architectures that do: as many passes as there are layers are made, and a run builds its base many times. One that
fails is tried again: it may have been for its weights, or for memory."""


def resumes(encoder: TextEncoder, inputs: Inputs, deepest: int, *architecture: object) -> bool:
    """Whether starting at depth 1 to `deepest` gives the same features; T5, for one, hands more from layer to layer.

    inputs: of the texts that it is tried on. architecture: what an encoder is but for its weights: where one encoder
    does, all of its architecture do.
    """
    device = str(next(encoder.parameters()).device)
    known = json.dumps([*architecture, deepest, device], sort_keys=True, default=str)
    if known not in _FOUND and _tried(encoder, inputs, deepest):
        _FOUND.add(known)
    return known in _FOUND


def _tried(encoder: TextEncoder, inputs: Inputs, deepest: int) -> bool:
    with steady(encoder), torch.no_grad():
        whole = encoder(inputs)
        for depth in range(1, deepest + 1):
            try:
                resumed = encoder(inputs, Hidden(depth, encoder.states(inputs, depth)))
            except (TypeError, ValueError, IndexError, RuntimeError, AttributeError, KeyError):
                return False
            if resumed.shape != whole.shape or not torch.allclose(resumed, whole, rtol=1e-4, atol=1e-6):
                return False
    return True
