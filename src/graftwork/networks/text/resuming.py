"""Whether a transformer gives the same features when it starts in the middle of its layers, found out by trying."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import torch

from graftwork.data.batch import Hidden, Inputs
from graftwork.networks.stacks import steady

if TYPE_CHECKING:
    from graftwork.networks.text.transformer import TransformerEncoder

_FOUND: dict[str, bool] = {}
"""By architecture: as many passes as there are layers are made, and a run builds its base many times."""


def resumes(encoder: TransformerEncoder, inputs: Inputs, deepest: int) -> bool:
    """Whether starting at depth 1 to `deepest` gives the same features; T5, for one, hands more from layer to layer.
    What is found of an architecture holds whatever its weights are. inputs: of the texts that it is tried on."""
    pooling = (encoder.pooling.how, encoder.pooling.normalise)
    own = (type(encoder.model).__qualname__, encoder.hf_config.to_dict(), encoder.layers, encoder.attention, *pooling)
    known = json.dumps([own, str(next(encoder.parameters()).device)], sort_keys=True, default=str)
    if known not in _FOUND:
        _FOUND[known] = _tried(encoder, inputs, deepest)
    return _FOUND[known]


def _tried(encoder: TransformerEncoder, inputs: Inputs, deepest: int) -> bool:
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
